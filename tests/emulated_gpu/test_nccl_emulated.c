/* SPDX-License-Identifier: Apache-2.0 */
/* The emulated NCCL under the driver: ranks as threads and as processes, non-blocking, with faults.
 *
 * usage: test_nccl_emulated FOLDER */
#include "emulated_gpu/emulated_session.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

static const char *folder;

enum { WORDS = 20000 };

static void nap(void) {
    nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
}

static ncclComm_t start(ncclUniqueId id, int rank, int ranks) {
    struct pa_nccl_config config = {.size = sizeof config,
                                    .magic = PA_NCCL_CONFIG_MAGIC,
                                    .version = PA_NCCL_CONFIG_VERSION,
                                    .blocking = 0};
    ncclComm_t comm = NULL;
    EXPECT_IS(emulated.ncclCommInitRankConfig(&comm, ranks, id, rank, &config), ncclInProgress);
    return comm;
}

/* Poll as long as the last call is in progress, at most so many times. */
static ncclResult_t settle(ncclComm_t comm, int most) {
    ncclResult_t result = ncclInProgress;
    for (int i = 0; i < most && result == ncclInProgress; i++) {
        EXPECT_IS(emulated.ncclCommGetAsyncError(comm, &result), ncclSuccess);
        nap();
    }
    return result;
}

/* Upload, reduce `type` of `count` elements and download. */
static ncclResult_t reduce(ncclComm_t comm, CUstream stream, void *data, size_t count, int type,
                           size_t element_bytes) {
    ncclResult_t result = ncclInProgress;
    CUdeviceptr in = emulated_upload(data, count * element_bytes, stream);
    CUdeviceptr out = emulated_upload(NULL, count * element_bytes, stream);
    EXPECT_IS(emulated.ncclAllReduce((const void *)(uintptr_t)in, (void *)(uintptr_t)out, count,
                                     (ncclDataType_t)type, ncclSum, comm, stream),
              ncclInProgress);
    while (emulated.cuStreamQuery(stream) == CUDA_ERROR_NOT_READY) {
        EXPECT_IS(emulated.ncclCommGetAsyncError(comm, &result), ncclSuccess);
        if (result != ncclSuccess && result != ncclInProgress)
            return result;
        nap();
    }
    result = settle(comm, 1000);
    EXPECT_IS(emulated_download(data, out, count * element_bytes, stream), 0);
    return result;
}

static void *rank_with_every_type(void *context) {
    const struct {
        ncclUniqueId id;
        int rank;
    } *me = context;
    uint32_t words[WORDS];
    uint64_t wide[100];
    float floats[100];
    uint16_t halves[100];
    CUstream stream = emulated_open(me->rank);
    ncclComm_t comm = start(me->id, me->rank, 2);
    EXPECT_IS(settle(comm, 100000), ncclSuccess);
    for (uint32_t i = 0; i < WORDS; i++)
        words[i] = i - (uint32_t)me->rank * 2 * i;
    EXPECT_IS(reduce(comm, stream, words, WORDS, ncclInt32, 4), ncclSuccess);
    for (uint32_t i = 0; i < WORDS; i++)
        EXPECT_IS(words[i], 0);
    for (uint32_t i = 0; i < 100; i++) {
        wide[i] = UINT64_C(1) << 63 | i;
        floats[i] = (float)i / 4;
        halves[i] = 0x4000; /* 2 */
    }
    EXPECT_IS(reduce(comm, stream, wide, 100, 5, 8), ncclSuccess);
    EXPECT_IS(reduce(comm, stream, floats, 100, 7, 4), ncclSuccess);
    EXPECT_IS(reduce(comm, stream, halves, 100, 9, 2), ncclSuccess);
    for (uint32_t i = 0; i < 100; i++)
        EXPECT(wide[i] == 2 * i && floats[i] == (float)i / 2 && halves[i] == 0x4080);
    EXPECT_IS(emulated.ncclCommFinalize(comm), ncclInProgress);
    EXPECT_IS(settle(comm, 1000), ncclSuccess);
    EXPECT_IS(emulated.ncclCommDestroy(comm), ncclSuccess);
    return NULL;
}

