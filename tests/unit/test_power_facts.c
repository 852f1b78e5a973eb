/* SPDX-License-Identifier: Apache-2.0 */
/* What meters say of a session of 60 s: means, gaps, uncertainty, PUE, green share, levels. */
#include "cmocka_setup.h"

#include "base/base.h"
#include "evidence_factory.h"
#include "judge/judge.h"
#include "record_samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t second = UINT64_C(1000000000);
static struct pa_buffer records;
static uint32_t meters;

static struct pa_instant at(double seconds) {
    uint64_t ns = (uint64_t)((seconds + 1000) * 1e9) - 1000 * second;
    return (struct pa_instant){.raw_ns = EVIDENCE_RAW_START + ns,
                               .utc_ns = EVIDENCE_UTC_START + ns};
}

static void put_note(uint64_t epoch, const char *json) {
    const struct pa_note_record note = {
        .at = at(61), .json = json, .json_bytes = (uint32_t)strlen(json)};
    pa_record_put_note(&records, epoch, &note);
}

/* "it" and "csv" with whatever more is to be said, such as ",\"class_percent\":\"0.5\"". */
static void put_meter(const char *role, const char *source, const char *more) {
    char json[512];
    snprintf(
        json, sizeof json,
        "{\"kind\":\"meter\",\"meter\":%u,\"role\":\"%s\",\"source\":\"%s\",\"name\":\"%s%u\"%s}",
        meters, role, source, role, meters, more);
    put_note(PA_NO_EPOCH, json);
    meters++;
}

/* Readings of the last meter from `from` to `to` seconds; `watts` of each, NAN for none; energy is
 * counted beside when `has_energy`. Dated by the meter's clock (UTC alone) or by the witness'. */
static void put_readings(double from, double to, double step, double (*watts)(double),
                         bool has_energy, bool is_by_utc) {
    struct pa_power_sample samples[2048];
    uint32_t count = 0;
    double joules = 5e6;
    for (double t = from; t <= to + 1e-9 && count < 2048; t += step) {
        double value = watts(t);
        joules += value * step;
        if (isnan(value))
            continue;
        samples[count] = (struct pa_power_sample){
            .at = at(t),
            .milliwatts = has_energy ? PA_POWER_UNKNOWN : (int64_t)llround(value * 1000),
            .millijoules = has_energy ? (uint64_t)llround(joules * 1000) : PA_ENERGY_UNKNOWN};
        if (is_by_utc)
            samples[count].at.raw_ns = 0;
        count++;
    }
    pa_record_put_power(&records, at(61), meters - 1, samples, count);
    assert_false(records.failed);
}

static struct pa_facts collect(enum evidence_flaw flaw) {
    struct evidence_recipe recipe = evidence_recipe_honest();
    char folder[64], path[128];
    struct pa_store *store;
    struct pa_error error = {0};
    struct pa_facts facts;
    recipe.flaw = flaw;
    recipe.openings = 4;
    recipe.readings = &records;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/evidence.db", folder);
    evidence_make(path, &recipe);
    assert_int_equal(pa_store_open_readonly(path, &store, &error), PA_OK);
    if (pa_facts_collect(store, PA_RECHECK_PATHS, &facts, &error) != PA_OK)
        fail_msg("%s", error.text);
    pa_store_close(store);
    remove_folder(folder);
    return facts;
}

static int set_up(void **state) {
    (void)state;
    pa_buffer_clear(&records);
    meters = 0;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    pa_buffer_free(&records);
    return 0;
}

static bool is_near(double a, double b, double tolerance) {
    return fabs(a - b) <= tolerance;
}

static double steady(double t) {
    (void)t;
    return 1000;
}
static double ramp(double t) {
    return 1000 + 10 * t;
}
static double stepped(double t) {
    return t < 30 ? 1000 : 2000;
}
static double facility(double t) {
    (void)t;
    return 1250;
}
static double sun(double t) {
    return t < 30 ? 2500 : 0;
}
static double holed(double t) {
    return t > 20 && t < 40 ? (double)NAN : 1000;
}

static const char class_half[] = ",\"class_percent\":\"0.5\"";

static void without_meters_nothing_is_metered(void **state) {
    (void)state;
    struct pa_facts facts = collect(FLAW_NONE);
    assert_false(facts.power.has_watts);
    assert_string_equal(facts.power.source, "none");
    assert_int_equal(facts.power.level, 0);
    assert_int_equal(facts.power.curve_count, 0);
    pa_facts_free(&facts);
}

