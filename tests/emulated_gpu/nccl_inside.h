/* SPDX-License-Identifier: Apache-2.0 */
/* nccl_inside.h - what the two files of the emulated NCCL share: communicators, and how their calls
 * begin. */
#ifndef PA_EMULATED_NCCL_INSIDE_H
#define PA_EMULATED_NCCL_INSIDE_H

#include "emulated_gpu/emulated.h"
#include "emulated_gpu/nccl_room.h"

#include "device/nccl_api.h"

#include <pthread.h>

#define DECLARE(required, returns, symbol, arguments) EMULATED_API returns symbol arguments;
PA_NCCL_FUNCTIONS(DECLARE)
#undef DECLARE

enum { EMULATED_NCCL_TEXT_BYTES = 256 };

struct ncclComm {
    struct nccl_room *room;
    int device, rank, ranks;
    bool is_blocking, is_aborted, is_finalized;
    int polls_left; /* answers of ncclInProgress before success is told */
    int running;    /* operations in streams */
    ncclResult_t error;
    char text[EMULATED_NCCL_TEXT_BYTES];
};

/* Guards every communicator. */
extern pthread_mutex_t emulated_nccl_mutex;

/* Called first in each function: what was ordered of it, and the result that it must give. */
ncclResult_t emulated_nccl_fault(const char *function, int device, struct emulated_fault *out);
/* A handle that is none is reported. */
bool emulated_nccl_is_live(const struct ncclComm *comm, const char *function);
/* As NCCL's ncclCommEnsureReady. */
ncclResult_t emulated_nccl_ready(struct ncclComm *comm, const char *function);

/* Under the mutex: whether it was not destroyed or aborted yet; keep what a look at the room gave.
 */
bool emulated_nccl_knows(const struct ncclComm *comm);
void emulated_nccl_take(struct ncclComm *comm, enum room_answer answer, int peer, const char *call);
/* Without the mutex, once nothing of it runs any more. */
void emulated_nccl_release(struct ncclComm *comm);

/* nccl_operations.c: put into their streams what this thread's group holds, which ends here. */
ncclResult_t emulated_nccl_start_group(void);
/* nccl_emulated.c: whether this thread is in a group. */
bool emulated_nccl_in_group(void);

#endif
