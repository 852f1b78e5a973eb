/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks are threads here, each with its own mapping of the segment; where one has to die, they are
 * processes. */
#include "base/bytes.h"
#include "base/clock.h"
#include "base/team.h"
#include "device/cpu_communicator.h"
#include "measure/allreduce.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_setup.h"

static const uint64_t ms = UINT64_C(1000000);
enum { MOST_RANKS = 8 };

static uint64_t in_ms(uint64_t wait) {
    return pa_clock_raw_ns() + wait * ms;
}

/* ---- known answers ---- */

static uint64_t whole(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    assert_true(json_is_integer(value));
    return (uint64_t)json_integer_value(value);
}

static void check_case(const json_t *vector) {
    struct pa_hash key, nonce, commitment;
    uint64_t bytes = whole(vector, "bytes"), digests[8], samples[16];
    uint32_t round = (uint32_t)whole(vector, "round"), ranks = (uint32_t)whole(vector, "ranks");
    char digits[2 * PA_HASH_BYTES + 1];
    const json_t *expected = json_object_get(vector, "digests");
    assert_true(
        pa_unhex(key.bytes, sizeof key.bytes, json_string_value(json_object_get(vector, "key"))));
    pa_hash_bytes(&nonce, "nonce", key.bytes, sizeof key.bytes);
    struct pa_seed seed = pa_allreduce_seed(&nonce, bytes, round);
    assert_int_equal(json_array_size(expected), pa_allreduce_chunks(bytes));
    for (size_t i = 0; i < json_array_size(expected); i++) {
        digests[i] = pa_allreduce_chunk_digest(&seed, ranks, bytes, i);
        snprintf(digits, sizeof digits, "%016llx", (unsigned long long)digests[i]);
        assert_string_equal(digits, json_string_value(json_array_get(expected, i)));
    }
    pa_allreduce_commitment(&commitment, &nonce, bytes, round, ranks, digests);
    pa_hex(digits, commitment.bytes, sizeof commitment.bytes);
    assert_string_equal(digits, json_string_value(json_object_get(vector, "commitment")));
    const json_t *drawn = json_object_get(vector, "samples");
    pa_allreduce_samples(samples, (uint32_t)json_array_size(drawn), &key, &commitment, bytes);
    for (size_t i = 0; i < json_array_size(drawn); i++)
        assert_int_equal(samples[i], json_integer_value(json_array_get(drawn, i)));
}

static void known_answers_agree(void **state) {
    (void)state;
    json_t *root = json_load_file(PETAUDIT_SOURCE_DIR "/tests/vectors/allreduce.json", 0, NULL);
    const json_t *cases = json_object_get(root, "cases");
    assert_true(json_array_size(cases) >= 7);
    for (size_t i = 0; i < json_array_size(cases); i++)
        check_case(json_array_get(cases, i));
    json_decref(root);
}

static void sizes_double_up_to_the_limit(void **state) {
    uint64_t sizes[PA_ALLREDUCE_MOST_ROWS];
    (void)state;
    assert_int_equal(pa_allreduce_sizes(7, sizes), 0);
    assert_int_equal(pa_allreduce_sizes(8, sizes), 1);
    assert_int_equal(pa_allreduce_sizes(65535, sizes), 13);
    assert_int_equal(sizes[12], 32768);
    assert_int_equal(pa_allreduce_sizes(UINT64_MAX, sizes), PA_ALLREDUCE_MOST_ROWS);
    assert_int_equal(sizes[PA_ALLREDUCE_MOST_ROWS - 1], PA_ALLREDUCE_MOST_BYTES);
    assert_false(pa_allreduce_size_is_sound(0));
    assert_false(pa_allreduce_size_is_sound(6));
    assert_true(pa_allreduce_size_is_sound(4));
    assert_false(pa_allreduce_size_is_sound(PA_ALLREDUCE_MOST_BYTES + 4));
}

/* ---- a sweep over threads ---- */

