/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence_factory.h"

#include "evidence/evidence.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct made_epoch {
    struct pa_hash key, nonce, root;
    struct pa_chain *chains;
    struct pa_tail *tails;
    struct pa_sample *samples;
    uint32_t drawn;
};

struct factory {
    struct evidence_recipe *recipe;
    struct pa_store *store;
    struct pa_key *witness, *prover;
    struct pa_shape *shapes;
    bool rests[64]; /* not chosen */
    struct made_epoch *epochs;
    struct pa_tile_bench *bench;
    uint64_t now_ns;        /* since the start */
    uint64_t clock_step_ns; /* of UTC */
    struct pa_buffer out;
};

#define MUST(call)                                                                                 \
    do {                                                                                           \
        if ((call) != PA_OK) {                                                                     \
            fprintf(stderr, "%s:%d: " #call " failed\n", __FILE__, __LINE__);                      \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct evidence_recipe evidence_recipe_honest(void) {
    return (struct evidence_recipe){.devices = 2,
                                    .epochs = 3,
                                    .openings = 60,
                                    .steps = 5,
                                    .m = 256,
                                    .n = 256,
                                    .k = 256,
                                    .class_id = PA_DENSE16,
                                    .epoch_ns = UINT64_C(20000000000),
                                    .serial = 1,
                                    .claim_text = "center: sample\n",
                                    .policy_text = "policy: sample\n",
                                    .flaw_epoch = 1};
}

static struct pa_instant instant(const struct factory *factory) {
    return (struct pa_instant){.raw_ns = EVIDENCE_RAW_START + factory->now_ns,
                               .utc_ns =
                                   EVIDENCE_UTC_START + factory->now_ns + factory->clock_step_ns};
}

static bool flawed(const struct factory *factory, enum evidence_flaw flaw, uint32_t epoch) {
    return factory->recipe->flaw == flaw && factory->recipe->flaw_epoch == epoch;
}

static void keep(struct factory *factory) {
    if (factory->out.failed)
        abort();
    MUST(pa_store_append(factory->store, factory->out.data, factory->out.size, NULL));
    pa_buffer_clear(&factory->out);
}

static struct pa_signature sign(const struct pa_key *key, const struct pa_hash *hash,
                                bool is_wrong) {
    struct pa_signature signature = {0};
    struct pa_hash signed_hash = *hash;
    size_t length;
    signed_hash.bytes[5] ^= is_wrong;
    MUST(pa_key_sign(key, &signed_hash, signature.bytes, &length, NULL));
    signature.length = (uint16_t)length;
    return signature;
}

static void put_note(struct factory *factory, uint64_t epoch, json_t *json) {
    char *text = json_dumps(json, JSON_COMPACT);
    if (text == NULL)
        abort();
    const struct pa_note_record note = {
        .at = instant(factory), .json = text, .json_bytes = (uint32_t)strlen(text)};
    pa_record_put_note(&factory->out, epoch, &note);
    keep(factory);
    free(text);
    json_decref(json);
}

static void put_session(struct factory *factory) {
    struct evidence_recipe *recipe = factory->recipe;
    struct pa_declaration declaration = {.class_id = recipe->class_id,
                                         .k = recipe->k,
                                         .device_count = recipe->devices,
                                         .epochs = recipe->epochs,
                                         .epoch_ns = recipe->epoch_ns,
                                         .openings = recipe->openings,
                                         .interruptions = 1,
                                         .longest_gap_ns = UINT64_C(900000000000),
                                         .serial = recipe->serial,
                                         .alpha_ppm = 10000,
                                         .site = "Hall 1"};
    declaration.devices = calloc(recipe->devices, sizeof *declaration.devices);
    factory->shapes = calloc(recipe->devices, sizeof *factory->shapes);
    if (declaration.devices == NULL || factory->shapes == NULL)
        abort();
    for (uint32_t d = 0; d < recipe->devices; d++) {
        declaration.devices[d].m = recipe->m;
        declaration.devices[d].n = recipe->n;
        snprintf(declaration.devices[d].name, sizeof declaration.devices[d].name, "device %u", d);
        factory->shapes[d] = (struct pa_shape){recipe->m, recipe->n, recipe->k};
    }
    if (recipe->sample > 0) {
        declaration.sample_count = recipe->sample;
        declaration.sample_rates = calloc(recipe->devices, sizeof *declaration.sample_rates);
        if (declaration.sample_rates == NULL)
            abort();
        for (uint32_t d = 0; d < recipe->devices; d++)
            declaration.sample_rates[d] = recipe->sample_rate;
    }
    pa_sha256(&declaration.claim, recipe->claim_text, strlen(recipe->claim_text));
    pa_sha256(&declaration.policy, recipe->policy_text, strlen(recipe->policy_text));
    pa_key_public(factory->witness, declaration.witness_key);
    pa_key_public(factory->prover, declaration.prover_key);
    struct pa_buffer bytes = {0};
    pa_declaration_write(&declaration, &bytes);
    pa_declaration_session(&recipe->session, bytes.data, bytes.size);
    const struct pa_session_record session = {
        .at = instant(factory),
        .declaration = bytes.data,
        .declaration_bytes = (uint32_t)bytes.size,
        .witness =
            sign(factory->witness, &recipe->session, recipe->flaw == FLAW_WRONG_WITNESS_SIGNATURE),
        .prover =
            sign(factory->prover, &recipe->session, recipe->flaw == FLAW_WRONG_PROVER_SIGNATURE)};
    pa_record_put_session(&factory->out, &session);
    keep(factory);
    pa_buffer_free(&bytes);
    pa_declaration_free(&declaration);
}

/* The choice, as the witness notes it. `rests` says of each device whether it was to. */
static void put_sample(struct factory *factory) {
    struct evidence_recipe *recipe = factory->recipe;
    struct pa_hash key;
    uint32_t chosen[64];
    char hex[2 * PA_HASH_BYTES + 1];
    if (recipe->sample == 0 || recipe->devices > 64)
        return;
    memset(key.bytes, 0x77, sizeof key.bytes);
    MUST(pa_device_sample_draw(chosen, recipe->sample, recipe->devices, &key, &recipe->session,
                               NULL));
    pa_hex(hex, key.bytes, sizeof key.bytes);
    /* What a site would like: the first that was not drawn in place of the first that was. */
    uint32_t other = 0;
    bool is_drawn[64] = {false};
    for (uint32_t i = 0; i < recipe->sample; i++)
        is_drawn[chosen[i]] = true;
    while (other + 1 < recipe->devices && is_drawn[other])
        other++;
    if (recipe->flaw == FLAW_OTHERS_CHOSEN)
        chosen[0] = other;
    json_t *devices = json_array();
    for (uint32_t d = 0; d < recipe->devices; d++)
        factory->rests[d] = true;
    for (uint32_t i = 0; i < recipe->sample; i++) {
        json_array_append_new(devices, json_integer(chosen[i]));
        factory->rests[chosen[i]] = false;
    }
    if (recipe->flaw == FLAW_OTHERS_WORK)
        factory->rests[other] = false;
    json_t *note = json_pack("{s:s, s:s, s:o}", "kind", "sample", "key", hex, "devices", devices);
    if (recipe->flaw == FLAW_CHOSEN_TWICE)
        put_note(factory, PA_NO_EPOCH, json_incref(note));
    if (recipe->flaw == FLAW_NOBODY_CHOSEN)
        json_decref(note);
    else
        put_note(factory, PA_NO_EPOCH, note);
}

/* Nearly all of the memory that an accelerator tells was filled; its answers were not kept. */
static void put_memory_note(struct factory *factory, uint32_t d) {
    static const char digits[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    json_int_t bytes = (json_int_t)factory->recipe->described[d].memory_bytes;
    put_note(factory, PA_NO_EPOCH,
             json_pack("{s:s, s:i, s:I, s:i, s:I, s:i, s:i, s:i, s:i, s:i, s:s, s:s, s:s}", "kind",
                       "memory", "device", (int)d, "wanted_bytes", bytes, "workbench_bytes", 0,
                       "chunks", bytes / 100 * 97 >> 20, "fill_ns", 1, "read_ns", 1, "samples", 256,
                       "wrong", 0, "first_wrong", 0, "key", digits, "challenge", digits,
                       "commitment", digits));
}

static void put_described_device(struct factory *factory, uint32_t d) {
    const struct evidence_device *device = &factory->recipe->described[d];
    json_t *note = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:I}", "kind", "device", "device",
                             (int)d, "id", device->id, "name", device->name, "backend",
                             device->backend, "format", device->format, "host", device->host,
                             "memory_bytes", (json_int_t)device->memory_bytes);
    if (device->partition != NULL)
        json_object_set_new(note, "partition", json_string(device->partition));
    if (device->peak_per_second != NULL) {
        json_object_set_new(note, "peak_per_second", json_string(device->peak_per_second));
        json_object_set_new(note, "peak_basis", json_string("units x clock x operations a clock"));
    }
    put_note(factory, PA_NO_EPOCH, note);
    if (device->raw_per_second != NULL)
        put_note(factory, PA_NO_EPOCH,
                 json_pack("{s:s, s:i, s:s}", "kind", "raw", "device", (int)d, "per_second",
                           device->raw_per_second));
    if (strcmp(device->backend, "cpu") != 0 && device->memory_bytes >> 20 > 1)
        put_memory_note(factory, d);
}

/* A scenario's own notes, as they stand in its file. */
static void put_more_notes(struct factory *factory, const json_t *notes) {
    for (size_t i = 0; i < json_array_size(notes); i++) {
        json_t *note = json_deep_copy(json_array_get(notes, i));
        const json_t *epoch = json_object_get(note, "at_epoch");
        uint64_t at = epoch == NULL ? PA_NO_EPOCH : (uint64_t)json_integer_value(epoch);
        json_object_del(note, "at_epoch");
        put_note(factory, at, note);
    }
}

static void put_device_note(struct factory *factory, uint32_t d) {
    const struct evidence_recipe *recipe = factory->recipe;
    char id[32];
    snprintf(id, sizeof id, "cpu:%u", recipe->flaw == FLAW_DUPLICATE_DEVICE ? 0 : d);
    json_t *note = json_pack(
        "{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s}", "kind", "device", "device", (int)d,
        "id", id, "name", "Sample processor", "backend", "cpu", "format", "fp32", "host", "node1",
        "memory_bytes", (json_int_t)1 << 34, "peak_per_second", "40000000", "peak_basis", "sample");
    if (recipe->flaw == FLAW_NOTE_MALFORMED)
        json_object_del(note, "id");
    put_note(factory, PA_NO_EPOCH, note);
    put_note(
        factory, PA_NO_EPOCH,
        json_pack("{s:s, s:i, s:s}", "kind", "raw", "device", (int)d, "per_second", "20000000.5"));
}

static void put_opening_notes(struct factory *factory) {
    const struct evidence_recipe *recipe = factory->recipe;
    put_note(factory, PA_NO_EPOCH,
             json_pack("{s:s, s:s, s:s}", "kind", "claim", "name", "claim.yaml", "text",
                       recipe->flaw == FLAW_WRONG_CLAIM ? "center: other\n" : recipe->claim_text));
    put_note(factory, PA_NO_EPOCH,
             json_pack("{s:s, s:s, s:s}", "kind", "policy", "name", "sample", "text",
                       recipe->policy_text));
    put_note(factory, PA_NO_EPOCH,
             json_pack("{s:s, s:s, s:s, s:s, s:[]}", "kind", "tool", "version", "0.1.0", "commit",
                       "0000000", "binary_sha256",
                       "0000000000000000000000000000000000000000000000000000000000000000",
                       "libraries"));
    put_note(factory, PA_NO_EPOCH,
             json_pack("{s:s, s:s}", "kind", "assurance", "level",
                       recipe->is_witnessed ? "witnessed" : "self"));
    put_note(factory, PA_NO_EPOCH,
             json_pack("{s:s, s:i, s:s, s:s, s:b, s:i}", "kind", "allreduce", "bytes", 8,
                       "algbw_gbs", "0.125", "busbw_gbs", "0.125", "verified", 1, "ranks", 2));
    if (recipe->flaw == FLAW_TEST_BUILD)
        put_note(factory, PA_NO_EPOCH,
                 json_pack("{s:s, s:s}", "kind", "test_build", "reason", "one tile in ten"));
    if (recipe->flaw == FLAW_NOTE_NOT_JSON) {
        const struct pa_note_record note = {
            .at = instant(factory), .json = "{\"kind\" 1}", .json_bytes = 10};
        pa_record_put_note(&factory->out, PA_NO_EPOCH, &note);
        keep(factory);
    }
    for (uint32_t d = 0; d < recipe->devices; d++) {
        if (recipe->described != NULL)
            put_described_device(factory, d);
        else
            put_device_note(factory, d);
    }
    put_more_notes(factory, recipe->notes);
}

/* One device's chain: every tile by the witness's own arithmetic. */
static void make_chain(struct factory *factory, uint32_t e, uint32_t d, uint32_t steps) {
    const struct evidence_recipe *recipe = factory->recipe;
    struct made_epoch *epoch = &factory->epochs[e];
    const struct pa_epoch_parameters parameters = {.class_id = recipe->class_id,
                                                   .k = recipe->k,
                                                   .devices = recipe->devices,
                                                   .session = recipe->session,
                                                   .epoch = e};
    struct pa_hash start;
    pa_epoch_device_start(&start, &epoch->nonce, &parameters, d, recipe->m, recipe->n);
    MUST(pa_chain_begin(&epoch->chains[d], &start, factory->shapes[d], steps, NULL));
    uint32_t rows = recipe->m / PA_TILE, columns = recipe->n / PA_TILE;
    uint64_t *tiles = calloc((size_t)rows * columns, sizeof *tiles);
    if (tiles == NULL)
        abort();
    bool is_false =
        d == 0 && (flawed(factory, FLAW_WRONG_TILES, e) || flawed(factory, FLAW_LYING_RESULT, e));
    struct pa_seed a = pa_chain_a_seed(&epoch->chains[d]);
    for (uint32_t t = 1; t <= steps; t++) {
        struct pa_seed b = pa_chain_b_seed(&epoch->chains[d], t);
        for (uint32_t i = 0; i < rows * columns; i++)
            tiles[i] = recipe->is_invented
                           ? (uint64_t)t << 32 | i
                           : pa_tile_digest(factory->bench, recipe->class_id, recipe->k, &a, &b,
                                            i / columns, i % columns) ^
                                 (uint64_t)is_false;
        MUST(pa_chain_append(&epoch->chains[d], tiles, NULL));
    }
    MUST(pa_chain_tail(&epoch->chains[d], &epoch->tails[d], NULL));
    free(tiles);
}

static uint32_t steps_of(const struct factory *factory, uint32_t e, uint32_t d) {
    const struct evidence_recipe *recipe = factory->recipe;
    if (recipe->flaw == FLAW_IDLE || factory->rests[d % 64])
        return 0;
    if (recipe->flaw == FLAW_LOST_DEVICE && d == 1 && e >= recipe->flaw_epoch)
        return 0;
    if (recipe->described != NULL) {
        const struct evidence_device *device = &recipe->described[d];
        return device->steps > e * device->fewer ? device->steps - e * device->fewer : 0;
    }
    return recipe->steps;
}

static void put_nonce(struct factory *factory, uint32_t e) {
    struct made_epoch *epoch = &factory->epochs[e];
    memset(epoch->key.bytes, (int)(0x40 + e), sizeof epoch->key.bytes);
    pa_epoch_nonce(&epoch->nonce, &epoch->key);
    struct pa_nonce_record nonce = {.at = instant(factory)};
    memcpy(nonce.nonce, epoch->nonce.bytes, sizeof nonce.nonce);
    pa_record_put_nonce(&factory->out, e + flawed(factory, FLAW_EPOCH_SKIPPED, e), &nonce);
    keep(factory);
}

static void put_root(struct factory *factory, uint32_t e) {
    struct made_epoch *epoch = &factory->epochs[e];
    struct pa_hash commitment;
    pa_epoch_root(&epoch->root, &epoch->nonce, epoch->tails, factory->recipe->devices);
    pa_epoch_commit_hash(&commitment, &factory->recipe->session, e, &epoch->root);
    struct pa_root_record root = {.at = instant(factory),
                                  .prover = sign(factory->prover, &commitment,
                                                 flawed(factory, FLAW_WRONG_ROOT_SIGNATURE, e))};
    if (flawed(factory, FLAW_T1_BEFORE_T0, e))
        root.at.raw_ns -= factory->recipe->epoch_ns;
    memcpy(root.root, epoch->root.bytes, sizeof root.root);
    pa_record_put_root(&factory->out, e, &root);
    keep(factory);
}

static void put_list(struct factory *factory, uint32_t e) {
    const struct made_epoch *epoch = &factory->epochs[e];
    uint32_t count = factory->recipe->devices;
    struct pa_list_entry *entries = calloc(count + 1, sizeof *entries);
    if (entries == NULL)
        abort();
    for (uint32_t d = 0; d < count; d++) {
        entries[d].steps = epoch->tails[d].steps + flawed(factory, FLAW_LIST_NOT_ROOT, e);
        memcpy(entries[d].last, epoch->tails[d].last.bytes, 32);
        memcpy(entries[d].tree, epoch->tails[d].tree.bytes, 32);
    }
    pa_record_put_list(&factory->out, e, entries, count + flawed(factory, FLAW_LATE_LIST_ENTRY, e));
    keep(factory);
    free(entries);
}

static void put_key(struct factory *factory, uint32_t e) {
    struct pa_key_record key;
    memcpy(key.key, factory->epochs[e].key.bytes, sizeof key.key);
    key.key[0] ^= flawed(factory, FLAW_WRONG_KEY, e);
    pa_record_put_key(&factory->out, e, &key);
    keep(factory);
}

static void put_gap(struct factory *factory, uint64_t gap_ns) {
    factory->now_ns += gap_ns;
    put_note(factory, PA_NO_EPOCH,
             json_pack("{s:s, s:I, s:s}", "kind", "interruption", "gap_ns", (json_int_t)gap_ns,
                       "reason", "resumed"));
}

static void put_gaps_before(struct factory *factory, uint32_t e) {
    if (flawed(factory, FLAW_INTERRUPTED, e))
        put_gap(factory, UINT64_C(100000000000));
    if (flawed(factory, FLAW_TOO_LONG_GAP, e))
        put_gap(factory, UINT64_C(901000000000));
    if (flawed(factory, FLAW_LONG_AFTER_GAP, e)) {
        put_gap(factory, 1000);
        factory->now_ns += UINT64_C(901000000000);
    }
    if (factory->recipe->flaw == FLAW_TOO_MANY_GAPS && e > 0)
        put_gap(factory, UINT64_C(10000000000));
    if (flawed(factory, FLAW_CLOCK_STEP, e))
        factory->clock_step_ns = UINT64_C(3000000000);
}

static void make_epoch(struct factory *factory, uint32_t e) {
    struct made_epoch *epoch = &factory->epochs[e];
    uint32_t devices = factory->recipe->devices;
    epoch->chains = calloc(devices, sizeof *epoch->chains);
    epoch->tails = calloc(devices, sizeof *epoch->tails);
    if (epoch->chains == NULL || epoch->tails == NULL)
        abort();
    put_gaps_before(factory, e);
    put_nonce(factory, e);
    for (uint32_t d = 0; d < devices; d++)
        make_chain(factory, e, d, steps_of(factory, e, d));
    factory->now_ns += factory->recipe->epoch_ns;
    if (flawed(factory, FLAW_ABORTED, e)) {
        put_note(factory, e, json_pack("{s:s, s:s}", "kind", "abort", "reason", "stopped"));
        return;
    }
    put_root(factory, e);
    if (flawed(factory, FLAW_KEY_BEFORE_LIST, e))
        put_key(factory, e);
    if (!flawed(factory, FLAW_NO_LIST, e))
        put_list(factory, e);
    if (!flawed(factory, FLAW_NO_LIST, e) && !flawed(factory, FLAW_NO_KEY, e) &&
        !flawed(factory, FLAW_KEY_BEFORE_LIST, e))
        put_key(factory, e);
}

static void put_opening(struct factory *factory, uint32_t e, uint32_t j) {
    const struct made_epoch *epoch = &factory->epochs[e];
    const struct pa_sample *sample = &epoch->samples[j % factory->recipe->openings];
    struct pa_opening opening;
    struct pa_buffer bytes = {0};
    MUST(pa_chain_open(&epoch->chains[sample->device], sample->step, sample->row, &opening, NULL));
    pa_opening_write(&opening, &bytes);
    pa_opening_free(&opening);
    if (flawed(factory, FLAW_FLIPPED_OPENING, e) && j == 7)
        bytes.data[bytes.size / 2] ^= 4;
    const struct pa_opening_record record = {
        .j = j, .opening = bytes.data, .opening_bytes = (uint32_t)bytes.size};
    pa_record_put_opening(&factory->out, e, &record);
    pa_buffer_free(&bytes);
}

static void put_result(struct factory *factory, uint32_t e) {
    const struct evidence_recipe *recipe = factory->recipe;
    struct pa_result_record result = {
        .drawn = recipe->openings, .first_failed = UINT32_MAX, .reason = ""};
    for (uint32_t j = 0; flawed(factory, FLAW_WRONG_TILES, e) && j < recipe->openings; j++) {
        if (factory->epochs[e].samples[j].device != 0)
            continue;
        result.failed++;
        if (result.first_failed == UINT32_MAX)
            result.first_failed = j;
    }
    if (flawed(factory, FLAW_OPENING_MISSING, e) || flawed(factory, FLAW_FLIPPED_OPENING, e)) {
        result.failed = 1;
        result.first_failed = 7;
    }
    if (result.failed > 0) {
        result.reason = "wrong";
        result.reason_bytes = 5;
    }
    result.drawn -= flawed(factory, FLAW_SHY_RESULT, e);
    pa_record_put_result(&factory->out, e, &result);
}

static void open_epoch(struct factory *factory, uint32_t e) {
    const struct evidence_recipe *recipe = factory->recipe;
    struct made_epoch *epoch = &factory->epochs[e];
    if (flawed(factory, FLAW_ABORTED, e) || recipe->flaw == FLAW_IDLE ||
        flawed(factory, FLAW_NO_OPENINGS, e) || flawed(factory, FLAW_NO_LIST, e) ||
        flawed(factory, FLAW_NO_KEY, e))
        return;
    epoch->samples = calloc(recipe->openings, sizeof *epoch->samples);
    if (epoch->samples == NULL)
        abort();
    MUST(pa_epoch_samples(epoch->samples, recipe->openings, &epoch->key, &epoch->root,
                          factory->shapes, epoch->tails, recipe->devices, NULL));
    for (uint32_t j = 0; j < recipe->openings; j++)
        if (!flawed(factory, FLAW_OPENING_MISSING, e) || j != 7)
            put_opening(factory, e, j);
    if (flawed(factory, FLAW_OPENING_TWICE, e))
        put_opening(factory, e, 7);
    if (flawed(factory, FLAW_OPENING_BEYOND, e))
        put_opening(factory, e, recipe->openings);
    put_result(factory, e);
    keep(factory);
}

static void put_end(struct factory *factory) {
    struct pa_hash transcript;
    uint8_t head[PA_RECORD_HASH_BYTES];
    pa_store_head(factory->store, head);
    pa_hash_bytes(&transcript, "transcript", head, sizeof head);
    const struct pa_signature_record end = {
        .at = instant(factory),
        .witness = sign(factory->witness, &transcript,
                        factory->recipe->flaw == FLAW_WRONG_CLOSING_SIGNATURE)};
    pa_record_put_signature(&factory->out, &end);
    keep(factory);
    if (factory->recipe->flaw == FLAW_AFTER_SIGNATURE)
        put_note(factory, PA_NO_EPOCH, json_pack("{s:s}", "kind", "late"));
}

static void factory_free(struct factory *factory, uint32_t epochs) {
    for (uint32_t e = 0; e < epochs; e++) {
        for (uint32_t d = 0; d < factory->recipe->devices; d++)
            pa_chain_free(&factory->epochs[e].chains[d]);
        free(factory->epochs[e].chains);
        free(factory->epochs[e].tails);
        free(factory->epochs[e].samples);
    }
    free(factory->epochs);
    free(factory->shapes);
    pa_buffer_free(&factory->out);
    pa_tile_bench_destroy(factory->bench);
    pa_key_free(factory->witness);
    pa_key_free(factory->prover);
    pa_store_close(factory->store);
}

void evidence_make(const char *path, struct evidence_recipe *recipe) {
    struct factory factory = {.recipe = recipe};
    uint32_t epochs = recipe->epochs + (recipe->flaw == FLAW_EXTRA_EPOCH);
    factory.epochs = calloc(epochs, sizeof *factory.epochs);
    if (factory.epochs == NULL)
        abort();
    MUST(pa_store_create(path, &factory.store, NULL));
    MUST(pa_key_generate(&factory.witness, NULL));
    MUST(pa_key_generate(&factory.prover, NULL));
    MUST(pa_tile_bench_create(recipe->k, &factory.bench, NULL));
    put_session(&factory);
    put_sample(&factory);
    put_opening_notes(&factory);
    for (const char *const *note = recipe->more_notes; note != NULL && *note != NULL; note++)
        put_note(&factory, PA_NO_EPOCH, json_loads(*note, 0, NULL));
    for (uint32_t e = 0; e < epochs; e++)
        make_epoch(&factory, e);
    if (recipe->readings != NULL) {
        pa_buffer_bytes(&factory.out, recipe->readings->data, recipe->readings->size);
        keep(&factory);
    }
    if (recipe->flaw == FLAW_LOST_DEVICE)
        put_note(&factory, PA_NO_EPOCH,
                 json_pack("{s:s, s:i, s:i, s:s, s:s}", "kind", "lost", "device", 1, "rank", 1,
                           "host", "node1", "text", "connection closed"));
    put_more_notes(&factory, recipe->late_notes);
    for (uint32_t e = 0; e < epochs - (recipe->flaw == FLAW_UNFINISHED); e++)
        open_epoch(&factory, e);
    if (recipe->flaw != FLAW_UNFINISHED)
        put_end(&factory);
    factory_free(&factory, epochs);
}
