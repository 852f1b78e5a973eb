/* SPDX-License-Identifier: Apache-2.0 */
/* Telemetry of one epoch is summed up right, survives the way to the hub, and a device that is too
 * hot is told to stop while the others go on. */
#include "cmocka_setup.h"

#include "base/clock.h"
#include "measure/session_vitals.h"
#include "measure/vitals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pa_telemetry healthy(void) {
    return (struct pa_telemetry){.has_power = true,
                                 .has_energy = true,
                                 .has_temperature = true,
                                 .has_headroom = true,
                                 .has_clock = true,
                                 .has_slowdowns = true,
                                 .has_ecc = true,
                                 .has_processes = true,
                                 .power_mw = 600000,
                                 .energy_mj = 1000,
                                 .temperature_c = 60,
                                 .headroom_c = 27,
                                 .clock_mhz = 1700,
                                 .slowdowns = PA_SLOW_POWER_CAP,
                                 .ecc_corrected = 5,
                                 .processes = 1};
}

static void an_epoch_is_summed_up(void **state) {
    struct pa_vitals_watch watch = {0};
    struct pa_telemetry now = healthy();
    (void)state;
    pa_vitals_begin(&watch);
    pa_vitals_add(&watch, &now, 1000);
    now.power_mw = 700000;
    now.energy_mj = 1650;
    now.temperature_c = 71;
    now.clock_mhz = 1500;
    now.ecc_corrected = 7;
    now.processes = 3;
    pa_vitals_add(&watch, &now, 2000);
    now = healthy();
    now.has_power = false;
    now.energy_mj = 2300;
    now.ecc_corrected = 7;
    pa_vitals_add(&watch, &now, 3000);
    const struct pa_vitals *vitals = &watch.vitals;
    assert_int_equal(vitals->samples, 3);
    assert_int_equal(vitals->power_samples, 2);
    assert_int_equal(vitals->power_mean_mw, 650000);
    assert_int_equal(vitals->power_min_mw, 600000);
    assert_int_equal(vitals->power_max_mw, 700000);
    assert_true(vitals->has_energy);
    assert_int_equal(vitals->energy_mj, 1300);
    assert_int_equal(vitals->energy_ns, 2000);
    assert_int_equal(vitals->temperature_max_c, 71);
    assert_int_equal(vitals->clock_min_mhz, 1500);
    assert_int_equal(vitals->clock_max_mhz, 1700);
    assert_int_equal(vitals->slowdowns, PA_SLOW_POWER_CAP);
    assert_int_equal(vitals->ecc_corrected, 2);
    assert_int_equal(vitals->others, 2);
    assert_false(vitals->is_thermal_stop);
}

static void errors_between_two_epochs_count_and_those_before_the_audit_do_not(void **state) {
    struct pa_vitals_watch watch = {0};
    struct pa_telemetry now = healthy();
    (void)state;
    pa_vitals_begin(&watch);
    pa_vitals_add(&watch, &now, 1);
    assert_int_equal(watch.vitals.ecc_corrected, 0);
    pa_vitals_begin(&watch);
    now.ecc_corrected = 9;
    now.ecc_uncorrected = 1;
    pa_vitals_add(&watch, &now, 2);
    assert_int_equal(watch.vitals.ecc_corrected, 4);
    assert_int_equal(watch.vitals.ecc_uncorrected, 1);
    pa_vitals_begin(&watch);
    now.ecc_corrected = 2; /* the driver was loaded again */
    pa_vitals_add(&watch, &now, 3);
    assert_int_equal(watch.vitals.ecc_corrected, 2);
}

static void an_energy_counter_that_falls_tells_nothing(void **state) {
    struct pa_vitals_watch watch = {0};
    struct pa_telemetry now = healthy();
    (void)state;
    pa_vitals_begin(&watch);
    pa_vitals_add(&watch, &now, 1);
    now.energy_mj = 3;
    pa_vitals_add(&watch, &now, 2);
    assert_false(watch.vitals.has_energy);
}

static void heat_is_told_by_the_hardware_or_by_the_distance_to_its_limit(void **state) {
    struct pa_telemetry now = healthy();
    (void)state;
    assert_false(pa_telemetry_is_too_hot(&now));
    now.headroom_c = 0;
    assert_true(pa_telemetry_is_too_hot(&now));
    now.has_headroom = false;
    assert_false(pa_telemetry_is_too_hot(&now));
    now.slowdowns = PA_SLOW_SW_THERMAL;
    assert_false(pa_telemetry_is_too_hot(&now));
    now.slowdowns = PA_SLOW_HW_THERMAL;
    assert_true(pa_telemetry_is_too_hot(&now));
}

