/* SPDX-License-Identifier: Apache-2.0 */
/* All-reduce of the cuda backend over the emulated NCCL: ranks as threads of one process and as
 * processes; and a peer that dies, that hangs, that sums wrong.
 *
 * usage: test_cuda_reduce FOLDER */
#include "emulated_gpu/emulated_session.h"

#include "base/clock.h"
#include "device/device.h"
#include "measure/allreduce.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static const char *folder;
static const uint64_t ms = 1000000;
enum { MOST_RANKS = 4, BYTES = 200000 };

/* One rank, from opening its device to closing it. */
struct rank {
    uint8_t id[PA_COMMUNICATOR_ID_BYTES];
    int rank, size, device;
    uint64_t patience_ms;
    bool dies; /* instead of reducing */
    int code;  /* of what failed first, or PA_OK */
    char text[256];
    bool is_right;
};

static const struct pa_seed seed = {.k0 = 1, .k1 = 2, .c2 = 3, .c3 = 4, .s = 5};

static struct pa_device *open_device(int index) {
    struct pa_device_options options = {0};
    struct pa_device *device = NULL;
    EXPECT_IS(pa_backend_named("cuda")->open(index, &options, &device, NULL), PA_OK);
    return device;
}

static int reduce(struct rank *rank, struct pa_communicator *communicator,
                  const struct pa_backend *cuda, struct pa_error *error) {
    uint64_t deadline_ns = pa_clock_raw_ns() + rank->patience_ms * ms, ns;
    uint64_t chunks[8];
    PA_TRY(cuda->allreduce_fill(communicator, BYTES, &seed, error));
    if (rank->dies)
        raise(SIGKILL);
    PA_TRY(cuda->allreduce_run(communicator, BYTES, 3, deadline_ns, &ns, error));
    PA_TRY(cuda->allreduce_digest(communicator, BYTES, &seed, chunks, error));
    rank->is_right = true;
    for (uint64_t chunk = 0; chunk < pa_allreduce_chunks(BYTES); chunk++)
        rank->is_right &=
            chunks[chunk] == pa_allreduce_chunk_digest(&seed, (uint32_t)rank->size, BYTES, chunk);
    return PA_OK;
}

static void *run_rank(void *context) {
    struct rank *rank = context;
    const struct pa_backend *cuda = pa_backend_named("cuda");
    struct pa_device *device = open_device(rank->device);
    struct pa_communicator *communicator = NULL;
    struct pa_error error = {0};
    rank->code =
        cuda->communicator_open(device, rank->id, rank->rank, rank->size, 1 << 20,
                                pa_clock_raw_ns() + rank->patience_ms * ms, &communicator, &error);
    if (rank->code == PA_OK)
        rank->code = reduce(rank, communicator, cuda, &error);
    snprintf(rank->text, sizeof rank->text, "%.255s", error.text);
    cuda->communicator_close(communicator);
    cuda->close(device);
    return NULL;
}

static void make_ranks(struct rank *ranks, int size, uint64_t patience_ms) {
    const struct pa_backend *cuda = pa_backend_named("cuda");
    EXPECT_IS(cuda->communicator_id(true, ranks[0].id, NULL), PA_OK);
    EXPECT(strcmp((const char *)ranks[0].id, "nccl") == 0);
    for (int i = 0; i < size; i++) {
        memcpy(ranks[i].id, ranks[0].id, sizeof ranks[i].id);
        ranks[i].rank = ranks[i].device = i;
        ranks[i].size = size;
        ranks[i].patience_ms = patience_ms;
    }
}

static void run_threads(struct rank *ranks, int size) {
    pthread_t threads[MOST_RANKS];
    for (int i = 0; i < size; i++)
        EXPECT_IS(pthread_create(&threads[i], NULL, run_rank, &ranks[i]), 0);
    for (int i = 0; i < size; i++)
        pthread_join(threads[i], NULL);
}

static void threads(void) {
    struct rank ranks[MOST_RANKS] = {0};
    make_ranks(ranks, MOST_RANKS, 30000);
    run_threads(ranks, MOST_RANKS);
    for (int i = 0; i < MOST_RANKS; i++) {
        if (ranks[i].code != PA_OK)
            fprintf(stderr, "rank %d: %s\n", i, ranks[i].text);
        EXPECT_IS(ranks[i].code, PA_OK);
        EXPECT(ranks[i].is_right);
    }
}

static void ranks_of_one_process_reduce(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=4", 0, threads));
    assert_true(emulated_run(folder, "devices=4,order=eager", 0, threads));
}

/* Fork before anything is loaded: a CUDA process does not survive a fork. The child reports by its
 * exit status. */
