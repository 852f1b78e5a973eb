/* SPDX-License-Identifier: Apache-2.0 */
/* tail_list.h - the list behind a root, as the proof has it and as a LIST record has it. */
#ifndef PA_WITNESS_TAIL_LIST_H
#define PA_WITNESS_TAIL_LIST_H

#include "evidence/evidence.h"
#include "proof/proof.h"

/* Append the LIST record of an epoch; `out` has failed where memory is out. */
void pa_tail_list_put(struct pa_buffer *out, uint64_t epoch, const struct pa_tail *tails,
                      uint32_t devices);
struct pa_tail pa_tail_list_at(const struct pa_list_record *list, uint32_t device);

#endif
