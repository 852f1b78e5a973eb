/* SPDX-License-Identifier: Apache-2.0 */
/* modbus_map.h - which registers of a meter mean what: a YAML file, or SunSpec's own directory.
 *
 *     meter: Eastron SDM630            # what the evidence calls it
 *     function: input                  # input or holding registers
 *     power: {register: 52, type: float32, unit: W}
 *     energy: {register: 72, type: float32, unit: kWh}
 *
 * A register is the address on the wire, from 0: what manuals print as 30053 is 52.
 */
#ifndef PA_METER_MODBUS_MAP_H
#define PA_METER_MODBUS_MAP_H

#include "base/error.h"
#include "meter/meter_quantity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PA_MODBUS_MOST_CHECKS = 8, PA_MODBUS_MOST_WORDS = 4, PA_MODBUS_MAP_BYTES = 1 << 16 };

enum pa_modbus_type {
    PA_MODBUS_UINT16,
    PA_MODBUS_INT16,
    PA_MODBUS_UINT32,
    PA_MODBUS_INT32,
    PA_MODBUS_UINT64,
    PA_MODBUS_INT64,
    PA_MODBUS_FLOAT32,
    PA_MODBUS_FLOAT64,
    PA_MODBUS_TYPES
};

struct pa_modbus_point {
    bool is_there;
    uint16_t address;
    enum pa_modbus_type type;
    double scale;      /* of the number read */
    bool has_exponent; /* SunSpec: a register holds the power of ten of the scale */
    uint16_t exponent_address;
    struct pa_meter_unit unit;
};

/* A register that shows that this is the meter it should be. */
struct pa_modbus_check {
    uint16_t address;
    enum pa_modbus_type type;
    double value;
};

struct pa_modbus_map {
    char meter[128];
    bool is_sunspec;
    uint16_t sunspec_base;
    bool is_input; /* function 4, input registers; else 3, holding registers */
    bool is_low_word_first;
    uint64_t unit_id; /* 0 to 255 */
    bool is_signed, is_reversed;
    double class_percent; /* 0 not told */
    struct pa_modbus_point power, energy;
    struct pa_modbus_check checks[PA_MODBUS_MOST_CHECKS];
    size_t check_count;
};

/* PA_EINPUT with file:line:column. */
int pa_modbus_map_parse(const char *name, const void *data, size_t size, struct pa_modbus_map *out,
                        struct pa_error *error);
int pa_modbus_map_load(const char *path, struct pa_modbus_map *out, struct pa_error *error);
/* SunSpec's directory at register 40000. */
void pa_modbus_map_sunspec(struct pa_modbus_map *out);

/* 16-bit registers of a type: 1, 2 or 4. */
int pa_modbus_words(enum pa_modbus_type type);
/* The number in `words`; NAN where the meter says "not implemented" (SunSpec's marks, NaN). */
double pa_modbus_value(const uint16_t words[PA_MODBUS_MOST_WORDS], enum pa_modbus_type type,
                       bool is_low_word_first);

#endif
