/* SPDX-License-Identifier: Apache-2.0 */
/* meter_quantity.h - a number with or without a unit, as loggers write it, to whole milliwatts or
 * millijoules. Exact: digits and powers of ten, no float between. */
#ifndef PA_METER_METER_QUANTITY_H
#define PA_METER_METER_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pa_meter_dimension { PA_METER_POWER, PA_METER_ENERGY };

/* value x multiplier x 10^exponent is milliwatts or millijoules; a multiplier of 0 is no unit. */
struct pa_meter_unit {
    uint32_t multiplier;
    int exponent;
};

struct pa_meter_quantity_form {
    enum pa_meter_dimension dimension;
    struct pa_meter_unit unit; /* of numbers that carry none themselves */
    char decimal;              /* '.' or ',' */
    char thousands;            /* '\0', ',', '.', ' ' or '\'' */
};

/* The unit that `length` bytes name: W, kW, MW, GW, Wh .. GWh, J, kJ, MJ, GJ and their Chinese
 * names. NULL, or what is wrong. */
const char *pa_meter_unit_parse(const char *text, size_t length, enum pa_meter_dimension dimension,
                                struct pa_meter_unit *out);

/* Parse `length` bytes; blanks around are allowed. NULL with *is_missing (nothing but blanks) or
 * *out, or what is wrong, with the option that decides it. */
const char *pa_meter_quantity_parse(const char *text, size_t length,
                                    const struct pa_meter_quantity_form *form, bool *is_missing,
                                    int64_t *out);

/* Whether the points of a column are decimal marks: "1.234" may be 1 and a bit or 1234. It stays
 * open while every value with a point could group thousands (one to three digits without a zero in
 * front, then three), and no number of more than three digits stands without one. */
struct pa_meter_points {
    bool are_decimal;
    uint64_t first_line; /* of a value that could be either; 0: there was none */
};
void pa_meter_points_see(struct pa_meter_points *points, const char *text, size_t length,
                         uint64_t line);
bool pa_meter_points_are_open(const struct pa_meter_points *points);

#endif
