/* SPDX-License-Identifier: Apache-2.0 */
/* nccl_room.h - where the ranks of one emulated communicator meet: shared memory that is named
 * after the unique id, for threads of one process and for processes alike.
 *
 * Nothing here blocks. Every call looks once, does what can be done and says how it stands; whoever
 * waits asks again. A rank holds a lock on its byte of the segment's file, which the kernel takes
 * back when its process ends in whatever way, so that a dead peer is seen.
 */
#ifndef PA_EMULATED_NCCL_ROOM_H
#define PA_EMULATED_NCCL_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ROOM_ID_BYTES = 128, ROOM_RANKS_MAX = 64 };

enum room_answer {
    ROOM_WAITS = 0,    /* for a peer; ask again */
    ROOM_READY = 1,    /* done */
    ROOM_GONE = -1,    /* a peer has left or died; `peer` says which */
    ROOM_DIFFERS = -2, /* a peer called with another count, type or operation */
    ROOM_FAILED = -3,  /* no shared memory; errno says why */
};

struct nccl_room;

/* A fresh id from the system's random numbers; false when there are none. */
bool room_id_make(uint8_t id[ROOM_ID_BYTES]);
bool room_id_is_sound(const uint8_t id[ROOM_ID_BYTES]);

/* NULL when memory ran out. Nothing is shared before room_join. */
struct nccl_room *room_new(const uint8_t id[ROOM_ID_BYTES], int rank, int ranks);
/* Whether all ranks have come. */
enum room_answer room_join(struct nccl_room *room, int *peer);
void room_leave(struct nccl_room *room);

/* How two elements are added. */
typedef void (*room_add)(void *sum, const void *term, size_t count);

/* One all-reduce under way: zeroed but for the first six members. */
struct room_sum {
    const void *input;
    void *output;
    uint64_t bytes;
    uint32_t kind; /* what must be equal in all ranks besides `bytes` */
    uint32_t element_bytes;
    room_add add;
    uint64_t done_bytes;
    bool is_staged; /* our block lies in our slot */
};

/* Sums are made in the order of ranks on every rank: all get the same bits. */
enum room_answer room_sum(struct nccl_room *room, struct room_sum *sum, int *peer);

/* One exchange between two ranks under way: zeroed but for the first four members. Others take no
 * notice of it. */
struct room_swap {
    const void *input;
    void *output;
    uint64_t bytes;
    int peer;
    uint64_t sent_bytes, received_bytes;
};

enum room_answer room_swap(struct nccl_room *room, struct room_swap *swap, int *peer);

#endif
