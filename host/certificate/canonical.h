/* SPDX-License-Identifier: Apache-2.0 */
/* canonical.h - one spelling of JSON and of base64.
 *
 * Canonical JSON here: UTF-8, members sorted by name, no blanks, no number but integers, strings
 * without control characters. Whoever holds two equal documents holds equal bytes, so that a check
 * can re-serialise and compare.
 */
#ifndef PA_CERTIFICATE_CANONICAL_H
#define PA_CERTIFICATE_CANONICAL_H

#include "base/bytes.h"
#include "base/error.h"

#include <jansson.h>

/* Append the canonical bytes of `value`, without a final newline. PA_EMEMORY. */
int pa_canonical_write(const json_t *value, struct pa_buffer *out, struct pa_error *error);

/* Read a document whose bytes are its own canonical form: PA_EINVALID for anything else, a repeated
 * member or a blank included; `what` is what the message calls it. `*out` is the caller's. */
int pa_canonical_read(const char *what, const void *data, size_t size, json_t **out,
                      struct pa_error *error);

/* True for UTF-8 (jansson has seen to that) without anything that could steer a terminal or reorder
 * a line: C0, DEL, C1, line and paragraph separators, directional overrides and isolates. */
bool pa_canonical_string_is_plain(const char *text);
/* `text` as a new JSON string that is plain: white space becomes a blank, the rest '?'. NULL when
 * out of memory. */
json_t *pa_canonical_string(const char *text);

/* Standard base64 with padding. */
void pa_base64_write(struct pa_buffer *out, const void *data, size_t size);
/* The strict inverse: whole groups of four, padding only at the end, unused bits zero, nothing
 * else. False when `text` is not what pa_base64_write gives for any bytes. */
bool pa_base64_read(struct pa_buffer *out, const char *text, size_t length);

#endif
