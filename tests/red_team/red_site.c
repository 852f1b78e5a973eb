/* SPDX-License-Identifier: Apache-2.0 */
#include "red_site.h"

#include "base/base.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char claim_text[] =
    "center: A hall of mirrors\nsite: {name: Hall 1, region: Here}\n"
    "capacity: {value: 1, unit: KFLOPS, precision: fp16}\npolicy: red-team\n";

/* Any window will do: what is judged here is whether work was done, not for how long. */
static const char policy_format[] =
    "policy: red-team\ntitle: Any window\nsource: tests\n"
    "entitlement: {mw: 400, per_pflops: 500, rounding: proportional}\nbasis: sustained\n"
    "acceptance: {rule: guarded, k: 2}\n"
    "session: {window_s: 0.05, epoch_s: 0.05, alpha: %.6f, openings: %u, interruptions: 1, "
    "longest_gap_s: 900}\ninflation: report\nassurance: witnessed\n";

struct red_terms red_terms_small(void) {
    return (struct red_terms){.class_id = PA_DENSE16,
                              .m = 256,
                              .n = 256,
                              .k = 128,
                              .devices = 1,
                              .epochs = 1,
                              .openings = 60,
                              .interruptions = 1,
                              .epoch_ns = 1000000,
                              .longest_gap_ns = UINT64_C(900000000000),
                              .alpha = 0.01,
                              .claim = claim_text,
                              .model = "A processor",
                              .backend = "cpu",
                              .format = "fp32"};
}

struct red_terms red_terms_certified(void) {
    struct red_terms terms = red_terms_small();
    terms.m = 2048;
    terms.n = 1024;
    terms.k = 8192;
    terms.epochs = 2;
    terms.openings = 20;
    return terms;
}

struct pa_shape red_site_shape(const struct red_site *site) {
    return (struct pa_shape){site->terms.m, site->terms.n, site->terms.k};
}

static int send_as(struct red_site *site, enum pa_witness_operation operation, uint64_t sequence,
                   const void *body, size_t size, struct pa_witness_answer *read) {
    struct pa_buffer request = {0};
    struct pa_error error = {0};
    pa_witness_put_request(&request, operation, sequence, &site->ticket);
    pa_buffer_bytes(&request, body, size);
    pa_buffer_clear(&site->answer);
    unsigned status =
        pa_witness_desk_answer(site->lab->desk, request.data, request.size, &site->answer);
    pa_buffer_free(&request);
    if (status != 200) {
        snprintf(site->said, sizeof site->said, "HTTP status %u", status);
        *read = (struct pa_witness_answer){.code = PA_EWITNESS};
        return PA_EWITNESS;
    }
    RED_MUST(pa_witness_get_answer(site->answer.data, site->answer.size, read, &error) == PA_OK);
    snprintf(site->said, sizeof site->said, "%s", read->text);
    return read->code;
}

static int ask(struct red_site *site, enum pa_witness_operation operation, const void *body,
               size_t size, struct pa_witness_answer *read) {
    return send_as(site, operation, ++site->sequence, body, size, read);
}

int red_site_send(struct red_site *site, enum pa_witness_operation operation, const void *body,
                  size_t size) {
    struct pa_witness_answer read;
    return ask(site, operation, body, size, &read);
}

static void introduce(struct red_site *site, const struct pa_hash *claim) {
    static const char name[] = "Hall 1";
    struct pa_witness_answer read;
    struct pa_buffer body = {0};
    pa_buffer_bytes(&body, claim->bytes, PA_HASH_BYTES);
    pa_buffer_text(&body, name);
    RED_MUST(send_as(site, PA_WITNESS_INTRODUCE, 0, body.data, body.size, &read) == PA_OK);
    pa_buffer_free(&body);
    struct pa_reader in = pa_reader_over(read.body, read.size);
    pa_read_view(&in, PA_PUBLIC_KEY_BYTES);
    site->serial = pa_read_u32(&in);
    pa_read_bytes(&in, site->ticket.bytes, PA_HASH_BYTES);
    RED_MUST(pa_reader_done(&in));
    site->sequence = 0;
}

static struct pa_signature sign(const struct red_site *site, const struct pa_hash *hash) {
    struct pa_signature out = {0};
    struct pa_error error = {0};
    size_t length = 0;
    RED_MUST(pa_key_sign(site->key, hash, out.bytes, &length, &error) == PA_OK);
    out.length = (uint16_t)length;
    return out;
}

