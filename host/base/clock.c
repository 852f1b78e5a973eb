/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t read_clock(clockid_t id) {
    struct timespec now;
    if (clock_gettime(id, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t pa_clock_raw_ns(void) {
    return read_clock(CLOCK_MONOTONIC_RAW);
}

uint64_t pa_clock_boot_ns(void) {
    return read_clock(CLOCK_BOOTTIME);
}

uint64_t pa_clock_utc_ns(void) {
    return read_clock(CLOCK_REALTIME);
}

struct pa_instant pa_clock_now(void) {
    return (struct pa_instant){.raw_ns = pa_clock_raw_ns(), .utc_ns = pa_clock_utc_ns()};
}

void pa_clock_sleep(uint64_t ns) {
    struct timespec wait = {.tv_sec = (time_t)(ns / 1000000000u),
                            .tv_nsec = (long)(ns % 1000000000u)};
    nanosleep(&wait, NULL);
}

void pa_boot_id(char out[PA_BOOT_ID_BYTES]) {
    out[0] = '\0';
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file == NULL)
        return;
    if (fgets(out, PA_BOOT_ID_BYTES, file) == NULL)
        out[0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    fclose(file);
}

void pa_utc_text(char out[PA_UTC_TEXT_BYTES], uint64_t utc_ns) {
    static const uint64_t last_second = 253402300799u; /* 9999-12-31T23:59:59Z */
    uint64_t seconds = utc_ns / 1000000000u;
    time_t when = (time_t)(seconds < last_second ? seconds : last_second);
    struct tm parts;
    gmtime_r(&when, &parts);
    if (strftime(out, PA_UTC_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        memcpy(out, "1970-01-01T00:00:00Z", PA_UTC_TEXT_BYTES);
}

uint64_t pa_clock_patience_ns(uint64_t usual_ns) {
    const char *text = getenv("PETAUDIT_PATIENCE");
    uint64_t ns;
    if (text == NULL || pa_duration_parse(text, &ns, NULL) != PA_OK)
        return usual_ns;
    return ns < usual_ns ? ns : usual_ns;
}
