/* SPDX-License-Identifier: Apache-2.0 */
/* members_check.c - hold a JSON object against the table of members.c, strictly. */
#include "certificate/members.h"

#include "base/base.h"
#include "certificate/canonical.h"

#include <stdio.h>
#include <string.h>

static bool is_decimal(const json_t *value) {
    const char *text = json_string_value(value);
    double number = 0;
    char again[PA_DECIMAL_TEXT_BYTES];
    if (text == NULL || pa_decimal_parse(text, -1e300, 1e300, &number, NULL) != PA_OK)
        return false;
    pa_decimal_text(again, number);
    return strcmp(text, again) == 0;
}

static bool is_hex32(const json_t *value) {
    const char *text = json_string_value(value);
    return text != NULL && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static bool is_utc(const json_t *value) {
    static const char form[] = "0000-00-00T00:00:00Z";
    const char *text = json_string_value(value);
    if (text == NULL || strlen(text) != sizeof form - 1)
        return false;
    for (size_t i = 0; i < sizeof form - 1; i++)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return true;
}

static bool is_base64(const json_t *value) {
    struct pa_buffer bytes = {0};
    const char *text = json_string_value(value);
    bool good = text != NULL && pa_base64_read(&bytes, text, json_string_length(value));
    pa_buffer_free(&bytes);
    return good;
}

static const char *const kind_words[] = {
    [PA_MEMBER_TEXT] = "text without control characters",
    [PA_MEMBER_DECIMAL] = "a decimal of nine significant digits in a string",
    [PA_MEMBER_DECIMAL_OR_NULL] = "a decimal of nine significant digits in a string, or null",
    [PA_MEMBER_COUNT] = "a whole number from 0",
    [PA_MEMBER_TRUTH] = "true or false",
    [PA_MEMBER_UTC] = "a time like 2026-11-24T00:12:11Z",
    [PA_MEMBER_HEX32] = "64 lower-case hexadecimal digits",
    [PA_MEMBER_HEX32_OR_NULL] = "64 lower-case hexadecimal digits, or null",
    [PA_MEMBER_HEX32_OR_EMPTY] = "64 lower-case hexadecimal digits, or empty",
    [PA_MEMBER_BASE64] = "base64 in its one canonical spelling",
    [PA_MEMBER_OBJECT] = "an object",
    [PA_MEMBER_LIST] = "an array of objects",
};

enum pa_member_kind pa_member_kind_of(const struct pa_member *member) {
    return (enum pa_member_kind)(member->kind & ~PA_MEMBER_LATER);
}

static bool is_of_kind(const json_t *value, enum pa_member_kind kind) {
    switch (kind) {
    case PA_MEMBER_TEXT:
        return json_is_string(value) && pa_canonical_string_is_plain(json_string_value(value));
    case PA_MEMBER_DECIMAL:
        return is_decimal(value);
    case PA_MEMBER_DECIMAL_OR_NULL:
        return json_is_null(value) || is_decimal(value);
    case PA_MEMBER_COUNT:
        return json_is_integer(value) && json_integer_value(value) >= 0;
    case PA_MEMBER_TRUTH:
        return json_is_boolean(value);
    case PA_MEMBER_UTC:
        return is_utc(value);
    case PA_MEMBER_HEX32:
        return is_hex32(value);
    case PA_MEMBER_HEX32_OR_NULL:
        return json_is_null(value) || is_hex32(value);
    case PA_MEMBER_HEX32_OR_EMPTY:
        return is_hex32(value) || (json_is_string(value) && json_string_length(value) == 0);
    case PA_MEMBER_BASE64:
        return is_base64(value);
    case PA_MEMBER_OBJECT:
        return json_is_object(value);
    case PA_MEMBER_LIST:
        return json_is_array(value);
    }
    return false;
}

static int refuse_unknown(const json_t *object, const struct pa_member *members, const char *path,
                          struct pa_error *error) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        const struct pa_member *member = members;
        while (member->name != NULL && strcmp(member->name, name) != 0)
            member++;
        if (member->name == NULL) {
            char safe[64];
            pa_printable(safe, sizeof safe, name);
            return pa_fail(error, PA_EINVALID, "%s has an unknown member \"%s\"", path, safe);
        }
    }
    return PA_OK;
}

static int check_list(const json_t *list, const struct pa_member *inner, const char *path,
                      struct pa_error *error) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        char item[256];
        snprintf(item, sizeof item, "%.200s[%zu]", path, i);
        PA_TRY(pa_members_check(json_array_get(list, i), inner, item, error));
    }
    return PA_OK;
}

int pa_members_check(const json_t *object, const struct pa_member *members, const char *path,
                     struct pa_error *error) {
    if (!json_is_object(object))
        return pa_fail(error, PA_EINVALID, "%s must be an object", path);
    for (const struct pa_member *member = members; member->name != NULL; member++) {
        char inner[256];
        snprintf(inner, sizeof inner, "%.180s.%.60s", path, member->name);
        const json_t *value = json_object_get(object, member->name);
        enum pa_member_kind kind = pa_member_kind_of(member);
        if (value == NULL && (member->kind & PA_MEMBER_LATER) != 0)
            continue;
        if (value == NULL)
            return pa_fail(error, PA_EINVALID, "%s is missing", inner);
        if (!is_of_kind(value, kind))
            return pa_fail(error, PA_EINVALID, "%s must be %s", inner, kind_words[kind]);
        if (kind == PA_MEMBER_OBJECT)
            PA_TRY(pa_members_check(value, member->inner, inner, error));
        else if (kind == PA_MEMBER_LIST)
            PA_TRY(check_list(value, member->inner, inner, error));
    }
    return refuse_unknown(object, members, path, error);
}
