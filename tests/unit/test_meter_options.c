/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand behind --meter and in the file beside a CSV, and that nothing of it is ignored. */
#include "cmocka_setup.h"

#include "meter/meter.h"
#include "meter/meter_options.h"
#include "meter/modbus_map.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void parse(const char *specification, struct pa_meter_options *out) {
    struct pa_error error = {0};
    if (pa_meter_options_parse(specification, out, &error) != PA_OK)
        fail_msg("%s", error.text);
}

static void refuse(const char *specification, const char *reason) {
    struct pa_error error = {0};
    struct pa_meter *meter = NULL;
    int code = pa_meter_open(specification, &meter, &error);
    pa_meter_close(meter);
    if (code == PA_OK || strstr(error.text, reason) == NULL)
        fail_msg("%s: \"%s\", expected %s", specification, error.text, reason);
}

static void role_source_place_and_keys_are_taken_apart(void **state) {
    (void)state;
    static struct pa_meter_options options;
    parse("facility=csv:a b=c:d.csv,zone=+08:00,class=0.5", &options);
    assert_string_equal(options.role, "facility");
    assert_string_equal(options.source, "csv");
    assert_string_equal(options.where, "a b=c:d.csv");
    assert_string_equal(pa_meter_option(&options, "zone"), "+08:00");
    assert_null(pa_meter_option(&options, "unit"));
    parse("rapl", &options);
    assert_string_equal(options.role, "it");
    assert_string_equal(options.where, "");
    parse("modbus:10.0.0.7:502,map.yaml,unit_id=3", &options);
    assert_string_equal(options.where, "10.0.0.7:502");
    assert_string_equal(options.map, "map.yaml");
}

static void what_is_not_known_is_refused_with_the_nearest(void **state) {
    (void)state;
    refuse("facilty=csv:x.csv", "did you mean facility");
    refuse("it=cvs:x.csv", "there are csv, modbus, rapl");
    refuse("csv:x.csv,zon=UTC", "did you mean zone");
    refuse("csv:x.csv,zone=UTC,zone=UTC", "given twice");
    refuse("csv:x.csv,zone=", "empty");
    refuse("csv:x.csv,what", "no key=value");
    refuse("csv", "needs its file");
    refuse("csv:x.csv,timeout=1s", "means nothing to a csv meter");
    refuse("csv:x.csv,unit=kVA", "no unit of power");
    refuse("csv:x.csv,zone=Asia/Shanghai", "offset such as +08:00");
    refuse("csv:x.csv,decimal=comma,thousands=comma", "same mark");
    refuse("csv:x.csv,class=0,5", "no key=value");
    refuse("csv:x.csv,class=500", "range");
    refuse("csv:x.csv,share=0", "range");
    refuse("csv:x.csv,order=any", "strict, sort");
    refuse("csv:x.csv,header=no", "separator=");
    refuse("rapl,class=1", "no accuracy class");
    refuse("facility=rapl", "its role is it");
    refuse("modbus::502,map.yaml", "needs its address");
    refuse("modbus:host:0,map.yaml", "needs its address");
    refuse("modbus:host:502", "needs its register map");
    refuse("modbus:host:502,/nonexistent/map.yaml", "No such file");
}

static void a_sidecar_says_what_the_command_line_does_not(void **state) {
    (void)state;
    static struct pa_meter_options options;
    struct pa_error error = {0};
    static const char good[] = "zone: +08:00\nclass: 0.5\nunit: kW\n";
    static const char wrong[] = "zone: UTC\nklass: 0.5\n";
    parse("csv:x.csv,order=sort", &options);
    assert_int_equal(pa_meter_options_yaml(&options, "x.csv.yaml", good, strlen(good), &error),
                     PA_OK);
    assert_string_equal(pa_meter_option(&options, "class"), "0.5");
    assert_string_equal(pa_meter_option(&options, "zone"), "+08:00");
    parse("csv:x.csv,zone=UTC", &options);
    assert_int_equal(pa_meter_options_yaml(&options, "x.csv.yaml", good, strlen(good), &error),
                     PA_EINPUT);
    assert_non_null(strstr(error.text, "x.csv.yaml:1:7: zone: "));
    assert_non_null(strstr(error.text, "given twice"));
    parse("csv:x.csv", &options);
    assert_int_equal(pa_meter_options_yaml(&options, "x.csv.yaml", wrong, strlen(wrong), &error),
                     PA_EINPUT);
    assert_non_null(strstr(error.text, "x.csv.yaml:2:1"));
}

