/* SPDX-License-Identifier: Apache-2.0 */
/* Uncertainty and conformity against figures of others: GUM H.1 (JCGM 100:2008), table G.2, the
 * examples of JCGM 106:2012, and Monte Carlo (JCGM 101:2008) with fixed seeds. */
#include "cmocka_setup.h"

#include "judge/judgement_inside.h"
#include "judge/uncertainty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void add(struct pa_budget *budget, const char *name, enum pa_distribution distribution,
                double value, double sensitivity, double freedom) {
    const struct pa_uncertainty_source source = {.name = name,
                                                 .distribution = distribution,
                                                 .value = value,
                                                 .sensitivity = sensitivity,
                                                 .freedom = freedom};
    assert_int_equal(pa_budget_add(budget, &source), PA_OK);
}

/* Calibration of an end gauge of 50 mm, in nm. The guide rounds u_c to 32 before it multiplies by
 * 2.92, hence its 93. */
static void the_end_gauge_of_gum_h1_has_32_nm_and_16_degrees_of_freedom(void **state) {
    (void)state;
    struct pa_budget budget = {0};
    double length = 50.000623e6;
    add(&budget, "standard", PA_NORMAL, 25, 1, 18);
    add(&budget, "repeated observations", PA_STUDENT, 5.8, 1, 24);
    add(&budget, "comparator, random", PA_NORMAL, 3.9, 1, 5);
    add(&budget, "comparator, systematic", PA_NORMAL, 6.7, 1, 8);
    add(&budget, "expansion coefficient", PA_RECTANGULAR, 2e-6, 0, INFINITY);
    add(&budget, "temperature of the bed", PA_NORMAL, 0.41, 0, INFINITY);
    add(&budget, "difference of coefficients", PA_RECTANGULAR, 1e-6, -length * -0.1, 50);
    add(&budget, "difference of temperatures", PA_RECTANGULAR, 0.05, -length * 11.5e-6, 2);
    pa_budget_combine(&budget);
    assert_true(fabs(budget.sources[6].contribution - 2.9) < 0.05);
    assert_true(fabs(budget.sources[7].contribution - 16.6) < 0.05);
    assert_true(round(budget.combined) == 32);
    assert_true(fabs(budget.freedom - 16.7) < 0.1);
    assert_true(floor(budget.freedom) == 16);
    double t99 = pa_student_quantile(0.995, 16);
    assert_true(fabs(t99 - 2.92) < 0.005);
    assert_true(round(2.92 * round(budget.combined)) == 93);
    assert_true(fabs(t99 * budget.combined - 93) < 1);
    assert_true(fabs(budget.expanded - 2 * budget.combined) < 1e-12);
    assert_true(fabs(budget.k_95 - 2.17) < 0.005); /* table G.2, 95.45 %, 16 */
}

/* The parts of the comparison by themselves: 9.7 nm with 25.6 degrees of freedom (H.1.6). */
static void freedom_is_welch_satterthwaites(void **state) {
    (void)state;
    struct pa_budget budget = {0};
    add(&budget, "repeated observations", PA_STUDENT, 5.8, 1, 24);
    add(&budget, "random", PA_NORMAL, 3.9, 1, 5);
    add(&budget, "systematic", PA_NORMAL, 6.7, 1, 8);
    pa_budget_combine(&budget);
    assert_true(fabs(budget.combined - 9.7) < 0.05);
    assert_true(fabs(budget.freedom - 25.6) < 0.3);
    /* One source alone keeps its own; one that is certain adds none. */
    budget = (struct pa_budget){0};
    add(&budget, "one", PA_STUDENT, 3, -2, 7);
    pa_budget_combine(&budget);
    assert_true(fabs(budget.combined - 6) < 1e-12 && fabs(budget.freedom - 7) < 1e-9);
    budget = (struct pa_budget){0};
    add(&budget, "certain", PA_RECTANGULAR, 3, 1, INFINITY);
    add(&budget, "taken off", PA_ONE_SIDED, 1000, 1, 2);
    pa_budget_combine(&budget);
    assert_true(isinf(budget.freedom));
    assert_true(fabs(budget.combined - sqrt(3)) < 1e-12);
    assert_true(fabs(budget.coverage - 0.9545) < 1e-5 && fabs(budget.k_95 - 2) < 1e-9);
}