static void vitals_are_read_back_and_every_cut_is_refused(void **state) {
    struct pa_vitals vitals = {.samples = 3,
                               .is_thermal_stop = true,
                               .has_energy = true,
                               .has_ecc = true,
                               .power_samples = 2,
                               .power_mean_mw = 5,
                               .energy_mj = 77,
                               .energy_ns = 88,
                               .temperature_max_c = -2,
                               .slowdowns = PA_SLOW_DISPLAY,
                               .ecc_uncorrected = 4,
                               .others = 9};
    struct pa_vitals back;
    struct pa_buffer bytes = {0};
    (void)state;
    pa_put_vitals(&bytes, &vitals);
    struct pa_reader in = pa_reader_over(bytes.data, bytes.size);
    pa_get_vitals(&in, &back);
    assert_true(pa_reader_done(&in));
    assert_int_equal(back.samples, 3);
    assert_true(back.is_thermal_stop && back.has_energy && back.has_ecc && !back.has_clock);
    assert_int_equal(back.energy_mj, 77);
    assert_int_equal(back.temperature_max_c, -2);
    assert_int_equal(back.slowdowns, PA_SLOW_DISPLAY);
    assert_int_equal(back.others, 9);
    for (size_t cut = 0; cut < bytes.size; cut++) {
        in = pa_reader_over(bytes.data, cut);
        pa_get_vitals(&in, &back);
        assert_true(in.failed);
    }
    pa_buffer_free(&bytes);
    vitals.energy_mj = UINT64_MAX;
    pa_put_vitals(&bytes, &vitals);
    in = pa_reader_over(bytes.data, bytes.size);
    pa_get_vitals(&in, &back);
    assert_true(in.failed);
    pa_buffer_free(&bytes);
}

#define PATIENT_NS UINT64_C(120000000000)

/* A device that tells what the test wrote down. */
struct told {
    struct pa_device base;
    struct pa_telemetry telemetry;
    int code;
    atomic_uint asked;
};

static int tell(struct pa_device *device, struct pa_telemetry *out, struct pa_error *error) {
    struct told *told = (struct told *)device;
    atomic_fetch_add(&told->asked, 1);
    *out = told->telemetry;
    return told->code == PA_OK ? PA_OK : pa_fail(error, told->code, "no");
}

static const struct pa_backend telling = {.name = "telling", .telemetry = tell};
static const struct pa_backend silent = {.name = "silent"};

static void a_hot_device_is_told_to_stop_and_its_neighbours_are_not(void **state) {
    struct told told[3] = {{.base = {.backend = &telling}, .telemetry = healthy()},
                           {.base = {.backend = &telling}, .telemetry = healthy()},
                           {.base = {.backend = &silent}}};
    struct pa_device *devices[3] = {&told[0].base, &told[1].base, &told[2].base};
    struct pa_vitals_watch watches[3] = {0};
    struct pa_sampler *sampler;
    (void)state;
    told[1].telemetry.slowdowns |= PA_SLOW_HW_THERMAL;
    assert_int_equal(pa_sampler_start(devices, watches, 3, &sampler, NULL), PA_OK);
    assert_non_null(sampler);
    for (int ms = 0; ms < 5000 && !atomic_load(pa_sampler_too_hot(sampler, 1)); ms++)
        pa_clock_sleep(1000000);
    assert_true(atomic_load(pa_sampler_too_hot(sampler, 1)));
    assert_false(atomic_load(pa_sampler_too_hot(sampler, 0)));
    assert_false(atomic_load(pa_sampler_too_hot(sampler, 2)));
    assert_true(pa_sampler_stop(sampler, PATIENT_NS));
    assert_true(watches[0].vitals.samples >= 2); /* one when it begins, one when it ends */
    assert_int_equal(watches[0].vitals.samples, atomic_load(&told[0].asked));
    assert_false(watches[0].vitals.is_thermal_stop);
    assert_true(watches[1].vitals.is_thermal_stop);
    assert_int_equal(watches[2].vitals.samples, 0);
}

static void devices_that_tell_nothing_need_no_thread(void **state) {
    struct told told = {.base = {.backend = &silent}};
    struct pa_device *devices[1] = {&told.base};
    struct pa_vitals_watch watches[1] = {0};
    struct pa_sampler *sampler;
    (void)state;
    assert_int_equal(pa_sampler_start(devices, watches, 1, &sampler, NULL), PA_OK);
    assert_null(sampler);
    assert_null(pa_sampler_too_hot(sampler, 0));
    assert_true(pa_sampler_stop(sampler, PATIENT_NS));
}

