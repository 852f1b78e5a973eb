/* SPDX-License-Identifier: Apache-2.0 */
#include "meter/meter_modbus.h"

#include "base/base.h"
#include "meter/modbus_map.h"

#include <errno.h>
#include <math.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "SunS", and the end of SunSpec's directory. */
enum { SUNS_HIGH = 0x5375, SUNS_LOW = 0x6E53, SUNSPEC_END = 0xFFFF, MOST_MODELS = 64 };

struct meter_modbus {
    struct pa_meter base;
    char host[256], port[8];
    uint64_t timeout_ns;
    bool is_generation;
    struct pa_modbus_map map;
    modbus_t *link; /* NULL while there is no connection */
};

static void hang_up(struct meter_modbus *meter) {
    if (meter->link == NULL)
        return;
    modbus_close(meter->link);
    modbus_free(meter->link);
    meter->link = NULL;
}

static int fail(struct meter_modbus *meter, const char *what, struct pa_error *error) {
    const char *cause = modbus_strerror(errno);
    hang_up(meter);
    return pa_fail(error, PA_EDEVICE, "Modbus meter %s:%s: %s: %s", meter->host, meter->port, what,
                   cause);
}

static int dial(struct meter_modbus *meter, struct pa_error *error) {
    uint64_t us = meter->timeout_ns / 1000;
    if (meter->link != NULL)
        return PA_OK;
    meter->link = modbus_new_tcp_pi(meter->host, meter->port);
    if (meter->link == NULL)
        return fail(meter, "making a connection", error);
    modbus_set_response_timeout(meter->link, (uint32_t)(us / 1000000), (uint32_t)(us % 1000000));
    modbus_set_byte_timeout(meter->link, (uint32_t)(us / 1000000), (uint32_t)(us % 1000000));
    if (modbus_set_slave(meter->link, (int)meter->map.unit_id) != 0)
        return fail(meter, "choosing the unit", error);
    return modbus_connect(meter->link) == 0 ? PA_OK : fail(meter, "connecting", error);
}

static int read_words(struct meter_modbus *meter, uint32_t address, int count, uint16_t *out,
                      struct pa_error *error) {
    PA_TRY(dial(meter, error));
    int got = meter->map.is_input
                  ? modbus_read_input_registers(meter->link, (int)address, count, out)
                  : modbus_read_registers(meter->link, (int)address, count, out);
    if (got == count)
        return PA_OK;
    char what[96];
    snprintf(what, sizeof what, "reading %d %s registers at %u", count,
             meter->map.is_input ? "input" : "holding", address);
    if (errno == EMBXILADD || errno == EMBXILFUN)
        strncat(what, " (is the map this meter's?)", sizeof what - strlen(what) - 1);
    return fail(meter, what, error);
}

static int read_value(struct meter_modbus *meter, uint16_t address, enum pa_modbus_type type,
                      double *out, struct pa_error *error) {
    uint16_t words[PA_MODBUS_MOST_WORDS] = {0};
    PA_TRY(read_words(meter, address, pa_modbus_words(type), words, error));
    *out = pa_modbus_value(words, type, meter->map.is_low_word_first);
    return PA_OK;
}

/* A point in milliwatts or millijoules. */
static int read_point(struct meter_modbus *meter, const struct pa_modbus_point *point,
                      const char *name, double *out, struct pa_error *error) {
    double value, exponent = 0;
    PA_TRY(read_value(meter, point->address, point->type, &value, error));
    if (point->has_exponent)
        PA_TRY(read_value(meter, point->exponent_address, PA_MODBUS_INT16, &exponent, error));
    *out = value * point->scale * pow(10, exponent) * point->unit.multiplier *
           pow(10, point->unit.exponent);
    if (isnan(*out) || fabs(exponent) > 10)
        return pa_fail(error, PA_EDEVICE,
                       "Modbus meter %s:%s: %s at register %u is marked as not implemented; is the "
                       "map this meter's?",
                       meter->host, meter->port, name, point->address);
    return PA_OK;
}

static int out_of_range(const struct meter_modbus *meter, const char *name, double milli,
                        const char *advice, struct pa_error *error) {
    return pa_fail(error, PA_EDEVICE, "Modbus meter %s:%s: %s of %.6g cannot be; %s", meter->host,
                   meter->port, name, milli / 1000, advice);
}