static void run_two_ranks(void *(*body)(void *)) {
    struct {
        ncclUniqueId id;
        int rank;
    } ranks[2];
    pthread_t threads[2];
    EXPECT_IS(emulated.ncclGetUniqueId(&ranks[0].id), ncclSuccess);
    ranks[1].id = ranks[0].id;
    for (int i = 0; i < 2; i++) {
        ranks[i].rank = i;
        EXPECT_IS(pthread_create(&threads[i], NULL, body, &ranks[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

static void two_threads(void) {
    run_two_ranks(rank_with_every_type);
}

static void two_threads_reduce_every_type(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2", 0, two_threads));
    assert_true(emulated_run(folder, "devices=2,order=eager", 0, two_threads));
}

static void two_processes(void) {
    struct {
        ncclUniqueId id;
        int rank;
    } me = {.rank = 0};
    int status;
    EXPECT_IS(emulated.ncclGetUniqueId(&me.id), ncclSuccess);
    pid_t child = fork();
    me.rank = child == 0 ? 1 : 0;
    rank_with_every_type(&me);
    if (child == 0)
        _exit(0);
    EXPECT_IS(waitpid(child, &status, 0), child);
    EXPECT_IS(status, 0);
}

static void two_processes_reduce_every_type(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2", 0, two_processes));
}

/* A group of a send and a receive, with a rank of another thread. */
static void *rank_with_a_partner(void *context) {
    const struct {
        ncclUniqueId id;
        int rank;
    } *me = context;
    uint32_t words[WORDS];
    CUstream stream = emulated_open(me->rank);
    ncclComm_t comm = start(me->id, me->rank, 2);
    EXPECT_IS(settle(comm, 100000), ncclSuccess);
    for (uint32_t i = 0; i < WORDS; i++)
        words[i] = 2 * i + (uint32_t)me->rank;
    CUdeviceptr own = emulated_upload(words, sizeof words, stream);
    CUdeviceptr theirs = emulated_upload(NULL, sizeof words, stream);
    EXPECT_IS(emulated.ncclGroupStart(), ncclSuccess);
    EXPECT_IS(emulated.ncclSend((const void *)(uintptr_t)own, WORDS, ncclInt32, 1 - me->rank, comm,
                                stream),
              ncclSuccess);
    EXPECT_IS(
        emulated.ncclRecv((void *)(uintptr_t)theirs, WORDS, ncclInt32, 1 - me->rank, comm, stream),
        ncclSuccess);
    EXPECT_IS(emulated.ncclGroupEnd(), ncclInProgress);
    EXPECT_IS(settle(comm, 1000), ncclSuccess);
    EXPECT_IS(emulated_wait(stream), 0);
    EXPECT_IS(emulated_download(words, theirs, sizeof words, stream), 0);
    for (uint32_t i = 0; i < WORDS; i++)
        EXPECT_IS(words[i], 2 * i + 1 - (uint32_t)me->rank);
    EXPECT_IS(emulated.ncclCommFinalize(comm), ncclInProgress);
    EXPECT_IS(settle(comm, 1000), ncclSuccess);
    EXPECT_IS(emulated.ncclCommDestroy(comm), ncclSuccess);
    return NULL;
}

static void partners(void) {
    run_two_ranks(rank_with_a_partner);
}

static void two_ranks_exchange(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2", 0, partners));
    assert_true(emulated_run(folder, "devices=2,order=eager", 0, partners));
}

/* Outside of a group, to itself, and without its other half. */
static void halves(void) {
    ncclUniqueId id;
    uint32_t words[4] = {0};
    CUstream stream = emulated_open(0);
    EXPECT_IS(emulated.ncclGetUniqueId(&id), ncclSuccess);
    ncclComm_t comm = start(id, 0, 1);
    EXPECT_IS(settle(comm, 1000), ncclSuccess);
    CUdeviceptr own = emulated_upload(words, sizeof words, stream);
    EXPECT_IS(emulated.ncclGroupStart(), ncclSuccess);
    EXPECT_IS(emulated.ncclSend((const void *)(uintptr_t)own, 4, ncclInt32, 0, comm, stream),
              ncclInvalidUsage);
    EXPECT_IS(emulated.ncclGroupEnd(), ncclInvalidUsage);
    EXPECT_IS(emulated.ncclRecv((void *)(uintptr_t)own, 4, ncclInt32, 1, comm, stream),
              ncclInvalidUsage);
    EXPECT_IS(emulated.ncclCommAbort(comm), ncclSuccess);
}

static void what_is_not_modelled_is_reported(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 3, halves));
}

/* The peer dies in its first all-reduce: ours does not end, the error tells, an abort ends it. */
static void peer_death(void) {
    ncclUniqueId id;
    uint32_t words[100] = {0};
    EXPECT_IS(emulated.ncclGetUniqueId(&id), ncclSuccess);
    pid_t child = fork();
    int rank = child == 0 ? 1 : 0;
    CUstream stream = emulated_open(rank);
    ncclComm_t comm = start(id, rank, 2);
    EXPECT_IS(settle(comm, 100000), ncclSuccess);
    EXPECT_IS(reduce(comm, stream, words, 100, ncclInt32, 4), ncclRemoteError);
    EXPECT_IS(emulated.cuStreamQuery(stream), CUDA_ERROR_NOT_READY);
    EXPECT(strstr(emulated.ncclGetLastError(comm), "rank 1") != NULL);
    EXPECT_IS(emulated.ncclCommAbort(comm), ncclSuccess);
    EXPECT_IS(emulated_wait(stream), 0);
    waitpid(child, NULL, 0);
}

static void the_death_of_a_peer_is_an_error_and_no_hang(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2,fault=ncclAllReduce@1:1:die", 0, peer_death));
}

static void alone(void) {
    ncclUniqueId id;
    emulated_open(0);
    EXPECT_IS(emulated.ncclGetUniqueId(&id), ncclSuccess);
    ncclComm_t comm = start(id, 0, 2);
    EXPECT_IS(settle(comm, 100), ncclInProgress);
    EXPECT_IS(emulated.ncclCommAbort(comm), ncclSuccess);
}

static void a_peer_that_never_comes_leaves_init_in_progress(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 0, alone));
}

static void impatient(void) {
    ncclUniqueId id;
    CUstream stream = emulated_open(0);
    EXPECT_IS(emulated.ncclGetUniqueId(&id), ncclSuccess);
    ncclComm_t comm = start(id, 0, 1);
    EXPECT_IS(emulated.ncclAllReduce(NULL, NULL, 1, ncclInt32, ncclSum, comm, stream),
              ncclInvalidArgument);
}

static void garbage(void) {
    ncclUniqueId id = {{0}};
    struct pa_nccl_config config = {0};
    ncclComm_t comm = NULL;
    ncclResult_t result;
    emulated_open(0);
    EXPECT_IS(emulated.ncclCommInitRankConfig(&comm, 1, id, 0, NULL), ncclInvalidArgument);
    EXPECT_IS(emulated.ncclGetUniqueId(&id), ncclSuccess);
    EXPECT_IS(emulated.ncclCommInitRankConfig(&comm, 1, id, 1, NULL), ncclInvalidArgument);
    EXPECT_IS(emulated.ncclCommInitRankConfig(&comm, 1, id, 0, &config), ncclInvalidArgument);
    EXPECT_IS(emulated.ncclCommGetAsyncError((ncclComm_t)(uintptr_t)&result, &result),
              ncclInvalidArgument);
}

static void misuse_is_refused_and_reported(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 1, impatient));
    assert_true(emulated_run(folder, "devices=1", 2, garbage));
}

