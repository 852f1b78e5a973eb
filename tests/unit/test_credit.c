/* SPDX-License-Identifier: Apache-2.0 */
/* From epochs to a verified rate: the examples of docs/protocol.md, and every way in which time
 * counts against the prover. */
#include "cmocka_setup.h"

#include "proof/credit.h"

#include <math.h>
#include <string.h>

#define S UINT64_C(1000000000)
#define COUNT(array) (uint32_t)(sizeof(array) / sizeof(array)[0])

static const struct pa_credit_terms terms = {.epoch_ns = 10 * S,
                                             .openings = 300,
                                             .alpha = 0.02,
                                             .serial = 1,
                                             .interruptions = 1,
                                             .longest_gap_ns = 900 * S};

static struct pa_credited_epoch closed(uint64_t t0_s, uint64_t t1_s, double operations) {
    return (struct pa_credited_epoch){
        .state = PA_EPOCH_CLOSED, .t0_ns = t0_s * S, .t1_ns = t1_s * S, .operations = operations};
}

static struct pa_credited_epoch aborted(uint64_t t0_s) {
    return (struct pa_credited_epoch){.state = PA_EPOCH_ABORTED, .t0_ns = t0_s * S};
}

static struct pa_credited_epoch after_gap(struct pa_credited_epoch epoch, uint64_t gap_s) {
    epoch.after_gap = true;
    epoch.gap_ns = gap_s * S;
    return epoch;
}

static struct pa_credit credit_of(const struct pa_credited_epoch *epochs, uint32_t count) {
    struct pa_credit credit;
    struct pa_error error = {0};
    int code = pa_credit_compute(&credit, epochs, count, &terms, &error);
    assert_string_equal(error.text, "");
    assert_int_equal(code, PA_OK);
    return credit;
}

static void the_examples_of_the_protocol_come_out(void **state) {
    (void)state;
    static const struct {
        uint32_t openings;
        double fraction;
    } cases[] = {{300, 0.9847}, {1000, 0.9954}, {4605, 0.9990}};
    const struct pa_credited_epoch epoch = closed(5, 15, 1e15);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pa_credit_terms now = terms;
        struct pa_credit credit;
        now.openings = cases[i].openings; /* alpha 0.02 halves to 1 % for the first session */
        assert_int_equal(pa_credit_compute(&credit, &epoch, 1, &now, NULL), PA_OK);
        assert_true(fabs(credit.alpha_r - 0.01) < 1e-15);
        assert_true(fabs(credit.honest_fraction - cases[i].fraction) < 5.1e-5);
        assert_true(fabs(credit.rate - 1e14) < 1);
        assert_true(fabs(credit.verified_rate - 1e14 * credit.honest_fraction) < 1);
    }
}

static void later_sessions_pay_with_their_alpha(void **state) {
    (void)state;
    const struct pa_credited_epoch epoch = closed(0, 10, 1e15);
    double last = 1;
    for (uint32_t r = 1; r < 6; r++) {
        struct pa_credit_terms now = terms;
        struct pa_credit credit;
        now.serial = r;
        assert_int_equal(pa_credit_compute(&credit, &epoch, 1, &now, NULL), PA_OK);
        assert_true(fabs(credit.alpha_r - 0.02 / (r * (r + 1))) < 1e-15);
        assert_true(credit.honest_fraction < last);
        last = credit.honest_fraction;
    }
}

static void openings_of_all_epochs_add_up(void **state) {
    (void)state;
    struct pa_credited_epoch epochs[4];
    for (uint32_t i = 0; i < 4; i++)
        epochs[i] = closed(10 * i, 10 * i + 10, 1e15);
    assert_true(fabs(credit_of(epochs, 4).n_effective - 1200) < 1e-9);
    epochs[3].operations = 0; /* an epoch without work brings no openings */
    assert_true(fabs(credit_of(epochs, 4).n_effective - 900) < 1e-9);
    assert_true(credit_of(epochs, 4).seconds == 40);
    epochs[0].operations = 2e15; /* the heaviest epoch decides */
    assert_true(fabs(credit_of(epochs, 4).n_effective - 600) < 1e-9);
}

