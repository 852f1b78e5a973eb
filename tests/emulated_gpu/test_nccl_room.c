/* SPDX-License-Identifier: Apache-2.0 */
/* Where the ranks of an emulated communicator meet: as threads, as processes, and when one dies. */
#include "emulated_gpu/nccl_room.h"

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
#include <unistd.h>

#include <cmocka.h>

enum { RANKS = 4, WORDS = 50000 }; /* several blocks, the last of them short */

static void add(void *sum, const void *term, size_t count) {
    for (size_t i = 0; i < count; i++)
        ((uint32_t *)sum)[i] += ((const uint32_t *)term)[i];
}

static void nap(void) {
    nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

struct rank {
    const uint8_t *id;
    int rank, ranks, peer;
    uint32_t words;
    enum room_answer answer;
    uint32_t *result;
};

static enum room_answer join(struct nccl_room *room, int *peer) {
    enum room_answer answer;
    while ((answer = room_join(room, peer)) == ROOM_WAITS)
        nap();
    return answer;
}

static enum room_answer sum_once(struct nccl_room *room, const struct rank *rank, uint32_t round,
                                 int *peer) {
    uint32_t *input = malloc(rank->words * sizeof *input);
    for (uint32_t i = 0; i < rank->words; i++)
        input[i] = i * (uint32_t)(rank->rank + 1) + round;
    struct room_sum sum = {.input = input,
                           .output = rank->result,
                           .bytes = rank->words * sizeof *input,
                           .kind = 1,
                           .element_bytes = sizeof *input,
                           .add = add};
    enum room_answer answer;
    while ((answer = room_sum(room, &sum, peer)) == ROOM_WAITS)
        nap();
    free(input);
    return answer;
}

static void *rank_body(void *context) {
    struct rank *rank = context;
    struct nccl_room *room = room_new(rank->id, rank->rank, rank->ranks);
    rank->answer = join(room, &rank->peer);
    for (uint32_t round = 0; round < 3 && rank->answer == ROOM_READY; round++)
        rank->answer = sum_once(room, rank, round, &rank->peer);
    room_leave(room);
    return NULL;
}

static bool is_right(const uint32_t *result, uint32_t ranks) {
    for (uint32_t i = 0; i < WORDS; i++)
        if (result[i] != i * (ranks * (ranks + 1) / 2) + 2 * ranks)
            return false;
    return true;
}

/* Two exchanges and a sum between them: rank 0 with 1 and 2 with 3, then 0 with 2 and 1 with 3. */
static void *pair_body(void *context) {
    struct rank *rank = context;
    struct nccl_room *room = room_new(rank->id, rank->rank, rank->ranks);
    uint32_t *input = malloc(WORDS * sizeof *input), *output = malloc(WORDS * sizeof *output);
    rank->answer = join(room, &rank->peer);
    for (uint32_t round = 1; round <= 2 && rank->answer == ROOM_READY; round++) {
        uint32_t peer = (uint32_t)rank->rank ^ round;
        for (uint32_t i = 0; i < WORDS; i++)
            input[i] = i * 4 + (uint32_t)rank->rank;
        struct room_swap swap = {
            .input = input, .output = output, .bytes = WORDS * sizeof *input, .peer = (int)peer};
        while ((rank->answer = room_swap(room, &swap, &rank->peer)) == ROOM_WAITS)
            nap();
        for (uint32_t i = 0; i < WORDS && rank->answer == ROOM_READY; i++)
            if (output[i] != i * 4 + peer)
                rank->answer = ROOM_DIFFERS;
        if (rank->answer == ROOM_READY && round == 1)
            rank->answer = sum_once(room, rank, round, &rank->peer);
    }
    room_leave(room);
    free(input);
    free(output);
    return NULL;
}

static void pairs_exchange_beside_each_other(void **state) {
    uint8_t id[ROOM_ID_BYTES];
    struct rank ranks[RANKS];
    pthread_t threads[RANKS];
    (void)state;
    assert_true(room_id_make(id));
    for (int i = 0; i < RANKS; i++) {
        ranks[i] = (struct rank){.id = id, .rank = i, .ranks = RANKS, .words = WORDS};
        ranks[i].result = malloc(WORDS * sizeof(uint32_t));
        assert_int_equal(pthread_create(&threads[i], NULL, pair_body, &ranks[i]), 0);
    }
    for (int i = 0; i < RANKS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(ranks[i].answer, ROOM_READY);
        free(ranks[i].result);
    }
}

static void threads_get_the_sum_of_all(void **state) {
    uint8_t id[ROOM_ID_BYTES];
    struct rank ranks[RANKS];
    pthread_t threads[RANKS];
    (void)state;
    assert_true(room_id_make(id));
    assert_true(room_id_is_sound(id));
    for (int i = 0; i < RANKS; i++) {
        ranks[i] = (struct rank){.id = id, .rank = i, .ranks = RANKS, .words = WORDS};
        ranks[i].result = malloc(WORDS * sizeof(uint32_t));
        assert_int_equal(pthread_create(&threads[i], NULL, rank_body, &ranks[i]), 0);
    }
    for (int i = 0; i < RANKS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(ranks[i].answer, ROOM_READY);
        assert_true(is_right(ranks[i].result, RANKS));
        free(ranks[i].result);
    }
}

static void processes_get_the_sum_of_all(void **state) {
    uint8_t id[ROOM_ID_BYTES];
    pid_t children[RANKS];
    (void)state;
    assert_true(room_id_make(id));
    for (int i = 0; i < RANKS; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            struct rank rank = {.id = id, .rank = i, .ranks = RANKS, .words = WORDS};
            rank.result = malloc(WORDS * sizeof(uint32_t));
            rank_body(&rank);
            _exit(rank.answer == ROOM_READY && is_right(rank.result, RANKS) ? 0 : 1);
        }
    }
    for (int i = 0; i < RANKS; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
}

static void a_killed_process_is_seen(void **state) {
    uint8_t id[ROOM_ID_BYTES];
    int peer = -1;
    (void)state;
    assert_true(room_id_make(id));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct nccl_room *room = room_new(id, 1, 2);
        join(room, &peer);
        kill(getpid(), SIGKILL);
    }
    struct nccl_room *room = room_new(id, 0, 2);
    struct rank rank = {.id = id, .rank = 0, .ranks = 2, .words = 100};
    rank.result = malloc(100 * sizeof(uint32_t));
    enum room_answer answer = join(room, &peer);
    if (answer == ROOM_READY)
        answer = sum_once(room, &rank, 0, &peer);
    assert_int_equal(answer, ROOM_GONE);
    assert_int_equal(peer, 1);
    room_leave(room);
    free(rank.result);
    waitpid(child, NULL, 0);
}

