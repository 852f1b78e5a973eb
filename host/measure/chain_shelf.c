/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/chain_shelf.h"

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
