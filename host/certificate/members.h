/* SPDX-License-Identifier: Apache-2.0 */
/* members.h - every member a statement has, and of which type: the one table that the strict check,
 * summary.json and the comparison with the evidence go by.
 *
 * All members are always there, but for those that came later (PA_MEMBER_LATER); a figure that is
 * not known is null, never a zero that looks measured. docs/certificate.md says what each means.
 */
#ifndef PA_CERTIFICATE_MEMBERS_H
#define PA_CERTIFICATE_MEMBERS_H

#include "base/error.h"

#include <jansson.h>

enum pa_member_kind {
    PA_MEMBER_TEXT,    /* string without control characters */
    PA_MEMBER_DECIMAL, /* string of nine significant digits, as pa_decimal_text prints */
    PA_MEMBER_DECIMAL_OR_NULL,
    PA_MEMBER_COUNT, /* integer from 0 */
    PA_MEMBER_TRUTH, /* boolean */
    PA_MEMBER_UTC,   /* "2026-11-24T00:12:11Z" */
    PA_MEMBER_HEX32, /* 64 lower-case digits */
    PA_MEMBER_HEX32_OR_NULL,
    PA_MEMBER_HEX32_OR_EMPTY, /* "" where the measuring program did not say */
    PA_MEMBER_BASE64,
    PA_MEMBER_OBJECT, /* `inner` says of what */
    PA_MEMBER_LIST    /* array of objects of `inner` */
};

/* Or-ed to the kind of a member that came after the first version: certificates that were signed
 * before lack it. New members are only ever added so; the builder puts every member in. */
enum { PA_MEMBER_LATER = 64 };

struct pa_member {
    const char *name; /* NULL ends a table */
    int kind;         /* an enum pa_member_kind, with or without PA_MEMBER_LATER */
    const struct pa_member *inner;
};

enum pa_member_kind pa_member_kind_of(const struct pa_member *member);

extern const struct pa_member pa_rate_members[], pa_straggler_members[],
    pa_sample_members[]; /* parts of it */
extern const struct pa_member pa_statement_members[];
extern const struct pa_member pa_predicate_members[];

/* Check that `object` has exactly these members, of these types; PA_EINVALID names the first that
 * is missing, unknown or of another type by its path ("predicate.claim.pflops"). */
int pa_members_check(const json_t *object, const struct pa_member *members, const char *path,
                     struct pa_error *error);

#endif
