/* SPDX-License-Identifier: Apache-2.0 */
/* A rank's `phase` only grows: odd when its block lies in its slot, even when it has read all
 * slots. A slot is written again only when every rank has read the block before. An exchange of two
 * goes by mail: one block at a time, which the receiver takes away. */
#include "emulated_gpu/nccl_room.h"

#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAGIC = 0x4e434d45, SECRET_BYTES = 16, BLOCK_BYTES = 1 << 16, LINE = 64 };

static const char id_tag[] = "petaudit emulated NCCL";

struct seat {
    _Alignas(LINE) atomic_uint has_come, has_left;
    _Atomic uint64_t phase;
    uint64_t bytes; /* of the all-reduce that the slot belongs to; written before `phase` */
    uint32_t kind;
    atomic_int mail_to;  /* 1 + the rank that our mail is for; 0: none lies there */
    uint64_t mail_bytes; /* of the exchange that it belongs to; written before `mail_to` */
};

struct segment {
    atomic_uint magic; /* set last */
    struct seat seats[ROOM_RANKS_MAX];
    _Alignas(4096) uint8_t slots[][BLOCK_BYTES]; /* by rank; then, by rank, its mail */
};

struct nccl_room {
    char name[64];
    int rank, ranks, fd;
    bool is_maker, has_seat, is_joined;
    struct segment *segment;
    size_t bytes;
};

bool room_id_make(uint8_t id[ROOM_ID_BYTES]) {
    memset(id, 0, ROOM_ID_BYTES);
    memcpy(id, id_tag, sizeof id_tag);
    return getrandom(id + ROOM_ID_BYTES - SECRET_BYTES, SECRET_BYTES, 0) == SECRET_BYTES;
}

bool room_id_is_sound(const uint8_t id[ROOM_ID_BYTES]) {
    return memcmp(id, id_tag, sizeof id_tag) == 0;
}

struct nccl_room *room_new(const uint8_t id[ROOM_ID_BYTES], int rank, int ranks) {
    struct nccl_room *room = calloc(1, sizeof *room);
    char digits[2 * SECRET_BYTES + 1];
    if (room == NULL)
        return NULL;
    pa_hex(digits, id + ROOM_ID_BYTES - SECRET_BYTES, SECRET_BYTES);
    snprintf(room->name, sizeof room->name, "/emulated-nccl-%s", digits);
    room->rank = rank;
    room->ranks = ranks;
    room->fd = -1;
    room->bytes = sizeof(struct segment) + 2 * (size_t)ranks * BLOCK_BYTES;
    return room;
}

static bool seat_lock(const struct nccl_room *room) {
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = room->rank, .l_len = 1};
    return fcntl(room->fd, F_OFD_SETLK, &lock) == 0;
}