static const struct pa_backend backend = {.name = "cpu",
                                          .communicator_id = pa_cpu_communicator_id,
                                          .communicator_open = pa_cpu_communicator_open,
                                          .allreduce_fill = pa_cpu_allreduce_fill,
                                          .allreduce_run = pa_cpu_allreduce_run,
                                          .allreduce_digest = pa_cpu_allreduce_digest,
                                          .communicator_close = pa_cpu_communicator_close};

struct site {
    uint32_t ranks;
    struct pa_device device;
    struct pa_allreduce_station stations[MOST_RANKS];
    const struct pa_buffer *requests;
    struct pa_buffer *answers;
    struct pa_error errors[MOST_RANKS];
    uint32_t liar;    /* flips a bit of its answer from size `lie_from` on; MOST_RANKS: nobody */
    uint32_t all_lie; /* everybody tells the same wrong digest */
    uint32_t asked;
};

struct seat {
    struct site *site;
    uint32_t rank;
};

static void *run_rank(void *context) {
    struct seat *seat = context;
    struct site *site = seat->site;
    uint32_t rank = seat->rank;
    pa_allreduce_execute(&site->stations[rank], site->requests[rank].data,
                         site->requests[rank].size, &site->answers[rank], &site->errors[rank]);
    if (rank == site->liar && site->answers[rank].size >= 16)
        site->answers[rank].data[site->answers[rank].size - 3] ^= 4;
    return NULL;
}

/* Rank 0 shows wrong digests, and every rank has the hash of these. */
static void agree_on_a_lie(struct pa_buffer *answers, uint32_t ranks) {
    enum { HASH = 8, DIGESTS = HASH + PA_HASH_BYTES };
    struct pa_hash all;
    if (answers[0].size <= DIGESTS)
        return;
    answers[0].data[answers[0].size - 3] ^= 4;
    pa_hash_bytes(&all, "reduce digests", answers[0].data + DIGESTS, answers[0].size - DIGESTS);
    for (uint32_t rank = 0; rank < ranks; rank++)
        memcpy(answers[rank].data + HASH, all.bytes, sizeof all.bytes);
}

static int ask(void *context, const struct pa_buffer *requests, struct pa_buffer *answers,
               uint32_t ranks, uint64_t deadline_ns, struct pa_error *error) {
    struct site *site = context;
    struct seat seats[MOST_RANKS];
    pthread_t threads[MOST_RANKS];
    (void)deadline_ns;
    site->requests = requests;
    site->answers = answers;
    site->asked++;
    for (uint32_t rank = 0; rank < ranks; rank++) {
        seats[rank] = (struct seat){site, rank};
        site->errors[rank] = (struct pa_error){0};
        assert_int_equal(pa_thread_start(&threads[rank], run_rank, &seats[rank], NULL), PA_OK);
    }
    for (uint32_t rank = 0; rank < ranks; rank++)
        pthread_join(threads[rank], NULL);
    if (site->all_lie != 0)
        agree_on_a_lie(answers, ranks);
    for (uint32_t rank = 0; rank < ranks; rank++)
        if (site->errors[rank].code != PA_OK)
            return pa_fail(error, site->errors[rank].code, "%s", site->errors[rank].text);
    return PA_OK;
}

static void sweep_with(struct site *site, uint32_t ranks, uint64_t most_bytes,
                       struct pa_allreduce_sweep *out, struct pa_hash *key) {
    struct pa_hash nonce;
    struct pa_error error = {0};
    memset(key->bytes, (int)ranks, sizeof key->bytes);
    pa_hash_bytes(&nonce, "nonce", key->bytes, sizeof key->bytes);
    site->ranks = ranks;
    site->device.backend = &backend;
    for (uint32_t rank = 0; rank < ranks; rank++)
        site->stations[rank].device = &site->device;
    const struct pa_allreduce_plan plan = {.backend = &backend,
                                           .ranks = ranks,
                                           .is_one_host = true,
                                           .most_bytes = most_bytes,
                                           .patience_ns = 60000 * ms};
    if (pa_allreduce_sweep(&plan, &nonce, ask, site, out, &error) != PA_OK)
        fail_msg("%s", error.text);
}

