/* SPDX-License-Identifier: Apache-2.0 */
/* statement_parts.h - inside the room: putting members into a statement, and its longer parts.
 *
 * The first failure is remembered in the builder and asked for once at the end, so that building
 * reads as a list of members. Every `pa_statement_put` takes its value over.
 */
#ifndef PA_CERTIFICATE_STATEMENT_PARTS_H
#define PA_CERTIFICATE_STATEMENT_PARTS_H

#include "certificate/device_list.h"
#include "certificate/statement.h"

struct pa_builder {
    const struct pa_facts *facts;
    const struct pa_claim *claim;
    const struct pa_policy *policy;
    const struct pa_judgement *judgement;
    const struct pa_issue *issue;
    struct pa_straggling straggling; /* owned */
    struct pa_hash device_list;      /* of all devices, where the statement does not list them */
    bool failed;                     /* memory ran out */
    const char *not_finite;          /* the first figure that is none */
};

void pa_statement_put(struct pa_builder *b, json_t *object, const char *name, json_t *value);
void pa_statement_append(struct pa_builder *b, json_t *list, json_t *value);
void pa_statement_put_text(struct pa_builder *b, json_t *object, const char *name,
                           const char *text);
void pa_statement_put_count(struct pa_builder *b, json_t *object, const char *name, uint64_t value);
void pa_statement_put_truth(struct pa_builder *b, json_t *object, const char *name, bool value);
void pa_statement_put_decimal(struct pa_builder *b, json_t *object, const char *name, double value);
/* A decimal, or null when it is not known. */
void pa_statement_put_known(struct pa_builder *b, json_t *object, const char *name, double value,
                            bool is_known);
void pa_statement_put_utc(struct pa_builder *b, json_t *object, const char *name, uint64_t utc_ns);
void pa_statement_put_hex(struct pa_builder *b, json_t *object, const char *name,
                          const uint8_t hash[PA_HASH_BYTES]);
void pa_statement_put_base64(struct pa_builder *b, json_t *object, const char *name,
                             const void *data, size_t size);

double pa_statement_seconds(uint64_t ns);
/* 0.995 as "99.5 %"; `out` takes PA_DECIMAL_TEXT_BYTES + 2. */
void pa_statement_percent_text(char *out, double fraction);

json_t *pa_statement_build_allreduce(struct pa_builder *b);
json_t *pa_statement_build_devices(struct pa_builder *b);
/* statement_fabric.c */
json_t *pa_statement_build_fabric(struct pa_builder *b);
json_t *pa_statement_build_device_list(struct pa_builder *b, uint64_t listed);
json_t *pa_statement_build_epochs(struct pa_builder *b);
/* statement_rates.c: "rates" and "stragglers" */
void pa_statement_put_rates(struct pa_builder *b, json_t *object);
json_t *pa_statement_build_openings(struct pa_builder *b);
json_t *pa_statement_build_power(struct pa_builder *b);
/* statement_radius.c */
json_t *pa_statement_build_radius(struct pa_builder *b);
/* statement_sample.c */
json_t *pa_statement_build_sample(struct pa_builder *b);
json_t *pa_statement_build_session(struct pa_builder *b);
json_t *pa_statement_build_tool(struct pa_builder *b);
json_t *pa_statement_build_watermark(struct pa_builder *b);
json_t *pa_build_not_proven(struct pa_builder *b);
/* statement_judgement.c */
json_t *pa_statement_build_coupled(struct pa_builder *b);
json_t *pa_statement_build_entitlement(struct pa_builder *b);
json_t *pa_statement_build_judged(struct pa_builder *b);
json_t *pa_statement_build_judges_again(struct pa_builder *b);
json_t *pa_statement_build_nominal(struct pa_builder *b);
json_t *pa_statement_build_requirements(struct pa_builder *b);
json_t *pa_statement_build_uncertainty(struct pa_builder *b);
/* One line that sums the certificate up, for `verify` to print: signed like all the rest. */
void pa_statement_put_trusted_comment(struct pa_builder *b, json_t *object);

#endif