static void a_file_that_is_there_is_looked_into_at_once(void **state) {
    (void)state;
    char path[] = "/tmp/petaudit-meter-XXXXXX", specification[128], sidecar[64];
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    assert_true(write(handle, "time,feed\n", 10) == 10);
    close(handle);
    snprintf(specification, sizeof specification, "facility=csv:%s", path);
    refuse(specification, "say power=NAME");
    snprintf(sidecar, sizeof sidecar, "%s.yaml", path);
    FILE *file = fopen(sidecar, "w");
    assert_non_null(file);
    fputs("power: feed\nunit: kW\nzone: UTC\nclass: 0.5\nshare: 0.5\n", file);
    fclose(file);
    struct pa_meter *meter;
    struct pa_error error = {0};
    if (pa_meter_open(specification, &meter, &error) != PA_OK)
        fail_msg("%s", error.text);
    assert_true(meter->facts.class_percent == 0.5);
    assert_string_equal(meter->facts.role, "facility");
    struct pa_meter *twice[] = {meter, meter};
    assert_int_equal(pa_meters_check(twice, 2, &error), PA_EUSAGE);
    assert_non_null(strstr(error.text, "given twice"));
    pa_meter_close(meter);
    unlink(path);
    unlink(sidecar);
}

static void meters_of_a_role_share_it(void **state) {
    (void)state;
    struct pa_meter a = {.facts = {.role = "it", .source = "csv", .name = "a", .share = 0.5}};
    struct pa_meter b = {.facts = {.role = "it", .source = "csv", .name = "b", .share = 0.5}};
    struct pa_meter *both[] = {&a, &b};
    struct pa_error error = {0};
    assert_int_equal(pa_meters_check(both, 2, &error), PA_OK);
    b.facts.share = 0.6;
    assert_int_equal(pa_meters_check(both, 2, &error), PA_EUSAGE);
    b.facts.share = 0;
    assert_int_equal(pa_meters_check(both, 2, &error), PA_EUSAGE);
    memcpy(b.facts.role, "pv", 3);
    assert_int_equal(pa_meters_check(both, 2, &error), PA_OK);
}

static int parse_map(const char *text, struct pa_modbus_map *map, struct pa_error *error) {
    return pa_modbus_map_parse("map.yaml", text, strlen(text), map, error);
}

static void a_register_map_is_read(void **state) {
    (void)state;
    struct pa_modbus_map map;
    struct pa_error error = {0};
    static const char text[] = "meter: Eastron SDM630\nfunction: input\nunit_id: 3\nclass: 0.5\n"
                               "power: {register: 52, type: float32, unit: W}\n"
                               "energy: {register: 72, type: float32, unit: kWh, scale: 0.1}\n"
                               "expect: [{register: 9, type: int16, value: -5}]\n";
    if (parse_map(text, &map, &error) != PA_OK)
        fail_msg("%s", error.text);
    assert_string_equal(map.meter, "Eastron SDM630");
    assert_true(map.is_input && !map.is_sunspec && map.unit_id == 3);
    assert_true(map.power.is_there && map.power.address == 52 &&
                map.power.type == PA_MODBUS_FLOAT32 && map.power.unit.exponent == 3);
    assert_true(map.energy.scale == 0.1 && map.energy.unit.multiplier == 36);
    assert_true(map.check_count == 1 && map.checks[0].value == -5);
    assert_int_equal(parse_map("meter: x\nsunspec: {base: 40000}\n", &map, &error), PA_OK);
    assert_true(map.is_sunspec && map.sunspec_base == 40000 && map.unit_id == 1);
}

