/* SPDX-License-Identifier: Apache-2.0 */
#include "meter/modbus_map.h"

#include "base/base.h"
#include "claim/yaml_tree.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const type_names[] = {"uint16", "int16",   "uint32",  "int32", "uint64",
                                         "int64",  "float32", "float64", NULL};

int pa_modbus_words(enum pa_modbus_type type) {
    static const int words[PA_MODBUS_TYPES] = {1, 1, 2, 2, 4, 4, 2, 4};
    return words[type];
}

double pa_modbus_value(const uint16_t words[PA_MODBUS_MOST_WORDS], enum pa_modbus_type type,
                       bool is_low_word_first) {
    int count = pa_modbus_words(type);
    uint64_t bits = 0;
    for (int i = 0; i < count; i++)
        bits = bits << 16 | words[is_low_word_first ? count - 1 - i : i];
    uint32_t low = (uint32_t)bits;
    float single;
    double number;
    switch (type) {
    case PA_MODBUS_UINT16:
        return bits == UINT16_MAX ? (double)NAN : (double)bits;
    case PA_MODBUS_INT16:
        return bits == 0x8000 ? (double)NAN : (double)(int16_t)(uint16_t)bits;
    case PA_MODBUS_UINT32:
        return bits == UINT32_MAX ? (double)NAN : (double)bits;
    case PA_MODBUS_INT32:
        return bits == UINT32_C(0x80000000) ? (double)NAN : (double)(int32_t)low;
    case PA_MODBUS_UINT64:
        return bits == UINT64_MAX ? (double)NAN : (double)bits;
    case PA_MODBUS_INT64:
        return bits == UINT64_C(1) << 63 ? (double)NAN : (double)(int64_t)bits;
    case PA_MODBUS_FLOAT32:
        memcpy(&single, &low, sizeof single);
        return isfinite(single) ? (double)single : (double)NAN;
    case PA_MODBUS_FLOAT64:
        memcpy(&number, &bits, sizeof number);
        return isfinite(number) ? number : (double)NAN;
    case PA_MODBUS_TYPES:
        break;
    }
    return (double)NAN;
}

static int read_address(const struct pa_yaml_map *map, const char *key, enum pa_presence presence,
                        uint16_t *out) {
    uint64_t value = *out;
    PA_TRY(pa_yaml_whole(map, key, presence, 0, UINT16_MAX, &value));
    *out = (uint16_t)value;
    return PA_OK;
}

static int read_type(const struct pa_yaml_map *map, enum pa_modbus_type *out) {
    int type = 0;
    PA_TRY(pa_yaml_word(map, "type", PA_REQUIRED, type_names, &type));
    *out = (enum pa_modbus_type)type;
    return PA_OK;
}

static int read_point(struct pa_yaml_map *root, const char *key, enum pa_meter_dimension dimension,
                      struct pa_modbus_point *out) {
    static const char *const keys[] = {"register", "type", "unit", "scale", "scale_register", NULL};
    struct pa_yaml_map map;
    char unit[16];
    PA_TRY(pa_yaml_map_at(root, key, PA_OPTIONAL, keys, &map));
    if (map.node == NULL)
        return PA_OK;
    out->is_there = true;
    out->scale = 1;
    PA_TRY(read_address(&map, "register", PA_REQUIRED, &out->address));
    PA_TRY(read_type(&map, &out->type));
    PA_TRY(pa_yaml_text(&map, "unit", PA_REQUIRED, unit, sizeof unit));
    const char *problem = pa_meter_unit_parse(unit, strlen(unit), dimension, &out->unit);
    if (problem != NULL)
        return pa_yaml_fail(map.yaml, pa_yaml_find(&map, "unit"), map.context, "unit", "%s",
                            problem);
    PA_TRY(pa_yaml_decimal(&map, "scale", PA_OPTIONAL, 1e-9, 1e9, &out->scale));
    out->has_exponent = pa_yaml_find(&map, "scale_register") != NULL;
    if (out->address + pa_modbus_words(out->type) > UINT16_MAX + 1)
        return pa_yaml_fail(map.yaml, pa_yaml_find(&map, "register"), map.context, "register",
                            "the value would reach beyond register 65535");
    return read_address(&map, "scale_register", PA_OPTIONAL, &out->exponent_address);
}

