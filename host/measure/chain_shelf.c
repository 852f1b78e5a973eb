/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/chain_shelf.h"

#include "measure/messages.h"

#include <stdlib.h>

struct pa_shelved_chain {
    struct pa_shelved_chain *next;
    uint64_t epoch, device;
    struct pa_chain chain;
};

void pa_shelf_init(struct pa_chain_shelf *shelf) {
    pthread_mutex_init(&shelf->lock, NULL);
    shelf->first = NULL;
}

static struct pa_shelved_chain *find(struct pa_chain_shelf *shelf, uint64_t epoch,
                                     uint64_t device) {
    struct pa_shelved_chain *entry = shelf->first;
    while (entry != NULL && (entry->epoch != epoch || entry->device != device))
        entry = entry->next;
    return entry;
}

struct pa_chain *pa_shelf_new(struct pa_chain_shelf *shelf, uint64_t epoch, uint64_t device,
                              struct pa_error *error) {
    pthread_mutex_lock(&shelf->lock);
    struct pa_shelved_chain *entry = find(shelf, epoch, device);
    if (entry != NULL)
        pa_chain_free(&entry->chain);
    else if ((entry = calloc(1, sizeof *entry)) != NULL) {
        *entry = (struct pa_shelved_chain){.next = shelf->first, .epoch = epoch, .device = device};
        shelf->first = entry;
    } else
        pa_fail(error, PA_EMEMORY, "keeping a chain: out of memory");
    pthread_mutex_unlock(&shelf->lock);
    return entry != NULL ? &entry->chain : NULL;
}

const struct pa_chain *pa_shelf_find(struct pa_chain_shelf *shelf, uint64_t epoch,
                                     uint64_t device) {
    pthread_mutex_lock(&shelf->lock);
    struct pa_shelved_chain *entry = find(shelf, epoch, device);
    pthread_mutex_unlock(&shelf->lock);
    return entry != NULL ? &entry->chain : NULL;
}

int pa_shelf_open_tiles(struct pa_chain_shelf *shelf, struct pa_reader *in, struct pa_buffer *out,
                        struct pa_error *error) {
    uint64_t epoch = pa_read_u64(in);
    uint32_t count = pa_read_u32(in);
    for (uint32_t i = 0; i < count && !in->failed; i++) {
        struct pa_sample sample;
        pa_get_sample(in, &sample);
        const struct pa_chain *chain = pa_shelf_find(shelf, epoch, sample.device);
        if (chain == NULL)
            return pa_fail(error, PA_EINPUT, "opening epoch %llu of device %u: it is not kept here",
                           (unsigned long long)epoch, sample.device);
        struct pa_opening opening = {0};
        struct pa_buffer bytes = {0};
        PA_TRY(pa_chain_open(chain, sample.step, sample.row, &opening, error));
        pa_opening_write(&opening, &bytes);
        pa_opening_free(&opening);
        pa_buffer_u32(out, (uint32_t)bytes.size);
        pa_buffer_bytes(out, bytes.data, bytes.size);
        out->failed |= bytes.failed;
        pa_buffer_free(&bytes);
    }
    return in->failed ? pa_fail(error, PA_EINPUT, "opening tiles: the request is cut short")
                      : PA_OK;
}

void pa_shelf_forget(struct pa_chain_shelf *shelf, uint64_t epoch) {
    pthread_mutex_lock(&shelf->lock);
    for (struct pa_shelved_chain **link = &shelf->first; *link != NULL;) {
        struct pa_shelved_chain *entry = *link;
        if (entry->epoch != epoch) {
            link = &entry->next;
            continue;
        }
        *link = entry->next;
        pa_chain_free(&entry->chain);
        free(entry);
    }
    pthread_mutex_unlock(&shelf->lock);
}

void pa_shelf_free(struct pa_chain_shelf *shelf) {
    while (shelf->first != NULL)
        pa_shelf_forget(shelf, shelf->first->epoch);
    pthread_mutex_destroy(&shelf->lock);
}
