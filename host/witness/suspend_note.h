/* SPDX-License-Identifier: Apache-2.0 */
/* suspend_note.h - what a witness notes of its own machine's sleep (docs/protocol.md 10).
 *
 * A machine that slept during an epoch did not measure it: RAW stands still then, BOOT runs on. NTP
 * slews BOOT, by at most 500 ppm, and not RAW. */
#ifndef PA_WITNESS_SUSPEND_NOTE_H
#define PA_WITNESS_SUSPEND_NOTE_H

#include "base/bytes.h"

#include <jansson.h>
#include <stdint.h>

/* How long the machine slept while `raw_ns` and `boot_ns` passed on the two clocks; 0: it did not.
 */
uint64_t pa_suspended_ns(uint64_t raw_ns, uint64_t boot_ns);
/* The caller's to release. */
json_t *pa_suspend_note(uint64_t slept_ns);
/* What that rests on, for whoever judges: append a NOTE with the BOOT clock beside the t0 and t1 of
 * an epoch's records. */
void pa_boottime_note(struct pa_buffer *out, uint64_t epoch, uint64_t t0_boot_ns,
                      uint64_t t1_boot_ns);

#endif
