/* SPDX-License-Identifier: Apache-2.0 */
/* meter.h - the door of host/meter/: power and energy from what a site has.
 *
 *     facility=csv:main.csv,zone=+08:00,class=0.5     a file that a meter's logger writes
 *     it=modbus:10.0.0.7:502,meter.yaml               a meter on the network, asked once a second
 *     rapl                                            the processors' own counters
 *
 * A live meter is asked during the work by pa_meter_read, on the caller's clock. A delivered one
 * (csv) is read once, after the work, and cut to the window. Nothing is guessed: what a file leaves
 * open (zone, unit, decimal mark, order of day and month) is an error that names the option that
 * decides it. docs/power.md lists the options.
 *
 *   meter_sampler.h   asks live meters beside the work
 *   meter_options.h   what stands in a specification and in a sidecar
 */
#ifndef PA_METER_METER_H
#define PA_METER_METER_H

#include "base/clock.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a meter did not say. */
#define PA_METER_NO_POWER INT64_MIN
#define PA_METER_NO_ENERGY UINT64_MAX

struct pa_meter_reading {
    struct pa_instant at; /* raw_ns is 0 where the meter's own clock dated it */
    int64_t milliwatts;
    uint64_t millijoules; /* of a counter that only grows */
};

struct pa_meter_facts {
    char role[12];  /* "it", "facility", "pv", "wind" */
    char source[8]; /* "csv", "modbus", "rapl" */
    char name[256];
    char details[256];
    double class_percent, resolution_w, share; /* 0 where not told */
    bool is_random;                            /* the metered part was chosen at random */
    uint64_t interval_ns;                      /* between two readings of a live meter */
    uint64_t wait_ns; /* how long a delivered file is waited for after the work */
};

/* What a delivered file held of a window. */
struct pa_meter_delivery {
    struct pa_meter_reading *readings; /* owned, in order of time, each later than the one before */
    size_t count, capacity;
    uint64_t rows;                      /* of data, in the whole file */
    uint64_t missing;                   /* rows of the window without a value */
    uint64_t duplicates;                /* rows that repeat another one, dropped */
    uint64_t first_utc_ns, last_utc_ns; /* of the whole file; 0 in one without rows */
    uint8_t sha256[32];                 /* of the file's bytes */
};
void pa_meter_delivery_free(struct pa_meter_delivery *delivery);

struct pa_meter;

struct pa_meter_kind {
    const char *source;
    /* Ask a live meter; `at` is filled by the caller. NULL for a delivered one. */
    int (*read)(struct pa_meter *meter, struct pa_meter_reading *out, struct pa_error *error);
    /* Read a delivered file: what lies in [from, to], and the reading before and after it.
     * PA_EINPUT with file:line, PA_ENOINPUT. NULL for a live meter. */
    int (*deliver)(struct pa_meter *meter, uint64_t from_utc_ns, uint64_t to_utc_ns,
                   struct pa_meter_delivery *out, struct pa_error *error);
    void (*close)(struct pa_meter *meter);
};

/* Every meter starts with this. */
struct pa_meter {
    const struct pa_meter_kind *kind;
    struct pa_meter_facts facts;
};

/* "[ROLE=]SOURCE[:WHERE][,key=value]...". The role is `it` unless told. A live meter is asked once,
 * so that one that cannot work is known before the work begins. PA_EUSAGE for the specification,
 * PA_EINPUT for a file that it names, PA_EDEVICE where the meter does not answer or may not be
 * read. */
int pa_meter_open(const char *specification, struct pa_meter **out, struct pa_error *error);
void pa_meter_close(struct pa_meter *meter);
/* Ask a live meter now, on our own clock: the moment is the middle of asking. */
int pa_meter_read(struct pa_meter *meter, struct pa_meter_reading *out, struct pa_error *error);

/* Meters of one role: all tell their share of the load or none does, together at most 1, and no
 * two have one name. PA_EUSAGE. */
int pa_meters_check(struct pa_meter *const *meters, size_t count, struct pa_error *error);

#endif
