/* SPDX-License-Identifier: Apache-2.0 */
/* meter_time.h - times as loggers write them, to UTC.
 *
 * A four-digit year in front says its own order; day and month in front of the year never do, and
 * neither does a plain number. A time without a zone needs one told. Nothing is guessed. */
#ifndef PA_METER_METER_TIME_H
#define PA_METER_METER_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pa_meter_date { PA_DATE_YMD, PA_DATE_DMY, PA_DATE_MDY, PA_DATE_UNIX, PA_DATE_UNIX_MS };

struct pa_meter_time_form {
    enum pa_meter_date date; /* YMD unless told */
    bool has_zone;           /* `zone_seconds` is told */
    int32_t zone_seconds;    /* east of UTC */
};

/* Parse `length` bytes. NULL and *utc_ns (since 1970), or what is wrong, with the option that
 * decides it. */
const char *pa_meter_time_parse(const char *text, size_t length,
                                const struct pa_meter_time_form *form, int64_t *utc_ns);

/* "UTC", "Z", "+08:00", "-0330" to seconds; false for anything else. */
bool pa_meter_zone_parse(const char *text, size_t length, int32_t *seconds);

#endif