static void power_is_the_mean_over_the_work_alone(void **state) {
    (void)state;
    put_meter("it", "csv", class_half);
    put_readings(-30, 90, 1, ramp, false, true);
    struct pa_facts facts = collect(FLAW_NONE);
    assert_string_equal(facts.broken, "");
    const struct pa_fact_meter *meter = &facts.power.meters[0];
    assert_true(is_near(facts.power.window_s, 60, 1e-6));
    assert_true(is_near(meter->watts, 1300, 1e-6));
    assert_int_equal(meter->readings, 61);
    assert_true(is_near(meter->interval_s, 1, 1e-6));
    assert_true(is_near(meter->covered_s, 60, 1e-6) && meter->longest_gap_s < 1e-6);
    assert_true(meter->least_w == 1000 && meter->most_w == 1600);
    assert_true(is_near(facts.power.energy_j, 78000, 1e-3));
    assert_true(is_near(facts.power.curve[0].it_w, 1005, 0.2));
    assert_true(isnan(facts.power.curve[0].facility_w));
    /* Class 0.5 as a rectangle, and the scatter of a ramp of 61 readings. */
    double class_w = 0.005 * 1300 / sqrt(3), scatter = 10 * sqrt(61 * 62.0 / 12) / sqrt(61);
    assert_true(is_near(meter->u_watts, hypot(class_w, scatter), 1e-6));
    pa_facts_free(&facts);
}

static void readings_by_the_witness_are_placed_by_its_clock(void **state) {
    (void)state;
    put_meter("it", "modbus", class_half);
    put_readings(-5, 65, 1, stepped, false, false);
    /* UTC jumps by 3 s before the second epoch; RAW does not. */
    struct pa_facts facts = collect(FLAW_CLOCK_STEP);
    assert_true(is_near(facts.power.watts, 1500, 10));
    assert_true(is_near(facts.power.meters[0].covered_s, 60, 1e-3));
    pa_facts_free(&facts);
}

static void an_energy_counter_decides_the_mean(void **state) {
    (void)state;
    put_meter("it", "csv", class_half);
    put_readings(-5, 65, 1, steady, true, true);
    struct pa_facts facts = collect(FLAW_NONE);
    const struct pa_fact_meter *meter = &facts.power.meters[0];
    assert_true(meter->has_energy && !meter->has_power);
    assert_true(is_near(meter->watts, 1000, 1e-6));
    assert_true(
        is_near(meter->u_watts, hypot(0.005 * 1000 / sqrt(3), 1000 / 60.0 / sqrt(6)), 1e-6));
    pa_facts_free(&facts);
}

static void a_gap_is_left_open(void **state) {
    (void)state;
    put_meter("it", "csv", class_half);
    put_readings(-5, 65, 1, holed, false, true);
    struct pa_facts facts = collect(FLAW_NONE);
    const struct pa_fact_meter *meter = &facts.power.meters[0];
    assert_true(is_near(meter->longest_gap_s, 20, 1e-6));
    assert_true(is_near(meter->covered_s, 40, 1e-6));
    assert_true(is_near(meter->energy_j, 40000, 1e-3));
    assert_int_equal(facts.power.level, 0);
    assert_non_null(strstr(facts.power.level_reason, "40 s of the 60 s"));
    assert_true(isnan(facts.power.curve[30].it_w));
    pa_facts_free(&facts);
}

static void pue_needs_both_meters_of_the_mains(void **state) {
    (void)state;
    put_meter("it", "csv", class_half);
    put_readings(-5, 65, 1, steady, false, true);
    put_meter("facility", "csv", class_half);
    put_readings(-10, 70, 5, facility, false, true);
    struct pa_facts facts = collect(FLAW_NONE);
    assert_true(facts.power.has_pue);
    assert_true(is_near(facts.power.pue, 1.25, 1e-9));
    assert_true(is_near(facts.power.u_pue, 1.25 * hypot(0.005 / sqrt(3), 0.005 / sqrt(3)), 1e-9));
    assert_true(facts.power.scope == PA_METER_IT && facts.power.watts == facts.power.it_w);
    pa_facts_free(&facts);
}

