/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/tail_list.h"

#include <stdlib.h>
#include <string.h>

void pa_tail_list_put(struct pa_buffer *out, uint64_t epoch, const struct pa_tail *tails,
                      uint32_t devices) {
    struct pa_list_entry *entries = calloc(devices, sizeof *entries);
    if (entries == NULL) {
        out->failed = true;
        return;
    }
    for (uint32_t d = 0; d < devices; d++) {
        entries[d].steps = tails[d].steps;
        memcpy(entries[d].last, tails[d].last.bytes, PA_HASH_BYTES);
        memcpy(entries[d].tree, tails[d].tree.bytes, PA_HASH_BYTES);
    }
    pa_record_put_list(out, epoch, entries, devices);
    free(entries);
}

struct pa_tail pa_tail_list_at(const struct pa_list_record *list, uint32_t device) {
    struct pa_list_entry entry = pa_list_entry_at(list, device);
    struct pa_tail tail = {.steps = entry.steps};
    memcpy(tail.last.bytes, entry.last, PA_HASH_BYTES);
    memcpy(tail.tree.bytes, entry.tree, PA_HASH_BYTES);
    return tail;
}
