/* SPDX-License-Identifier: Apache-2.0 */
#include "meter/meter_quantity.h"

#include <string.h>

static const struct {
    const char *name;
    enum pa_meter_dimension dimension;
    struct pa_meter_unit unit;
} units[] = {
    {"W", PA_METER_POWER, {1, 3}},        {"kW", PA_METER_POWER, {1, 6}},
    {"KW", PA_METER_POWER, {1, 6}},       {"MW", PA_METER_POWER, {1, 9}},
    {"GW", PA_METER_POWER, {1, 12}},      {"瓦", PA_METER_POWER, {1, 3}},
    {"千瓦", PA_METER_POWER, {1, 6}},     {"兆瓦", PA_METER_POWER, {1, 9}},
    {"Wh", PA_METER_ENERGY, {36, 5}},     {"kWh", PA_METER_ENERGY, {36, 8}},
    {"KWh", PA_METER_ENERGY, {36, 8}},    {"KWH", PA_METER_ENERGY, {36, 8}},
    {"MWh", PA_METER_ENERGY, {36, 11}},   {"GWh", PA_METER_ENERGY, {36, 14}},
    {"J", PA_METER_ENERGY, {1, 3}},       {"kJ", PA_METER_ENERGY, {1, 6}},
    {"MJ", PA_METER_ENERGY, {1, 9}},      {"GJ", PA_METER_ENERGY, {1, 12}},
    {"千瓦时", PA_METER_ENERGY, {36, 8}}, {"度", PA_METER_ENERGY, {36, 8}},
};

const char *pa_meter_unit_parse(const char *text, size_t length, enum pa_meter_dimension dimension,
                                struct pa_meter_unit *out) {
    bool is_other = false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strlen(units[i].name) != length || memcmp(units[i].name, text, length) != 0)
            continue;
        is_other = units[i].dimension != dimension;
        *out = units[i].unit;
        if (!is_other)
            return NULL;
    }
    *out = (struct pa_meter_unit){0};
    if (length == 2 && (memcmp(text, "mW", 2) == 0 || memcmp(text, "mw", 2) == 0))
        return "the unit mW or mw could be milli or mega; say unit=MW or convert the file";
    if (is_other)
        return dimension == PA_METER_POWER ? "this is a unit of energy, not of power"
                                           : "this is a unit of power, not of energy";
    return dimension == PA_METER_POWER ? "this is no unit of power: W, kW, MW or GW"
                                       : "this is no unit of energy: Wh, kWh, MWh, GWh, J, kJ, MJ";
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* A number being read: `digits` x 10^exponent. */
struct number {
    const char *at, *end;
    uint64_t digits;
    int exponent;
    bool is_negative;
};

static const uint64_t most_digits = UINT64_C(99999999999999999); /* one more digit still fits */

static bool take_digit(struct number *number) {
    if (number->digits > most_digits)
        return false;
    number->digits = number->digits * 10 + (uint64_t)(*number->at++ - '0');
    return true;
}

static const char *const too_long = "the number has too many digits";
static const char *const bad_groups =
    "the groups of digits are not of three; decimal= and thousands= say what the marks mean";

/* What a mark that is neither told as decimal mark nor as thousands mark may mean. */
static const char *stray_mark(char mark, const struct pa_meter_quantity_form *form) {
    if (mark == ',' && form->decimal == '.')
        return "the comma could be a decimal mark or group thousands; say decimal=comma or "
               "thousands=comma";
    if (mark == '.' && form->decimal == ',')
        return "the point could be a decimal mark or group thousands; say thousands=point, or "
               "leave decimal=comma out";
    return NULL;
}

static const char *take_whole(struct number *number, const struct pa_meter_quantity_form *form) {
    int in_group = 0, groups = 0;
    if (number->at == number->end || !is_digit(*number->at))
        return "this is no number";
    for (; number->at < number->end; in_group++) {
        if (is_digit(*number->at)) {
            if (!take_digit(number))
                return too_long;
            continue;
        }
        bool is_group = form->thousands != '\0' && *number->at == form->thousands &&
                        number->at + 1 < number->end && is_digit(number->at[1]);
        if (!is_group)
            break;
        if (groups > 0 ? in_group != 3 : in_group > 3)
            return bad_groups;
        groups++;
        in_group = -1;
        number->at++;
    }
    return groups > 0 && in_group != 3 ? bad_groups : NULL;
}

