/* SPDX-License-Identifier: Apache-2.0 */
/* chain_shelf.h - the chains that a process keeps until their epochs are opened, by epoch and
 * device. */
#ifndef PA_MEASURE_CHAIN_SHELF_H
#define PA_MEASURE_CHAIN_SHELF_H

#include "proof/proof.h"

#include <pthread.h>

struct pa_shelved_chain;

struct pa_chain_shelf {
    pthread_mutex_t lock;
    struct pa_shelved_chain *first;
};

void pa_shelf_init(struct pa_chain_shelf *shelf);
/* A chain for (epoch, device), zeroed; one that was there is dropped. It stays where it is until it
 * is forgotten. NULL when memory is out. Seats ask at the same time. */
struct pa_chain *pa_shelf_new(struct pa_chain_shelf *shelf, uint64_t epoch, uint64_t device,
                              struct pa_error *error);
const struct pa_chain *pa_shelf_find(struct pa_chain_shelf *shelf, uint64_t epoch, uint64_t device);
/* Answer PA_ASK_OPEN (messages.h): append the openings that `in` asks for. PA_EINPUT for a chain
 * that is not here. */
int pa_shelf_open_tiles(struct pa_chain_shelf *shelf, struct pa_reader *in, struct pa_buffer *out,
                        struct pa_error *error);
void pa_shelf_forget(struct pa_chain_shelf *shelf, uint64_t epoch);
void pa_shelf_free(struct pa_chain_shelf *shelf);

#endif