static void run_two_processes(struct rank ranks[2], int *child_status) {
    int pipe_ends[2];
    EXPECT_IS(pipe(pipe_ends), 0);
    pid_t child = fork();
    if (child == 0) {
        EXPECT_IS(read(pipe_ends[0], ranks[1].id, sizeof ranks[1].id), sizeof ranks[1].id);
        run_rank(&ranks[1]);
        _exit(ranks[1].code == PA_OK && ranks[1].is_right ? 0 : 3);
    }
    EXPECT_IS(pa_backend_named("cuda")->communicator_id(true, ranks[0].id, NULL), PA_OK);
    EXPECT_IS(write(pipe_ends[1], ranks[0].id, sizeof ranks[0].id), sizeof ranks[0].id);
    run_rank(&ranks[0]);
    EXPECT_IS(waitpid(child, child_status, 0), child);
}

static struct rank rank_of_two(int rank, uint64_t patience_ms) {
    return (struct rank){.rank = rank, .size = 2, .device = rank, .patience_ms = patience_ms};
}

static void processes(void) {
    struct rank ranks[2] = {rank_of_two(0, 30000), rank_of_two(1, 30000)};
    int status;
    run_two_processes(ranks, &status);
    EXPECT_IS(status, 0);
    EXPECT_IS(ranks[0].code, PA_OK);
    EXPECT(ranks[0].is_right);
}

static void ranks_of_two_processes_reduce(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2", 0, processes));
}

static void peer_dies(void) {
    struct rank ranks[2] = {rank_of_two(0, 30000), rank_of_two(1, 30000)};
    int status;
    ranks[1].dies = true;
    uint64_t begun_ns = pa_clock_raw_ns();
    run_two_processes(ranks, &status);
    EXPECT(WIFSIGNALED(status));
    EXPECT_IS(ranks[0].code, PA_EDEVICE);
    EXPECT(strstr(ranks[0].text, "remote process exited") != NULL);
    EXPECT(strstr(ranks[0].text, "GPU-") != NULL);
    /* By the asynchronous error, not by the deadline. */
    EXPECT(pa_clock_raw_ns() - begun_ns < 25000 * ms);
}

static void a_peer_that_dies_is_noticed(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2", 0, peer_dies));
}

/* Both fail: one hangs, the other waits for it. */
static void deadline_passes(void) {
    struct rank ranks[2] = {0};
    make_ranks(ranks, 2, 700);
    run_threads(ranks, 2);
    for (int i = 0; i < 2; i++) {
        EXPECT(ranks[i].code == PA_ETIMEOUT || ranks[i].code == PA_EDEVICE);
        EXPECT(strstr(ranks[i].text, "all-reduce of 2 ranks") != NULL);
    }
    EXPECT(ranks[0].code == PA_ETIMEOUT || ranks[1].code == PA_ETIMEOUT);
}

static void a_hang_ends_at_our_deadline(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2,fault=ncclAllReduce@1:2:hang", 0, deadline_passes));
    assert_true(emulated_run(folder, "devices=2,fault=ncclCommInitRankConfig@1:1:hang", 0,
                             deadline_passes));
}

static void wrong_sum(void) {
    struct rank ranks[2] = {0};
    make_ranks(ranks, 2, 30000);
    run_threads(ranks, 2);
    EXPECT_IS(ranks[0].code, PA_OK);
    EXPECT_IS(ranks[1].code, PA_OK);
    EXPECT(ranks[0].is_right);
    EXPECT(!ranks[1].is_right);
}

static void a_wrong_sum_is_caught_on_the_device_that_has_it(void **state) {
    (void)state;
    /* The first is the meeting, the fourth the last of three repetitions. */
    assert_true(
        emulated_run(folder, "devices=2,fault=ncclAllReduce@1:4:wrong=80000", 0, wrong_sum));
}

static void library_fails(void) {
    struct rank ranks[2] = {0};
    make_ranks(ranks, 2, 30000);
    run_threads(ranks, 2);
    EXPECT_IS(ranks[0].code, PA_EDEVICE);
    EXPECT_IS(ranks[1].code, PA_EDEVICE);
    EXPECT(strstr(ranks[0].text, "ncclAllReduce on rank 0") != NULL);
}

static void an_error_of_the_library_names_call_rank_and_device(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2,fault=ncclAllReduce@0:2:code=3", 0, library_fails));
}

static void old_library(void) {
    const struct pa_backend *cuda = pa_backend_named("cuda");
    uint8_t id[PA_COMMUNICATOR_ID_BYTES];
    struct pa_error error = {0};
    EXPECT_IS(cuda->communicator_id(true, id, &error), PA_EUNSUPPORTED);
    EXPECT(strstr(error.text, "libnccl") != NULL);
}

static void a_library_that_does_not_start_is_said(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2,fault=ncclGetVersion:*:code=2", 0, old_library));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_of_one_process_reduce),
        cmocka_unit_test(ranks_of_two_processes_reduce),
        cmocka_unit_test(a_peer_that_dies_is_noticed),
        cmocka_unit_test(a_hang_ends_at_our_deadline),
        cmocka_unit_test(a_wrong_sum_is_caught_on_the_device_that_has_it),
        cmocka_unit_test(an_error_of_the_library_names_call_rank_and_device),
        cmocka_unit_test(a_library_that_does_not_start_is_said),
    };
    if (argc != 2)
        return 64;
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
