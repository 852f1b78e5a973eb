/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/epoch.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#define MOST_TILES (UINT64_C(1) << 48)

__extension__ typedef unsigned __int128 uint128;

void pa_epoch_parameter_bytes(uint8_t out[PA_EPOCH_PARAMETER_BYTES],
                              const struct pa_epoch_parameters *parameters) {
    pa_put_le32(out, PA_PROTOCOL_VERSION);
    pa_put_le32(out + 4, (uint32_t)parameters->class_id);
    pa_put_le32(out + 8, parameters->k);
    pa_put_le32(out + 12, parameters->devices);
    memcpy(out + 16, parameters->session.bytes, PA_HASH_BYTES);
    pa_put_le64(out + 48, parameters->epoch);
}

void pa_epoch_nonce(struct pa_hash *out, const struct pa_hash *key) {
    pa_hash_bytes(out, "nonce", key->bytes, PA_HASH_BYTES);
}

void pa_epoch_device_start(struct pa_hash *out, const struct pa_hash *nonce,
                           const struct pa_epoch_parameters *parameters, uint64_t device,
                           uint32_t m, uint32_t n) {
    uint8_t p[PA_EPOCH_PARAMETER_BYTES], who[16];
    pa_epoch_parameter_bytes(p, parameters);
    pa_put_le64(who, device);
    pa_put_le32(who + 8, m);
    pa_put_le32(who + 12, n);
    const struct pa_piece pieces[] = {
        {nonce->bytes, PA_HASH_BYTES}, {p, sizeof p}, {who, sizeof who}};
    pa_hash_pieces(out, "device", pieces, 3);
}

void pa_epoch_root(struct pa_hash *out, const struct pa_hash *nonce, const struct pa_tail *tails,
                   uint32_t devices) {
    struct pa_hasher hasher;
    pa_hasher_begin(&hasher, "root");
    pa_hasher_add(&hasher, nonce->bytes, PA_HASH_BYTES);
    for (uint32_t d = 0; d < devices; d++) {
        uint8_t steps[8];
        pa_put_le64(steps, tails[d].steps);
        pa_hasher_add(&hasher, steps, sizeof steps);
        pa_hasher_add(&hasher, tails[d].last.bytes, PA_HASH_BYTES);
        pa_hasher_add(&hasher, tails[d].tree.bytes, PA_HASH_BYTES);
    }
    pa_hasher_end(&hasher, out);
}

void pa_epoch_commit_hash(struct pa_hash *out, const struct pa_hash *session, uint64_t epoch,
                          const struct pa_hash *root) {
    uint8_t number[8];
    pa_put_le64(number, epoch);
    const struct pa_piece pieces[] = {
        {session->bytes, PA_HASH_BYTES}, {number, sizeof number}, {root->bytes, PA_HASH_BYTES}};
    pa_hash_pieces(out, "commit", pieces, 3);
}

bool pa_epoch_tiles(uint64_t *out, const struct pa_shape *shapes, const struct pa_tail *tails,
                    uint32_t devices) {
    uint64_t total = 0;
    for (uint32_t d = 0; d < devices; d++) {
        if (tails[d].steps > PA_MOST_STEPS)
            return false;
        /* At most 2^16 * 2^26: the sum cannot wrap before it is compared. */
        total += tails[d].steps * pa_shape_tiles(shapes[d]);
        if (total > MOST_TILES)
            return false;
    }
    *out = total;
    return true;
}

/* The device whose tiles hold `index`: the last one that begins at or before it and is not empty.
 */
static uint32_t device_of(const uint64_t *first, uint32_t devices, uint64_t index) {
    uint32_t low = 0, high = devices;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (first[middle] <= index)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int pa_epoch_samples(struct pa_sample *out, uint32_t count, const struct pa_hash *key,
                     const struct pa_hash *root, const struct pa_shape *shapes,
                     const struct pa_tail *tails, uint32_t devices, struct pa_error *error) {
    uint64_t total;
    if (!pa_epoch_tiles(&total, shapes, tails, devices) || total == 0)
        return pa_fail(error, PA_EINPUT,
                       "drawing samples: the list holds no tile, or more than the protocol allows");
    uint64_t *first = calloc(devices, sizeof *first);
    if (first == NULL)
        return pa_fail(error, PA_EMEMORY, "drawing samples: out of memory");
    for (uint32_t d = 1; d < devices; d++)
        first[d] = first[d - 1] + tails[d - 1].steps * pa_shape_tiles(shapes[d - 1]);

    struct pa_hash q;
    const struct pa_piece seed[] = {{key->bytes, PA_HASH_BYTES}, {root->bytes, PA_HASH_BYTES}};
    pa_hash_pieces(&q, "sample", seed, 2);
    for (uint32_t j = 0; j < count; j++) {
        uint8_t number[4];
        pa_put_le32(number, j);
        struct pa_hash drawn;
        const struct pa_piece draw[] = {{q.bytes, PA_HASH_BYTES}, {number, sizeof number}};
        pa_hash_pieces(&drawn, "draw", draw, 2);
        uint64_t index = (uint64_t)((uint128)pa_le64(drawn.bytes) * total >> 64);
        uint32_t d = device_of(first, devices, index), columns = shapes[d].n / PA_TILE;
        uint64_t within = index - first[d], tiles = pa_shape_tiles(shapes[d]);
        out[j] = (struct pa_sample){.device = d,
                                    .step = (uint32_t)(within / tiles) + 1,
                                    .row = (uint32_t)(within % tiles / columns),
                                    .column = (uint32_t)(within % columns)};
    }
    free(first);
    return PA_OK;
}