static const char *take_fraction(struct number *number, const struct pa_meter_quantity_form *form) {
    if (number->at == number->end)
        return NULL;
    if (*number->at != form->decimal)
        return stray_mark(*number->at, form);
    number->at++;
    if (number->at == number->end || !is_digit(*number->at))
        return "there is no digit behind the decimal mark";
    for (; number->at < number->end && is_digit(*number->at); number->exponent--)
        if (!take_digit(number))
            return too_long;
    return number->at < number->end ? stray_mark(*number->at, form) : NULL;
}

static const char *take_exponent(struct number *number) {
    if (number->at == number->end || (*number->at != 'e' && *number->at != 'E'))
        return NULL;
    const char *p = number->at + 1;
    bool is_minus = p < number->end && *p == '-';
    int value = 0, digits = 0;
    if (p < number->end && (*p == '-' || *p == '+'))
        p++;
    for (; p < number->end && is_digit(*p) && digits < 3; digits++)
        value = value * 10 + (*p++ - '0');
    if (digits == 0)
        return "the exponent is not whole";
    number->exponent += is_minus ? -value : value;
    number->at = p;
    return NULL;
}

static const char *scale(const struct number *number, struct pa_meter_unit unit, int64_t *out) {
    const unsigned __int128 most = (unsigned __int128)INT64_MAX;
    unsigned __int128 value = (unsigned __int128)number->digits * unit.multiplier;
    int exponent = number->exponent + unit.exponent;
    for (; exponent > 0 && value != 0; exponent--) {
        value *= 10;
        if (value > most)
            return "the number is larger than any meter's";
    }
    for (; exponent < -1 && value != 0; exponent++)
        value /= 10;
    if (exponent == -1)
        value = (value + 5) / 10;
    if (value > most)
        return "the number is larger than any meter's";
    *out = number->is_negative ? -(int64_t)value : (int64_t)value;
    return NULL;
}

const char *pa_meter_quantity_parse(const char *text, size_t length,
                                    const struct pa_meter_quantity_form *form, bool *is_missing,
                                    int64_t *out) {
    struct number number = {.at = text, .end = text + length};
    while (number.at < number.end && *number.at == ' ')
        number.at++;
    while (number.end > number.at && number.end[-1] == ' ')
        number.end--;
    *is_missing = number.at == number.end;
    *out = 0;
    if (*is_missing)
        return NULL;
    number.is_negative = *number.at == '-';
    if (*number.at == '-' || *number.at == '+')
        number.at++;
    const char *problem = take_whole(&number, form);
    if (problem == NULL)
        problem = take_fraction(&number, form);
    if (problem == NULL)
        problem = take_exponent(&number);
    if (problem != NULL)
        return problem;
    struct pa_meter_unit unit = form->unit;
    while (number.at < number.end && *number.at == ' ')
        number.at++;
    if (number.at < number.end) {
        problem = pa_meter_unit_parse(number.at, (size_t)(number.end - number.at), form->dimension,
                                      &unit);
        if (problem != NULL)
            return problem;
    }
    if (unit.multiplier == 0)
        return form->dimension == PA_METER_POWER
                   ? "nothing says what unit this number has; say unit=kW (or W, MW, GW)"
                   : "nothing says what unit this number has; say energy_unit=kWh (or MWh, J)";
    return scale(&number, unit, out);
}

static size_t count_digits(const char *text, size_t length) {
    size_t count = 0;
    while (count < length && is_digit(text[count]))
        count++;
    return count;
}

void pa_meter_points_see(struct pa_meter_points *points, const char *text, size_t length,
                         uint64_t line) {
    while (length > 0 && (*text == ' ' || *text == '-' || *text == '+')) {
        text++;
        length--;
    }
    size_t whole = count_digits(text, length);
    if (whole == length || text[whole] != '.') {
        points->are_decimal = points->are_decimal || whole > 3;
        return;
    }
    const char *behind = text + whole + 1;
    size_t left = length - whole - 1, fraction = count_digits(behind, left);
    bool has_exponent = fraction < left && (behind[fraction] == 'e' || behind[fraction] == 'E');
    if (whole == 0 || whole > 3 || *text == '0' || fraction != 3 || has_exponent)
        points->are_decimal = true;
    else if (points->first_line == 0)
        points->first_line = line;
}

bool pa_meter_points_are_open(const struct pa_meter_points *points) {
    return !points->are_decimal && points->first_line != 0;
}
