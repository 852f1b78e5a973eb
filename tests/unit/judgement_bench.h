/* SPDX-License-Identifier: Apache-2.0 */
/* judgement_bench.h - facts, claim and policy made by hand, for tests of the judgement as a pure
 * function: an honest session that a test changes in what it is about. */
#ifndef PA_TESTS_JUDGEMENT_BENCH_H
#define PA_TESTS_JUDGEMENT_BENCH_H

#include "judge/judge.h"

enum { DEVICES = 2, EPOCHS = 6 };

/* Everything that a judgement reads, owned here, so that a test changes what it is about. */
struct bench {
    struct pa_fact_device devices[DEVICES];
    struct pa_fact_epoch epochs[EPOCHS];
    struct pa_fact_allreduce allreduce[1];
    struct pa_claimed_accelerator accelerators[1];
    struct pa_facts facts;
    struct pa_claim claim;
    struct pa_policy policy;
};

/* Two H100 at 700 TFLOPS each for 60 s, a claim of 1 PFLOPS, the rule of 400 MW for 500 PFLOPS:
 * nothing to find but that it is self-declared. */
void bench_set_up(struct bench *bench);
/* Judge it; free the judgement. */
struct pa_judgement judged(const struct bench *bench);
enum pa_verdict verdict(const struct bench *bench);
/* The first finding of a code, or NULL. */
const struct pa_finding *finding(const struct pa_judgement *judgement, const char *code);

#endif
