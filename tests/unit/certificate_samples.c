/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate_samples.h"

#include "base/base.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const certificate_kind_names[SAMPLE_KINDS] = {"fail", "pass", "inconclusive", "invalid",
                                                          "test"};

#define SECOND UINT64_C(1000000000)

static void demand(bool holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "sample certificate: %s\n", what);
        abort();
    }
}

static const char claim_of_the_hall[] = "center: Example intelligent computing centre\n"
                                        "operator: Example Compute Ltd\n"
                                        "site: {name: Hall 1, region: Xinjiang}\n"
                                        "capacity: {value: 500, unit: PFLOPS, precision: fp16}\n"
                                        "accelerators:\n"
                                        "  - {model: NVIDIA H800 80GB HBM3, count: 512, "
                                        "memory_gib: 80}\n"
                                        "grid_connection_mw: 400\n"
                                        "policy: xinjiang-2024\n";

#define CLAIM_OF_THE_BOX                                                                           \
    "center: <b>Box</b> & \"Söhne\" 算力中心\n"                                               \
    "operator: Small Systems\n"                                                                    \
    "site: {name: Desk, region: Zürich}\n"                                                        \
    "capacity: {value: %s, unit: TFLOPS, precision: bf16}\n"                                       \
    "policy: xinjiang-2024\n"

static const char policy_for_samples[] =
    "policy: sample\n"
    "title: A rule for samples\n"
    "source: invented for tests\n"
    "entitlement: {mw: 400, per_pflops: 500, rounding: proportional}\n"
    "basis: sustained\n"
    "acceptance: {rule: guarded, k: 2}\n"
    "session: {window_s: 60, epoch_s: 10, alpha: 0.01, openings: 1000, interruptions: 1, "
    "longest_gap_s: 900}\n"
    "inflation: report\n"
    "assurance: self\n";

static void make_rules(struct certificate_sample *sample, enum certificate_kind kind) {
    struct pa_error error = {0};
    char text[1024];
    if (kind == SAMPLE_FAIL)
        snprintf(text, sizeof text, "%s", claim_of_the_hall);
    else
        snprintf(text, sizeof text, CLAIM_OF_THE_BOX,
                 kind == SAMPLE_INCONCLUSIVE ? "1.584" : "1.2");
    int code = pa_claim_parse("claim", text, strlen(text), &sample->claim, &error);
    demand(code == PA_OK, error.text);
    code = pa_policy_parse("policy", policy_for_samples, strlen(policy_for_samples),
                           &sample->policy, &error);
    demand(code == PA_OK, error.text);
}

static void make_device(struct pa_fact_device *device, uint32_t index, bool is_hall,
                        double per_second, double seconds) {
    if (is_hall)
        snprintf(device->name, sizeof device->name, "n%02u-gpu%u", index / 8, index % 8);
    else
        snprintf(device->name, sizeof device->name, "cpu%u", index);
    snprintf(device->id, sizeof device->id, "%s-%04u", is_hall ? "GPU" : "CPU", index);
    snprintf(device->host, sizeof device->host, "node%02u", index / 8);
    strcpy(device->model, is_hall ? "NVIDIA H800 80GB HBM3" : "AMD EPYC 9454P 48-Core Processor");
    strcpy(device->backend, is_hall ? "cuda" : "cpu");
    strcpy(device->format, is_hall ? "fp16" : "bf16");
    strcpy(device->library, is_hall ? "cuBLASLt 13.1" : "oneDNN 2.6.3");
    strcpy(device->variant, "default");
    strcpy(device->peak_basis, "catalogue");
    device->m = is_hall ? 32768 : 16384;
    device->n = is_hall ? 8192 : 2048;
    device->memory_bytes = (uint64_t)80 << 30;
    device->vitals.epochs = 6;
    device->peak_per_second = is_hall ? 989.5e12 : 1.1e12;
    device->raw_per_second = per_second * 1.0176;
    device->operations = per_second * seconds;
    device->steps = (uint64_t)(per_second * seconds / (2.0 * device->m * device->n * 8192));
}