static void ranks_that_disagree_are_told(void **state) {
    uint8_t id[ROOM_ID_BYTES];
    struct rank ranks[2];
    pthread_t threads[2];
    (void)state;
    assert_true(room_id_make(id));
    for (int i = 0; i < 2; i++) {
        ranks[i] = (struct rank){.id = id, .rank = i, .ranks = 2, .words = 100 + (uint32_t)i};
        ranks[i].result = malloc(200 * sizeof(uint32_t));
        pthread_create(&threads[i], NULL, rank_body, &ranks[i]);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        /* Whoever sees it first leaves, which the other may see first. */
        assert_true(ranks[i].answer == ROOM_DIFFERS || ranks[i].answer == ROOM_GONE);
        free(ranks[i].result);
    }
    assert_true(ranks[0].answer == ROOM_DIFFERS || ranks[1].answer == ROOM_DIFFERS);
}

static void a_rank_that_never_comes_is_waited_for_without_blocking(void **state) {
    uint8_t id[ROOM_ID_BYTES];
    int peer = -1;
    (void)state;
    assert_true(room_id_make(id));
    struct nccl_room *room = room_new(id, 0, 2);
    for (int i = 0; i < 10; i++)
        assert_int_equal(room_join(room, &peer), ROOM_WAITS);
    assert_int_equal(peer, 1);
    room_leave(room);
}

static void a_seat_is_taken_once(void **state) {
    uint8_t id[ROOM_ID_BYTES];
    int peer = -1;
    (void)state;
    assert_true(room_id_make(id));
    struct nccl_room *first = room_new(id, 0, 2), *second = room_new(id, 0, 2);
    assert_int_equal(room_join(first, &peer), ROOM_WAITS);
    assert_int_equal(room_join(second, &peer), ROOM_DIFFERS);
    room_leave(second);
    room_leave(first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_exchange_beside_each_other),
        cmocka_unit_test(threads_get_the_sum_of_all),
        cmocka_unit_test(processes_get_the_sum_of_all),
        cmocka_unit_test(a_killed_process_is_seen),
        cmocka_unit_test(ranks_that_disagree_are_told),
        cmocka_unit_test(a_rank_that_never_comes_is_waited_for_without_blocking),
        cmocka_unit_test(a_seat_is_taken_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
