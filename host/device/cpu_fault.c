/* SPDX-License-Identifier: Apache-2.0 */
/* A device that computes wrongly in a share of its tiles, for the test that such a device is caught
 * as often as PROTOCOL.md 4 says. Compiled into pa_device_faulty alone, never into the product.
 *
 * PETAUDIT_FAULT="tiles:0.01:SEED" alters one entry of C in one tile of a hundred, between the GEMM
 * and the digest. Which tiles depends on the seed, the step's key and the tile's number alone, so
 * that a run can be repeated. "tiles:0.01:SEED:100" leaves the first hundred tiles alone: a device
 * that begins to fail after calibration has seen that it is exact. "stop:FILE" never comes back
 * from work once FILE is there, "heard:TEXT:FILE" once TEXT stands in FILE, "slow:2" takes twice as
 * long for all of it, "pace:10" 10 ms for each panel, so that its rate does not depend on who else
 * is on the machine.
 */
#include "device/cpu.h"

#include "base/clock.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static double share;
static unsigned long long fault_seed;
static atomic_llong spared; /* tiles that are still left alone */
static const char *stop_file, *heard_file;
static char heard_text[64];
static double slowness; /* 1: as fast as it is */
static double pace_ms;

static void read_setting(void) {
    const char *setting = getenv("PETAUDIT_FAULT");
    long long first = 0;
    slowness = 1;
    if (setting != NULL && sscanf(setting, "slow:%lf", &slowness) == 1)
        setting = NULL;
    if (setting != NULL && sscanf(setting, "pace:%lf", &pace_ms) == 1)
        setting = NULL;
    if (setting != NULL && strncmp(setting, "stop:", 5) == 0) {
        stop_file = setting + 5;
        setting = NULL;
    }
    int length = 0;
    if (setting != NULL && sscanf(setting, "heard:%63[^:]:%n", heard_text, &length) == 1 &&
        length > 0) {
        heard_file = setting + length;
        setting = NULL;
    }
    if (setting == NULL ||
        sscanf(setting, "tiles:%lf:%llu:%lld", &share, &fault_seed, &first) < 2 || !isfinite(share))
        share = 0;
    atomic_store(&spared, first);
}

/* A log of some lines, which the hub writes. */
static bool has_heard(void) {
    char text[65536];
    FILE *file = heard_file != NULL ? fopen(heard_file, "r") : NULL;
    if (file == NULL)
        return false;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return strstr(text, heard_text) != NULL;
}

/* Sleep as long as slowness or the pace demands, by the time since this thread was here last. */
static void be_slow(void) {
    static _Thread_local uint64_t since;
    uint64_t now = pa_clock_raw_ns(), most = UINT64_C(200000000);
    uint64_t pace_ns = (uint64_t)(pace_ms * 1e6);
    if (slowness > 1 && since != 0 && now - since < most)
        pa_clock_sleep((uint64_t)((double)(now - since) * (slowness - 1)));
    if (now - since < pace_ns)
        pa_clock_sleep(pace_ns - (now - since));
    since = pa_clock_raw_ns();
}

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t x) {
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

void pa_cpu_fault(void *c, size_t ld, size_t element, uint32_t tile_rows, uint32_t tile_columns,
                  uint32_t first_tile, uint32_t step_key) {
    pthread_once(&once, read_setting);
    be_slow();
    while ((stop_file != NULL && access(stop_file, F_OK) == 0) || has_heard())
        pause();
    for (uint32_t r = 0; r < tile_rows; r++)
        for (uint32_t q = 0; q < tile_columns; q++) {
            uint64_t tile = first_tile + (uint64_t)r * tile_columns + q;
            uint64_t drawn = mix(mix(fault_seed ^ (uint64_t)step_key << 32) ^ tile);
            if (atomic_load(&spared) > 0 && atomic_fetch_sub(&spared, 1) > 0)
                continue;
            if ((double)(drawn >> 11) * 0x1p-53 >= share)
                continue;
            size_t row = r * 128 + (drawn & 127), column = q * 128 + (drawn >> 7 & 127);
            ((uint8_t *)c)[(row * ld + column) * element + 2] ^= 1;
        }
}