static int declare(struct red_site *site, const struct pa_hash *claim,
                   const struct pa_hash *policy) {
    const struct red_terms *terms = &site->terms;
    struct pa_declared_device devices[RED_MOST_DEVICES] = {0};
    struct pa_declaration declaration = {.class_id = terms->class_id,
                                         .k = terms->k,
                                         .device_count = terms->devices,
                                         .devices = devices,
                                         .epochs = terms->epochs,
                                         .epoch_ns = terms->epoch_ns,
                                         .openings = terms->openings,
                                         .interruptions = terms->interruptions,
                                         .longest_gap_ns = terms->longest_gap_ns,
                                         .serial = site->serial,
                                         .alpha_ppm = (uint64_t)(terms->alpha * 1e6 + 0.5),
                                         .claim = *claim,
                                         .policy = *policy,
                                         .site = "Hall 1"};
    for (uint32_t d = 0; d < terms->devices; d++) {
        devices[d] = (struct pa_declared_device){.m = terms->m, .n = terms->n};
        snprintf(devices[d].name, sizeof devices[d].name, "device %u", d);
    }
    struct pa_buffer bytes = {0}, body = {0};
    pa_key_public(site->lab->key, declaration.witness_key);
    pa_key_public(site->key, declaration.prover_key);
    pa_declaration_write(&declaration, &bytes);
    pa_declaration_session(&site->session, bytes.data, bytes.size);
    struct pa_signature signature = sign(site, &site->session);
    pa_witness_put_signature(&body, &signature);
    pa_buffer_bytes(&body, bytes.data, bytes.size);
    int code = red_site_send(site, PA_WITNESS_DECLARE, body.data, body.size);
    pa_buffer_free(&bytes);
    pa_buffer_free(&body);
    return code;
}

static void tell(struct red_site *site, json_t *note) {
    char *text = json_dumps(note, JSON_COMPACT);
    RED_MUST(text != NULL && red_site_note(site, text) == PA_OK);
    free(text);
    json_decref(note);
}

static void tell_terms(struct red_site *site, const char *policy) {
    const struct red_terms *terms = &site->terms;
    tell(site,
         json_pack("{s:s, s:s, s:s}", "kind", "claim", "name", "claim.yaml", "text", terms->claim));
    tell(site, json_pack("{s:s, s:s, s:s}", "kind", "policy", "name", "red-team", "text", policy));
    tell(site, json_pack("{s:s, s:s}", "kind", "assurance", "level", "witnessed"));
    for (uint32_t d = 0; d < terms->devices; d++) {
        char id[32];
        bool is_other = d == 1 && terms->second_model != NULL;
        snprintf(id, sizeof id, "cpu:0/%u", d);
        if (d == 1 && terms->second_id != NULL)
            snprintf(id, sizeof id, "%s", terms->second_id);
        tell(site,
             json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:I}", "kind", "device", "device",
                       (int)d, "id", id, "name", is_other ? terms->second_model : terms->model,
                       "backend", terms->backend, "format", terms->format, "host", "node1",
                       "memory_bytes", (json_int_t)1 << 34));
    }
}

int red_site_begin_as(struct red_site *site, struct red_lab *lab, const struct red_terms *terms,
                      struct pa_key *key) {
    struct pa_error error = {0};
    struct pa_hash claim, policy;
    char text[1024];
    if (lab->sessions >= 200)
        red_lab_renew(lab);
    lab->sessions++;
    *site = (struct red_site){.lab = lab, .terms = *terms, .key = key};
    RED_MUST(terms->devices <= RED_MOST_DEVICES && terms->epochs <= RED_MOST_EPOCHS);
    if (key == NULL)
        RED_MUST(pa_key_generate(&site->key, &error) == PA_OK);
    int length = snprintf(text, sizeof text, policy_format, terms->alpha, terms->openings);
    pa_sha256(&claim, terms->claim, strlen(terms->claim));
    pa_sha256(&policy, text, (size_t)length);
    introduce(site, &claim);
    int code = declare(site, &claim, &policy);
    if (code == PA_OK)
        tell_terms(site, text);
    return code;
}

int red_site_begin(struct red_site *site, struct red_lab *lab, const struct red_terms *terms) {
    return red_site_begin_as(site, lab, terms, NULL);
}

void red_site_forget(struct red_site *site, uint32_t epoch) {
    for (uint32_t d = 0; d < RED_MOST_DEVICES; d++) {
        pa_chain_free(&site->chains[epoch][d]);
        site->chains[epoch][d] = (struct pa_chain){0};
    }
}

void red_site_end(struct red_site *site) {
    for (uint32_t e = 0; e < RED_MOST_EPOCHS; e++)
        red_site_forget(site, e);
    pa_buffer_free(&site->answer);
    pa_key_free(site->key);
    *site = (struct red_site){0};
}

int red_site_note(struct red_site *site, const char *json) {
    struct pa_buffer body = {0};
    pa_buffer_u64(&body, PA_NO_EPOCH);
    pa_buffer_text(&body, json);
    int code = red_site_send(site, PA_WITNESS_NOTE, body.data, body.size);
    pa_buffer_free(&body);
    return code;
}

static int send_epoch(struct red_site *site, enum pa_witness_operation operation, uint32_t epoch,
                      struct pa_witness_answer *read) {
    uint8_t bytes[8];
    pa_put_le64(bytes, epoch);
    return ask(site, operation, bytes, sizeof bytes, read);
}

int red_site_challenge(struct red_site *site, uint32_t epoch) {
    struct pa_witness_answer read;
    int code = send_epoch(site, PA_WITNESS_CHALLENGE, epoch, &read);
    if (code == PA_OK && epoch < RED_MOST_EPOCHS)
        memcpy(site->nonce[epoch].bytes, read.body, PA_HASH_BYTES);
    return code;
}