static void a_wrong_register_map_is_refused_with_its_place(void **state) {
    (void)state;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"meter: x\nfunction: input\n", "power"},
        {"meter: x\npower: {register: 1, type: int16, unit: W}\n", "function"},
        {"meter: x\nfunction: coils\npower: {register: 1, type: int16, unit: W}\n", "holding"},
        {"meter: x\nfunction: input\npower: {register: 65536, type: int16, unit: W}\n", "register"},
        {"meter: x\nfunction: input\npower: {register: 65535, type: int32, unit: W}\n", "beyond"},
        {"meter: x\nfunction: input\npower: {register: 1, type: int24, unit: W}\n", "type"},
        {"meter: x\nfunction: input\npower: {register: 1, type: int16, unit: kWh}\n", "energy"},
        {"meter: x\nfunction: input\npower: {register: 1, type: int16}\n", "unit"},
        {"meter: x\nsunspec: {base: 1}\npower: {register: 1, type: int16, unit: W}\n", "SunSpec"},
        {"meter: x\nfunktion: input\n", "did you mean function"},
        {"- 1\n", "list"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pa_modbus_map map;
        struct pa_error error = {0};
        assert_int_equal(parse_map(cases[i].text, &map, &error), PA_EINPUT);
        if (strncmp(error.text, "map.yaml:", 9) != 0 || strstr(error.text, cases[i].reason) == NULL)
            fail_msg("%s: \"%s\", expected %s", cases[i].text, error.text, cases[i].reason);
    }
}

static void registers_become_numbers(void **state) {
    (void)state;
    const uint16_t words[] = {0x4048, 0xF5C3, 0xFFFE, 0x8000};
    const uint16_t swapped[] = {0xF5C3, 0x4048, 0, 0}, last[] = {0xFFFE, 0, 0, 0};
    assert_true(fabs(pa_modbus_value(words, PA_MODBUS_FLOAT32, false) - 3.14) < 1e-6);
    assert_true(fabs(pa_modbus_value(swapped, PA_MODBUS_FLOAT32, true) - 3.14) < 1e-6);
    assert_true(pa_modbus_value(words, PA_MODBUS_UINT16, false) == 0x4048);
    assert_true(pa_modbus_value(last, PA_MODBUS_INT16, false) == -2);
    assert_true(pa_modbus_value(last, PA_MODBUS_UINT16, false) == 65534);
    assert_true(pa_modbus_value(words, PA_MODBUS_UINT32, false) == (double)0x4048F5C3);
    assert_true(pa_modbus_value(words, PA_MODBUS_UINT64, false) > 4.6e18);
    /* What SunSpec marks as not implemented, and what no float is. */
    const uint16_t minus[] = {0x8000, 0, 0, 0}, ones[] = {0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF};
    assert_true(isnan(pa_modbus_value(minus, PA_MODBUS_INT16, false)));
    assert_true(isnan(pa_modbus_value(ones, PA_MODBUS_UINT16, false)));
    assert_true(isnan(pa_modbus_value(minus, PA_MODBUS_INT32, false)));
    assert_true(isnan(pa_modbus_value(ones, PA_MODBUS_UINT32, false)));
    assert_true(isnan(pa_modbus_value(minus, PA_MODBUS_INT64, false)));
    assert_true(isnan(pa_modbus_value(ones, PA_MODBUS_FLOAT64, false)));
    assert_true(isnan(pa_modbus_value(ones, PA_MODBUS_FLOAT32, false)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(role_source_place_and_keys_are_taken_apart),
        cmocka_unit_test(what_is_not_known_is_refused_with_the_nearest),
        cmocka_unit_test(a_sidecar_says_what_the_command_line_does_not),
        cmocka_unit_test(a_file_that_is_there_is_looked_into_at_once),
        cmocka_unit_test(meters_of_a_role_share_it),
        cmocka_unit_test(a_register_map_is_read),
        cmocka_unit_test(a_wrong_register_map_is_refused_with_its_place),
        cmocka_unit_test(registers_become_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
