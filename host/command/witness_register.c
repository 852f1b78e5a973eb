/* SPDX-License-Identifier: Apache-2.0 */
#include "command/witness_register.h"

#include "base/file.h"
#include "certificate/key_file.h"
#include "command/named_files.h"
#include "command/terminal.h"
#include "witness/device_register.h"

#include <limits.h>
#include <string.h>

static uint32_t count_devices(const struct pa_sightings *sorted) {
    uint32_t devices = 0;
    for (uint32_t i = 0; i < sorted->count; i++)
        devices +=
            i == 0 || !pa_hash_equal(&sorted->each[i].identity, &sorted->each[i - 1].identity);
    return devices;
}

int pa_witness_register_show(const char *store, struct pa_error *error) {
    struct pa_sightings own = {0}, all = {0};
    struct pa_buffer pairs = {0}, out = {0};
    struct pa_hash key;
    uint8_t id[8];
    char digits[17];
    int code = pa_register_key(store, &key, error);
    if (code == PA_OK)
        code = pa_register_load(store, &own, &all, error);
    if (code == PA_OK) {
        uint32_t found = pa_register_pairs(&all, pa_register_move_s(), &pairs);
        pa_register_key_id(id, &key);
        pa_hex(digits, id, sizeof id);
        pa_buffer_format(&out, "key %s\nidentities %u\nsightings %u own %u\nelsewhere %u\n", digits,
                         count_devices(&all), all.count, own.count, found);
        pa_buffer_bytes(&out, pairs.data, pairs.size);
        code = out.failed || pairs.failed
                   ? pa_fail(error, PA_EMEMORY, "showing the register: out of memory")
                   : pa_print_result(out.data, out.size, error);
    }
    pa_sightings_free(&own);
    pa_sightings_free(&all);
    pa_buffer_free(&pairs);
    pa_buffer_free(&out);
    return code;
}

int pa_witness_register_export(const char *store, const char *out, struct pa_error *error) {
    char source[PATH_MAX], target[PATH_MAX];
    uint8_t key_id[8], witness[PA_PUBLIC_KEY_BYTES];
    struct pa_sightings sightings = {0};
    struct pa_buffer content = {0};
    if (out == NULL)
        return pa_fail(error, PA_EUSAGE, "witness export: --out DIR says where the copy goes");
    PA_TRY(pa_path_join(source, store, "devices", error));
    PA_TRY(pa_directory_make(out, error));
    PA_TRY(pa_path_join(target, out, "devices", error));
    const struct pa_named_file inputs[] = {{"the register", source}, {NULL, NULL}};
    const struct pa_named_file outputs[] = {{"the copy", target}, {NULL, NULL}};
    PA_TRY(pa_named_files_check(outputs, inputs, error));
    int code = pa_file_read(source, PA_REGISTER_MOST_BYTES, &content, error);
    if (code == PA_OK)
        code = pa_register_read(source, content.data, content.size, key_id, witness, &sightings,
                                error);
    if (code == PA_OK)
        code = pa_file_write(target, content.data, content.size, 0644, error);
    if (code == PA_OK)
        pa_say("exported %u sightings to %s", sightings.count, target);
    pa_sightings_free(&sightings);
    pa_buffer_free(&content);
    return code;
}

int pa_witness_register_import(const char *store, const char *file, const char *trust,
                               struct pa_error *error) {
    uint8_t trusted[PA_PUBLIC_KEY_BYTES];
    uint32_t count = 0;
    if (trust == NULL)
        return pa_fail(error, PA_EUSAGE,
                       "witness import: --trust KEY.pub says whose register it must be");
    PA_TRY(pa_key_file_load_public(trust, trusted, error));
    PA_TRY(pa_register_import(store, file, trusted, &count, error));
    pa_say("imported %u sightings; the next audits are held against them", count);
    return PA_OK;
}
