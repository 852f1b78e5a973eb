/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/suspend_note.h"

#include "evidence/evidence.h"

#include <stdio.h>

/* The two clocks are read one after the other; less than this is no sleep. */
#define LEAST_SUSPEND_NS UINT64_C(100000000)

uint64_t pa_suspended_ns(uint64_t raw_ns, uint64_t boot_ns) {
    return boot_ns < raw_ns + LEAST_SUSPEND_NS + raw_ns / 1000 ? 0 : boot_ns - raw_ns;
}

json_t *pa_suspend_note(uint64_t slept_ns) {
    return json_pack("{s:s, s:I}", "kind", "suspend", "ns", (json_int_t)slept_ns);
}

void pa_boottime_note(struct pa_buffer *out, uint64_t epoch, uint64_t t0_boot_ns,
                      uint64_t t1_boot_ns) {
    char json[128];
    int size = snprintf(json, sizeof json, "{\"kind\":\"boottime\",\"t0_ns\":%llu,\"t1_ns\":%llu}",
                        (unsigned long long)t0_boot_ns, (unsigned long long)t1_boot_ns);
    const struct pa_note_record note = {
        .at = pa_clock_now(), .json = json, .json_bytes = (uint32_t)size};
    pa_record_put_note(out, epoch, &note);
}
