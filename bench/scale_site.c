/* SPDX-License-Identifier: Apache-2.0 */
#include "scale_site.h"

#include "base/team.h"
#include "claim/claim.h"
#include "witness/witness_wire.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_THREADS = 64, MOST_EPOCHS = 64, CHUNK = 64 };

static const char claim_text[] = "center: many provers in one process\n"
                                 "capacity: {value: 1, unit: GFLOPS, precision: fp16}\n"
                                 "policy: xinjiang-2024\n";

struct site {
    const struct scale_recipe *recipe;
    struct pa_witness *witness;
    const struct pa_key *prover;
    struct scale_figures *figures;
    scale_clock clock;
    void *context;
    struct pa_hash session;
    struct pa_shape shape;
    struct pa_team *team;
    struct pa_tile_bench *benches[MOST_THREADS];
    struct pa_chain *chains[MOST_EPOCHS]; /* by epoch, then device */
    struct pa_hash nonces[MOST_EPOCHS], keys[MOST_EPOCHS], roots[MOST_EPOCHS];
    struct pa_tail *tails; /* of the epoch at hand */
    struct pa_tail *closed[MOST_EPOCHS];
    uint32_t epoch;
    atomic_uint next;
    atomic_bool has_failed;
};

static int declare(struct site *site, struct pa_error *error) {
    const struct scale_recipe *recipe = site->recipe;
    struct pa_declaration declaration = {.class_id = PA_DENSE16,
                                         .k = site->shape.k,
                                         .device_count = recipe->devices,
                                         .epochs = recipe->epochs,
                                         .epoch_ns = UINT64_C(10000000000),
                                         .openings = recipe->openings,
                                         .interruptions = 1,
                                         .longest_gap_ns = UINT64_C(900000000000),
                                         .alpha_ppm = 10000,
                                         .site = "bench"};
    size_t policy_bytes, length;
    const char *policy = pa_policy_text("xinjiang-2024", &policy_bytes);
    struct pa_signature signature = {0};
    struct pa_buffer bytes = {0};
    pa_sha256(&declaration.claim, claim_text, sizeof claim_text - 1);
    pa_sha256(&declaration.policy, policy, policy_bytes);
    pa_key_public(site->prover, declaration.prover_key);
    PA_TRY(site->witness->kind->introduce(site->witness, &declaration.claim, declaration.site,
                                          declaration.witness_key, &declaration.serial, error));
    declaration.devices = calloc(recipe->devices, sizeof *declaration.devices);
    if (declaration.devices == NULL)
        return pa_fail(error, PA_EMEMORY, "declaring: out of memory");
    for (uint32_t d = 0; d < recipe->devices; d++) {
        declaration.devices[d].m = site->shape.m;
        declaration.devices[d].n = site->shape.n;
        snprintf(declaration.devices[d].name, sizeof declaration.devices[d].name,
                 "prover of model %c", (int)('A' + d % 3));
    }
    pa_declaration_write(&declaration, &bytes);
    pa_declaration_session(&site->session, bytes.data, bytes.size);
    int code = pa_key_sign(site->prover, &site->session, signature.bytes, &length, error);
    signature.length = (uint16_t)length;
    uint64_t begun = pa_clock_raw_ns();
    if (code == PA_OK)
        code =
            site->witness->kind->declare(site->witness, bytes.data, bytes.size, &signature, error);
    site->figures->declare_ns = pa_clock_raw_ns() - begun;
    site->figures->declaration_bytes = bytes.size;
    pa_buffer_free(&bytes);
    pa_declaration_free(&declaration);
    return code;
}