static void sensors_inside_stand_aside_of_the_mains(void **state) {
    (void)state;
    put_meter("it", "rapl", "");
    put_readings(-5, 65, 1, steady, true, false);
    struct pa_facts facts = collect(FLAW_NONE);
    assert_true(facts.power.has_it && facts.power.it_is_component);
    assert_int_equal(facts.power.level, 0);
    assert_non_null(strstr(facts.power.level_reason, "inside of the machines"));
    pa_facts_free(&facts);
    put_meter("facility", "csv", class_half);
    put_readings(-10, 70, 5, facility, false, true);
    facts = collect(FLAW_NONE);
    assert_false(facts.power.has_pue);
    assert_true(facts.power.scope == PA_METER_FACILITY && is_near(facts.power.watts, 1250, 1e-6));
    pa_facts_free(&facts);
    put_meter("it", "csv", class_half);
    put_readings(-5, 65, 1, stepped, false, true);
    facts = collect(FLAW_NONE);
    assert_true(is_near(facts.power.it_w, 1500, 10));
    assert_false(facts.power.it_is_component);
    assert_false(pa_power_counts(&facts.power, 0, PA_METER_IT));
    assert_true(pa_power_counts(&facts.power, 2, PA_METER_IT));
    assert_string_equal(facts.power.source, "rapl, csv");
    pa_facts_free(&facts);
}

static void the_green_share_is_taken_moment_by_moment(void **state) {
    (void)state;
    put_meter("facility", "csv", class_half);
    put_readings(-10, 70, 1, facility, false, true);
    put_meter("pv", "csv", "");
    put_readings(-10, 70, 0.1, sun, false, true);
    struct pa_facts facts = collect(FLAW_NONE);
    /* Twice the load for half of the time covers half of it. */
    assert_true(facts.power.has_green && is_near(facts.power.green_share, 0.5, 0.005));
    assert_true(is_near(facts.power.pv_w, 1250, 10));
    assert_true(facts.power.generated_u == 0);
    assert_true(is_near(facts.power.curve[0].generated_w, 2500, 1));
    pa_facts_free(&facts);
}

static void shares_extrapolate_and_are_no_level_unless_random(void **state) {
    (void)state;
    put_meter("it", "csv", ",\"class_percent\":\"0.5\",\"share\":\"0.25\"");
    put_readings(-5, 65, 1, steady, false, true);
    struct pa_facts facts = collect(FLAW_NONE);
    assert_true(is_near(facts.power.it_w, 4000, 1e-6));
    assert_int_equal(facts.power.level, 0);
    assert_non_null(strstr(facts.power.level_reason, "the site chose it"));
    pa_facts_free(&facts);
}

/* One IT meter of everything, from 5 s before to 5 s after (or not), and the level that it
 * reaches. */
static int level_of(const char *more, double step, double from, bool has_energy,
                    const char *reason) {
    set_up(NULL);
    put_meter("it", "csv", more);
    put_readings(from, 65, step, steady, has_energy, true);
    struct pa_facts facts = collect(FLAW_NONE);
    int level = facts.power.level;
    if (strstr(facts.power.level_reason, reason) == NULL)
        fail_msg("\"%s\" should say %s", facts.power.level_reason, reason);
    pa_facts_free(&facts);
    return level;
}

static void levels_are_what_the_data_supports(void **state) {
    (void)state;
    assert_int_equal(level_of("", 1, -5, false, "class of the meter is not told"), 0);
    assert_int_equal(level_of(",\"class_percent\":\"6\"", 1, -5, false, "at most 5 %"), 0);
    assert_int_equal(level_of(",\"class_percent\":\"5\"", 1, -5, false, "class 2 % or better"), 1);
    assert_int_equal(level_of(",\"class_percent\":\"2\"", 1, -5, false, "class 1 % or better"), 2);
    assert_int_equal(level_of(class_half, 10, -10, false, "10 readings in the window, there are 7"),
                     1);
    assert_int_equal(level_of(class_half, 35, -40, false, "about other times"), 0);
    assert_int_equal(level_of(class_half, 1, -5, false, "integrated energy"), 2);
    assert_int_equal(level_of(class_half, 1, -5, true, "Level 3"), 3);
    assert_int_equal(level_of(class_half, 1, 10, false, "50 s of the 60 s"), 0);
}

static void a_counter_that_goes_back_is_implausible(void **state) {
    (void)state;
    struct pa_power_sample samples[3] = {{at(0), PA_POWER_UNKNOWN, 5000000},
                                         {at(30), PA_POWER_UNKNOWN, 4000000},
                                         {at(60), PA_POWER_UNKNOWN, 9000000}};
    put_meter("it", "csv", class_half);
    pa_record_put_power(&records, at(61), 0, samples, 3);
    struct pa_facts facts = collect(FLAW_NONE);
    assert_true(facts.power.meters[0].is_implausible);
    assert_true(is_near(facts.power.meters[0].covered_s, 30, 1e-6));
    pa_facts_free(&facts);
}

