/* SPDX-License-Identifier: Apache-2.0 */
/* meter_options.h - what stands in a meter's specification ("facility=csv:main.csv,class=0.5") and
 * in the YAML file beside a CSV. Every key is known, given once, and used by the meter that it is
 * given to. */
#ifndef PA_METER_METER_OPTIONS_H
#define PA_METER_METER_OPTIONS_H

#include "meter/meter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PA_METER_MOST_OPTIONS = 32, PA_METER_VALUE_BYTES = 256, PA_METER_WHERE_BYTES = 4096 };

struct pa_meter_option {
    char key[24];
    char value[PA_METER_VALUE_BYTES];
    bool is_used;
};

struct pa_meter_options {
    char role[12], source[8];
    char where[PA_METER_WHERE_BYTES]; /* behind the colon, up to the first comma */
    char map[PA_METER_WHERE_BYTES];   /* the one part that is no key=value; empty mostly */
    struct pa_meter_option options[PA_METER_MOST_OPTIONS];
    size_t count;
    const char *origin; /* for messages: the specification */
};

/* PA_EUSAGE. `specification` must outlive `out`. */
int pa_meter_options_parse(const char *specification, struct pa_meter_options *out,
                           struct pa_error *error);
/* Add what the YAML file `path` says; a key that the specification has too is refused. PA_EINPUT
 * with file:line:column. */
int pa_meter_options_sidecar(struct pa_meter_options *options, const char *path,
                             struct pa_error *error);
/* The same of bytes; `name` is what messages call them. */
int pa_meter_options_yaml(struct pa_meter_options *options, const char *name, const void *data,
                          size_t size, struct pa_error *error);

/* The value of a key, marked as used, or NULL. */
const char *pa_meter_option(struct pa_meter_options *options, const char *key);
/* Values of a kind; `out` stays as it was when the key is absent. PA_EUSAGE. */
int pa_meter_option_decimal(struct pa_meter_options *options, const char *key, double least,
                            double most, double *out, struct pa_error *error);
int pa_meter_option_whole(struct pa_meter_options *options, const char *key, uint64_t least,
                          uint64_t most, uint64_t *out, struct pa_error *error);
int pa_meter_option_duration(struct pa_meter_options *options, const char *key, uint64_t *out_ns,
                             struct pa_error *error);
/* One of `words` (ended by NULL); *out is its index. */
int pa_meter_option_word(struct pa_meter_options *options, const char *key,
                         const char *const *words, int *out, struct pa_error *error);
/* What every meter may say of itself: class, resolution, share, random, interval; its role and
 * source too. `interval_ns` is 0 where not told. PA_EUSAGE. */
int pa_meter_options_facts(struct pa_meter_options *options, struct pa_meter_facts *facts,
                           struct pa_error *error);
/* Refuse a key that nobody asked for. */
int pa_meter_options_done(const struct pa_meter_options *options, struct pa_error *error);

#endif