static void every_size_is_summed_and_verified(void **state) {
    static const uint32_t ranks[] = {1, 2, 3, 4, 7};
    (void)state;
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++) {
        struct site site = {.liar = MOST_RANKS};
        struct pa_allreduce_sweep sweep;
        struct pa_hash key;
        sweep_with(&site, ranks[i], 4 << 20, &sweep, &key);
        assert_string_equal(sweep.transport, "shm");
        assert_int_equal(sweep.row_count, 20);
        assert_true(pa_allreduce_verify(&sweep, &key));
        for (uint32_t row = 0; row < sweep.row_count; row++) {
            struct pa_allreduce_row *at = &sweep.rows[row];
            assert_true(at->verified && at->time_ns > 0 && at->iterations >= 4);
            double expected = at->algbw_gbs * 2 * (ranks[i] - 1) / ranks[i];
            assert_true(at->busbw_gbs >= expected * 0.999999 &&
                        at->busbw_gbs <= expected * 1.000001);
        }
        pa_allreduce_free(&sweep);
        assert_null(site.stations[0].communicator);
    }
}

static void a_rank_with_another_result_is_caught(void **state) {
    (void)state;
    struct site site = {.liar = 2};
    struct pa_allreduce_sweep sweep;
    struct pa_hash key;
    sweep_with(&site, 4, 1 << 18, &sweep, &key);
    assert_false(pa_allreduce_verify(&sweep, &key));
    for (uint32_t row = 0; row < sweep.row_count; row++)
        assert_false(sweep.rows[row].is_agreed || sweep.rows[row].verified);
    pa_allreduce_free(&sweep);
}

static void a_result_that_all_agree_on_is_caught_all_the_same(void **state) {
    (void)state;
    struct site site = {.liar = MOST_RANKS, .all_lie = 1};
    struct pa_allreduce_sweep sweep;
    struct pa_hash key;
    sweep_with(&site, 3, 1 << 18, &sweep, &key);
    assert_false(pa_allreduce_verify(&sweep, &key));
    for (uint32_t row = 0; row < sweep.row_count; row++)
        assert_true(sweep.rows[row].is_agreed && !sweep.rows[row].verified);
    pa_allreduce_free(&sweep);
}

static void damaged_requests_are_refused(void **state) {
    (void)state;
    struct pa_device device = {.backend = &backend};
    struct pa_allreduce_station station = {.device = &device};
    struct pa_buffer answer = {0};
    uint8_t request[200] = {0};
    for (uint8_t stage = 0; stage < 6; stage++)
        for (size_t size = 0; size <= sizeof request; size++) {
            struct pa_error error = {0};
            request[0] = stage;
            int code = pa_allreduce_execute(&station, request, size, &answer, &error);
            assert_true(code == PA_EINPUT || (code == PA_OK && stage == 3));
        }
    pa_buffer_free(&answer);
}

static void the_way_can_be_chosen_and_must_exist(void **state) {
    uint8_t id[PA_COMMUNICATOR_ID_BYTES];
    struct pa_error error = {0};
    (void)state;
    setenv("PETAUDIT_ALLREDUCE", "pigeon", 1);
    assert_int_equal(pa_cpu_communicator_id(true, id, &error), PA_EUSAGE);
    assert_non_null(strstr(error.text, "pigeon"));
    setenv("PETAUDIT_ALLREDUCE", "shm", 1);
    assert_int_equal(pa_cpu_communicator_id(true, id, &error), PA_OK);
    assert_string_equal((const char *)id, "shm");
    assert_int_equal(pa_cpu_communicator_id(false, id, &error), PA_EUNSUPPORTED);
    unsetenv("PETAUDIT_ALLREDUCE");
    struct pa_communicator *communicator = NULL;
    memset(id, 'x', sizeof id);
    assert_int_equal(pa_cpu_communicator_open(NULL, id, 0, 1, 8, in_ms(100), &communicator, &error),
                     PA_EINPUT);
}

/* ---- ranks that die ---- */

