/* SPDX-License-Identifier: Apache-2.0 */
/* simulated_meter.h - a Modbus TCP meter on this machine: libmodbus' server on a thread. */
#ifndef PA_TESTS_SIMULATED_METER_H
#define PA_TESTS_SIMULATED_METER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum simulated_mood {
    MOOD_ANSWERS,
    MOOD_IS_SILENT, /* takes requests and never answers */
    MOOD_HANGS_UP,  /* cuts the connection at every request */
};

struct simulated_meter {
    char port[8];
    atomic_int mood;
    uint16_t holding[600], input[600]; /* from `base` on; write before it is asked */
    int base;
    atomic_int requests;
    atomic_bool is_stopping;
    void *inside;
};

void simulated_meter_start(struct simulated_meter *meter, int base);
void simulated_meter_stop(struct simulated_meter *meter);

#endif