static void an_interruption_is_no_part_of_the_window(void **state) {
    (void)state;
    /* Epoch 0 from 0 to 20 s, a gap of 100 s, epochs 1 and 2 from 120 to 160 s. */
    put_meter("it", "csv", class_half);
    put_readings(-5, 165, 1, ramp, false, true);
    struct pa_facts facts = collect(FLAW_INTERRUPTED);
    assert_true(is_near(facts.power.window_s, 60, 1e-6));
    assert_true(is_near(facts.power.watts, (20 * 1100 + 40 * 2400) / 60.0, 1e-3));
    pa_facts_free(&facts);
}

static void what_the_devices_told_is_a_meter_too(void **state) {
    (void)state;
    for (int epoch = 0; epoch < 3; epoch++)
        for (int device = 0; device < 2; device++) {
            char json[256];
            snprintf(json, sizeof json,
                     "{\"kind\":\"telemetry\",\"device\":%d,\"samples\":20,\"thermal_stop\":false,"
                     "\"power_mean_mw\":%d,\"energy_mj\":6000000,\"energy_ns\":20000000000}",
                     device, 280000 + 10000 * epoch);
            put_note((uint64_t)epoch, json);
        }
    struct pa_facts facts = collect(FLAW_NONE);
    assert_string_equal(facts.broken, "");
    assert_int_equal(facts.power.meter_count, 1);
    const struct pa_fact_meter *meter = &facts.power.meters[0];
    assert_string_equal(meter->source, "nvml");
    assert_string_equal(meter->name, "2 of 2 devices");
    assert_true(meter->is_component && meter->has_power && meter->has_energy);
    assert_true(is_near(meter->watts, 600, 1e-6));
    assert_true(is_near(meter->covered_s, 60, 1e-6));
    assert_true(is_near(meter->counter_j, 36000, 1e-3));
    assert_true(is_near(meter->integrated_j, 34800, 1e-3));
    assert_int_equal(facts.power.device_count, 2);
    assert_int_equal(facts.power.devices[1].device, 1);
    assert_true(is_near(facts.power.devices[1].read_w, 290, 1e-9));
    assert_true(is_near(facts.power.devices[1].counted_w, 300, 1e-9));
    assert_int_equal(facts.power.level, 0);
    pa_facts_free(&facts);
}

static void broken(const char *reason) {
    struct pa_facts facts = collect(FLAW_NONE);
    if (strstr(facts.broken, reason) == NULL)
        fail_msg("\"%s\" should say %s", facts.broken, reason);
    assert_false(facts.power.has_watts);
    pa_facts_free(&facts);
    set_up(NULL);
}

static void notes_and_readings_that_do_not_fit_break_the_evidence(void **state) {
    (void)state;
    put_meter("heat", "csv", "");
    broken("\"role\" should be it, facility, pv or wind");
    put_meter("it", "guess", "");
    broken("\"source\"");
    put_meter("it", "csv", ",\"share\":\"1.5\"");
    broken("\"share\"");
    meters = 3;
    put_meter("it", "csv", "");
    broken("\"meter\" should be the next number");
    meters = 1;
    put_readings(0, 60, 1, steady, false, true);
    broken("readings of meter 0, which no note describes");
    put_meter("it", "csv", "");
    meters = 0;
    put_meter("pv", "csv", "");
    broken("\"name\" should be that of the meter noted before");
    put_note(PA_NO_EPOCH, "{\"kind\":\"meter_end\",\"meter\":0,\"failures\":1}");
    broken("\"meter\" should be the number of a meter");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(without_meters_nothing_is_metered),
        TEST(power_is_the_mean_over_the_work_alone),
        TEST(readings_by_the_witness_are_placed_by_its_clock),
        TEST(an_energy_counter_decides_the_mean),
        TEST(a_gap_is_left_open),
        TEST(pue_needs_both_meters_of_the_mains),
        TEST(sensors_inside_stand_aside_of_the_mains),
        TEST(the_green_share_is_taken_moment_by_moment),
        TEST(shares_extrapolate_and_are_no_level_unless_random),
        TEST(levels_are_what_the_data_supports),
        TEST(a_counter_that_goes_back_is_implausible),
        TEST(an_interruption_is_no_part_of_the_window),
        TEST(what_the_devices_told_is_a_meter_too),
        TEST(notes_and_readings_that_do_not_fit_break_the_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
