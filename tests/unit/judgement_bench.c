/* SPDX-License-Identifier: Apache-2.0 */
#include "judgement_bench.h"

#include "cmocka_setup.h"

#include <string.h>

void bench_set_up(struct bench *bench) {
    memset(bench, 0, sizeof *bench);
    double rate = 1.4e15, seconds = 60;
    for (int d = 0; d < DEVICES; d++) {
        struct pa_fact_device *device = &bench->devices[d];
        strcpy(device->name, "gpu");
        strcpy(device->model, "NVIDIA H100 80GB HBM3");
        strcpy(device->id, d == 0 ? "GPU-0" : "GPU-1");
        strcpy(device->backend, "cuda");
        strcpy(device->format, "fp16");
        strcpy(device->host, "node1");
        device->memory_bytes = (uint64_t)80 << 30;
        device->memory = (struct pa_fact_memory){
            .is_there = true, .filled_bytes = (uint64_t)77 << 30, .samples = 256};
        device->operations = rate * seconds / DEVICES;
        device->steps = 100;
        device->raw_per_second = 7.2e14;
        device->vitals.epochs = EPOCHS;
    }
    for (uint32_t e = 0; e < EPOCHS; e++) {
        struct pa_fact_epoch *epoch = &bench->epochs[e];
        epoch->number = e;
        epoch->state = PA_EPOCH_CLOSED;
        epoch->t0.raw_ns = 1000000000 + e * UINT64_C(10000000000);
        epoch->t1.raw_ns = epoch->t0.raw_ns + UINT64_C(10000000000);
        epoch->operations = rate * seconds / EPOCHS * (e % 2 == 0 ? 1.001 : 0.999);
        epoch->drawn = 1000;
    }
    struct pa_facts *facts = &bench->facts;
    facts->declaration.class_id = PA_DENSE16;
    facts->declaration.epochs = EPOCHS;
    facts->declaration.openings = 1000;
    facts->declaration.alpha_ppm = 10000;
    facts->epochs = bench->epochs;
    facts->epoch_count = EPOCHS;
    facts->devices = bench->devices;
    facts->device_count = DEVICES;
    facts->is_finished = facts->is_certified = true;
    facts->drawn = 6000;
    facts->credit = (struct pa_credit){.operations = rate * seconds,
                                       .seconds = seconds,
                                       .rate = rate,
                                       .n_effective = 6000,
                                       .alpha_r = 0.005,
                                       .honest_fraction = 0.999,
                                       .verified_rate = 0.999 * rate};
    bench->claim = (struct pa_claim){
        .capacity_per_second = 1e15, .precision = PA_PRECISION_FP16, .grid_connection_mw = 0.8};
    bench->policy = (struct pa_policy){.has_entitlement = true,
                                       .entitlement_mw = 400,
                                       .entitlement_per_pflops = 500,
                                       .basis = PA_BASIS_SUSTAINED,
                                       .k = 2,
                                       .alpha = 0.01,
                                       .window_ns = UINT64_C(60000000000),
                                       .openings = 1000,
                                       .interruptions = 1,
                                       .longest_gap_ns = UINT64_C(900000000000)};
}

struct pa_judgement judged(const struct bench *bench) {
    struct pa_judgement out;
    assert_int_equal(pa_judge(&bench->facts, &bench->claim, &bench->policy, &out, NULL), PA_OK);
    assert_true(strlen(out.reason) > 20);
    return out;
}

const struct pa_finding *finding(const struct pa_judgement *judgement, const char *code) {
    for (uint32_t i = 0; i < judgement->finding_count; i++)
        if (strcmp(judgement->findings[i].code, code) == 0)
            return &judgement->findings[i];
    return NULL;
}

enum pa_verdict verdict(const struct bench *bench) {
    struct pa_judgement judgement = judged(bench);
    enum pa_verdict found = judgement.verdict;
    pa_judgement_free(&judgement);
    return found;
}
