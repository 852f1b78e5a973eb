/* SPDX-License-Identifier: Apache-2.0 */
/* Products and sums in lockstep. Ranks are threads with a real communicator; their products are
 * sleeps of known length, so that it is known how long they wait for each other. */
#include "base/clock.h"
#include "base/team.h"
#include "device/cpu_communicator.h"
#include "measure/coupled.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_setup.h"

static const uint64_t ms = UINT64_C(1000000);
enum { MOST_RANKS = 4, BYTES = 200000, STEPS = 6 };

/* A workbench whose step takes `step_ns`; it counts what it is asked for. */
struct pa_workbench {
    uint64_t step_ns;
    uint32_t enqueued, collected, most_queued, fails_at;
    uint32_t last_key;
    bool repeats; /* a step had the seed of the one before it */
};

static int load_a(struct pa_workbench *bench, const struct pa_seed *seed, struct pa_error *error) {
    (void)bench;
    (void)seed;
    (void)error;
    return PA_OK;
}

static int step_enqueue(struct pa_workbench *bench, const struct pa_seed *seed,
                        struct pa_error *error) {
    (void)error;
    bench->repeats |= bench->enqueued > 0 && seed->k0 == bench->last_key;
    bench->last_key = seed->k0;
    bench->enqueued++;
    uint32_t queued = bench->enqueued - bench->collected;
    bench->most_queued = queued > bench->most_queued ? queued : bench->most_queued;
    return PA_OK;
}

static int step_collect(struct pa_workbench *bench, uint64_t *tiles, uint64_t deadline_ns,
                        struct pa_error *error) {
    (void)tiles;
    (void)deadline_ns;
    pa_clock_sleep(bench->step_ns);
    bench->collected++;
    return bench->collected == bench->fails_at ? pa_fail(error, PA_EDEVICE, "it is on fire")
                                               : PA_OK;
}

static void steps_drop(struct pa_workbench *bench) {
    bench->enqueued = bench->collected;
}

static const struct pa_backend backend = {.name = "cpu",
                                          .load_a = load_a,
                                          .step_enqueue = step_enqueue,
                                          .step_collect = step_collect,
                                          .steps_drop = steps_drop,
                                          .communicator_id = pa_cpu_communicator_id,
                                          .communicator_open = pa_cpu_communicator_open,
                                          .allreduce_fill = pa_cpu_allreduce_fill,
                                          .allreduce_run = pa_cpu_allreduce_run,
                                          .allreduce_digest = pa_cpu_allreduce_digest,
                                          .communicator_close = pa_cpu_communicator_close};

struct site {
    struct pa_device device;
    struct pa_hash key;
    struct pa_coupled_request request;
    struct pa_workbench benches[MOST_RANKS];
    struct pa_buffer answers[MOST_RANKS];
    struct pa_error errors[MOST_RANKS];
    int codes[MOST_RANKS];
    double step_operations[MOST_RANKS];
};

struct seat {
    struct site *site;
    uint32_t rank;
};

static void *run_rank(void *context) {
    struct seat *seat = context;
    struct site *site = seat->site;
    struct pa_coupled_request request = site->request;
    struct pa_allreduce_station station = {.device = &site->device};
    struct pa_stand stand = {.device = &site->device, .bench = &site->benches[seat->rank]};
    struct pa_buffer bytes = {0};
    request.rank = seat->rank;
    pa_put_coupled_request(&bytes, &request);
    site->codes[seat->rank] =
        pa_coupled_execute(&station, &stand, bytes.data, bytes.size, &site->answers[seat->rank],
                           &site->errors[seat->rank]);
    pa_buffer_free(&bytes);
    return NULL;
}

/* Ranks 0 .. present-1 of `ranks` come. */
static void run_all(struct site *site, uint32_t ranks, uint32_t present, uint64_t patience_ns) {
    struct seat seats[MOST_RANKS];
    pthread_t threads[MOST_RANKS];
    site->device.backend = &backend;
    memset(site->key.bytes, 7, sizeof site->key.bytes);
    pa_epoch_nonce(&site->request.nonce, &site->key);
    site->request.ranks = ranks;
    site->request.bytes = BYTES;
    site->request.steps = STEPS;
    site->request.patience_ns = patience_ns;
    assert_int_equal(pa_cpu_communicator_id(true, site->request.id, NULL), PA_OK);
    for (uint32_t rank = 0; rank < present; rank++) {
        seats[rank] = (struct seat){site, rank};
        site->step_operations[rank] = 1000;
        assert_int_equal(pa_thread_start(&threads[rank], run_rank, &seats[rank], NULL), PA_OK);
    }
    for (uint32_t rank = 0; rank < present; rank++)
        pthread_join(threads[rank], NULL);
}

static void release(struct site *site) {
    for (uint32_t rank = 0; rank < MOST_RANKS; rank++)
        pa_buffer_free(&site->answers[rank]);
}

