/* SPDX-License-Identifier: Apache-2.0 */
/* The load of a site never changes faster than its claim allows: schedules of many seeds against
 * the line, on both ways. */
#include "cmocka_setup.h"

#include "base/clock.h"
#include "measure/ramp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEVICES = 200, SEEDS = 500 };

/* splitmix64, to [0, 1). */
static double draw(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return (double)((x ^ x >> 31) >> 11) * 0x1p-53;
}

/* Devices on at `ns`, right after those of that moment came: MW. */
static double on_at(const double *watts, const uint64_t *starts, uint32_t count, uint64_t ns) {
    double sum = 0;
    for (uint32_t d = 0; d < count; d++)
        sum += starts[d] <= ns ? watts[d] * 1e-6 : 0;
    return sum;
}

static void the_load_is_never_above_the_line(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        double watts[MOST_DEVICES], largest = 0, sum = 0;
        uint64_t starts[MOST_DEVICES], total, random = seed;
        uint32_t count = 1 + (uint32_t)(draw(&random) * (MOST_DEVICES - 1));
        for (uint32_t d = 0; d < count; d++) {
            watts[d] = 50 + 1350 * draw(&random);
            largest = watts[d] > largest ? watts[d] : largest;
            sum += watts[d];
        }
        double mw_per_s = pow(10, -4 + 4 * draw(&random));
        assert_int_equal(pa_ramp_schedule(watts, count, mw_per_s, starts, &total, NULL), PA_OK);
        assert_int_equal(total, starts[count - 1]);
        /* Nothing is slower than it must be, to the nanosecond. */
        assert_true((double)total * 1e-9 <= sum * 1e-6 / mw_per_s + 2e-9);
        for (uint32_t d = 0; d < count; d++) {
            double seconds = (double)starts[d] * 1e-9;
            assert_true(d == 0 || starts[d] >= starts[d - 1]);
            assert_true(on_at(watts, starts, count, starts[d]) <=
                        mw_per_s * seconds * (1 + 1e-9) + 1e-15);
            /* Between any two moments no more than the line and one device, which has no parts. */
            uint32_t e = (uint32_t)(draw(&random) * (d + 1));
            double change =
                on_at(watts, starts, count, starts[d]) - on_at(watts, starts, count, starts[e]);
            double between = (double)(starts[d] - starts[e]) * 1e-9;
            assert_true(change <= mw_per_s * between * (1 + 1e-9) + largest * 1e-6);
        }
    }
}

static void a_ramp_of_hours_is_refused(void **state) {
    double watts[2] = {1000, 1000};
    uint64_t starts[2], total;
    struct pa_error error = {0};
    (void)state;
    assert_int_equal(pa_ramp_schedule(watts, 2, 1e-6, starts, &total, &error), PA_OK);
    watts[1] = 3000;
    assert_int_equal(pa_ramp_schedule(watts, 2, 1e-6, starts, &total, &error), PA_EINPUT);
    assert_non_null(strstr(error.text, "longer than an hour"));
}

static void power_is_the_claims_or_the_catalogues_and_never_a_guess(void **state) {
    struct pa_site_device devices[2];
    struct pa_site site = {.devices = devices, .device_count = 2};
    struct pa_claim claim = {.ramp_mw_per_s = 0.001};
    struct pa_ramp ramp;
    struct pa_error error = {0};
    (void)state;
    memset(devices, 0, sizeof devices);
    strcpy(devices[0].facts.identity.name, "NVIDIA H100 80GB HBM3");
    strcpy(devices[1].facts.identity.name, "Unheard of");
    assert_int_equal(pa_ramp_plan(&claim, &site, &ramp, &error), PA_EINPUT);
    assert_non_null(strstr(error.text, "device 1 (Unheard of)"));
    assert_non_null(strstr(error.text, "site.device_power_w"));
    site.device_count = 1;
    assert_int_equal(pa_ramp_plan(&claim, &site, &ramp, &error), PA_OK);
    assert_true(ramp.watts == 700);
    assert_int_equal(devices[0].ramp_ns, 700000000);
    site.device_count = 2;
    claim.device_power_w = 1000;
    assert_int_equal(pa_ramp_plan(&claim, &site, &ramp, &error), PA_OK);
    assert_int_equal(devices[0].ramp_ns, 1000000000);
    assert_int_equal(devices[1].ramp_ns, 2000000000);
    assert_int_equal(ramp.total_ns, 2000000000);
    claim.ramp_mw_per_s = 0;
    assert_int_equal(pa_ramp_plan(&claim, &site, &ramp, &error), PA_OK);
    assert_int_equal(ramp.total_ns, 0);
}

/* The load of a sample: those that rest follow the line while the others stay on, and these do at
 * the end. */