static void few_openings_give_nothing_rather_than_less(void **state) {
    (void)state;
    const struct pa_credited_epoch epoch = closed(0, 10, 1e15);
    struct pa_credit_terms now = terms;
    struct pa_credit credit;
    now.openings = 3;
    assert_int_equal(pa_credit_compute(&credit, &epoch, 1, &now, NULL), PA_OK);
    assert_true(credit.honest_fraction == 0 && credit.verified_rate == 0 && credit.rate > 0);
}

/* What counts as time, in seconds. */
static void time_is_counted_against_the_prover(void **state) {
    (void)state;
    const struct pa_credited_epoch pause[] = {closed(0, 10, 1), closed(50, 60, 1)};
    assert_true(credit_of(pause, 2).seconds == 60);
    const struct pa_credited_epoch overlap[] = {closed(0, 12, 1), closed(10, 22, 1)};
    assert_true(credit_of(overlap, 2).seconds == 22);
    const struct pa_credited_epoch inside[] = {closed(0, 30, 1), closed(10, 22, 1)};
    assert_true(credit_of(inside, 2).seconds == 30);
    const struct pa_credited_epoch lead[] = {aborted(0), closed(4, 14, 1)};
    assert_true(credit_of(lead, 2).seconds == 20);
    const struct pa_credited_epoch trail[] = {closed(0, 10, 1), aborted(10), aborted(12)};
    assert_true(credit_of(trail, 3).seconds == 30);
    /* Between two closed epochs: 3 s are there and 10 planned; 25 s are there and 20 planned. */
    const struct pa_credited_epoch brief[] = {closed(0, 10, 1), aborted(10), closed(13, 23, 1)};
    assert_true(credit_of(brief, 3).seconds == 30);
    const struct pa_credited_epoch ample[] = {closed(0, 10, 1), aborted(10), aborted(20),
                                              closed(35, 45, 1)};
    assert_true(credit_of(ample, 4).seconds == 45);
    const struct pa_credited_epoch crossed[] = {closed(0, 10, 1), aborted(8), closed(9, 19, 1)};
    assert_true(credit_of(crossed, 3).seconds == 29);
}

static void a_declared_gap_is_no_time_but_what_was_aborted_in_it_is(void **state) {
    (void)state;
    const struct pa_credited_epoch gap[] = {closed(100, 110, 1),
                                            after_gap(closed(400, 410, 1), 290)};
    struct pa_credit credit = credit_of(gap, 2);
    assert_true(credit.seconds == 20 && credit.gaps == 1 && credit.gap_ns == 290 * S);
    /* The machine was started again: its clock is back at the beginning. */
    const struct pa_credited_epoch reboot[] = {closed(100, 110, 1), aborted(110),
                                               after_gap(closed(3, 13, 1), 200)};
    assert_true(credit_of(reboot, 3).seconds == 30);
    const struct pa_credited_epoch first[] = {closed(0, 10, 1), after_gap(aborted(50), 40),
                                              closed(61, 71, 1)};
    assert_true(credit_of(first, 3).seconds == 30);
}

static void nothing_done_gives_nothing(void **state) {
    (void)state;
    struct pa_credit credit = credit_of(NULL, 0);
    assert_true(credit.rate == 0 && credit.verified_rate == 0 && credit.seconds == 0);
    const struct pa_credited_epoch none[] = {aborted(0), aborted(1), aborted(2)};
    credit = credit_of(none, 3);
    assert_true(credit.seconds == 30 && credit.verified_rate == 0 && credit.honest_fraction == 0);
    const struct pa_credited_epoch idle[] = {closed(0, 10, 0)};
    credit = credit_of(idle, 1);
    assert_true(credit.seconds == 10 && credit.rate == 0 && credit.n_effective == 0);
}

