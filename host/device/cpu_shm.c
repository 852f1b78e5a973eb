/* SPDX-License-Identifier: Apache-2.0 */
/* All-reduce through shared memory, block by block: every rank copies its block in, sums its share
 * of it over all ranks (reduce-scatter), and copies the whole sum out (all-gather).
 *
 * No rank waits for ever. Each holds a lock on its own byte of the segment's file, which the kernel
 * releases when the process ends in whatever way: a rank that came and holds no lock any more is
 * gone. A frozen rank keeps its lock, and the deadline ends the wait. */
#include "base/bytes.h"
#include "base/clock.h"
#include "base/team.h"
#include "device/cpu_communicator.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const uint64_t ms = UINT64_C(1000000);

enum {
    MAGIC = 0x50415348,
    SECRET_BYTES = 16,
    MOST_RANKS = 4096,
    LINE = 64,
    /* Containers have 64 MiB of /dev/shm by default: stay far below. */
    BUDGET_BYTES = 16 << 20,
    MOST_BLOCK_BYTES = 1 << 20,
    LEAST_BLOCK_BYTES = 4096,
    LOOK_MS = 50, /* how often a waiting rank looks whether the others live */
    SPINS = 4000,
};

struct seat {
    _Alignas(LINE) atomic_uint round; /* barriers that this rank has reached */
    atomic_bool has_come, has_left;
};

struct segment {
    atomic_uint magic; /* set last */
    uint32_t size;
    atomic_int broken; /* 1 + the rank that gave up */
    _Alignas(LINE) atomic_uint arrived;
    _Alignas(LINE) atomic_uint generation; /* the futex */
    struct seat seats[];
};

struct shm {
    int fd;
    struct segment *segment;
    size_t bytes;
    int rank, size, spins;
    size_t block_words;
    uint32_t *slots;  /* a block of each rank's input */
    uint32_t *result; /* a block of the sum */
    char name[48];
};

static int probe(struct pa_error *error) {
    (void)error;
    return PA_OK;
}

static size_t head_bytes(int size) {
    size_t bytes = sizeof(struct segment) + (size_t)size * sizeof(struct seat);
    return (bytes + 4095) / 4096 * 4096;
}

static void lay_out(struct shm *shm) {
    size_t block = (size_t)BUDGET_BYTES / ((size_t)shm->size + 1) / 4096 * 4096;
    block = block > MOST_BLOCK_BYTES ? MOST_BLOCK_BYTES : block;
    block = block < LEAST_BLOCK_BYTES ? LEAST_BLOCK_BYTES : block;
    shm->block_words = block / sizeof(uint32_t);
    shm->bytes = head_bytes(shm->size) + ((size_t)shm->size + 1) * block;
}

/* Try to lock our byte; false when another process has it. */
static bool take_seat(const struct shm *shm) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = shm->rank, .l_len = 1};
    return fcntl(shm->fd, F_OFD_SETLK, &lock) == 0;
}