static int put_note(struct site *site, uint64_t epoch, json_t *content, struct pa_error *error) {
    char *text = json_dumps(content, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(content);
    if (text == NULL)
        return pa_fail(error, PA_EMEMORY, "writing a note: out of memory");
    int code = site->witness->kind->note_later(site->witness, epoch, text, strlen(text), error);
    site->figures->notes++;
    free(text);
    return code;
}

/* What an audit notes of each device before the first epoch. */
static int note_device(struct site *site, uint32_t d, struct pa_error *error) {
    char id[64], host[32], name[32];
    snprintf(id, sizeof id, "GPU-00000000-0000-4000-8000-%012u", d);
    snprintf(host, sizeof host, "node%05u", d / 8);
    snprintf(name, sizeof name, "in-process prover %c", (int)('A' + d % 3));
    return put_note(
        site, PA_NO_EPOCH,
        json_pack(
            "{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:b}",
            "kind", "device", "device", (int)d, "id", id, "name", name, "vendor", "none", "backend",
            "cpu", "format", "bf16", "host", host, "memory_bytes", (json_int_t)85899345920,
            "details", "132 units, 1980 MHz, driver 580.65.06", "variant", "algorithm 7, tile 23",
            "library", "in-process", "peak_per_second", "400000000", "peak_basis",
            "one core, shared", "partition", "", "emulated", 0),
        error);
}

static int note_session(struct site *site, struct pa_error *error) {
    size_t policy_bytes;
    const char *policy = pa_policy_text("xinjiang-2024", &policy_bytes);
    PA_TRY(put_note(
        site, PA_NO_EPOCH,
        json_pack("{s:s, s:s, s:s}", "kind", "claim", "name", "claim", "text", claim_text), error));
    PA_TRY(put_note(site, PA_NO_EPOCH,
                    json_pack("{s:s, s:s, s:s%}", "kind", "policy", "name", "xinjiang-2024", "text",
                              policy, policy_bytes),
                    error));
    PA_TRY(put_note(
        site, PA_NO_EPOCH,
        json_pack("{s:s, s:s}", "kind", "assurance", "level", site->witness->kind->assurance),
        error));
    for (uint32_t d = 0; d < site->recipe->devices; d++)
        PA_TRY(note_device(site, d, error));
    return site->witness->kind->sync(site->witness, error);
}

static int note_raw(struct site *site, struct pa_error *error) {
    for (uint32_t d = 0; d < site->recipe->devices; d++)
        PA_TRY(put_note(site, PA_NO_EPOCH,
                        json_pack("{s:s, s:i, s:s, s:i, s:s}", "kind", "raw", "device", (int)d,
                                  "per_second", "200000000", "ns", 2000000000, "operations",
                                  "400000000"),
                        error));
    return site->witness->kind->sync(site->witness, error);
}

/* What an epoch leaves of each device's health. */
static int note_vitals(struct site *site, uint64_t epoch, struct pa_error *error) {
    for (uint32_t d = 0; d < site->recipe->devices; d++)
        PA_TRY(put_note(
            site, epoch,
            json_pack("{s:s, s:i, s:i, s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:[]}",
                      "kind", "telemetry", "device", (int)d, "samples", 10, "thermal_stop", 0,
                      "power_mean_mw", 650000, "power_min_mw", 600000, "power_max_mw", 700000,
                      "temperature_max_c", 64, "clock_min_mhz", 1900, "clock_max_mhz", 1980,
                      "ecc_corrected", 0, "ecc_uncorrected", 0, "others", 0, "slowdowns"),
            error));
    return site->witness->kind->sync(site->witness, error);
}

static int prove_device(struct site *site, struct pa_tile_bench *bench, uint32_t d) {
    const struct pa_epoch_parameters parameters = {.class_id = PA_DENSE16,
                                                   .k = site->shape.k,
                                                   .devices = site->recipe->devices,
                                                   .session = site->session,
                                                   .epoch = site->epoch};
    struct pa_chain *chain = &site->chains[site->epoch][d];
    struct pa_hash start;
    /* One in fifty is at half speed: somebody has to stand out. */
    uint32_t steps = d % 50 == 49 ? (site->recipe->steps + 1) / 2 : site->recipe->steps;
    pa_epoch_device_start(&start, &site->nonces[site->epoch], &parameters, d, site->shape.m,
                          site->shape.n);
    PA_TRY(pa_chain_begin(chain, &start, site->shape, steps, NULL));
    struct pa_seed a = pa_chain_a_seed(chain);
    for (uint32_t t = 1; t <= steps; t++) {
        struct pa_seed b = pa_chain_b_seed(chain, t);
        uint64_t tile = pa_tile_digest(bench, PA_DENSE16, site->shape.k, &a, &b, 0, 0);
        PA_TRY(pa_chain_append(chain, &tile, NULL));
    }
    return pa_chain_tail(chain, &site->tails[d], NULL);
}

static void prove_some(void *context, int member, int size) {
    struct site *site = context;
    (void)size;
    for (;;) {
        uint32_t first = atomic_fetch_add(&site->next, CHUNK);
        for (uint32_t d = first; d < first + CHUNK; d++) {
            if (d >= site->recipe->devices)
                return;
            if (prove_device(site, site->benches[member], d) != PA_OK)
                atomic_store(&site->has_failed, true);
        }
    }
}

/* Bytes of the three requests of an epoch and their answers, as witness_wire.h lays them out. */
static uint64_t exchange_bytes(const struct site *site, const struct pa_signature *signature) {
    struct pa_buffer request = {0}, answer = {0};
    struct pa_hash ticket = {{0}};
    pa_witness_put_request(&request, PA_WITNESS_CHALLENGE, 1, &ticket);
    pa_witness_put_answer(&answer, PA_OK, NULL);
    uint64_t headers = 3 * (request.size + answer.size);
    pa_buffer_clear(&request);
    pa_witness_put_signature(&request, signature);
    uint64_t signed_bytes = request.size;
    pa_buffer_free(&request);
    pa_buffer_free(&answer);
    return headers + 8 + PA_HASH_BYTES        /* challenge > nonce */
           + 8 + PA_HASH_BYTES + signed_bytes /* commit */
           + PA_RECORD_HEADER_BYTES + 8 + 4   /* reveal > key */
           + (uint64_t)PA_LIST_ENTRY_BYTES * site->recipe->devices + PA_HASH_BYTES;
}

static int run_epoch(struct site *site, uint64_t *exchange_ns, struct pa_error *error) {
    const struct pa_witness_kind *kind = site->witness->kind;
    uint32_t e = site->epoch, devices = site->recipe->devices;
    struct pa_hash message;
    struct pa_signature signature = {0};
    size_t length;
    site->chains[e] = calloc(devices, sizeof *site->chains[e]);
    site->tails = site->closed[e] = calloc(devices, sizeof *site->tails);
    if (site->chains[e] == NULL || site->tails == NULL)
        return pa_fail(error, PA_EMEMORY, "proving: out of memory");
    uint64_t witness_begun = site->clock(site->context), begun = pa_clock_raw_ns();
    PA_TRY(kind->challenge(site->witness, e, &site->nonces[e], error));
    uint64_t challenged = pa_clock_raw_ns();
    atomic_store(&site->next, 0);
    pa_team_run(site->team, prove_some, site);
    if (atomic_load(&site->has_failed))
        return pa_fail(error, PA_EMEMORY, "proving: out of memory");
    uint64_t proven = pa_clock_raw_ns();
    pa_epoch_root(&site->roots[e], &site->nonces[e], site->tails, devices);
    pa_epoch_commit_hash(&message, &site->session, e, &site->roots[e]);
    PA_TRY(pa_key_sign(site->prover, &message, signature.bytes, &length, error));
    signature.length = (uint16_t)length;
    PA_TRY(kind->commit(site->witness, e, &site->roots[e], &signature, error));
    PA_TRY(kind->reveal(site->witness, e, site->tails, devices, &site->keys[e], error));
    *exchange_ns = challenged - begun + pa_clock_raw_ns() - proven;
    site->figures->witness_exchange_ns +=
        (site->clock(site->context) - witness_begun) / site->recipe->epochs;
    site->figures->prove_ns += proven - challenged;
    site->figures->exchange_messages = 3;
    site->figures->exchange_bytes = exchange_bytes(site, &signature);
    return PA_OK;
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int run_epochs(struct site *site, struct pa_error *error) {
    uint64_t exchange_ns[MOST_EPOCHS];
    struct scale_figures *figures = site->figures;
    for (site->epoch = 0; site->epoch < site->recipe->epochs; site->epoch++) {
        PA_TRY(run_epoch(site, &exchange_ns[site->epoch], error));
        uint64_t begun = pa_clock_raw_ns(), witness_begun = site->clock(site->context);
        PA_TRY(note_vitals(site, site->epoch, error));
        figures->notes_ns += pa_clock_raw_ns() - begun;
        figures->witness_notes_ns += site->clock(site->context) - witness_begun;
    }
    qsort(exchange_ns, site->recipe->epochs, sizeof exchange_ns[0], by_value);
    figures->exchange_ns = exchange_ns[site->recipe->epochs / 2];
    figures->exchange_most_ns = exchange_ns[site->recipe->epochs - 1];
    return PA_OK;
}

static int open_epoch(struct site *site, uint32_t e, struct pa_error *error) {
    uint32_t count = site->recipe->openings, failed;
    struct pa_sample *samples = calloc(count, sizeof *samples);
    struct pa_shape *shapes = calloc(site->recipe->devices, sizeof *shapes);
    int code = samples == NULL || shapes == NULL
                   ? pa_fail(error, PA_EMEMORY, "opening: out of memory")
                   : PA_OK;
    for (uint32_t d = 0; code == PA_OK && d < site->recipe->devices; d++)
        shapes[d] = site->shape;
    if (code == PA_OK)
        code = pa_epoch_samples(samples, count, &site->keys[e], &site->roots[e], shapes,
                                site->closed[e], site->recipe->devices, error);
    for (uint32_t j = 0; code == PA_OK && j < count; j++) {
        struct pa_opening opening;
        struct pa_buffer bytes = {0};
        code = pa_chain_open(&site->chains[e][samples[j].device], samples[j].step, samples[j].row,
                             &opening, error);
        if (code != PA_OK)
            break;
        pa_opening_write(&opening, &bytes);
        pa_opening_free(&opening);
        site->figures->openings++;
        site->figures->opening_bytes += bytes.size;
        code = site->witness->kind->open(site->witness, e, j, bytes.data, bytes.size, error);
        pa_buffer_free(&bytes);
    }
    free(shapes);
    free(samples);
    if (code == PA_OK)
        code = site->witness->kind->settle(site->witness, e, &failed, error);
    if (code == PA_OK && failed > 0)
        code = pa_fail(error, PA_EINTERNAL, "%u openings of an honest site failed", failed);
    return code;
}

/* What a message costs whoever answers it: TLS, HTTP and our own headers, and no work. */
static int ask_for_nothing(struct site *site, struct pa_error *error) {
    uint64_t gap_ns, begun = site->clock(site->context);
    for (uint32_t i = 0; i < site->recipe->requests; i++)
        PA_TRY(site->witness->kind->gap(site->witness, &gap_ns, error));
    if (site->recipe->requests > 0)
        site->figures->witness_request_ns =
            (site->clock(site->context) - begun) / site->recipe->requests;
    return PA_OK;
}

static int run(struct site *site, struct pa_error *error) {
    struct scale_figures *figures = site->figures;
    PA_TRY(declare(site, error));
    PA_TRY(ask_for_nothing(site, error));
    uint64_t begun = pa_clock_raw_ns(), witness_begun = site->clock(site->context);
    PA_TRY(note_session(site, error));
    figures->notes_ns += pa_clock_raw_ns() - begun;
    figures->witness_notes_ns += site->clock(site->context) - witness_begun;
    PA_TRY(run_epochs(site, error));
    begun = pa_clock_raw_ns(), witness_begun = site->clock(site->context);
    PA_TRY(note_raw(site, error));
    figures->notes_ns += pa_clock_raw_ns() - begun;
    figures->witness_notes_ns += site->clock(site->context) - witness_begun;
    begun = pa_clock_raw_ns(), witness_begun = site->clock(site->context);
    for (uint32_t e = 0; e < site->recipe->epochs; e++)
        PA_TRY(open_epoch(site, e, error));
    figures->openings_ns = pa_clock_raw_ns() - begun;
    figures->witness_openings_ns = site->clock(site->context) - witness_begun;
    return site->witness->kind->finish(site->witness, error);
}

int scale_site_run(const struct scale_recipe *recipe, struct pa_witness *witness,
                   const struct pa_key *prover, scale_clock clock, void *context,
                   struct scale_figures *out, struct pa_error *error) {
    int processors[MOST_THREADS], size = pa_processors_allowed(processors, MOST_THREADS);
    struct site *site = calloc(1, sizeof *site);
    if (site == NULL || recipe->epochs > MOST_EPOCHS) {
        free(site);
        return pa_fail(error, PA_EUSAGE, "at most %d epochs", MOST_EPOCHS);
    }
    *out = (struct scale_figures){0};
    site->recipe = recipe;
    site->witness = witness;
    site->prover = prover;
    site->figures = out;
    site->clock = clock;
    site->context = context;
    site->shape = (struct pa_shape){PA_TILE, PA_TILE, 128};
    size = size < 1 ? 1 : size > MOST_THREADS ? MOST_THREADS : size;
    int code = pa_team_create(size, NULL, &site->team, error);
    for (int i = 0; code == PA_OK && i < size; i++)
        code = pa_tile_bench_create(site->shape.k, &site->benches[i], error);
    if (code == PA_OK)
        code = run(site, error);
    for (uint32_t e = 0; e < recipe->epochs; e++) {
        for (uint32_t d = 0; site->chains[e] != NULL && d < recipe->devices; d++)
            pa_chain_free(&site->chains[e][d]);
        free(site->chains[e]);
        free(site->closed[e]);
    }
    for (int i = 0; i < size; i++)
        pa_tile_bench_destroy(site->benches[i]);
    pa_team_destroy(site->team);
    free(site);
    return code;
}
