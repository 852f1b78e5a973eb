/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/device_sample.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 uint128;

/* Fisher and Yates from the front, stopped after `count` exchanges. */
static void shuffle(uint32_t *order, uint32_t count, uint32_t devices, const struct pa_hash *q) {
    for (uint32_t d = 0; d < devices; d++)
        order[d] = d;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t number[4];
        struct pa_hash drawn;
        pa_put_le32(number, i);
        const struct pa_piece pieces[] = {{q->bytes, PA_HASH_BYTES}, {number, sizeof number}};
        pa_hash_pieces(&drawn, "draw", pieces, 2);
        uint32_t j = i + (uint32_t)((uint128)pa_le64(drawn.bytes) * (devices - i) >> 64);
        uint32_t kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

int pa_device_sample_draw(uint32_t *out, uint32_t count, uint32_t devices,
                          const struct pa_hash *key, const struct pa_hash *session,
                          struct pa_error *error) {
    if (count == 0 || count > devices)
        return pa_fail(error, PA_EINPUT, "choosing %u of %u devices: it is not possible", count,
                       devices);
    uint32_t *order = calloc(devices, sizeof *order);
    if (order == NULL)
        return pa_fail(error, PA_EMEMORY, "choosing %u of %u devices: out of memory", count,
                       devices);
    struct pa_hash q;
    const struct pa_piece seed[] = {{key->bytes, PA_HASH_BYTES}, {session->bytes, PA_HASH_BYTES}};
    pa_hash_pieces(&q, "devices", seed, 2);
    shuffle(order, count, devices, &q);
    memcpy(out, order, count * sizeof *out);
    free(order);
    return PA_OK;
}