static int read_checks(struct pa_yaml_map *root, struct pa_modbus_map *out) {
    static const char *const keys[] = {"register", "type", "value", NULL};
    PA_TRY(pa_yaml_list_at(root, "expect", PA_MODBUS_MOST_CHECKS, &out->check_count));
    for (size_t i = 0; i < out->check_count; i++) {
        struct pa_modbus_check *check = &out->checks[i];
        struct pa_yaml_map map;
        PA_TRY(pa_yaml_item_at(root, "expect", i, keys, &map));
        PA_TRY(read_address(&map, "register", PA_REQUIRED, &check->address));
        PA_TRY(read_type(&map, &check->type));
        PA_TRY(pa_yaml_decimal(&map, "value", PA_REQUIRED, -1e18, 1e18, &check->value));
        if (check->address + pa_modbus_words(check->type) > UINT16_MAX + 1)
            return pa_yaml_fail(map.yaml, pa_yaml_find(&map, "register"), map.context, "register",
                                "the value would reach beyond register 65535");
    }
    return PA_OK;
}

static int read_map(struct pa_yaml *yaml, struct pa_modbus_map *out) {
    static const char *const keys[] = {"meter",  "function", "word_order", "unit_id",
                                       "sign",   "class",    "power",      "energy",
                                       "expect", "sunspec",  NULL};
    static const char *const sunspec_keys[] = {"base", NULL};
    static const char *const functions[] = {"holding", "input", NULL};
    static const char *const orders[] = {"big", "little", NULL};
    static const char *const signs[] = {"positive", "reverse", "signed", NULL};
    struct pa_yaml_map root, sunspec;
    int function = 0, order = 0, sign = 0;
    PA_TRY(pa_yaml_root(yaml, keys, &root));
    PA_TRY(pa_yaml_text(&root, "meter", PA_REQUIRED, out->meter, sizeof out->meter));
    PA_TRY(pa_yaml_map_at(&root, "sunspec", PA_OPTIONAL, sunspec_keys, &sunspec));
    out->is_sunspec = sunspec.node != NULL;
    PA_TRY(pa_yaml_word(&root, "function", out->is_sunspec ? PA_OPTIONAL : PA_REQUIRED, functions,
                        &function));
    PA_TRY(pa_yaml_word(&root, "word_order", PA_OPTIONAL, orders, &order));
    PA_TRY(pa_yaml_word(&root, "sign", PA_OPTIONAL, signs, &sign));
    PA_TRY(pa_yaml_whole(&root, "unit_id", PA_OPTIONAL, 0, 255, &out->unit_id));
    PA_TRY(pa_yaml_decimal(&root, "class", PA_OPTIONAL, 0.001, 50, &out->class_percent));
    PA_TRY(read_point(&root, "power", PA_METER_POWER, &out->power));
    PA_TRY(read_point(&root, "energy", PA_METER_ENERGY, &out->energy));
    PA_TRY(read_checks(&root, out));
    out->is_input = function == 1;
    out->is_low_word_first = order == 1;
    out->is_reversed = sign == 1;
    out->is_signed = sign == 2;
    if (out->is_sunspec) {
        if (out->power.is_there || out->energy.is_there)
            return pa_yaml_fail(yaml, sunspec.node, "", "sunspec",
                                "SunSpec's directory says where power and energy are; leave them "
                                "out");
        return read_address(&sunspec, "base", PA_REQUIRED, &out->sunspec_base);
    }
    if (!out->power.is_there && !out->energy.is_there)
        return pa_yaml_fail(yaml, root.node, "", "power",
                            "missing; a map has power, energy or both, or sunspec");
    return PA_OK;
}

int pa_modbus_map_parse(const char *name, const void *data, size_t size, struct pa_modbus_map *out,
                        struct pa_error *error) {
    struct pa_yaml yaml;
    *out = (struct pa_modbus_map){.unit_id = 1};
    PA_TRY(pa_yaml_open(&yaml, name, data, size, error));
    int code = read_map(&yaml, out);
    pa_yaml_close(&yaml);
    return code;
}

int pa_modbus_map_load(const char *path, struct pa_modbus_map *out, struct pa_error *error) {
    struct pa_buffer bytes = {0};
    int code = pa_file_read(path, PA_MODBUS_MAP_BYTES, &bytes, error);
    if (code == PA_OK)
        code = pa_modbus_map_parse(path, bytes.data, bytes.size, out, error);
    pa_buffer_free(&bytes);
    return code;
}

void pa_modbus_map_sunspec(struct pa_modbus_map *out) {
    *out = (struct pa_modbus_map){
        .meter = "SunSpec meter", .unit_id = 1, .is_sunspec = true, .sunspec_base = 40000};
}
