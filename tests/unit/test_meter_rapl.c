/* SPDX-License-Identifier: Apache-2.0 */
/* RAPL on a tree of our own: which domains count, a counter that starts again, and errors that say
 * what to do. */
#include "cmocka_setup.h"

#include "base/base.h"
#include "meter/meter_rapl.h"
#include "meter/meter_sampler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

static void put(const char *domain, const char *file, const char *text) {
    char path[256];
    struct pa_error error = {0};
    snprintf(path, sizeof path, "%s/%s", root, domain);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/%s/%s", root, domain, file);
    if (pa_file_write(path, text, strlen(text), 0644, &error) != PA_OK)
        fail_msg("%s", error.text);
}

static void put_domain(const char *domain, const char *name, const char *energy) {
    put(domain, "name", name);
    put(domain, "energy_uj", energy);
    put(domain, "max_energy_range_uj", "1000000000\n");
}

static int set_up(void **state) {
    (void)state;
    memcpy(root, "/tmp/petaudit-rapl-XXXXXX", 26);
    return mkdtemp(root) == NULL;
}

static int tear_down(void **state) {
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

static int open_rapl(struct pa_meter **out, struct pa_error *error) {
    char specification[128];
    snprintf(specification, sizeof specification, "rapl:%s,interval=10ms", root);
    return pa_meter_open(specification, out, error);
}

static void packages_and_their_memory_are_summed(void **state) {
    (void)state;
    struct pa_meter *meter;
    struct pa_meter_reading reading;
    struct pa_error error = {0};
    put_domain("intel-rapl:0", "package-0\n", "5000000\n");
    put_domain("intel-rapl:0:0", "core\n", "5000000\n");
    put_domain("intel-rapl:0:1", "dram\n", "999000000\n");
    put_domain("intel-rapl:1", "psys\n", "5000000\n");
    put_domain("intel-rapl-mmio:0", "package-0\n", "5000000\n");
    if (open_rapl(&meter, &error) != PA_OK)
        fail_msg("%s", error.text);
    assert_string_equal(meter->facts.details, "package-0, dram");
    assert_string_equal(meter->facts.source, "rapl");
    assert_int_equal(pa_meter_read(meter, &reading, &error), PA_OK);
    assert_int_equal(reading.millijoules, 0);
    assert_true(reading.milliwatts == PA_METER_NO_POWER);
    assert_true(reading.at.raw_ns > 0 && reading.at.utc_ns > 0);
    /* 7 J of the package; the memory's counter passes its end: 1 J before it and 2 behind. Core,
     * psys and the second view of the package count nothing. */
    put("intel-rapl:0", "energy_uj", "12000000\n");
    put("intel-rapl:0:1", "energy_uj", "2000000\n");
    put("intel-rapl:0:0", "energy_uj", "900000000\n");
    put("intel-rapl:1", "energy_uj", "900000000\n");
    put("intel-rapl-mmio:0", "energy_uj", "900000000\n");
    assert_int_equal(pa_meter_read(meter, &reading, &error), PA_OK);
    assert_int_equal(reading.millijoules, 10000);
    pa_meter_close(meter);
}

static void a_counter_starts_again_behind_its_range(void **state) {
    (void)state;
    assert_int_equal(pa_meter_rapl_grown(5, 9, 100), 4);
    assert_int_equal(pa_meter_rapl_grown(90, 5, 100), 15);
    assert_int_equal(pa_meter_rapl_grown(100, 0, 100), 0);
    assert_int_equal(pa_meter_rapl_grown(200, 5, 100), 5); /* a range that is wrong adds nothing */
}

static void refuse(const char *reason) {
    struct pa_meter *meter = NULL;
    struct pa_error error = {0};
    assert_int_equal(open_rapl(&meter, &error), PA_EDEVICE);
    assert_null(meter);
    if (strstr(error.text, reason) == NULL)
        fail_msg("\"%s\" should say %s", error.text, reason);
}

static void what_is_wrong_is_said(void **state) {
    (void)state;
    refuse("no RAPL package");
    put_domain("intel-rapl:0", "package-0\n", "not a number\n");
    refuse("not a whole number");
    char path[256];
    snprintf(path, sizeof path, "%s/intel-rapl:0/energy_uj", root);
    unlink(path);
    refuse("No such file");
    struct pa_meter *meter = NULL;
    struct pa_error error = {0};
    assert_int_equal(pa_meter_open("rapl:/nonexistent", &meter, &error), PA_EDEVICE);
    assert_non_null(strstr(error.text, "virtual machine"));
    /* root may read anything, so that only others see this. */
    put_domain("intel-rapl:0", "package-0\n", "5\n");
    chmod(path, 0000);
    if (geteuid() != 0)
        refuse("CVE-2020-8694");
}

static void a_sampler_asks_until_it_is_stopped(void **state) {
    (void)state;
    struct pa_meter *meter;
    struct pa_meter_sampler *sampler;
    struct pa_meter_batch batch;
    struct pa_error error = {0};
    put_domain("intel-rapl:0", "package-0\n", "5\n");
    assert_int_equal(open_rapl(&meter, &error), PA_OK);
    assert_int_equal(pa_meter_sampler_start(&meter, 1, &sampler, &error), PA_OK);
    pa_clock_sleep(50000000);
    assert_int_equal(pa_meter_sampler_take(sampler, 0, &batch, &error), PA_OK);
    assert_true(batch.count >= 1 && batch.failures == 0);
    uint64_t last = batch.readings[batch.count - 1].at.raw_ns;
    free(batch.readings);
    char path[256];
    snprintf(path, sizeof path, "%s/intel-rapl:0/energy_uj", root);
    unlink(path);
    pa_meter_sampler_stop(sampler);
    assert_int_equal(pa_meter_sampler_take(sampler, 0, &batch, &error), PA_OK);
    for (size_t i = 0; i < batch.count; i++) {
        assert_true(batch.readings[i].at.raw_ns > last);
        last = batch.readings[i].at.raw_ns;
    }
    assert_true(batch.failures >= 1); /* it is asked once more when it is stopped */
    assert_non_null(strstr(batch.trouble, "No such file"));
    free(batch.readings);
    pa_meter_sampler_free(sampler);
    pa_meter_close(meter);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(packages_and_their_memory_are_summed, set_up, tear_down),
        cmocka_unit_test(a_counter_starts_again_behind_its_range),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sampler_asks_until_it_is_stopped, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