static void make_devices(struct pa_facts *facts, bool is_hall, double seconds) {
    facts->device_count = is_hall ? 448 : 2;
    facts->devices = calloc(facts->device_count, sizeof *facts->devices);
    facts->declaration.devices = calloc(facts->device_count, sizeof *facts->declaration.devices);
    facts->declaration.device_count = facts->device_count;
    demand(facts->devices != NULL && facts->declaration.devices != NULL, "out of memory");
    for (uint32_t d = 0; d < facts->device_count; d++) {
        double rate = is_hall ? 7.0e14 * (1 + 0.01 * ((d * 37) % 11 - 5.0) / 5) : 7.98e11;
        if (is_hall && (d == 17 || d == 201 || d == 300))
            rate *= 0.8;
        make_device(&facts->devices[d], d, is_hall, rate, seconds);
    }
    if (is_hall) {
        facts->devices[64].lost = true;
        strcpy(facts->devices[64].lost_text, "rank 8 on node08 closed its connection in epoch 41");
        facts->devices[64].operations *= 0.7;
    }
}

static void make_epochs(struct pa_facts *facts, uint32_t count, double rate) {
    facts->epochs = calloc(count, sizeof *facts->epochs);
    facts->epoch_count = count;
    demand(facts->epochs != NULL, "out of memory");
    uint64_t at = 5 * SECOND, utc = UINT64_C(1700000400) * SECOND;
    for (uint32_t e = 0; e < count; e++) {
        struct pa_fact_epoch *epoch = &facts->epochs[e];
        epoch->number = e;
        epoch->state = PA_EPOCH_CLOSED;
        epoch->t0 = (struct pa_instant){at, utc};
        at += 10 * SECOND;
        utc += 10 * SECOND;
        epoch->t1 = (struct pa_instant){at, utc};
        epoch->operations = rate * 10 * (1 + 0.004 * ((e * 7) % 5 - 2.0));
        epoch->drawn = 1000;
        facts->drawn += 1000;
    }
    facts->begun_utc_ns = UINT64_C(1700000395) * SECOND;
    facts->ended_utc_ns = utc + 3 * SECOND;
}

static void make_allreduce(struct pa_facts *facts) {
    enum { SIZES = 14 };
    facts->allreduce = calloc(SIZES, sizeof *facts->allreduce);
    demand(facts->allreduce != NULL, "out of memory");
    facts->allreduce_count = SIZES;
    for (uint32_t i = 0; i < SIZES; i++) {
        struct pa_fact_allreduce *run = &facts->allreduce[i];
        run->bytes = UINT64_C(8) << (2 * i);
        double seconds = 40e-6 + (double)run->bytes / 190e9;
        run->algbw_gbs = (double)run->bytes / seconds * 1e-9;
        run->ranks = facts->device_count;
        run->busbw_gbs = run->algbw_gbs * 2 * (run->ranks - 1) / run->ranks;
        run->verified = true;
    }
}

static void make_coupled(struct pa_facts *facts, double rate) {
    facts->coupled = (struct pa_fact_coupled){.state = PA_COUPLED_MEASURED,
                                              .ranks = facts->device_count,
                                              .hosts = facts->device_count / 8,
                                              .steps = 300,
                                              .bytes = UINT64_C(1) << 28,
                                              .time_ns = 3 * SECOND,
                                              .operations = 0.8125 * rate * 3,
                                              .alone_per_second = 1.01 * rate};
}

static void make_declaration(struct certificate_sample *sample, uint32_t epochs) {
    struct pa_declaration *declaration = &sample->facts.declaration;
    struct pa_key *key = certificate_sample_key();
    declaration->class_id = PA_DENSE16;
    declaration->k = 8192;
    declaration->epochs = epochs;
    declaration->epoch_ns = 10 * SECOND;
    declaration->openings = 1000;
    declaration->interruptions = 1;
    declaration->longest_gap_ns = 900 * SECOND;
    declaration->serial = 1;
    declaration->alpha_ppm = 10000;
    memcpy(declaration->claim.bytes, sample->claim.sha256, PA_HASH_BYTES);
    memcpy(declaration->policy.bytes, sample->policy.sha256, PA_HASH_BYTES);
    pa_key_public(key, declaration->witness_key);
    pa_key_public(key, declaration->prover_key);
    snprintf(declaration->site, sizeof declaration->site, "%.100s", sample->claim.site_name);
    for (uint32_t d = 0; d < declaration->device_count; d++) {
        declaration->devices[d].m = sample->facts.devices[d].m;
        declaration->devices[d].n = sample->facts.devices[d].n;
        strcpy(declaration->devices[d].name, sample->facts.devices[d].name);
    }
    pa_key_free(key);
}