static void wrong_sum(void) {
    ncclUniqueId id;
    uint32_t words[8] = {0};
    CUstream stream = emulated_open(0);
    EXPECT_IS(emulated.ncclGetUniqueId(&id), ncclSuccess);
    ncclComm_t comm = start(id, 0, 1);
    EXPECT_IS(settle(comm, 100), ncclSuccess);
    EXPECT_IS(reduce(comm, stream, words, 8, ncclInt32, 4), ncclSuccess);
    EXPECT(words[0] == 0 && words[2] == 1 && words[7] == 0);
}

static void hangs(void) {
    ncclUniqueId id;
    CUstream stream = emulated_open(0);
    EXPECT_IS(emulated.ncclGetUniqueId(&id), ncclSuccess);
    ncclComm_t comm = start(id, 0, 1);
    EXPECT_IS(settle(comm, 100), ncclSuccess);
    CUdeviceptr data = emulated_upload(&(uint32_t){1}, 4, stream);
    EXPECT_IS(emulated.ncclAllReduce((const void *)(uintptr_t)data, (void *)(uintptr_t)data, 1,
                                     ncclInt32, ncclSum, comm, stream),
              ncclInProgress);
    for (int i = 0; i < 1000; i++)
        EXPECT_IS(emulated.cuStreamQuery(stream), CUDA_ERROR_NOT_READY);
    EXPECT_IS(emulated.ncclCommAbort(comm), ncclSuccess);
    EXPECT_IS(emulated_wait(stream), 0);
}

static void refused(void) {
    ncclUniqueId id;
    EXPECT_IS(emulated.ncclGetUniqueId(&id), ncclSystemError);
    EXPECT_IS(emulated.ncclGetUniqueId(&id), ncclSuccess);
}

static void orders_are_carried_out(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "fault=ncclAllReduce:1:wrong=8", 0, wrong_sum));
    assert_true(emulated_run(folder, "fault=ncclAllReduce:1:hang", 0, hangs));
    assert_true(emulated_run(folder, "fault=ncclGetUniqueId:1:code=2", 0, refused));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_threads_reduce_every_type),
        cmocka_unit_test(two_ranks_exchange),
        cmocka_unit_test(what_is_not_modelled_is_reported),
        cmocka_unit_test(two_processes_reduce_every_type),
        cmocka_unit_test(the_death_of_a_peer_is_an_error_and_no_hang),
        cmocka_unit_test(a_peer_that_never_comes_leaves_init_in_progress),
        cmocka_unit_test(misuse_is_refused_and_reported),
        cmocka_unit_test(orders_are_carried_out),
    };
    if (argc != 2)
        return 64;
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