static void a_question_that_fails_is_no_sample(void **state) {
    struct told told = {
        .base = {.backend = &telling}, .telemetry = healthy(), .code = PA_EUNSUPPORTED};
    struct pa_device *devices[1] = {&told.base};
    struct pa_vitals_watch watches[1] = {0};
    struct pa_sampler *sampler;
    (void)state;
    assert_int_equal(pa_sampler_start(devices, watches, 1, &sampler, NULL), PA_OK);
    assert_true(pa_sampler_stop(sampler, PATIENT_NS));
    assert_true(atomic_load(&told.asked) >= 1);
    assert_int_equal(watches[0].vitals.samples, 0);
    assert_string_equal(watches[0].vitals.trouble, "no");
}

/* A device whose library does not come back before the test lets it. */
struct held {
    struct pa_device base;
    atomic_bool is_asked, is_let_go;
};

static int hold(struct pa_device *device, struct pa_telemetry *out, struct pa_error *error) {
    struct held *held = (struct held *)device;
    (void)error;
    atomic_store(&held->is_asked, true);
    while (!atomic_load(&held->is_let_go))
        pa_clock_sleep(1000000);
    *out = healthy();
    return PA_OK;
}

static const struct pa_backend holding = {.name = "holding", .telemetry = hold};

static void a_question_that_is_not_answered_holds_up_nobody(void **state) {
    struct told told = {.base = {.backend = &telling}, .telemetry = healthy()};
    struct held held = {.base = {.backend = &holding}};
    struct pa_device *devices[2] = {&told.base, &held.base};
    struct pa_vitals_watch watches[2] = {0};
    struct pa_sampler *sampler;
    (void)state;
    assert_int_equal(pa_sampler_start(devices, watches, 2, &sampler, NULL), PA_OK);
    while (!atomic_load(&held.is_asked))
        pa_clock_sleep(1000000);
    assert_false(pa_sampler_stop(sampler, 1000000));
    assert_int_equal(pa_sampler_asks(sampler), 1);
    assert_int_equal(watches[0].vitals.samples, 1);
    /* What comes too late is not this epoch's. */
    pa_vitals_begin(&watches[0]);
    atomic_store(&held.is_let_go, true);
    assert_true(pa_sampler_stop(sampler, PATIENT_NS));
    assert_int_equal(watches[0].vitals.samples, 0);
    assert_int_equal(watches[1].vitals.samples, 0);
    assert_int_equal(atomic_load(&told.asked), 1);
}

static void a_device_in_use_stops_the_audit_unless_it_may_be_shared(void **state) {
    struct pa_site_device devices[2] = {0};
    struct pa_site site = {.devices = devices, .device_count = 2};
    struct pa_error error = {0};
    char who[PA_COMPANY_TEXT_BYTES];
    (void)state;
    assert_int_equal(pa_site_check_alone(&site, false, &error), PA_OK);
    pa_site_company(&site, who);
    assert_string_equal(who, "");
    struct pa_device_facts *facts = &devices[1].facts;
    snprintf(facts->identity.id, sizeof facts->identity.id, "GPU-1");
    snprintf(facts->identity.host, sizeof facts->identity.host, "node-7");
    facts->occupant_count = 2;
    facts->occupants[0].pid = 4711;
    snprintf(facts->occupants[0].name, sizeof facts->occupants[0].name, "python3");
    assert_int_equal(pa_site_check_alone(&site, false, &error), PA_EDEVICE);
    assert_non_null(strstr(error.text, "process 4711 (python3) and 1 more on node-7 uses GPU-1"));
    assert_non_null(strstr(error.text, "--shared"));
    assert_int_equal(pa_site_check_alone(&site, true, &error), PA_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_epoch_is_summed_up),
        cmocka_unit_test(errors_between_two_epochs_count_and_those_before_the_audit_do_not),
        cmocka_unit_test(an_energy_counter_that_falls_tells_nothing),
        cmocka_unit_test(heat_is_told_by_the_hardware_or_by_the_distance_to_its_limit),
        cmocka_unit_test(vitals_are_read_back_and_every_cut_is_refused),
        cmocka_unit_test(a_hot_device_is_told_to_stop_and_its_neighbours_are_not),
        cmocka_unit_test(devices_that_tell_nothing_need_no_thread),
        cmocka_unit_test(a_question_that_fails_is_no_sample),
        cmocka_unit_test(a_question_that_is_not_answered_holds_up_nobody),
        cmocka_unit_test(a_device_in_use_stops_the_audit_unless_it_may_be_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