static void both_parts_of_a_sample_follow_the_line(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        static struct pa_site_device devices[MOST_DEVICES]; /* megabytes */
        struct pa_site site = {.devices = devices};
        struct pa_ramp resting, whole = {.mw_per_s = 0.01};
        double watts[MOST_DEVICES], sum[2] = {0, 0};
        uint64_t starts[MOST_DEVICES], random = seed;
        bool rests[MOST_DEVICES];
        uint32_t count = 1 + (uint32_t)(draw(&random) * (MOST_DEVICES - 1));
        memset(devices, 0, sizeof devices);
        site.device_count = count;
        for (uint32_t d = 0; d < count; d++)
            watts[d] = 50 + 1350 * draw(&random);
        assert_int_equal(
            pa_ramp_schedule(watts, count, whole.mw_per_s, starts, &whole.total_ns, NULL), PA_OK);
        for (uint32_t d = 0; d < count; d++) {
            devices[d].ramp_ns = starts[d];
            rests[d] = draw(&random) < 0.9;
        }
        pa_ramp_divide(&site, &whole, rests, &resting);
        for (uint32_t d = 0; d < count; d++) {
            devices[d].is_idle = rests[d];
            sum[rests[d]] += watts[d];
            /* To the nanosecond of each that was rounded before. */
            double line = whole.mw_per_s * 1e6 * ((double)devices[d].ramp_ns + count) * 1e-9;
            assert_true(sum[rests[d]] <= line && sum[rests[d]] >= line - 0.01);
        }
        struct pa_ramp working = pa_ramp_of_working(&site, &whole);
        assert_true(fabs(resting.watts - sum[true]) < 0.01);
        assert_true(working.total_ns + resting.total_ns == whole.total_ns);
    }
}

/* A process that did not come back when an audit was resumed has no time, and takes none. */
static void an_absent_device_takes_no_time(void **state) {
    struct pa_site_device devices[3];
    struct pa_site site = {.devices = devices, .device_count = 3};
    struct pa_ramp resting, whole = {.mw_per_s = 0.001, .watts = 1000, .total_ns = 20};
    bool rests[3] = {true, true, true};
    (void)state;
    memset(devices, 0, sizeof devices);
    devices[0].ramp_ns = 10;
    devices[2].ramp_ns = 20;
    pa_ramp_divide(&site, &whole, rests, &resting);
    assert_int_equal(devices[1].ramp_ns, 0);
    assert_int_equal(devices[2].ramp_ns, 20);
    assert_int_equal(resting.total_ns, 20);
}

static void each_seat_finds_its_own_time(void **state) {
    struct pa_site_device devices[3];
    struct pa_site site = {.devices = devices, .device_count = 3};
    struct pa_ramp ramp = {.total_ns = 30};
    struct pa_buffer bytes = {0};
    (void)state;
    memset(devices, 0, sizeof devices);
    for (uint32_t d = 0; d < 3; d++)
        devices[d].ramp_ns = 10 * (d + 1);
    pa_put_ramp(&bytes, &site, &ramp, 1, 2);
    for (uint32_t seat = 0; seat < 2; seat++) {
        struct pa_reader in = pa_reader_over(bytes.data, bytes.size);
        struct pa_ramp_share share;
        assert_int_equal(pa_get_ramp(&in, seat, 2, &share, NULL), PA_OK);
        assert_true(pa_reader_done(&in));
        assert_int_equal(share.at_ns, 10 * (seat + 2));
        assert_int_equal(share.total_ns, 30);
    }
    struct pa_ramp_share share;
    struct pa_reader cut = pa_reader_over(bytes.data, bytes.size - 1);
    assert_int_equal(pa_get_ramp(&cut, 0, 2, &share, NULL), PA_EINPUT);
    /* Later than all: the hub would not wait for it. */
    pa_put_le64(bytes.data + 8, 31);
    struct pa_reader late = pa_reader_over(bytes.data, bytes.size);
    assert_int_equal(pa_get_ramp(&late, 0, 2, &share, NULL), PA_EINPUT);
    pa_buffer_free(&bytes);
}

static void a_wait_ends_when_the_user_stops(void **state) {
    atomic_bool stop = true;
    (void)state;
    assert_false(pa_ramp_wait(UINT64_C(3600000000000), &stop));
    uint64_t begun = pa_clock_raw_ns();
    assert_true(pa_ramp_wait(20000000, NULL));
    assert_true(pa_clock_raw_ns() - begun >= 20000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_load_is_never_above_the_line),
        cmocka_unit_test(a_ramp_of_hours_is_refused),
        cmocka_unit_test(power_is_the_claims_or_the_catalogues_and_never_a_guess),
        cmocka_unit_test(both_parts_of_a_sample_follow_the_line),
        cmocka_unit_test(an_absent_device_takes_no_time),
        cmocka_unit_test(each_seat_finds_its_own_time),
        cmocka_unit_test(a_wait_ends_when_the_user_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