/* Of this communicator alone: other tests' segments come and go beside it. */
static bool segment_is_left(const uint8_t *id) {
    char name[16 + 2 * 16 + 1] = "/petaudit-";
    pa_hex(name + strlen(name), id + 16, 16);
    int fd = shm_open(name, O_RDONLY, 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Exit status: minus the code. Rank 1 gets `signal_number` by its own hand in the middle. */
static pid_t fork_rank(const uint8_t *id, int rank, int size, int signal_number) {
    fflush(stdout);
    pid_t child = fork();
    if (child != 0)
        return child;
    struct pa_communicator *communicator = NULL;
    struct pa_seed seed = {1, 2, 3, 4, 5};
    uint64_t ns;
    int code =
        pa_cpu_communicator_open(NULL, id, rank, size, 4096, in_ms(10000), &communicator, NULL);
    for (int round = 0; round < 4 && code == PA_OK; round++) {
        if (round == 2 && rank == 1 && signal_number != 0)
            raise(signal_number);
        code = pa_cpu_allreduce_fill(communicator, 4096, &seed, NULL);
        if (code == PA_OK)
            code = pa_cpu_allreduce_run(communicator, 4096, 3, in_ms(1500), &ns, NULL);
    }
    pa_cpu_communicator_close(communicator);
    _exit(-code);
}

static int exit_of(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void check_death(int signal_number, int expected) {
    uint8_t id[PA_COMMUNICATOR_ID_BYTES];
    pid_t children[4];
    assert_int_equal(pa_cpu_communicator_id(true, id, NULL), PA_OK);
    for (int rank = 0; rank < 4; rank++)
        children[rank] = fork_rank(id, rank, 4, signal_number);
    int codes[4];
    for (int rank = 0; rank < 4; rank++)
        if (rank != 1)
            codes[rank] = exit_of(children[rank]);
    kill(children[1], SIGKILL);
    exit_of(children[1]);
    bool first_seen = false;
    for (int rank = 0; rank < 4; rank++) {
        if (rank == 1)
            continue;
        /* Who finds out first says why; the others may only hear that it gave up. */
        assert_true(codes[rank] == expected || codes[rank] == PA_EDEVICE);
        first_seen = first_seen || codes[rank] == expected;
    }
    assert_true(first_seen);
    assert_false(segment_is_left(id));
}

static void a_killed_rank_ends_the_others(void **state) {
    (void)state;
    check_death(SIGKILL, PA_EDEVICE);
}

static void a_frozen_rank_ends_the_others_at_their_deadline(void **state) {
    (void)state;
    check_death(SIGSTOP, PA_ETIMEOUT);
}

static void a_rank_that_never_comes_is_not_waited_for(void **state) {
    uint8_t id[PA_COMMUNICATOR_ID_BYTES];
    struct pa_communicator *communicator = NULL;
    struct pa_error error = {0};
    (void)state;
    assert_int_equal(pa_cpu_communicator_id(true, id, NULL), PA_OK);
    assert_int_equal(pa_cpu_communicator_open(NULL, id, 0, 2, 8, in_ms(300), &communicator, &error),
                     PA_ETIMEOUT);
    assert_non_null(strstr(error.text, "rank 1 did not take part"));
    assert_int_equal(pa_cpu_communicator_open(NULL, id, 1, 2, 8, in_ms(300), &communicator, &error),
                     PA_ETIMEOUT);
    assert_non_null(strstr(error.text, "rank 0 made no shared memory"));
    assert_false(segment_is_left(id));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_rank_ends_the_others),
        cmocka_unit_test(a_frozen_rank_ends_the_others_at_their_deadline),
        cmocka_unit_test(a_rank_that_never_comes_is_not_waited_for),
        cmocka_unit_test(known_answers_agree),
        cmocka_unit_test(sizes_double_up_to_the_limit),
        cmocka_unit_test(every_size_is_summed_and_verified),
        cmocka_unit_test(a_rank_with_another_result_is_caught),
        cmocka_unit_test(a_result_that_all_agree_on_is_caught_all_the_same),
        cmocka_unit_test(damaged_requests_are_refused),
        cmocka_unit_test(the_way_can_be_chosen_and_must_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