static void a_budget_that_is_full_refuses_more(void **state) {
    (void)state;
    struct pa_budget budget = {0};
    const struct pa_uncertainty_source source = {.name = "x", .freedom = INFINITY};
    for (int i = 0; i < PA_BUDGET_MOST_SOURCES; i++)
        assert_int_equal(pa_budget_add(&budget, &source), PA_OK);
    assert_int_equal(pa_budget_add(&budget, &source), PA_EINTERNAL);
    pa_budget_combine(&budget); /* of nothing: certain */
    assert_true(budget.combined == 0 && isinf(budget.freedom));
}

static void students_t_is_that_of_the_tables(void **state) {
    (void)state;
    static const struct {
        double p, freedom, t, tolerance;
    } table[] = {
        {0.975, 1, 12.706, 5e-4},   {0.975, 2, 4.303, 5e-4},     {0.975, 5, 2.571, 5e-4},
        {0.975, 10, 2.228, 5e-4},   {0.975, 30, 2.042, 5e-4},    {0.995, 1, 63.657, 5e-4},
        {0.995, 16, 2.921, 5e-4},   {0.97725, 1, 13.97, 0.01},   {0.97725, 2, 4.53, 0.005},
        {0.97725, 3, 3.31, 0.005},  {0.97725, 4, 2.87, 0.005},   {0.97725, 10, 2.28, 0.005},
        {0.97725, 20, 2.13, 0.005}, {0.97725, 100, 2.025, 5e-4}, {0.97725, INFINITY, 2, 1e-5},
        {0.5, 3, 0, 1e-9},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        double t = pa_student_quantile(table[i].p, table[i].freedom);
        if (fabs(t - table[i].t) > table[i].tolerance)
            fail_msg("t(%g, %g) is %.6f, not %g", table[i].p, table[i].freedom, t, table[i].t);
        if (fabs(pa_student_cdf(t, table[i].freedom) - table[i].p) > 1e-9 ||
            fabs(pa_student_cdf(-t, table[i].freedom) - (1 - table[i].p)) > 1e-9)
            fail_msg("no way back from t(%g, %g)", table[i].p, table[i].freedom);
    }
    /* 1 is Cauchy's: 1/2 + atan(t)/pi. */
    assert_true(fabs(pa_student_cdf(3, 1) - (0.5 + atan(3) / acos(-1))) < 1e-12);
    assert_true(fabs(pa_student_cdf(1.5, 1e7) - pa_student_cdf(1.5, INFINITY)) < 1e-7);
}

/* 7.3, table 1: conformance probability and z = (T - y) / u; and the Zener diode: at most -5.40 V
 * is wanted, -5.47 V were measured with u = 0.05 V, so that it conforms with 0.92. */
static void the_examples_of_jcgm_106_come_out(void **state) {
    (void)state;
    static const struct {
        double probability, z;
    } table[] = {{0.80, 0.84}, {0.90, 1.28}, {0.95, 1.64}, {0.99, 2.33}, {0.999, 3.09}};
    struct pa_conformity found;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        pa_conformity_judge(&found, PA_AT_MOST, 10, 10 - 0.5 * table[i].z, 0.5, INFINITY, 2);
        assert_true(fabs(found.probability - table[i].probability) < 0.0025);
        pa_conformity_judge(&found, PA_AT_LEAST, 10, 10 + 0.5 * table[i].z, 0.5, INFINITY, 2);
        assert_true(fabs(found.probability - table[i].probability) < 0.0025);
    }
    pa_conformity_judge(&found, PA_AT_MOST, -5.40, -5.47, 0.05, INFINITY, 2);
    assert_true(round(found.probability * 100) == 92);
    assert_true(round(found.consumer_risk * 100) == 8);
    assert_true(fabs(found.producer_risk - found.probability) < 1e-12);
    assert_int_equal(found.guarded, PA_DECISION_OPEN);
    assert_int_equal(found.simple, PA_DECISION_PASS);
}

