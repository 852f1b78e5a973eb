/* SPDX-License-Identifier: Apache-2.0 */
/* verify_time.c - how long `petaudit verify` of a certificate with its evidence takes.
 *
 *     build/release/bench/verify_time
 *
 * Sessions of 1 and of 1,000 devices (shapes of 256 x 256, a TEST result) with about 1,000 openings
 * stored, at the protocol's K = 8192 for one device and K = 256 for a thousand. Both depths of
 * checking: hashes, paths, links and signatures alone, and with every opened tile computed again on
 * all processors. Median and spread of the runs. */
#include "bench_machine.h"

#include "../tests/unit/evidence_factory.h"
#include "certificate/certificate.h"
#include "judge/judge.h"

#include <unistd.h>

enum { RUNS = 5, EPOCHS = 3, OPENINGS_AN_EPOCH = 334 };

static const char claim_text[] =
    "center: bench\ncapacity: {value: 1, unit: GFLOPS, precision: fp16}\n"
    "policy: xinjiang-2024\n";

static void must(int code, const struct pa_error *error) {
    if (code == PA_OK)
        return;
    fprintf(stderr, "verify_time: %s\n", error->text);
    exit(1);
}

/* Judge the evidence and sign the statement: the certificate that is verified below. */
static void certify(const char *evidence, struct pa_buffer *out) {
    struct pa_error error = {0};
    struct pa_store *store;
    struct pa_facts facts;
    struct pa_claim claim;
    struct pa_policy policy;
    struct pa_judgement judgement;
    struct pa_key *key;
    json_t *statement;
    struct pa_issue issue = {0};
    must(pa_key_generate(&key, &error), &error);
    must(pa_store_open_readonly(evidence, &store, &error), &error);
    must(pa_facts_collect(store, PA_RECHECK_PATHS, &facts, &error), &error);
    must(pa_claim_parse("claim", facts.claim_text, facts.claim_bytes, &claim, &error), &error);
    must(pa_policy_parse("policy", facts.policy_text, facts.policy_bytes, &policy, &error), &error);
    must(pa_judge(&facts, &claim, &policy, &judgement, &error), &error);
    pa_key_public(key, issue.signer);
    must(pa_statement_build(&facts, &claim, &policy, &judgement, &issue, &statement, &error),
         &error);
    must(pa_envelope_sign(statement, key, out, &error), &error);
    json_decref(statement);
    pa_judgement_free(&judgement);
    pa_policy_free(&policy);
    pa_claim_free(&claim);
    pa_facts_free(&facts);
    pa_store_close(store);
    pa_key_free(key);
}

static double verify(const char *evidence, const struct pa_buffer *certificate,
                     enum pa_recheck recheck) {
    struct pa_error error = {0};
    struct pa_verification verification;
    struct pa_store *store;
    uint64_t begun = pa_clock_raw_ns();
    must(pa_certificate_verify(certificate->data, certificate->size, &verification, &error),
         &error);
    must(pa_store_open_readonly(evidence, &store, &error), &error);
    must(pa_verification_evidence(&verification, store, recheck, &error), &error);
    pa_store_close(store);
    pa_verification_free(&verification);
    return (double)(pa_clock_raw_ns() - begun) * 1e-9;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void measure(const char *folder, uint32_t devices, uint32_t k) {
    static const char *const depths[] = {"paths", "tiles"};
    struct evidence_recipe recipe = evidence_recipe_honest();
    struct pa_buffer certificate = {0};
    char path[128];
    size_t policy_bytes;
    recipe.devices = devices;
    recipe.k = k;
    recipe.epochs = EPOCHS;
    recipe.openings = OPENINGS_AN_EPOCH;
    recipe.claim_text = claim_text;
    recipe.policy_text = pa_policy_text("xinjiang-2024", &policy_bytes);
    snprintf(path, sizeof path, "%s/%u.db", folder, devices);
    evidence_make(path, &recipe);
    certify(path, &certificate);
    for (int depth = PA_RECHECK_PATHS; depth <= PA_RECHECK_TILES; depth++) {
        double seconds[RUNS];
        for (int run = 0; run < RUNS; run++)
            seconds[run] = verify(path, &certificate, (enum pa_recheck)depth);
        qsort(seconds, RUNS, sizeof seconds[0], by_value);
        printf("%s of %u: %8.3f  %8.3f  %8.3f  K = %u, %u openings\n", depths[depth], devices,
               seconds[RUNS / 2], seconds[0], seconds[RUNS - 1], k, EPOCHS * OPENINGS_AN_EPOCH);
    }
    pa_buffer_free(&certificate);
    unlink(path);
}

int main(void) {
    char folder[] = "/tmp/petaudit-verify-XXXXXX";
    bench_print_machine();
    if (mkdtemp(folder) == NULL)
        return 1;
    printf("depth of devices: seconds, median, least and most of %d runs\n", RUNS);
    measure(folder, 1, 8192);
    measure(folder, 1000, 256);
    rmdir(folder);
    return 0;
}
