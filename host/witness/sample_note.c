/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/sample_note.h"

#include "base/file.h"

#include <stdlib.h>

json_t *pa_sample_note(const struct pa_declaration *declaration, const struct pa_hash *session,
                       const struct pa_hash *key, struct pa_error *error) {
    char hex[2 * PA_HASH_BYTES + 1];
    uint32_t *chosen = calloc(declaration->sample_count, sizeof *chosen);
    json_t *devices = json_array();
    int code = chosen == NULL || devices == NULL
                   ? pa_fail(error, PA_EMEMORY, "choosing devices: out of memory")
                   : pa_device_sample_draw(chosen, declaration->sample_count,
                                           declaration->device_count, key, session, error);
    for (uint32_t i = 0; code == PA_OK && i < declaration->sample_count; i++)
        json_array_append_new(devices, json_integer(chosen[i]));
    free(chosen);
    pa_hex(hex, key->bytes, PA_HASH_BYTES);
    json_t *note = code == PA_OK ? json_pack("{s:s, s:s, s:O}", "kind", "sample", "key", hex,
                                             "devices", devices)
                                 : NULL;
    json_decref(devices);
    if (code == PA_OK && note == NULL)
        pa_fail(error, PA_EMEMORY, "choosing devices: out of memory");
    return note;
}