static bool seat_is_held(const struct shm *shm, int rank) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = rank, .l_len = 1};
    return fcntl(shm->fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

static void wake_all(struct segment *segment) {
    syscall(SYS_futex, &segment->generation, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* The rank that is gone, or -1. */
static int find_gone(const struct shm *shm) {
    for (int rank = 0; rank < shm->size; rank++) {
        struct seat *seat = &shm->segment->seats[rank];
        if (rank != shm->rank && atomic_load(&seat->has_come) &&
            (atomic_load(&seat->has_left) || !seat_is_held(shm, rank)))
            return rank;
    }
    return -1;
}

/* The first rank that has reached fewer barriers than we have. */
static int find_late(const struct shm *shm) {
    unsigned ours = atomic_load(&shm->segment->seats[shm->rank].round);
    for (int rank = 0; rank < shm->size; rank++)
        if ((int)(ours - atomic_load(&shm->segment->seats[rank].round)) > 0)
            return rank;
    return shm->rank;
}

static int give_up(struct shm *shm) {
    int nobody = 0;
    atomic_compare_exchange_strong(&shm->segment->broken, &nobody, shm->rank + 1);
    wake_all(shm->segment);
    return PA_OK;
}

/* Called while waiting: is there still hope? */
static int look_around(struct shm *shm, uint64_t deadline_ns, struct pa_error *error) {
    int broken = atomic_load(&shm->segment->broken);
    int gone = find_gone(shm);
    if (gone >= 0) {
        give_up(shm);
        return pa_fail(error, PA_EDEVICE, "all-reduce of %d ranks: the process of rank %d is gone",
                       shm->size, gone);
    }
    if (broken != 0)
        return pa_fail(error, PA_EDEVICE, "all-reduce of %d ranks: rank %d gave up", shm->size,
                       broken - 1);
    if (pa_clock_raw_ns() < deadline_ns)
        return PA_OK;
    give_up(shm);
    return pa_fail(error, PA_ETIMEOUT, "all-reduce of %d ranks: rank %d did not take part in time",
                   shm->size, find_late(shm));
}

static int barrier(void *state, uint64_t deadline_ns, struct pa_error *error) {
    struct shm *shm = state;
    struct segment *segment = shm->segment;
    unsigned generation = atomic_load(&segment->generation);
    if (atomic_load(&segment->broken) != 0)
        return look_around(shm, deadline_ns, error);
    atomic_fetch_add(&segment->seats[shm->rank].round, 1);
    if (atomic_fetch_add(&segment->arrived, 1) + 1 == (unsigned)shm->size) {
        atomic_store(&segment->arrived, 0);
        atomic_fetch_add(&segment->generation, 1);
        wake_all(segment);
        return PA_OK;
    }
    for (int i = 0; i < shm->spins; i++) {
        if (atomic_load_explicit(&segment->generation, memory_order_acquire) != generation)
            return PA_OK;
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
    }
    const struct timespec look = {.tv_nsec = LOOK_MS * 1000000};
    uint64_t next_look_ns = pa_clock_raw_ns() + LOOK_MS * ms;
    while (atomic_load(&segment->generation) == generation) {
        syscall(SYS_futex, &segment->generation, FUTEX_WAIT, generation, &look, NULL, 0);
        if (atomic_load(&segment->generation) != generation)
            break;
        if (pa_clock_raw_ns() < next_look_ns && pa_clock_raw_ns() < deadline_ns)
            continue;
        PA_TRY(look_around(shm, deadline_ns, error));
        next_look_ns = pa_clock_raw_ns() + LOOK_MS * ms;
    }
    return PA_OK;
}

/* Our share of the block: from word *first, so that shares differ by a cache line at most. */
static size_t share_of(const struct shm *shm, size_t words, size_t *first) {
    const size_t line_words = LINE / sizeof(uint32_t);
    size_t lines = (words + line_words - 1) / line_words, size = (size_t)shm->size;
    size_t begin = lines * (size_t)shm->rank / size * line_words;
    size_t end = lines * ((size_t)shm->rank + 1) / size * line_words;
    begin = begin < words ? begin : words;
    end = end < words ? end : words;
    *first = begin;
    return end - begin;
}

static void add_words(uint32_t *restrict out, const uint32_t *restrict in, size_t words) {
    for (size_t i = 0; i < words; i++)
        out[i] += in[i];
}

static void sum_share(const struct shm *shm, size_t words) {
    /* In pieces that stay in the first-level cache while all ranks' words are added to them. */
    const size_t piece_words = 2048;
    size_t first, count = share_of(shm, words, &first);
    for (size_t at = first; at < first + count; at += piece_words) {
        size_t piece = first + count - at < piece_words ? first + count - at : piece_words;
        memcpy(shm->result + at, shm->slots + at, piece * sizeof(uint32_t));
        for (int rank = 1; rank < shm->size; rank++)
            add_words(shm->result + at, shm->slots + (size_t)rank * shm->block_words + at, piece);
    }
}

static int sum(void *state, const uint32_t *in, uint32_t *out, size_t words, uint64_t deadline_ns,
               struct pa_error *error) {
    struct shm *shm = state;
    uint32_t *slot = shm->slots + (size_t)shm->rank * shm->block_words;
    for (size_t at = 0; at < words; at += shm->block_words) {
        size_t block = words - at < shm->block_words ? words - at : shm->block_words;
        memcpy(slot, in + at, block * sizeof(uint32_t));
        PA_TRY(barrier(shm, deadline_ns, error));
        sum_share(shm, block);
        PA_TRY(barrier(shm, deadline_ns, error));
        /* The result is written again only after the next first barrier, that is after everybody
         * has copied this one. */
        memcpy(out + at, shm->result, block * sizeof(uint32_t));
    }
    return PA_OK;
}

/* Block by block: into our slot, out of the partner's. */
static int swap(void *state, int partner, const uint32_t *in, uint32_t *out, size_t words,
                uint64_t deadline_ns, struct pa_error *error) {
    struct shm *shm = state;
    uint32_t *ours = shm->slots + (size_t)shm->rank * shm->block_words;
    const uint32_t *theirs = shm->slots + (size_t)partner * shm->block_words;
    bool takes_part = partner != shm->rank;
    for (size_t at = 0; at < words; at += shm->block_words) {
        size_t block = words - at < shm->block_words ? words - at : shm->block_words;
        if (takes_part)
            memcpy(ours, in + at, block * sizeof(uint32_t));
        PA_TRY(barrier(shm, deadline_ns, error));
        if (takes_part)
            memcpy(out + at, theirs, block * sizeof(uint32_t));
        /* Nobody writes again before everybody has read. */
        PA_TRY(barrier(shm, deadline_ns, error));
    }
    return PA_OK;
}

static int map_segment(struct shm *shm, struct pa_error *error) {
    void *memory = mmap(NULL, shm->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, shm->fd, 0);
    if (memory == MAP_FAILED)
        return pa_fail(error, PA_EMEMORY, "mapping %zu bytes of shared memory: %s", shm->bytes,
                       strerror(errno));
    shm->segment = memory;
    shm->slots = (uint32_t *)((uint8_t *)memory + head_bytes(shm->size));
    shm->result = shm->slots + (size_t)shm->size * shm->block_words;
    return PA_OK;
}

static int create_segment(struct shm *shm, struct pa_error *error) {
    shm->fd = shm_open(shm->name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (shm->fd < 0)
        return pa_fail(error, PA_EDEVICE, "making shared memory: %s", strerror(errno));
    /* Allocated now: a write into a full /dev/shm later would be a SIGBUS. */
    int cause = posix_fallocate(shm->fd, 0, (off_t)shm->bytes);
    if (cause != 0)
        return pa_fail(
            error, PA_EMEMORY,
            "making shared memory: no %zu bytes in /dev/shm (%s); in a container give it "
            "more with --shm-size",
            shm->bytes, strerror(cause));
    PA_TRY(map_segment(shm, error));
    shm->segment->size = (uint32_t)shm->size;
    take_seat(shm);
    atomic_store(&shm->segment->seats[0].has_come, true);
    atomic_store(&shm->segment->magic, MAGIC);
    return PA_OK;
}

/* Wait for the segment that rank 0 makes. */
static int find_segment(struct shm *shm, uint64_t deadline_ns, struct pa_error *error) {
    for (;;) {
        struct stat facts;
        if (shm->fd < 0)
            shm->fd = shm_open(shm->name, O_RDWR, 0);
        if (shm->fd >= 0 && shm->segment == NULL && fstat(shm->fd, &facts) == 0 &&
            (uint64_t)facts.st_size == shm->bytes)
            PA_TRY(map_segment(shm, error));
        if (shm->segment != NULL && atomic_load(&shm->segment->magic) == MAGIC)
            break;
        if (pa_clock_raw_ns() >= deadline_ns)
            return pa_fail(error, PA_ETIMEOUT,
                           "all-reduce of %d ranks: rank 0 made no shared memory on this host in "
                           "time",
                           shm->size);
        pa_clock_sleep(2 * ms);
    }
    if (!take_seat(shm))
        return pa_fail(error, PA_EDEVICE, "all-reduce of %d ranks: rank %d is there already",
                       shm->size, shm->rank);
    atomic_store(&shm->segment->seats[shm->rank].has_come, true);
    return PA_OK;
}

static void leave(void *state) {
    struct shm *shm = state;
    if (shm->segment != NULL) {
        atomic_store(&shm->segment->seats[shm->rank].has_left, true);
        munmap(shm->segment, shm->bytes);
    }
    if (shm->fd >= 0)
        close(shm->fd);
    free(shm);
}

static int open_shm(const uint8_t *secret, int rank, int size, uint64_t deadline_ns, void **out,
                    struct pa_error *error) {
    if (size > MOST_RANKS)
        return pa_fail(error, PA_EUNSUPPORTED, "all-reduce through shared memory: %d ranks at most",
                       MOST_RANKS);
    struct shm *shm = calloc(1, sizeof *shm);
    if (shm == NULL)
        return pa_fail(error, PA_EMEMORY, "opening a communicator: out of memory");
    char digits[2 * SECRET_BYTES + 1];
    pa_hex(digits, secret, SECRET_BYTES);
    snprintf(shm->name, sizeof shm->name, "/petaudit-%s", digits);
    shm->fd = -1;
    shm->rank = rank;
    shm->size = size;
    /* Who spins takes the processor away from whom it waits for, where there are too few. */
    shm->spins = size <= pa_processors_allowed(NULL, 0) ? SPINS : 0;
    lay_out(shm);
    int code = rank == 0 ? create_segment(shm, error) : find_segment(shm, deadline_ns, error);
    if (code == PA_OK)
        code = barrier(shm, deadline_ns, error);
    /* All are in, or will never be: no name is left behind in either case. */
    if (shm->segment != NULL && (rank == 0 || code != PA_OK))
        shm_unlink(shm->name);
    if (code != PA_OK) {
        leave(shm);
        return code;
    }
    *out = shm;
    return PA_OK;
}

const struct pa_cpu_transport pa_cpu_shm = {.name = "shm",
                                            .probe = probe,
                                            .open = open_shm,
                                            .barrier = barrier,
                                            .sum = sum,
                                            .swap = swap,
                                            .close = leave};
