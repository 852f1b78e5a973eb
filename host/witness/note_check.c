/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/note_check.h"

#include "evidence/evidence.h"

#include <jansson.h>
#include <string.h>

int pa_note_check(const char *json, size_t size, struct pa_error *error) {
    static const char *const own[] = {"abort",     "interruption", "suspend", "elsewhere",
                                      "watermark", "witness",      "sample",  "boottime"};
    if (size > PA_NOTE_MOST_BYTES)
        return pa_fail(error, PA_EWITNESS, "noting %zu bytes: at most %d are possible", size,
                       PA_NOTE_MOST_BYTES);
    json_t *content = json_loadb(json, size, JSON_REJECT_DUPLICATES, NULL);
    const char *kind = json_string_value(json_object_get(content, "kind"));
    int code = kind != NULL ? PA_OK
                            : pa_fail(error, PA_EWITNESS,
                                      "noting: expected one JSON object with a \"kind\"");
    for (size_t i = 0; i < sizeof own / sizeof own[0] && code == PA_OK; i++)
        if (strcmp(kind, own[i]) == 0)
            code = pa_fail(error, PA_EWITNESS, "noting: only the witness writes notes of kind %s",
                           own[i]);
    json_decref(content);
    return code;
}