static bool seat_is_held(const struct nccl_room *room, int rank) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = rank, .l_len = 1};
    return fcntl(room->fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

/* A peer that came and whose process holds its seat no more. */
static bool is_gone(const struct nccl_room *room, int rank) {
    const struct seat *seat = &room->segment->seats[rank];
    return rank != room->rank && atomic_load(&seat->has_come) != 0 &&
           (atomic_load(&seat->has_left) != 0 || !seat_is_held(room, rank));
}

/* Whoever comes first makes the segment. */
static enum room_answer segment_open(struct nccl_room *room) {
    struct stat facts;
    if (room->fd < 0) {
        room->fd = shm_open(room->name, O_RDWR | O_CREAT | O_EXCL, 0600);
        room->is_maker = room->fd >= 0;
        if (room->fd < 0)
            room->fd = shm_open(room->name, O_RDWR, 0);
        if (room->fd < 0)
            return errno == ENOENT ? ROOM_WAITS : ROOM_FAILED;
        /* Allocated now: a write into a full /dev/shm later would be a SIGBUS. */
        errno = room->is_maker ? posix_fallocate(room->fd, 0, (off_t)room->bytes) : 0;
        if (errno != 0)
            return ROOM_FAILED;
    }
    if (fstat(room->fd, &facts) != 0 || (uint64_t)facts.st_size != room->bytes)
        return ROOM_WAITS;
    void *memory = mmap(NULL, room->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, room->fd, 0);
    if (memory == MAP_FAILED)
        return ROOM_FAILED;
    room->segment = memory;
    if (room->is_maker)
        atomic_store(&room->segment->magic, MAGIC);
    return ROOM_READY;
}

enum room_answer room_join(struct nccl_room *room, int *peer) {
    if (room->is_joined)
        return ROOM_READY;
    if (room->segment == NULL) {
        enum room_answer answer = segment_open(room);
        if (answer != ROOM_READY)
            return answer;
    }
    if (atomic_load(&room->segment->magic) != MAGIC)
        return ROOM_WAITS;
    struct seat *seat = &room->segment->seats[room->rank];
    if (!room->has_seat && (atomic_load(&seat->has_come) != 0 || !seat_lock(room))) {
        *peer = room->rank; /* another rank with our number */
        return ROOM_DIFFERS;
    }
    room->has_seat = true;
    atomic_store(&seat->has_come, 1);
    for (int rank = 0; rank < room->ranks; rank++) {
        *peer = rank;
        if (is_gone(room, rank))
            return ROOM_GONE;
        if (atomic_load(&room->segment->seats[rank].has_come) == 0)
            return ROOM_WAITS;
    }
    room->is_joined = true;
    shm_unlink(room->name);
    return ROOM_READY;
}

void room_leave(struct nccl_room *room) {
    if (room == NULL)
        return;
    if (room->has_seat)
        atomic_store(&room->segment->seats[room->rank].has_left, 1);
    if (room->segment != NULL)
        munmap(room->segment, room->bytes);
    if (!room->is_joined && (room->has_seat || room->is_maker))
        shm_unlink(room->name);
    if (room->fd >= 0)
        close(room->fd);
    free(room);
}

/* Whether every rank has come to `phase`. */
static enum room_answer phase_reached(struct nccl_room *room, uint64_t phase, int *peer) {
    for (int rank = 0; rank < room->ranks; rank++)
        if (atomic_load(&room->segment->seats[rank].phase) < phase) {
            *peer = rank;
            if (!is_gone(room, rank))
                return ROOM_WAITS;
            /* It may have got there between our two looks, and then left in order. */
            if (atomic_load(&room->segment->seats[rank].phase) < phase)
                return ROOM_GONE;
        }
    return ROOM_READY;
}

/* Stage our block once every rank has read the one before. */
static enum room_answer stage(struct nccl_room *room, struct room_sum *sum, size_t block,
                              int *peer) {
    struct seat *seat = &room->segment->seats[room->rank];
    uint64_t phase = atomic_load(&seat->phase);
    enum room_answer answer = phase_reached(room, phase, peer);
    if (answer != ROOM_READY)
        return answer;
    memcpy(room->segment->slots[room->rank], (const uint8_t *)sum->input + sum->done_bytes, block);
    seat->bytes = sum->bytes;
    seat->kind = sum->kind;
    atomic_store(&seat->phase, phase + 1);
    sum->is_staged = true;
    return ROOM_READY;
}

static enum room_answer add_all(struct nccl_room *room, struct room_sum *sum, size_t block,
                                int *peer) {
    struct seat *seat = &room->segment->seats[room->rank];
    uint64_t phase = atomic_load(&seat->phase);
    enum room_answer answer = phase_reached(room, phase, peer);
    if (answer != ROOM_READY)
        return answer;
    uint8_t *out = (uint8_t *)sum->output + sum->done_bytes;
    for (int rank = 0; rank < room->ranks; rank++) {
        *peer = rank;
        if (room->segment->seats[rank].bytes != sum->bytes ||
            room->segment->seats[rank].kind != sum->kind)
            return ROOM_DIFFERS;
    }
    memcpy(out, room->segment->slots[0], block);
    for (int rank = 1; rank < room->ranks; rank++)
        sum->add(out, room->segment->slots[rank], block / sum->element_bytes);
    atomic_store(&seat->phase, phase + 1);
    sum->done_bytes += block;
    sum->is_staged = false;
    return ROOM_READY;
}

enum room_answer room_sum(struct nccl_room *room, struct room_sum *sum, int *peer) {
    while (sum->done_bytes < sum->bytes) {
        uint64_t left = sum->bytes - sum->done_bytes;
        size_t block = left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
        enum room_answer answer =
            sum->is_staged ? add_all(room, sum, block, peer) : stage(room, sum, block, peer);
        if (answer != ROOM_READY)
            return answer;
    }
    return ROOM_READY;
}

static size_t least(uint64_t left) {
    return left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
}

/* Whether a block of ours went out. */
static bool post(struct nccl_room *room, struct room_swap *swap) {
    struct seat *seat = &room->segment->seats[room->rank];
    size_t block = least(swap->bytes - swap->sent_bytes);
    if (block == 0 || atomic_load(&seat->mail_to) != 0)
        return false;
    memcpy(room->segment->slots[room->ranks + room->rank],
           (const uint8_t *)swap->input + swap->sent_bytes, block);
    seat->mail_bytes = swap->bytes;
    atomic_store(&seat->mail_to, swap->peer + 1);
    swap->sent_bytes += block;
    return true;
}

static bool has_mail(const struct nccl_room *room, const struct room_swap *swap) {
    return swap->received_bytes < swap->bytes &&
           atomic_load(&room->segment->seats[swap->peer].mail_to) == room->rank + 1;
}

static enum room_answer fetch(struct nccl_room *room, struct room_swap *swap) {
    struct seat *seat = &room->segment->seats[swap->peer];
    size_t block = least(swap->bytes - swap->received_bytes);
    if (seat->mail_bytes != swap->bytes)
        return ROOM_DIFFERS;
    memcpy((uint8_t *)swap->output + swap->received_bytes,
           room->segment->slots[room->ranks + swap->peer], block);
    atomic_store(&seat->mail_to, 0);
    swap->received_bytes += block;
    return ROOM_READY;
}

enum room_answer room_swap(struct nccl_room *room, struct room_swap *swap, int *peer) {
    *peer = swap->peer;
    while (swap->sent_bytes < swap->bytes || swap->received_bytes < swap->bytes) {
        bool goes_on = post(room, swap);
        if (has_mail(room, swap)) {
            enum room_answer answer = fetch(room, swap);
            if (answer != ROOM_READY)
                return answer;
            goes_on = true;
        }
        if (goes_on)
            continue;
        if (!is_gone(room, swap->peer))
            return ROOM_WAITS;
        /* Its last block may have come between our two looks. */
        if (!has_mail(room, swap))
            return ROOM_GONE;
    }
    return ROOM_READY;
}
