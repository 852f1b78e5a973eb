/* SPDX-License-Identifier: Apache-2.0 */
/* statement.h - evidence, claim, policy and judgement as an in-toto Statement v1.
 *
 * One builder: the signed predicate holds decimal strings of nine significant digits, summary.json
 * the same names as plain numbers, made from the predicate. The subject is the head of the
 * transcript's hash chain: the certificate speaks of that evidence and no other.
 */
#ifndef PA_CERTIFICATE_STATEMENT_H
#define PA_CERTIFICATE_STATEMENT_H

#include "base/bytes.h"
#include "judge/judge.h"
#include "proof/signature.h"

#include <jansson.h>

#define PA_STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define PA_PREDICATE_CERTIFICATE "https://petaudit.org/capacity-certificate/v1"
/* A run outside of a certificate's limits is a TEST result and never called a certificate. */
#define PA_PREDICATE_TEST "https://petaudit.org/test-result/v1"
#define PA_CERTIFICATE_SCHEMA "petaudit-certificate/1"
#define PA_SUMMARY_SCHEMA "petaudit-summary/1"

enum {
    PA_STATEMENT_MOST_EPOCHS = 4096, /* listed; `epoch_count` counts all */
    PA_VALIDITY_DAYS = 365,          /* from the end of the evidence */
};

/* What the one who issues adds to what follows from evidence, claim and policy. A check takes it
 * over from the certificate as it stands. */
struct pa_issue {
    uint8_t signer[PA_PUBLIC_KEY_BYTES];
    bool has_superseded;       /* a statement of before that this one takes the place of */
    struct pa_hash superseded; /* SHA-256 of that statement, as its own page prints it */
    bool has_judged_again;     /* a statement of the same evidence by whomever, judged before */
    struct pa_hash judged_again;
    char judged_verdict[16]; /* what that one said */
};

/* Build the statement of `issue`. The date in it is the evidence's end, not now.
 * PA_EMEMORY; PA_EINTERNAL when a figure is not finite. `*out` is the caller's. */
int pa_statement_build(const struct pa_facts *facts, const struct pa_claim *claim,
                       const struct pa_policy *policy, const struct pa_judgement *judgement,
                       const struct pa_issue *issue, json_t **out, struct pa_error *error);

/* summary.json of a statement: the predicate's names with plain JSON numbers, indented, with a
 * final newline; for scripts, not signed. */
int pa_summary_write(const json_t *statement, struct pa_buffer *out, struct pa_error *error);

#endif