static void epochs_of_another_kind_have_their_own_openings_and_length(void **state) {
    (void)state;
    struct pa_credit credit;
    struct pa_credited_epoch epochs[] = {closed(0, 10, 8e12), closed(10, 11, 1e12), aborted(11)};
    epochs[1].openings = 20; /* 20 * 9 is less than 1000 * 9 / 8 */
    epochs[2].planned_ns = 3 * S;
    assert_int_equal(pa_credit_compute(&credit, epochs, 3, &terms, NULL), PA_OK);
    assert_true(fabs(credit.n_effective - 180) < 1e-9);
    assert_true(fabs(credit.seconds - 14) < 1e-9);
    epochs[1].operations = 0; /* what is not credited weighs nothing, and takes its time */
    assert_int_equal(pa_credit_compute(&credit, epochs, 3, &terms, NULL), PA_OK);
    assert_true(fabs(credit.n_effective - terms.openings) < 1e-9);
    assert_true(fabs(credit.seconds - 14) < 1e-9 && credit.operations < 8.1e12);
}

static void what_contradicts_itself_is_refused(void **state) {
    (void)state;
    const struct {
        struct pa_credited_epoch epochs[3];
        uint32_t count;
        const char *said;
    } cases[] = {
        {{closed(10, 10, 1)}, 1, "ends before"},
        {{closed(10, 9, 1)}, 1, "ends before"},
        {{closed(10, 20, 1), closed(9, 30, 1)}, 2, "starts before"},
        {{closed(10, 20, -1)}, 1, "not a number"},
        {{closed(10, 20, (double)NAN)}, 1, "not a number"},
        {{closed(10, 20, (double)INFINITY)}, 1, "not a number"},
        {{closed(0, 10, 1), after_gap(closed(20, 30, 1), 901)}, 2, "allows 900"},
        {{closed(0, 10, 1), after_gap(closed(20, 30, 1), 10), after_gap(closed(40, 50, 1), 10)},
         3,
         "allows 1"},
        {{{.state = PA_EPOCH_ABORTED, .operations = 1}}, 1, "claims work"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pa_credit credit;
        struct pa_error error = {0};
        assert_int_equal(
            pa_credit_compute(&credit, cases[i].epochs, cases[i].count, &terms, &error),
            PA_EINVALID);
        assert_non_null(strstr(error.text, cases[i].said));
    }
    struct pa_credit_terms bad[5] = {terms, terms, terms, terms, terms};
    bad[0].alpha = 0;
    bad[1].alpha = (double)NAN;
    bad[2].serial = 0;
    bad[3].openings = 0;
    bad[4].epoch_ns = 0;
    struct pa_credit credit;
    const struct pa_credited_epoch epoch = closed(0, 1, 1);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(pa_credit_compute(&credit, &epoch, 1, &bad[i], NULL), PA_EINVALID);
    const struct pa_credited_epoch endless[] = {aborted(0), aborted(0), aborted(0)};
    struct pa_credit_terms long_epochs = terms;
    long_epochs.epoch_ns = UINT64_MAX / 2;
    assert_int_equal(pa_credit_compute(&credit, endless, 3, &long_epochs, NULL), PA_EINVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_protocol_come_out),
        cmocka_unit_test(later_sessions_pay_with_their_alpha),
        cmocka_unit_test(openings_of_all_epochs_add_up),
        cmocka_unit_test(few_openings_give_nothing_rather_than_less),
        cmocka_unit_test(time_is_counted_against_the_prover),
        cmocka_unit_test(a_declared_gap_is_no_time_but_what_was_aborted_in_it_is),
        cmocka_unit_test(nothing_done_gives_nothing),
        cmocka_unit_test(epochs_of_another_kind_have_their_own_openings_and_length),
        cmocka_unit_test(what_contradicts_itself_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
