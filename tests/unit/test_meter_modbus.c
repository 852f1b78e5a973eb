/* SPDX-License-Identifier: Apache-2.0 */
/* A meter on the network that answers, is silent, hangs up, has other registers, or is SunSpec. */
#include "cmocka_setup.h"

#include "base/base.h"
#include "meter/meter.h"
#include "simulated_meter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct simulated_meter meter;
static char map_path[] = "/tmp/petaudit-map-XXXXXX";

static void write_map(const char *text) {
    struct pa_error error = {0};
    if (pa_file_write(map_path, text, strlen(text), 0644, &error) != PA_OK)
        fail_msg("%s", error.text);
}

static int set_up(void **state) {
    (void)state;
    memset(&meter, 0, sizeof meter);
    memcpy(map_path, "/tmp/petaudit-map-XXXXXX", sizeof map_path);
    int handle = mkstemp(map_path);
    return handle < 0 ? -1 : close(handle);
}

static int tear_down(void **state) {
    (void)state;
    if (meter.inside != NULL)
        simulated_meter_stop(&meter);
    return unlink(map_path);
}

static int open_with(const char *map, const char *more, struct pa_meter **out,
                     struct pa_error *error) {
    char specification[256];
    snprintf(specification, sizeof specification, "it=modbus:127.0.0.1:%s,%s,timeout=200ms%s",
             meter.port, map, more);
    return pa_meter_open(specification, out, error);
}

static const char plain[] = "meter: Simulated\nfunction: input\nclass: 0.5\n"
                            "power: {register: 52, type: float32, unit: W}\n"
                            "energy: {register: 72, type: uint32, unit: Wh}\n";

static void put_float(uint16_t *registers, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    registers[0] = (uint16_t)(bits >> 16);
    registers[1] = (uint16_t)bits;
}

static void start_plain(void) {
    put_float(meter.input + 52, 1234.5f);
    meter.input[73] = 1000;
    simulated_meter_start(&meter, 0);
    write_map(plain);
}

static void power_and_energy_are_read(void **state) {
    (void)state;
    struct pa_meter *opened;
    struct pa_meter_reading reading;
    struct pa_error error = {0};
    start_plain();
    if (open_with(map_path, "", &opened, &error) != PA_OK)
        fail_msg("%s", error.text);
    assert_true(opened->facts.class_percent == 0.5);
    assert_string_equal(opened->facts.details, "Simulated, unit 1");
    assert_int_equal(pa_meter_read(opened, &reading, &error), PA_OK);
    assert_int_equal(reading.milliwatts, 1234500);
    assert_int_equal(reading.millijoules, 3600000000);
    pa_meter_close(opened);
}

static void fail_to_read(struct pa_meter *opened, const char *reason) {
    struct pa_meter_reading reading;
    struct pa_error error = {0};
    assert_int_equal(pa_meter_read(opened, &reading, &error), PA_EDEVICE);
    if (strstr(error.text, reason) == NULL)
        fail_msg("\"%s\" should say %s", error.text, reason);
}

static void a_silent_meter_costs_one_time_out_and_comes_back(void **state) {
    (void)state;
    struct pa_meter *opened;
    struct pa_meter_reading reading;
    struct pa_error error = {0};
    start_plain();
    assert_int_equal(open_with(map_path, "", &opened, &error), PA_OK);
    atomic_store(&meter.mood, MOOD_IS_SILENT);
    fail_to_read(opened, "reading 2 input registers at 52: Connection timed out");
    atomic_store(&meter.mood, MOOD_ANSWERS);
    /* The server may need a moment to see the old connection end. */
    int code = PA_EDEVICE;
    for (int i = 0; i < 20 && code != PA_OK; i++)
        code = pa_meter_read(opened, &reading, &error);
    assert_int_equal(code, PA_OK);
    assert_int_equal(reading.milliwatts, 1234500);
    pa_meter_close(opened);
}

static void a_connection_that_is_cut_is_opened_again(void **state) {
    (void)state;
    struct pa_meter *opened;
    struct pa_meter_reading reading;
    struct pa_error error = {0};
    start_plain();
    assert_int_equal(open_with(map_path, "", &opened, &error), PA_OK);
    atomic_store(&meter.mood, MOOD_HANGS_UP);
    fail_to_read(opened, "reading 2 input registers at 52");
    atomic_store(&meter.mood, MOOD_ANSWERS);
    assert_int_equal(pa_meter_read(opened, &reading, &error), PA_OK);
    simulated_meter_stop(&meter);
    fail_to_read(opened, "Modbus meter 127.0.0.1");
    fail_to_read(opened, "connecting: Connection refused");
    pa_meter_close(opened);
}

