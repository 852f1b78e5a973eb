/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a register map: read, or refused with a printable message that names the place. */
#include "meter/modbus_map.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_point(const struct pa_modbus_point *point) {
    if (point->is_there && (point->type >= PA_MODBUS_TYPES || point->unit.multiplier == 0 ||
                            point->address + pa_modbus_words(point->type) > 65536))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pa_modbus_map map;
    struct pa_error error = {0};
    int code = pa_modbus_map_parse("map.yaml", data, size, &map, &error);
    if (code != PA_OK && (code != PA_EINPUT || strncmp(error.text, "map.yaml:", 9) != 0))
        abort();
    for (const char *p = error.text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            abort();
    if (code != PA_OK)
        return 0;
    check_point(&map.power);
    check_point(&map.energy);
    if (map.unit_id > 255 || map.check_count > PA_MODBUS_MOST_CHECKS)
        abort();
    return 0;
}