int red_site_commit_root(struct red_site *site, uint32_t epoch, const struct pa_hash *root) {
    struct pa_hash message;
    struct pa_buffer body = {0};
    pa_epoch_commit_hash(&message, &site->session, epoch, root);
    struct pa_signature signature = sign(site, &message);
    pa_buffer_u64(&body, epoch);
    pa_buffer_bytes(&body, root->bytes, PA_HASH_BYTES);
    pa_witness_put_signature(&body, &signature);
    int code = red_site_send(site, PA_WITNESS_COMMIT, body.data, body.size);
    pa_buffer_free(&body);
    return code;
}

int red_site_commit(struct red_site *site, uint32_t epoch, const struct pa_tail *tails) {
    pa_epoch_root(&site->root[epoch], &site->nonce[epoch], tails, site->terms.devices);
    return red_site_commit_root(site, epoch, &site->root[epoch]);
}

int red_site_reveal(struct red_site *site, uint32_t epoch, const struct pa_tail *tails) {
    struct pa_list_entry entries[RED_MOST_DEVICES];
    struct pa_witness_answer read;
    struct pa_buffer body = {0};
    for (uint32_t d = 0; d < site->terms.devices; d++) {
        entries[d].steps = tails[d].steps;
        memcpy(entries[d].last, tails[d].last.bytes, PA_HASH_BYTES);
        memcpy(entries[d].tree, tails[d].tree.bytes, PA_HASH_BYTES);
    }
    pa_record_put_list(&body, epoch, entries, site->terms.devices);
    int code = ask(site, PA_WITNESS_REVEAL, body.data, body.size, &read);
    pa_buffer_free(&body);
    if (code == PA_OK)
        memcpy(site->secret[epoch].bytes, read.body, PA_HASH_BYTES);
    return code;
}

int red_site_open(struct red_site *site, uint32_t epoch, uint32_t j,
                  const struct pa_opening *opening) {
    struct pa_buffer bytes = {0}, body = {0};
    pa_opening_write(opening, &bytes);
    const struct pa_opening_record record = {
        .j = j, .opening = bytes.data, .opening_bytes = (uint32_t)bytes.size};
    pa_record_put_opening(&body, epoch, &record);
    int code = red_site_send(site, PA_WITNESS_OPEN, body.data, body.size);
    pa_buffer_free(&bytes);
    pa_buffer_free(&body);
    return code;
}

int red_site_settle(struct red_site *site, uint32_t epoch, uint32_t *failed) {
    struct pa_witness_answer read;
    int code = send_epoch(site, PA_WITNESS_SETTLE, epoch, &read);
    if (code == PA_OK) {
        struct pa_reader in = pa_reader_over(read.body, read.size);
        *failed = pa_read_u32(&in);
    }
    return code;
}

int red_site_fabric(struct red_site *site, enum pa_fabric_stage stage, const void *bytes,
                    size_t size, struct pa_hash *out) {
    struct pa_witness_answer read;
    struct pa_buffer body = {0};
    pa_buffer_u32(&body, (uint32_t)stage);
    pa_buffer_bytes(&body, bytes, size);
    int code = ask(site, PA_WITNESS_FABRIC, body.data, body.size, &read);
    pa_buffer_free(&body);
    if (code == PA_OK)
        memcpy(out->bytes, read.body, PA_HASH_BYTES);
    return code;
}

int red_site_finish(struct red_site *site) {
    return red_site_send(site, PA_WITNESS_FINISH, NULL, 0);
}

int red_site_abort(struct red_site *site, uint32_t epoch) {
    struct pa_buffer body = {0};
    pa_buffer_u64(&body, epoch);
    pa_buffer_text(&body, "a bad one");
    int code = red_site_send(site, PA_WITNESS_ABORT, body.data, body.size);
    pa_buffer_free(&body);
    return code;
}

int red_site_interrupt(struct red_site *site) {
    return red_site_send(site, PA_WITNESS_INTERRUPT, "a pause", 7);
}

void red_site_start(const struct red_site *site, uint32_t epoch, uint32_t device,
                    struct pa_hash *out) {
    const struct pa_epoch_parameters parameters = {.class_id = site->terms.class_id,
                                                   .k = site->terms.k,
                                                   .devices = site->terms.devices,
                                                   .session = site->session,
                                                   .epoch = epoch};
    pa_epoch_device_start(out, &site->nonce[epoch], &parameters, device, site->terms.m,
                          site->terms.n);
}

void red_site_samples(const struct red_site *site, uint32_t epoch, struct pa_sample *out) {
    struct pa_shape shapes[RED_MOST_DEVICES];
    struct pa_error error = {0};
    for (uint32_t d = 0; d < site->terms.devices; d++)
        shapes[d] = red_site_shape(site);
    RED_MUST(pa_epoch_samples(out, site->terms.openings, &site->secret[epoch], &site->root[epoch],
                              shapes, site->tails[epoch], site->terms.devices, &error) == PA_OK);
}
