/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"
#include "certificate/members.h"
#include "certificate/statement.h"

#include <string.h>

static json_t *summarise(const json_t *object, const struct pa_member *members);

static json_t *summarise_list(const json_t *list, const struct pa_member *inner) {
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_array_append_new(out, summarise(json_array_get(list, i), inner)) != 0) {
            json_decref(out);
            return NULL;
        }
    return out;
}

/* Decimal strings become numbers; texts stay. NULL when out of memory or not a predicate. */
static json_t *summarise_value(const json_t *value, const struct pa_member *member) {
    double number = 0;
    switch (pa_member_kind_of(member)) {
    case PA_MEMBER_DECIMAL:
    case PA_MEMBER_DECIMAL_OR_NULL:
        if (json_is_null(value))
            return json_null();
        if (!json_is_string(value) ||
            pa_decimal_parse(json_string_value(value), -1e300, 1e300, &number, NULL) != PA_OK)
            return NULL;
        return json_real(number);
    case PA_MEMBER_OBJECT:
        return summarise(value, member->inner);
    case PA_MEMBER_LIST:
        return summarise_list(value, member->inner);
    default:
        return json_copy((json_t *)(uintptr_t)value);
    }
}

static json_t *summarise(const json_t *object, const struct pa_member *members) {
    json_t *out = json_object();
    for (const struct pa_member *member = members; member->name != NULL; member++) {
        const json_t *said = json_object_get(object, member->name);
        if (said == NULL && (member->kind & PA_MEMBER_LATER) != 0)
            continue;
        json_t *value = summarise_value(said, member);
        if (json_object_set_new(out, member->name, value) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

static int append(const char *data, size_t size, void *context) {
    struct pa_buffer *out = context;
    pa_buffer_bytes(out, data, size);
    return out->failed ? -1 : 0;
}

int pa_summary_write(const json_t *statement, struct pa_buffer *out, struct pa_error *error) {
    const json_t *predicate = json_object_get(statement, "predicate");
    if (pa_members_check(predicate, pa_predicate_members, "predicate", error) != PA_OK)
        return pa_fail_in(error, "writing the summary");
    json_t *summary = summarise(predicate, pa_predicate_members);
    int code = PA_OK;
    if (summary == NULL ||
        json_object_set_new(summary, "schema", json_string(PA_SUMMARY_SCHEMA)) != 0 ||
        json_dump_callback(summary, append, out,
                           JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(9)) != 0)
        code = pa_fail(error, PA_EMEMORY, "writing the summary: out of memory");
    pa_buffer_text(out, "\n");
    json_decref(summary);
    return code;
}