/* With w = U = 2 u the risk at the acceptance limit is 2.3 % (JCGM 106, 8.3.2; ILAC G8). */
static void the_guard_band_lies_on_the_good_side_of_either_limit(void **state) {
    (void)state;
    static const double u = 0.25, k = 2, limit = 4;
    struct pa_conformity found;
    for (int side = 0; side < 2; side++) {
        double good = side == PA_AT_LEAST ? 1 : -1;
        static const struct {
            double offset; /* in u, towards the good side */
            enum pa_decision guarded, simple;
        } cases[] = {{2.01, PA_DECISION_PASS, PA_DECISION_PASS},
                     {1.99, PA_DECISION_OPEN, PA_DECISION_PASS},
                     {-1.99, PA_DECISION_OPEN, PA_DECISION_FAIL},
                     {-2.01, PA_DECISION_FAIL, PA_DECISION_FAIL}};
        for (int i = 0; i < 4; i++) {
            double y = limit + good * cases[i].offset * u;
            pa_conformity_judge(&found, (enum pa_limit_side)side, limit, y, u, INFINITY, k);
            assert_int_equal(found.guarded, cases[i].guarded);
            assert_int_equal(found.simple, cases[i].simple);
        }
        assert_true(fabs(found.acceptance_limit - (limit + good * 0.5)) < 1e-12);
        assert_true(fabs(found.rejection_limit - (limit - good * 0.5)) < 1e-12);
        pa_conformity_judge(&found, (enum pa_limit_side)side, limit, found.acceptance_limit, u,
                            INFINITY, k);
        assert_true(fabs(found.consumer_risk - 0.02275) < 1e-5);
        assert_int_equal(found.guarded, PA_DECISION_PASS);
        pa_conformity_judge(&found, (enum pa_limit_side)side, limit, limit, 0, INFINITY, k);
        assert_int_equal(found.guarded, PA_DECISION_PASS);
        assert_true(found.probability == 1);
    }
}

/* splitmix64 (Steele, Lea, Flood 2014): the same numbers in every run. */
static uint64_t stream;
static double uniform(void) {
    uint64_t x = stream += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return ((double)((x ^ x >> 31) >> 11) + 0.5) * 0x1p-53;
}
static double normal(void) {
    return sqrt(-2 * log(uniform())) * cos(2 * acos(-1) * uniform());
}

/* JCGM 101: the whole model, a product, drawn 400,000 times; the linear sum must agree with it. */
static void monte_carlo_agrees_with_the_combined_uncertainty(void **state) {
    (void)state;
    enum { DRAWS = 400000 };
    double y = 700, sum = 0, squares = 0;
    uint32_t inside = 0;
    struct pa_budget budget = {.y = y};
    add(&budget, "clock", PA_RECTANGULAR, 0.01, -y, INFINITY);
    add(&budget, "repeatability", PA_NORMAL, 0.006, y, INFINITY);
    add(&budget, "drift", PA_RECTANGULAR, 0.008, y, INFINITY);
    add(&budget, "triangular", PA_TRIANGULAR, 0.01, y, INFINITY);
    pa_budget_combine(&budget);
    stream = 20241124;
    for (int i = 0; i < DRAWS; i++) {
        double clock = 0.01 * (2 * uniform() - 1), drift = 0.008 * (2 * uniform() - 1);
        double triangle = 0.01 * (uniform() - uniform());
        double drawn = y / (1 + clock) * (1 + 0.006 * normal()) * (1 + drift) * (1 + triangle);
        sum += drawn - y;
        squares += (drawn - y) * (drawn - y);
        inside += fabs(drawn - y) <= budget.expanded;
    }
    double deviation = sqrt(squares / DRAWS - sum / DRAWS * (sum / DRAWS));
    assert_true(fabs(deviation / budget.combined - 1) < 0.01);
    assert_true(fabs((double)inside / DRAWS - 0.9545) < 0.01);
}

/* Sessions of six epochs whose rates scatter: how often the true rate lies in the interval that the
 * budget states. With k = 2 it is what `coverage` says or more, with k_95 it is 95 % or more; not
 * by much more, or the budget would be padded. */