static int read_modbus(struct pa_meter *base, struct pa_meter_reading *out,
                       struct pa_error *error) {
    struct meter_modbus *meter = (struct meter_modbus *)base;
    double milli;
    if (meter->map.power.is_there) {
        PA_TRY(read_point(meter, &meter->map.power, "power", &milli, error));
        if (meter->map.is_reversed)
            milli = -milli;
        if (fabs(milli) > 1e15)
            return out_of_range(meter, "a power", milli, "are unit, scale and word_order right?",
                                error);
        if (milli < 0 && !meter->map.is_signed && !meter->is_generation)
            return out_of_range(meter, "a load", milli,
                                "say sign: reverse in the map if this meter counts it so", error);
        out->milliwatts = (int64_t)llround(milli);
    }
    if (meter->map.energy.is_there) {
        PA_TRY(read_point(meter, &meter->map.energy, "energy", &milli, error));
        if (milli < 0 || milli > 9e18)
            return out_of_range(meter, "an energy counter", milli,
                                "are unit, scale and word_order right?", error);
        out->millijoules = (uint64_t)llround(milli);
    }
    return PA_OK;
}

/* What SunSpec's meter models have where (offsets from the model's own first register). */
static void use_model(struct meter_modbus *meter, uint16_t at, uint16_t model) {
    struct pa_modbus_map *map = &meter->map;
    bool is_float = model >= 211;
    map->power = (struct pa_modbus_point){.is_there = true,
                                          .address = (uint16_t)(at + (is_float ? 28 : 18)),
                                          .type = is_float ? PA_MODBUS_FLOAT32 : PA_MODBUS_INT16,
                                          .scale = 1,
                                          .has_exponent = !is_float,
                                          .exponent_address = (uint16_t)(at + 22),
                                          .unit = {1, 3}};
    /* Imported energy; which way a generator's meter counts is not for us to guess. */
    if (meter->is_generation)
        return;
    map->energy = (struct pa_modbus_point){.is_there = true,
                                           .address = (uint16_t)(at + (is_float ? 68 : 46)),
                                           .type = is_float ? PA_MODBUS_FLOAT32 : PA_MODBUS_UINT32,
                                           .scale = 1,
                                           .has_exponent = !is_float,
                                           .exponent_address = (uint16_t)(at + 54),
                                           .unit = {36, 5}};
}

/* Walk SunSpec's directory to the first meter. */
static int find_sunspec(struct meter_modbus *meter, struct pa_error *error) {
    uint32_t at = meter->map.sunspec_base;
    uint16_t words[2];
    PA_TRY(read_words(meter, at, 2, words, error));
    if (words[0] != SUNS_HIGH || words[1] != SUNS_LOW)
        return pa_fail(error, PA_EDEVICE,
                       "Modbus meter %s:%s: register %u does not begin with \"SunS\": no SunSpec "
                       "device, or its base is another (40000, 50000 or 0)",
                       meter->host, meter->port, at);
    at += 2;
    for (int i = 0; i < MOST_MODELS && at < UINT16_MAX - 128; i++) {
        PA_TRY(read_words(meter, at, 2, words, error));
        if (words[0] == SUNSPEC_END)
            break;
        if ((words[0] >= 201 && words[0] <= 204) || (words[0] >= 211 && words[0] <= 214)) {
            use_model(meter, (uint16_t)at, words[0]);
            snprintf(meter->map.meter, sizeof meter->map.meter, "SunSpec meter, model %u",
                     words[0]);
            return PA_OK;
        }
        at += 2u + words[1];
    }
    return pa_fail(error, PA_EDEVICE,
                   "Modbus meter %s:%s: its SunSpec directory has no meter (models 201 to 204, 211 "
                   "to 214)",
                   meter->host, meter->port);
}

static int identify(struct meter_modbus *meter, struct pa_error *error) {
    if (meter->map.is_sunspec)
        PA_TRY(find_sunspec(meter, error));
    for (size_t i = 0; i < meter->map.check_count; i++) {
        const struct pa_modbus_check *check = &meter->map.checks[i];
        double value;
        PA_TRY(read_value(meter, check->address, check->type, &value, error));
        if (!(value == check->value))
            return pa_fail(error, PA_EDEVICE,
                           "Modbus meter %s:%s: register %u holds %.9g where the map expects %.9g: "
                           "this is another meter than %s",
                           meter->host, meter->port, check->address, value, check->value,
                           meter->map.meter);
    }
    return PA_OK;
}

