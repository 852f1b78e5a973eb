/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_messages.c - what the hub and its workers say to each other: the first byte chooses the
 * message, the rest is read as it. */
#include "fleet/fleet_wire.h"
#include "measure/coupled.h"
#include "measure/messages.h"
#include "measure/ramp.h"
#include "measure/vendor_station.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_message(uint8_t kind, struct pa_reader *in) {
    union {
        struct pa_hello hello;
        struct pa_calibrate_request calibrate;
        struct pa_calibration calibration;
        struct pa_warmup warmup;
        struct pa_raw raw;
        struct pa_epoch_request epoch;
        struct pa_replay_request replay;
        struct pa_vendor_report vendor;
        struct pa_tail tail;
        struct pa_sample sample;
        struct pa_coupled_request coupled;
        struct pa_ramp_share ramp;
    } out;
    struct pa_error error = {0};
    switch (kind) {
    case 0:
        if (pa_get_hello(in, &out.hello, &error) == PA_OK)
            pa_hello_free(&out.hello);
        break;
    case 1:
        (void)pa_get_calibrate_request(in, &out.calibrate, &error);
        break;
    case 2:
        (void)pa_get_calibration(in, &out.calibration, &error);
        break;
    case 3:
        (void)pa_get_warmup(in, &out.warmup, &error);
        break;
    case 4:
        (void)pa_get_raw(in, &out.raw, &error);
        break;
    case 5:
        (void)pa_get_epoch_request(in, &out.epoch, &error);
        break;
    case 6:
        (void)pa_get_replay_request(in, &out.replay, &error);
        break;
    case 7:
        pa_get_tail(in, &out.tail);
        break;
    case 9:
        (void)pa_get_coupled_request(in, &out.coupled, &error);
        break;
    case 10:
        (void)pa_vendor_answer(in, &out.vendor, &error);
        break;
    case 11:
        (void)pa_get_ramp(in, 1, 3, &out.ramp, &error);
        break;
    default:
        pa_get_sample(in, &out.sample);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    struct pa_reader in = pa_reader_over(data + 1, size - 1);
    struct pa_wire_join join;
    struct pa_wire_poll poll;
    struct pa_wire_order order;
    if (data[0] < 16)
        read_message(data[0], &in);
    else if (data[0] < 32)
        (void)pa_wire_get_join(data + 1, size - 1, &join);
    else if (data[0] < 48)
        (void)pa_wire_get_poll(data + 1, size - 1, &poll);
    else
        (void)pa_wire_get_order(data + 1, size - 1, &order);
    return 0;
}