static void make_credit(struct pa_facts *facts, uint32_t epochs) {
    struct pa_credit *credit = &facts->credit;
    credit->seconds = 10.0 * epochs;
    credit->operations = 0;
    for (uint32_t e = 0; e < epochs; e++)
        credit->operations += facts->epochs[e].operations;
    credit->rate = credit->operations / credit->seconds;
    credit->n_effective = 1000.0 * epochs * 0.99;
    credit->alpha_r = 0.005;
    credit->honest_fraction = 1 - log(1 / credit->alpha_r) / credit->n_effective;
    credit->verified_rate = credit->rate * credit->honest_fraction;
}

static void make_facts(struct certificate_sample *sample, enum certificate_kind kind) {
    struct pa_facts *facts = &sample->facts;
    bool is_hall = kind == SAMPLE_FAIL;
    uint32_t epochs = is_hall ? 60 : 6;
    make_devices(facts, is_hall, 10.0 * epochs);
    double rate = 0;
    for (uint32_t d = 0; d < facts->device_count; d++)
        rate += facts->devices[d].operations / (10.0 * epochs);
    make_epochs(facts, epochs, rate);
    if (is_hall)
        make_allreduce(facts);
    if (is_hall)
        make_coupled(facts, rate);
    make_declaration(sample, epochs);
    make_credit(facts, epochs);
    memset(facts->session.bytes, 0x5e, PA_HASH_BYTES);
    memset(facts->transcript.bytes, 0xc4, PA_HASH_BYTES);
    facts->records = 60123;
    facts->is_finished = true;
    facts->is_certified = kind != SAMPLE_TEST;
    facts->assurance = is_hall ? PA_ASSURANCE_WITNESSED : PA_ASSURANCE_SELF;
    facts->notes = json_pack("[{s:s, s:s, s:s, s:s}]", "kind", "tool", "version", "0.1.0", "commit",
                             "0123456789abcdef", "binary_sha256",
                             "b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1");
    facts->claim_text = strdup(sample->claim.text);
    facts->claim_bytes = sample->claim.text_bytes;
    facts->policy_text = strdup(sample->policy.text);
    facts->policy_bytes = sample->policy.text_bytes;
    if (kind == SAMPLE_INVALID) {
        facts->failed = 3;
        facts->epochs[2].failed = 3;
        strcpy(facts->first_failure, "3 of 1000 openings of epoch 2 failed, the first on device 1, "
                                     "step 17: the tile's digest is not the one computed again");
    }
}

void certificate_sample_make(struct certificate_sample *sample, enum certificate_kind kind) {
    struct pa_error error = {0};
    *sample = (struct certificate_sample){0};
    make_rules(sample, kind);
    make_facts(sample, kind);
    int code =
        pa_judge(&sample->facts, &sample->claim, &sample->policy, &sample->judgement, &error);
    demand(code == PA_OK, error.text);
}

void certificate_sample_free(struct certificate_sample *sample) {
    pa_judgement_free(&sample->judgement);
    pa_facts_free(&sample->facts);
    pa_policy_free(&sample->policy);
    pa_claim_free(&sample->claim);
}

struct pa_key *certificate_sample_key(void) {
    struct pa_error error = {0};
    struct pa_buffer pem = {0};
    struct pa_key *key = NULL;
    const char *path = PETAUDIT_SOURCE_DIR "/tests/certificates/signer.key";
    demand(pa_file_read(path, PA_KEY_FILE_MOST_BYTES, &pem, &error) == PA_OK, error.text);
    demand(pa_key_from_pem(path, pem.data, pem.size, &key, &error) == PA_OK, error.text);
    pa_buffer_free(&pem);
    return key;
}

json_t *certificate_sample_statement(enum certificate_kind kind) {
    struct certificate_sample sample;
    struct pa_error error = {0};
    json_t *statement = NULL;
    struct pa_issue issue = {0};
    struct pa_key *key = certificate_sample_key();
    pa_key_public(key, issue.signer);
    pa_key_free(key);
    certificate_sample_make(&sample, kind);
    int code = pa_statement_build(&sample.facts, &sample.claim, &sample.policy, &sample.judgement,
                                  &issue, &statement, &error);
    demand(code == PA_OK, error.text);
    certificate_sample_free(&sample);
    return statement;
}

void certificate_sample_file(enum certificate_kind kind, struct pa_buffer *out) {
    struct pa_error error = {0};
    struct pa_key *key = certificate_sample_key();
    json_t *statement = certificate_sample_statement(kind);
    demand(pa_envelope_sign(statement, key, out, &error) == PA_OK, error.text);
    json_decref(statement);
    pa_key_free(key);
}
