/* SPDX-License-Identifier: Apache-2.0 */
/* meter_open.c - from a specification to a meter, and what all meters have in common. */
#include "meter/meter.h"
#include "meter/meter_csv.h"
#include "meter/meter_modbus.h"
#include "meter/meter_rapl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int pa_meter_open(const char *specification, struct pa_meter **out, struct pa_error *error) {
    static const struct {
        const char *source;
        int (*open)(struct pa_meter_options *, struct pa_meter **, struct pa_error *);
    } sources[] = {
        {"csv", pa_meter_csv_open}, {"modbus", pa_meter_modbus_open}, {"rapl", pa_meter_rapl_open}};
    struct pa_meter_options *options = calloc(1, sizeof *options);
    if (options == NULL)
        return pa_fail(error, PA_EMEMORY, "opening a meter: out of memory");
    *out = NULL;
    int code = pa_meter_options_parse(specification, options, error);
    if (code == PA_OK && options->map[0] != '\0' && strcmp(options->source, "modbus") != 0)
        code = pa_fail(error, PA_EUSAGE, "\"%.60s\" is no key=value of a %s meter", options->map,
                       options->source);
    for (size_t i = 0; code == PA_OK && i < sizeof sources / sizeof sources[0]; i++)
        if (strcmp(sources[i].source, options->source) == 0) {
            code = sources[i].open(options, out, error);
            break;
        }
    free(options);
    struct pa_meter_reading first;
    if (code == PA_OK && *out != NULL && (*out)->kind->read != NULL)
        code = pa_meter_read(*out, &first, error);
    if (code != PA_OK) {
        pa_meter_close(*out);
        *out = NULL;
        if (error != NULL)
            pa_fail_in(error, "the meter %.200s", specification);
    }
    return code;
}

void pa_meter_close(struct pa_meter *meter) {
    if (meter != NULL)
        meter->kind->close(meter);
}

int pa_meter_read(struct pa_meter *meter, struct pa_meter_reading *out, struct pa_error *error) {
    *out = (struct pa_meter_reading){.milliwatts = PA_METER_NO_POWER,
                                     .millijoules = PA_METER_NO_ENERGY};
    struct pa_instant before = pa_clock_now();
    PA_TRY(meter->kind->read(meter, out, error));
    uint64_t took_ns = pa_clock_raw_ns() - before.raw_ns;
    out->at.raw_ns = before.raw_ns + took_ns / 2;
    out->at.utc_ns = before.utc_ns + took_ns / 2;
    return PA_OK;
}

int pa_meters_check(struct pa_meter *const *meters, size_t count, struct pa_error *error) {
    for (size_t i = 0; i < count; i++) {
        const struct pa_meter_facts *facts = &meters[i]->facts;
        double sum = 0;
        for (size_t j = 0; j < count; j++) {
            const struct pa_meter_facts *other = &meters[j]->facts;
            if (strcmp(facts->role, other->role) != 0)
                continue;
            sum += other->share;
            if ((facts->share > 0) != (other->share > 0))
                return pa_fail(error, PA_EUSAGE,
                               "of several meters of the role %s all tell their share or none does",
                               facts->role);
            if (i != j && strcmp(facts->source, other->source) == 0 &&
                strcmp(facts->name, other->name) == 0)
                return pa_fail(error, PA_EUSAGE, "the meter %.100s is given twice for the role %s",
                               facts->name, facts->role);
        }
        if (sum > 1 + 1e-9)
            return pa_fail(error, PA_EUSAGE,
                           "the meters of the role %s tell shares of more than all of it",
                           facts->role);
    }
    return PA_OK;
}

void pa_meter_delivery_free(struct pa_meter_delivery *delivery) {
    free(delivery->readings);
    *delivery = (struct pa_meter_delivery){0};
}
