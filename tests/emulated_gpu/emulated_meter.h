/* SPDX-License-Identifier: Apache-2.0 */
/* emulated_meter.h - power, energy, temperature and clocks of an emulated GPU, all derived from the
 * work that it did: energy is idle power over the whole time and the rest of the full power over
 * the time in which it worked, and power is what that gave over the last second, as the vendor's
 * boards tell it. */
#ifndef PA_TESTS_EMULATED_METER_H
#define PA_TESTS_EMULATED_METER_H

#include <stdbool.h>
#include <stdint.h>

struct emulated_reading {
    uint64_t power_mw, energy_mj;
    unsigned celsius, sm_mhz, memory_mhz;
    bool is_idle, is_slow, is_hot;
    uint64_t ecc_uncorrected;
};

enum {
    EMULATED_IDLE_MW = 75000,
    EMULATED_FULL_MW = 700000,
    EMULATED_SLOWDOWN_CELSIUS = 92,
};

/* The device worked from `begun_ns` (emulated_clock_ns) to now. A GPU that is ordered to be slow
 * takes the time here that it would have taken longer. */
void emulated_meter_worked(int device, uint64_t begun_ns);
/* Count one more matrix product, and how many there were. */
uint64_t emulated_meter_product(int device);

void emulated_meter_read(int device, struct emulated_reading *out);

#endif
