/* SPDX-License-Identifier: Apache-2.0 */
/* meter_csv.h - a logger's CSV, as the user describes it; inside the room, and for its tests. */
#ifndef PA_METER_METER_CSV_H
#define PA_METER_METER_CSV_H

#include "meter/meter.h"
#include "meter/meter_lines.h"
#include "meter/meter_options.h"
#include "meter/meter_quantity.h"
#include "meter/meter_time.h"

enum { PA_METER_MOST_KEPT = 1 << 22 }; /* readings of one window */

enum pa_meter_sign { PA_SIGN_POSITIVE, PA_SIGN_REVERSE, PA_SIGN_SIGNED };
enum pa_meter_order { PA_ORDER_STRICT, PA_ORDER_SORT };
enum pa_meter_duplicates { PA_DUPLICATES_REFUSE, PA_DUPLICATES_FIRST, PA_DUPLICATES_LAST };
enum pa_meter_stamp { PA_STAMP_INSTANT, PA_STAMP_START, PA_STAMP_END };

struct pa_meter_csv {
    struct pa_meter base;
    char path[PA_METER_WHERE_BYTES];
    char time[PA_METER_VALUE_BYTES], power[PA_METER_VALUE_BYTES], energy[PA_METER_VALUE_BYTES];
    char missing[PA_METER_VALUE_BYTES]; /* the word for "no value", beside an empty field */
    char separator;                     /* '\0': as the header shows */
    bool is_gbk, has_header;
    bool has_marks; /* decimal= or thousands= was said */
    uint64_t skip;  /* lines before the header */
    struct pa_meter_time_form time_form;
    struct pa_meter_quantity_form power_form, energy_form;
    double ratio;
    enum pa_meter_sign sign;
    enum pa_meter_order order;
    enum pa_meter_duplicates duplicates;
    enum pa_meter_stamp stamp;
};

/* Fill a meter from its options. PA_EUSAGE. */
int pa_meter_csv_configure(struct pa_meter_csv *csv, struct pa_meter_options *options,
                           struct pa_error *error);
/* Make a meter and, where the file is there already, read its header. */
int pa_meter_csv_open(struct pa_meter_options *options, struct pa_meter **out,
                      struct pa_error *error);
/* Read lines from their beginning to their end: what lies in [from, to], the last reading before it
 * and the first behind it. `out` starts zeroed. */
int pa_meter_csv_read(const struct pa_meter_csv *csv, struct pa_meter_lines *lines,
                      uint64_t from_utc_ns, uint64_t to_utc_ns, struct pa_meter_delivery *out,
                      struct pa_error *error);
/* The header alone: that its columns and units are clear. */
int pa_meter_csv_check(const struct pa_meter_csv *csv, struct pa_meter_lines *lines,
                       struct pa_error *error);

#endif
