/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/schedule.h"

#include <string.h>

__extension__ typedef unsigned __int128 uint128;

void pa_schedule_begin(struct pa_schedule *schedule, const struct pa_declaration *declaration) {
    memset(schedule, 0, sizeof *schedule);
    for (uint32_t kind = 0; kind <= declaration->probe_count; kind++)
        schedule->left[kind] = pa_declared_epochs(declaration, kind);
}

uint32_t pa_schedule_draw(struct pa_schedule *schedule, const struct pa_hash *nonce) {
    struct pa_hash drawn;
    uint64_t all = 0;
    uint32_t kind = 0;
    for (uint32_t i = 0; i <= PA_MOST_PROBE_KINDS; i++)
        all += schedule->left[i];
    if (all == 0)
        return 0;
    pa_hash_bytes(&drawn, "kind", nonce->bytes, PA_HASH_BYTES);
    uint64_t index = (uint64_t)((uint128)pa_le64(drawn.bytes) * all >> 64);
    while (index >= schedule->left[kind])
        index -= schedule->left[kind++];
    schedule->left[kind]--;
    return kind;
}

uint32_t pa_declared_epochs(const struct pa_declaration *declaration, uint32_t kind) {
    return kind == 0 ? declaration->epochs : declaration->probes[kind - 1].epochs;
}

uint64_t pa_declared_length_ns(const struct pa_declaration *declaration, uint32_t kind) {
    return kind == 0 ? declaration->epoch_ns : declaration->probes[kind - 1].length_ns;
}

uint32_t pa_declared_openings(const struct pa_declaration *declaration, uint32_t kind) {
    return kind == 0 ? declaration->openings : declaration->probes[kind - 1].openings;
}

struct pa_shape pa_declared_shape(const struct pa_declaration *declaration, uint32_t kind,
                                  uint32_t device) {
    const struct pa_declared_device *declared = &declaration->devices[device];
    if (kind == 0)
        return (struct pa_shape){declared->m, declared->n, declaration->k};
    const struct pa_probe_shape *shape =
        &declaration->probe_shapes[(size_t)(kind - 1) * declaration->device_count + device];
    return (struct pa_shape){shape->m, shape->n, declaration->k};
}

bool pa_declared_is_credited(const struct pa_declaration *declaration, uint32_t kind) {
    for (uint32_t d = 0; kind > 0 && d < declaration->device_count; d++)
        if (!pa_shape_is_certified(pa_declared_shape(declaration, kind, d)))
            return false;
    return true;
}

uint32_t pa_declared_epochs_in_all(const struct pa_declaration *declaration) {
    uint32_t all = 0;
    for (uint32_t kind = 0; kind <= declaration->probe_count; kind++)
        all += pa_declared_epochs(declaration, kind);
    return all;
}

uint64_t pa_declared_ns_in_all(const struct pa_declaration *declaration) {
    uint64_t all = 0;
    for (uint32_t kind = 0; kind <= declaration->probe_count; kind++)
        all += pa_declared_epochs(declaration, kind) * pa_declared_length_ns(declaration, kind);
    return all;
}

uint64_t pa_declared_openings_in_all(const struct pa_declaration *declaration) {
    uint64_t all = 0;
    for (uint32_t kind = 0; kind <= declaration->probe_count; kind++)
        all += (uint64_t)pa_declared_epochs(declaration, kind) *
               pa_declared_openings(declaration, kind);
    return all;
}