static void intervals_of_many_sessions_cover_what_they_say(void **state) {
    (void)state;
    enum { SESSIONS = 20000, EPOCHS = 6 };
    struct pa_fact_epoch epochs[EPOCHS];
    struct pa_facts facts = {.epochs = epochs, .epoch_count = EPOCHS};
    facts.credit.honest_fraction = 1;
    memset(epochs, 0, sizeof epochs);
    double within_two = 0, within_95 = 0, stated = 0;
    stream = 4;
    for (int s = 0; s < SESSIONS; s++) {
        double sum = 0;
        for (uint32_t e = 0; e < EPOCHS; e++) {
            epochs[e].state = PA_EPOCH_CLOSED;
            epochs[e].t0.raw_ns = e * UINT64_C(10000000000);
            epochs[e].t1.raw_ns = epochs[e].t0.raw_ns + UINT64_C(10000000000);
            epochs[e].operations = 1e16 * (1 + 0.01 * normal());
            sum += epochs[e].operations / 1e16 / EPOCHS;
        }
        struct pa_budget budget;
        pa_rate_budget(&facts, sum, &budget);
        within_two += fabs(sum - 1) <= budget.expanded;
        within_95 += fabs(sum - 1) <= budget.expanded_95;
        stated += budget.coverage;
    }
    within_two /= SESSIONS;
    within_95 /= SESSIONS;
    stated /= SESSIONS;
    assert_true(within_two > stated - 0.005 && within_two < stated + 0.05);
    assert_true(within_95 > 0.9545 - 0.005 && within_95 < 0.99);
}

static void a_steady_fall_is_drift_and_not_scatter(void **state) {
    (void)state;
    enum { EPOCHS = 5 };
    struct pa_fact_epoch epochs[EPOCHS];
    struct pa_facts facts = {.epochs = epochs, .epoch_count = EPOCHS};
    facts.credit.honest_fraction = 0.99;
    memset(epochs, 0, sizeof epochs);
    for (uint32_t e = 0; e < EPOCHS; e++) {
        epochs[e].state = PA_EPOCH_CLOSED;
        /* RAW begins anew after the second epoch: only the work counts as time. */
        epochs[e].t0.raw_ns = (e < 2 ? e + 100 : e - 2) * UINT64_C(10000000000);
        epochs[e].t1.raw_ns = epochs[e].t0.raw_ns + UINT64_C(10000000000);
        epochs[e].operations = 1e16 * (1 - 0.02 * e);
    }
    struct pa_budget budget;
    bool is_significant;
    pa_rate_budget(&facts, 2, &budget);
    double mean = 1 - 0.02 * 2;
    assert_string_equal(budget.sources[2].name, "repeatability");
    assert_true(budget.sources[2].contribution < 1e-7);
    assert_string_equal(budget.sources[3].name, "drift");
    assert_true(fabs(budget.sources[3].value - 0.04 / mean) < 1e-9);
    assert_true(fabs(budget.sources[3].contribution - 2 * 0.04 / mean / sqrt(3)) < 1e-9);
    assert_string_equal(budget.sources[1].name, "sampling");
    assert_true(fabs(budget.sources[1].value - 0.01) < 1e-12);
    assert_true(budget.sources[1].contribution == 0);
    assert_true(fabs(pa_rate_drift(&facts, &is_significant) + 0.08 / mean) < 1e-9);
    assert_true(is_significant);
    facts.epoch_count = 2;
    pa_rate_budget(&facts, 2, &budget);
    assert_true(budget.sources[3].contribution == 0 && budget.sources[2].freedom == 1);
    assert_true(pa_rate_drift(&facts, &is_significant) == 0 && !is_significant);
    facts.epoch_count = 1;
    pa_rate_budget(&facts, 2, &budget);
    assert_true(fabs(budget.expanded - 2) < 1e-6);
    facts.epoch_count = 0;
    pa_rate_budget(&facts, 0, &budget);
    assert_true(budget.expanded == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_gauge_of_gum_h1_has_32_nm_and_16_degrees_of_freedom),
        cmocka_unit_test(freedom_is_welch_satterthwaites),
        cmocka_unit_test(a_budget_that_is_full_refuses_more),
        cmocka_unit_test(students_t_is_that_of_the_tables),
        cmocka_unit_test(the_examples_of_jcgm_106_come_out),
        cmocka_unit_test(the_guard_band_lies_on_the_good_side_of_either_limit),
        cmocka_unit_test(monte_carlo_agrees_with_the_combined_uncertainty),
        cmocka_unit_test(intervals_of_many_sessions_cover_what_they_say),
        cmocka_unit_test(a_steady_fall_is_drift_and_not_scatter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