static void close_modbus(struct pa_meter *base) {
    struct meter_modbus *meter = (struct meter_modbus *)base;
    hang_up(meter);
    free(meter);
}

static const struct pa_meter_kind modbus_kind = {
    .source = "modbus", .read = read_modbus, .close = close_modbus};

/* "HOST", "HOST:PORT", "[::1]:PORT". */
static int parse_address(struct meter_modbus *meter, const char *where, struct pa_error *error) {
    const char *host = where, *colon = strrchr(where, ':');
    size_t length = strlen(where);
    uint64_t port;
    snprintf(meter->port, sizeof meter->port, "502");
    if (where[0] == '[') {
        const char *end = strchr(where, ']');
        host = where + 1;
        length = end != NULL ? (size_t)(end - host) : 0;
        colon = end != NULL && end[1] == ':' ? end + 1 : NULL;
    } else if (colon != NULL) {
        length = (size_t)(colon - where);
    }
    if (colon != NULL && pa_whole_parse(colon + 1, 1, 65535, &port, NULL) != PA_OK)
        length = 0;
    if (length == 0 || length >= sizeof meter->host)
        return pa_fail(error, PA_EUSAGE,
                       "a Modbus meter needs its address: modbus:HOST:PORT,MAP.yaml");
    memcpy(meter->host, host, length);
    meter->host[length] = '\0';
    if (colon != NULL)
        snprintf(meter->port, sizeof meter->port, "%s", colon + 1);
    return PA_OK;
}

static int configure(struct meter_modbus *meter, struct pa_meter_options *options,
                     struct pa_error *error) {
    struct pa_meter_facts *facts = &meter->base.facts;
    PA_TRY(parse_address(meter, options->where, error));
    if (options->map[0] == '\0')
        return pa_fail(error, PA_EUSAGE,
                       "a Modbus meter needs its register map: modbus:HOST:PORT,MAP.yaml, or "
                       "modbus:HOST:PORT,sunspec");
    PA_TRY(pa_meter_options_facts(options, facts, error));
    meter->is_generation = strcmp(facts->role, "pv") == 0 || strcmp(facts->role, "wind") == 0;
    if (strcmp(options->map, "sunspec") == 0)
        pa_modbus_map_sunspec(&meter->map);
    else
        PA_TRY(pa_modbus_map_load(options->map, &meter->map, error));
    meter->timeout_ns = 1000000000;
    PA_TRY(pa_meter_option_whole(options, "unit_id", 0, 255, &meter->map.unit_id, error));
    PA_TRY(pa_meter_option_duration(options, "timeout", &meter->timeout_ns, error));
    if (facts->class_percent == 0)
        facts->class_percent = meter->map.class_percent;
    if (facts->interval_ns == 0)
        facts->interval_ns = 1000000000;
    if (meter->timeout_ns > UINT64_C(60000000000) || facts->interval_ns < 10000000)
        return pa_fail(error, PA_EUSAGE,
                       "a Modbus meter: timeout is at most 60s, interval at least 10ms");
    char name[sizeof facts->name];
    snprintf(name, sizeof name, "%.200s:%.7s", meter->host, meter->port);
    pa_printable(facts->name, sizeof facts->name, name);
    return pa_meter_options_done(options, error);
}

int pa_meter_modbus_open(struct pa_meter_options *options, struct pa_meter **out,
                         struct pa_error *error) {
    struct meter_modbus *meter = calloc(1, sizeof *meter);
    if (meter == NULL)
        return pa_fail(error, PA_EMEMORY, "opening a meter: out of memory");
    meter->base.kind = &modbus_kind;
    int code = configure(meter, options, error);
    if (code == PA_OK)
        code = identify(meter, error);
    if (code != PA_OK) {
        close_modbus(&meter->base);
        return code;
    }
    snprintf(meter->base.facts.details, sizeof meter->base.facts.details, "%s, unit %u",
             meter->map.meter, (unsigned)meter->map.unit_id);
    *out = &meter->base;
    return PA_OK;
}
