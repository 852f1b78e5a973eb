/* SPDX-License-Identifier: Apache-2.0 */
/* findings_elsewhere.c - devices that the witness has seen at another site in less time than it
 * takes to move them. Told, not decisive: a site can name another one's device as well as lend it.
 */
#include "judge/judgement_inside.h"

#include <stdio.h>
#include <string.h>

enum { MOST_TOLD = 20 };

void pa_find_elsewhere(struct pa_judging *judging) {
    size_t index;
    const json_t *note;
    uint32_t told = 0;
    json_array_foreach(judging->facts->notes, index, note) {
        const char *kind = json_string_value(json_object_get(note, "kind"));
        const char *identity = json_string_value(json_object_get(note, "identity"));
        json_int_t device = json_integer_value(json_object_get(note, "device"));
        double gap_s = (double)json_integer_value(json_object_get(note, "gap_s"));
        double limit_s = (double)json_integer_value(json_object_get(note, "limit_s"));
        char where[32];
        if (kind == NULL || strcmp(kind, "elsewhere") != 0 || identity == NULL || device < 0 ||
            device >= (json_int_t)judging->facts->device_count || told++ >= MOST_TOLD)
            continue;
        snprintf(where, sizeof where, "device %u", (unsigned)device);
        pa_finding_add(
            judging, "DEVICE_ELSEWHERE", where,
            "By its %.16s, device %u (%.100s) was at another site %.4g h before or after "
            "this session; a move is taken to need %.4g h.",
            strcmp(identity, "uuid") == 0 ? "UUID" : "serial number", (unsigned)device,
            judging->facts->devices[device].name, gap_s / 3600, limit_s / 3600);
    }
}