static void the_slowest_sets_the_pace(void **state) {
    struct site site = {0};
    struct pa_coupled_run run;
    struct pa_error error = {0};
    (void)state;
    for (uint32_t rank = 0; rank < 3; rank++)
        site.benches[rank].step_ns = rank == 1 ? 60 * ms : 5 * ms;
    run_all(&site, 3, 3, 600000 * ms);
    for (uint32_t rank = 0; rank < 3; rank++) {
        if (site.codes[rank] != PA_OK)
            fail_msg("%s", site.errors[rank].text);
        /* 3 alone, 6 together, 3 alone: two in the queue only where nobody is waited for. */
        assert_int_equal(site.benches[rank].collected, 2 * STEPS);
        assert_int_equal(site.benches[rank].most_queued, 2);
        assert_false(site.benches[rank].repeats);
    }
    if (pa_coupled_combine(&site.request, site.answers, site.step_operations, &site.key, &run,
                           &error) != PA_OK)
        fail_msg("%s", error.text);
    assert_true(run.verified);
    assert_true(run.operations == 3 * STEPS * 1000.0);
    /* Nobody can be faster than the slow one; sleeps only ever last longer. */
    assert_true(run.time_ns >= STEPS * 60 * ms);
    for (uint32_t rank = 0; rank < 3; rank++)
        assert_true(pa_le64(site.answers[rank].data) >= STEPS * site.benches[rank].step_ns);
    double together = run.operations / ((double)run.time_ns * 1e-9), alone = 0;
    for (uint32_t rank = 0; rank < 3; rank++)
        alone += 1000.0 * STEPS / ((double)pa_le64(site.answers[rank].data) * 1e-9);
    assert_true(alone / run.alone_per_second > 0.999999 && alone / run.alone_per_second < 1.000001);
    assert_true(together > 0);
    release(&site);
}

static void a_falsified_sum_is_not_verified(void **state) {
    (void)state;
    for (int lie = 0; lie < 3; lie++) {
        struct site site = {0};
        struct pa_coupled_run run;
        run_all(&site, 2, 2, 600000 * ms);
        /* One rank has another sum; all have the same wrong one; none lies. */
        for (uint32_t rank = 0; rank < 2; rank++)
            if (lie == 1 || (lie == 0 && rank == 1))
                site.answers[rank].data[site.answers[rank].size - 3] ^= 4;
        assert_int_equal(pa_coupled_combine(&site.request, site.answers, site.step_operations,
                                            &site.key, &run, NULL),
                         PA_OK);
        assert_int_equal(run.verified, lie == 2);
        release(&site);
    }
}

static void a_rank_that_fails_or_is_missing_ends_the_others(void **state) {
    (void)state;
    struct site site = {0};
    site.benches[1].fails_at = 8; /* in lockstep, after 3 alone */
    run_all(&site, 3, 3, 4000 * ms);
    assert_int_equal(site.codes[1], PA_EDEVICE);
    assert_string_equal(site.errors[1].text, "it is on fire");
    assert_int_not_equal(site.codes[0], PA_OK);
    assert_int_not_equal(site.codes[2], PA_OK);
    release(&site);
    struct site missing = {0};
    run_all(&missing, 3, 2, 1000 * ms);
    /* Whoever runs out of patience first is gone for the other. */
    assert_true(missing.codes[0] == PA_ETIMEOUT || missing.codes[1] == PA_ETIMEOUT);
    assert_true(missing.codes[0] != PA_OK && missing.codes[1] != PA_OK);
    release(&missing);
}

static void damaged_requests_are_refused(void **state) {
    struct pa_device device = {.backend = &backend};
    struct pa_workbench bench = {0};
    struct pa_allreduce_station station = {.device = &device};
    struct pa_stand stand = {.device = &device, .bench = &bench}, closed = {.device = &device};
    struct pa_coupled_request good = {
        .ranks = 1, .bytes = 64, .steps = 1, .patience_ns = 60000 * ms};
    (void)state;
    assert_int_equal(pa_cpu_communicator_id(true, good.id, NULL), PA_OK);
    for (int flaw = 0; flaw < 9; flaw++) {
        struct pa_coupled_request request = good;
        struct pa_buffer bytes = {0}, answer = {0};
        struct pa_error error = {0};
        request.rank = flaw == 1 ? 1 : 0;
        request.bytes = flaw == 2 ? 6 : flaw == 3 ? UINT64_MAX - 3 : 64;
        request.steps = flaw == 4 ? 0 : flaw == 5 ? PA_COUPLED_MOST_STEPS + 1 : 1;
        request.patience_ns = flaw == 6 ? UINT64_MAX : good.patience_ns;
        pa_put_coupled_request(&bytes, &request);
        int code = pa_coupled_execute(&station, flaw == 7 ? &closed : &stand, bytes.data,
                                      flaw == 8 ? bytes.size - 1 : bytes.size, &answer, &error);
        assert_int_equal(code, flaw == 0 ? PA_OK : PA_EINPUT);
        assert_null(station.communicator);
        pa_buffer_free(&bytes);
        pa_buffer_free(&answer);
    }
}

static void answers_that_make_no_sense_are_refused(void **state) {
    (void)state;
    for (int flaw = 0; flaw < 3; flaw++) {
        struct site site = {0};
        struct pa_coupled_run run;
        struct pa_error error = {0};
        run_all(&site, 2, 2, 600000 * ms);
        if (flaw == 0)
            pa_put_le64(site.answers[1].data, 0);
        else if (flaw == 1)
            pa_put_le64(site.answers[1].data + 8, UINT64_MAX);
        else
            site.answers[1].size -= 8;
        assert_int_equal(pa_coupled_combine(&site.request, site.answers, site.step_operations,
                                            &site.key, &run, &error),
                         PA_EINPUT);
        assert_non_null(strstr(error.text, "rank 1"));
        release(&site);
    }
}

static void steps_fit_the_time(void **state) {
    (void)state;
    assert_int_equal(pa_coupled_steps(3000 * ms, 20e6, 10e6), 100);
    assert_int_equal(pa_coupled_steps(3000 * ms, 9e9, 0), 4);
    assert_int_equal(pa_coupled_steps(3000 * ms, 0, 0), PA_COUPLED_MOST_STEPS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_slowest_sets_the_pace),
        cmocka_unit_test(a_falsified_sum_is_not_verified),
        cmocka_unit_test(a_rank_that_fails_or_is_missing_ends_the_others),
        cmocka_unit_test(damaged_requests_are_refused),
        cmocka_unit_test(answers_that_make_no_sense_are_refused),
        cmocka_unit_test(steps_fit_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
