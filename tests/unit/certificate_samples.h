/* SPDX-License-Identifier: Apache-2.0 */
/* certificate_samples.h - finished audits, made by hand: what a certificate is made from. */
#ifndef PA_TESTS_CERTIFICATE_SAMPLES_H
#define PA_TESTS_CERTIFICATE_SAMPLES_H

#include "certificate/certificate.h"

enum certificate_kind {
    SAMPLE_FAIL,         /* 448 of 512 H800, 312 of 500 PFLOPS, granted 400 MW, witnessed */
    SAMPLE_PASS,         /* two processors, self-declared, a claim below what they do */
    SAMPLE_INCONCLUSIVE, /* the same two, a claim inside the guard band */
    SAMPLE_INVALID,      /* an opening failed */
    SAMPLE_TEST,         /* shapes outside of a certificate's limits */
    SAMPLE_KINDS
};

struct certificate_sample {
    struct pa_facts facts;
    struct pa_claim claim;
    struct pa_policy policy;
    struct pa_judgement judgement;
};

extern const char *const certificate_kind_names[SAMPLE_KINDS];

/* Abort the program when something cannot be made. */
void certificate_sample_make(struct certificate_sample *sample, enum certificate_kind kind);
void certificate_sample_free(struct certificate_sample *sample);
/* The same sample's statement, and the whole file, by the key of tests/certificates. */
json_t *certificate_sample_statement(enum certificate_kind kind);
void certificate_sample_file(enum certificate_kind kind, struct pa_buffer *out);
struct pa_key *certificate_sample_key(void);

#endif