static void refuse(const char *map, const char *reason) {
    struct pa_meter *opened = NULL;
    struct pa_error error = {0};
    if (map != NULL)
        write_map(map);
    assert_int_equal(open_with(map != NULL ? map_path : "sunspec", "", &opened, &error),
                     PA_EDEVICE);
    if (strstr(error.text, reason) == NULL)
        fail_msg("\"%s\" should say %s", error.text, reason);
}

static void registers_that_are_not_the_meters_are_refused(void **state) {
    (void)state;
    put_float(meter.input + 52, -7.0f);
    meter.input[40] = 0x8000;
    meter.input[41] = 77;
    put_float(meter.input + 42, 3e12f);
    simulated_meter_start(&meter, 0);
    refuse("meter: x\nfunction: input\npower: {register: 5000, type: int16, unit: W}\n",
           "is the map this meter's?");
    refuse("meter: x\nfunction: input\npower: {register: 40, type: int16, unit: W}\n",
           "not implemented");
    refuse("meter: x\nfunction: input\npower: {register: 52, type: float32, unit: W}\n",
           "sign: reverse");
    refuse("meter: x\nfunction: input\npower: {register: 42, type: float32, unit: W}\n",
           "word_order");
    refuse("meter: x\nfunction: input\npower: {register: 41, type: int16, unit: W}\n"
           "expect: [{register: 41, type: int16, value: 78}]\n",
           "holds 77 where the map expects 78");
    struct pa_meter *opened;
    struct pa_meter_reading reading;
    struct pa_error error = {0};
    write_map("meter: x\nfunction: input\nsign: reverse\n"
              "power: {register: 52, type: float32, unit: W}\n");
    assert_int_equal(open_with(map_path, "", &opened, &error), PA_OK);
    assert_int_equal(pa_meter_read(opened, &reading, &error), PA_OK);
    assert_int_equal(reading.milliwatts, 7000);
    pa_meter_close(opened);
}

static void put_suns(void) {
    meter.holding[0] = 0x5375;
    meter.holding[1] = 0x6E53;
    meter.holding[2] = 1; /* the common model, 66 registers */
    meter.holding[3] = 66;
}

static void sunspec_finds_its_meter_by_itself(void **state) {
    (void)state;
    struct pa_meter *opened;
    struct pa_meter_reading reading;
    struct pa_error error = {0};
    put_suns();
    uint16_t *model = meter.holding + 70;
    model[0] = 203;
    model[1] = 105;
    model[18] = 1500;
    model[22] = 2; /* 1500 x 10^2 W */
    model[47] = 1000;
    model[54] = 3; /* 1000 x 10^3 Wh */
    meter.holding[70 + 107] = 0xFFFF;
    simulated_meter_start(&meter, 40000);
    if (open_with("sunspec", "", &opened, &error) != PA_OK)
        fail_msg("%s", error.text);
    assert_string_equal(opened->facts.details, "SunSpec meter, model 203, unit 1");
    assert_int_equal(pa_meter_read(opened, &reading, &error), PA_OK);
    assert_int_equal(reading.milliwatts, 150000000);
    assert_int_equal(reading.millijoules, INT64_C(3600000000000));
    pa_meter_close(opened);
}

static void sunspec_in_floats_is_read_too(void **state) {
    (void)state;
    struct pa_meter *opened;
    struct pa_meter_reading reading;
    struct pa_error error = {0};
    put_suns();
    uint16_t *model = meter.holding + 70;
    model[0] = 213;
    model[1] = 124;
    put_float(model + 28, 1500.5f);
    put_float(model + 68, 2000.0f);
    simulated_meter_start(&meter, 40000);
    if (open_with("sunspec", "", &opened, &error) != PA_OK)
        fail_msg("%s", error.text);
    assert_int_equal(pa_meter_read(opened, &reading, &error), PA_OK);
    assert_int_equal(reading.milliwatts, 1500500);
    assert_int_equal(reading.millijoules, INT64_C(7200000000));
    pa_meter_close(opened);
}

static void what_is_not_sunspec_is_said(void **state) {
    (void)state;
    simulated_meter_start(&meter, 40000);
    refuse(NULL, "does not begin with \"SunS\"");
    simulated_meter_stop(&meter);
    put_suns();
    meter.holding[70] = 0xFFFF;
    simulated_meter_start(&meter, 40000);
    refuse(NULL, "directory has no meter");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(power_and_energy_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_silent_meter_costs_one_time_out_and_comes_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_connection_that_is_cut_is_opened_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(registers_that_are_not_the_meters_are_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(sunspec_finds_its_meter_by_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sunspec_in_floats_is_read_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_sunspec_is_said, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
