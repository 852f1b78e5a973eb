/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"
#include "certificate/canonical.h"
#include "certificate/statement_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void pa_statement_put(struct pa_builder *b, json_t *object, const char *name, json_t *value) {
    if (json_object_set_new(object, name, value) != 0)
        b->failed = true;
}

void pa_statement_append(struct pa_builder *b, json_t *list, json_t *value) {
    if (json_array_append_new(list, value) != 0)
        b->failed = true;
}

void pa_statement_put_text(struct pa_builder *b, json_t *object, const char *name,
                           const char *text) {
    pa_statement_put(b, object, name, pa_canonical_string(text));
}

void pa_statement_put_count(struct pa_builder *b, json_t *object, const char *name,
                            uint64_t value) {
    /* JSON readers that count in int64 must read the same number. */
    pa_statement_put(b, object, name,
                     json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value));
}

void pa_statement_put_truth(struct pa_builder *b, json_t *object, const char *name, bool value) {
    pa_statement_put(b, object, name, json_boolean(value));
}

void pa_statement_put_decimal(struct pa_builder *b, json_t *object, const char *name,
                              double value) {
    char text[PA_DECIMAL_TEXT_BYTES];
    if (!isfinite(value) && b->not_finite == NULL)
        b->not_finite = name;
    /* Probabilities come as small as 1e-200: such a figure is zero to any reader, and 200 zeros
     * would be the plain notation of it. */
    pa_decimal_text(text, fabs(value) < 1e-18 ? 0 : value);
    pa_statement_put(b, object, name, json_string(text));
}

void pa_statement_put_known(struct pa_builder *b, json_t *object, const char *name, double value,
                            bool is_known) {
    if (is_known)
        pa_statement_put_decimal(b, object, name, value);
    else
        pa_statement_put(b, object, name, json_null());
}

void pa_statement_put_utc(struct pa_builder *b, json_t *object, const char *name, uint64_t utc_ns) {
    char text[PA_UTC_TEXT_BYTES];
    pa_utc_text(text, utc_ns);
    pa_statement_put(b, object, name, json_string(text));
}

void pa_statement_put_hex(struct pa_builder *b, json_t *object, const char *name,
                          const uint8_t hash[PA_HASH_BYTES]) {
    char text[2 * PA_HASH_BYTES + 1];
    pa_hex(text, hash, PA_HASH_BYTES);
    pa_statement_put(b, object, name, json_string(text));
}

void pa_statement_put_base64(struct pa_builder *b, json_t *object, const char *name,
                             const void *data, size_t size) {
    struct pa_buffer text = {0};
    pa_base64_write(&text, data, size);
    if (text.failed)
        b->failed = true;
    pa_statement_put(b, object, name,
                     json_stringn(text.size == 0 ? "" : (const char *)text.data, text.size));
    pa_buffer_free(&text);
}

double pa_statement_seconds(uint64_t ns) {
    return (double)ns * 1e-9;
}

void pa_statement_percent_text(char *out, double fraction) {
    pa_decimal_text(out, fraction * 100);
    char *point = strchr(out, '.');
    if (point != NULL) {
        char *end = out + strlen(out);
        while (end[-1] == '0')
            *--end = '\0';
        if (end[-1] == '.')
            end[-1] = '\0';
    }
    strcat(out, " %");
}
