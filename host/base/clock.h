/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - the three clocks of docs/protocol.md 4, all in integer nanoseconds.
 *
 * RAW (CLOCK_MONOTONIC_RAW) measures: it is the machine's own oscillator, never slewed by NTP.
 * BOOT (CLOCK_BOOTTIME) runs on through a suspend, so that BOOT - RAW shows one.
 * UTC (CLOCK_REALTIME) dates what a person reads and may jump; it is compared, never trusted for a
 * duration.
 */
#ifndef PA_BASE_CLOCK_H
#define PA_BASE_CLOCK_H

#include <stdint.h>

struct pa_instant {
    uint64_t raw_ns;
    uint64_t utc_ns; /* since 1970-01-01T00:00:00Z */
};

uint64_t pa_clock_raw_ns(void);
uint64_t pa_clock_boot_ns(void);
uint64_t pa_clock_utc_ns(void);
struct pa_instant pa_clock_now(void);

/* Sleep for `ns` of RAW time, or until a signal arrives; returns early then. */
void pa_clock_sleep(uint64_t ns);

/* How long to wait for what usually takes a small part of `usual_ns`: that long, or as long as the
 * environment variable PETAUDIT_PATIENCE says ("5s") where that is shorter. It is for sites and
 * tests that want to give up a hanging device or witness sooner, never for waiting longer. */
uint64_t pa_clock_patience_ns(uint64_t usual_ns);

enum { PA_BOOT_ID_BYTES = 64 };
/* The kernel's id of this boot: RAW and BOOT begin anew with each; empty where there is none. */
void pa_boot_id(char out[PA_BOOT_ID_BYTES]);

enum { PA_UTC_TEXT_BYTES = 21 };
/* "2026-11-24T00:12:11Z" (RFC 3339, whole seconds); years past 9999 are printed as 9999. */
void pa_utc_text(char out[PA_UTC_TEXT_BYTES], uint64_t utc_ns);

#endif
