/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/session_memory.h"

#include "measure/memory_station.h"
#include "measure/session_notes.h"
#include "measure/session_roll_call.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t patience_ns = UINT64_C(300000000000);
/* TEST shapes are for tests of everything but the size. */
static const uint64_t most_test_bytes = UINT64_C(256) << 20;
/* Answers are kept for whoever judges, but not without end: those of some fifty devices of 80 GiB,
 * and none that would not fit a note. Beyond that the note says what the check found. */
static const uint64_t most_kept_chunks = UINT64_C(1) << 22;
static const uint32_t most_noted_chunks = 1000000;

struct filled {
    struct pa_memory_place place; /* chunks: wanted, then had; 0 takes no part */
    uint64_t wanted_bytes, fill_ns, read_ns;
    uint64_t *answers; /* owned; `chunks` of them once it was read back */
    struct pa_error failure;
};

struct filling {
    const struct pa_session_terms *terms;
    const struct pa_session_past *past; /* NULL: nothing is noted yet */
    struct pa_hash key, challenge;
    struct filled *devices; /* by device */
    bool is_reading;
    uint64_t chunks; /* of all devices */
};

static bool is_model(const struct pa_device_identity *identity, const char *model) {
    if (strcmp(identity->name, model) == 0)
        return true;
    const struct pa_catalogue_row *claimed = pa_catalogue_find(model);
    return claimed != NULL && claimed == pa_catalogue_find(identity->name);
}

/* What a device should have: by the claim or by its own word, whichever is more; without what its
 * workbench holds. */
static uint64_t wanted_bytes(const struct pa_session_terms *terms,
                             const struct pa_site_device *device) {
    const struct pa_claim *claim = terms->claim;
    uint64_t bytes = device->facts.identity.memory_bytes;
    for (uint32_t i = 0; i < claim->accelerator_count; i++) {
        const struct pa_claimed_accelerator *claimed = &claim->accelerators[i];
        uint64_t claimed_bytes = (uint64_t)(claimed->memory_gib * 0x1p30);
        if (claimed_bytes > bytes && is_model(&device->facts.identity, claimed->model))
            bytes = claimed_bytes;
    }
    bytes -= device->calibration.memory_bytes < bytes ? device->calibration.memory_bytes : bytes;
    if (terms->plan->k != PA_CERTIFIED_K && bytes > most_test_bytes)
        bytes = most_test_bytes;
    return bytes;
}

static bool is_noted(const struct filling *filling, uint32_t device) {
    return filling->past != NULL && filling->past->devices[device].has_memory;
}

static void choose(struct filling *filling) {
    const struct pa_site *site = filling->terms->site;
    struct pa_hash nonce;
    bool is_missing = false;
    pa_epoch_nonce(&nonce, &filling->key);
    for (uint32_t d = 0; d < site->device_count; d++) {
        const struct pa_site_device *device = &site->devices[d];
        const struct pa_backend *backend = pa_backend_named(device->facts.backend);
        struct filled *filled = &filling->devices[d];
        if (!pa_site_works(device) || backend == NULL || backend->memory_open == NULL)
            continue;
        filled->wanted_bytes = wanted_bytes(filling->terms, device);
        uint64_t chunks = filled->wanted_bytes / PA_MEMORY_PROOF_CHUNK_BYTES;
        filled->place = (struct pa_memory_place){
            .nonce = nonce,
            .device = d,
            .chunks = chunks < PA_MEMORY_MOST_CHUNKS ? (uint32_t)chunks : PA_MEMORY_MOST_CHUNKS};
        filling->chunks += filled->place.chunks;
        is_missing = is_missing || !is_noted(filling, d);
    }
    if (!is_missing)
        filling->chunks = 0;
}

static void build_request(void *context, const struct pa_site *site, int process, uint32_t first,
                          uint32_t count, struct pa_buffer *out) {
    struct filling *filling = context;
    (void)site;
    (void)process;
    pa_buffer_u32(out, PA_ASK_MEMORY);
    for (uint32_t d = first; d < first + count; d++) {
        const struct filled *filled = &filling->devices[d];
        struct pa_buffer request = {0};
        if (filled->place.chunks > 0 && filling->is_reading)
            pa_memory_ask_read(&request, &filling->challenge, pa_clock_patience_ns(patience_ns));
        else if (filled->place.chunks > 0)
            pa_memory_ask_fill(&request, &filled->place, pa_clock_patience_ns(patience_ns));
        pa_buffer_u32(out, (uint32_t)request.size);
        pa_buffer_bytes(out, request.data, request.size);
        out->failed |= request.failed;
        pa_buffer_free(&request);
    }
}

static int take_fill(struct filled *filled, struct pa_reader *in, struct pa_error *error) {
    uint32_t chunks = pa_read_u32(in);
    filled->fill_ns = pa_read_u64(in);
    if (in->failed || chunks < 1 || chunks > filled->place.chunks || filled->fill_ns > INT64_MAX)
        return pa_fail(error, PA_EINPUT, "filling device memory: the answer makes no sense");
    filled->place.chunks = chunks;
    return PA_OK;
}

static int take_read(struct filled *filled, struct pa_reader *in, struct pa_error *error) {
    filled->read_ns = pa_read_u64(in);
    if (in->failed || in->left != filled->place.chunks * sizeof *filled->answers ||
        filled->read_ns > INT64_MAX)
        return pa_fail(error, PA_EINPUT, "reading device memory back: the answer makes no sense");
    filled->answers = calloc(filled->place.chunks, sizeof *filled->answers);
    if (filled->answers == NULL)
        return pa_fail(error, PA_EMEMORY, "reading device memory back: out of memory");
    for (uint32_t i = 0; i < filled->place.chunks; i++)
        filled->answers[i] = pa_read_u64(in);
    return PA_OK;
}

/* The inner code keeps a proof that fails apart from a device that fails. */
static int take_answer(void *context, struct pa_site *site, uint32_t device, struct pa_reader *in,
                       struct pa_error *error) {
    struct filling *filling = context;
    struct filled *filled = &filling->devices[device];
    (void)site;
    (void)error;
    if (filled->place.chunks > 0) {
        int code = pa_crew_part(in, &filled->failure);
        if (code == PA_OK)
            code = filling->is_reading ? take_read(filled, in, &filled->failure)
                                       : take_fill(filled, in, &filled->failure);
        if (code != PA_OK)
            filled->place.chunks = 0;
    }
    in->left = 0;
    return PA_OK;
}

static json_t *hex_of(const void *bytes, size_t size) {
    char *digits = malloc(2 * size + 1);
    if (digits == NULL)
        return NULL;
    pa_hex(digits, bytes, size);
    json_t *text = json_string(digits);
    free(digits);
    return text;
}

/* The answers as they are hashed: u64 little endian, one after the other. */
static json_t *answers_of(const struct filled *filled) {
    struct pa_buffer bytes = {0};
    for (uint32_t i = 0; i < filled->place.chunks; i++)
        pa_buffer_u64(&bytes, filled->answers[i]);
    json_t *text = bytes.failed ? NULL : hex_of(bytes.data, bytes.size);
    pa_buffer_free(&bytes);
    return text;
}

static int note_filled(const struct filling *filling, uint32_t device,
                       const struct pa_memory_check *check, struct pa_error *error) {
    const struct filled *filled = &filling->devices[device];
    struct pa_hash q, commitment;
    pa_memory_q(&q, &filled->place, &filling->challenge);
    pa_memory_commitment(&commitment, &q, filled->answers, filled->place.chunks);
    json_t *note =
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "kind",
                  "memory", "device", (json_int_t)device, "wanted_bytes",
                  (json_int_t)filled->wanted_bytes, "workbench_bytes",
                  (json_int_t)filling->terms->site->devices[device].calibration.memory_bytes,
                  "chunks", (json_int_t)filled->place.chunks, "fill_ns",
                  (json_int_t)filled->fill_ns, "read_ns", (json_int_t)filled->read_ns, "samples",
                  (json_int_t)check->samples, "wrong", (json_int_t)check->wrong, "first_wrong",
                  (json_int_t)check->first_wrong, "key", hex_of(filling->key.bytes, PA_HASH_BYTES),
                  "challenge", hex_of(filling->challenge.bytes, PA_HASH_BYTES), "commitment",
                  hex_of(commitment.bytes, PA_HASH_BYTES));
    if (note != NULL && filling->chunks <= most_kept_chunks &&
        filled->place.chunks <= most_noted_chunks &&
        json_object_set_new(note, "answers", answers_of(filled)) != 0) {
        json_decref(note);
        note = NULL;
    }
    return pa_note_put_later(filling->terms, PA_NO_EPOCH, note, error);
}

static int note_failure(const struct filling *filling, uint32_t device, struct pa_error *error) {
    char text[256];
    snprintf(text, sizeof text, "memory proof of device %u: %.200s", device,
             filling->devices[device].failure.text);
    pa_observe(filling->terms->observer,
               (struct pa_progress){.phase = PA_PHASE_NOTICE, .text = text});
    return pa_note_put(filling->terms, PA_NO_EPOCH,
                       json_pack("{s:s, s:s, s:s, s:s, s:I}", "kind", "finding", "code",
                                 "MEMORY_PROOF_FAILED", "severity", "warning", "text", text,
                                 "device", (json_int_t)device),
                       error);
}

static int note_all(const struct filling *filling, struct pa_error *error) {
    for (uint32_t d = 0; d < filling->terms->site->device_count; d++) {
        const struct filled *filled = &filling->devices[d];
        struct pa_memory_check check;
        if (is_noted(filling, d))
            continue;
        if (filled->failure.code != PA_OK)
            PA_TRY(note_failure(filling, d, error));
        if (filled->answers == NULL)
            continue;
        PA_TRY(pa_memory_verify(&filled->place, &filling->challenge, &filling->key, filled->answers,
                                &check, error));
        PA_TRY(note_filled(filling, d, &check, error));
    }
    return pa_note_sync(filling->terms, error);
}

static int draw(struct pa_hash *out, struct pa_error *error) {
    return RAND_priv_bytes(out->bytes, sizeof out->bytes) == 1
               ? PA_OK
               : pa_fail(error, PA_EINTERNAL,
                         "memory proof: the system's random numbers are not available");
}

static int fill_and_read(struct filling *filling, struct pa_error *error) {
    struct pa_site *site = filling->terms->site;
    uint64_t deadline_ns = pa_clock_raw_ns() + pa_clock_patience_ns(patience_ns);
    PA_TRY(pa_site_ask(site, build_request, take_answer, filling, deadline_ns, error));
    /* Not before every device is full. */
    PA_TRY(draw(&filling->challenge, error));
    filling->is_reading = true;
    deadline_ns = pa_clock_raw_ns() + pa_clock_patience_ns(patience_ns);
    return pa_site_ask(site, build_request, take_answer, filling, deadline_ns, error);
}

/* A device that is lost at its proof answers nothing, and its proof has failed all the same. */
static void take_losses(struct filling *filling) {
    const struct pa_site *site = filling->terms->site;
    for (uint32_t d = 0; d < site->device_count; d++) {
        struct filled *filled = &filling->devices[d];
        if (filled->place.chunks > 0 && filled->answers == NULL && site->devices[d].is_lost)
            pa_fail(&filled->failure, PA_EDEVICE, "%s", site->devices[d].lost_text);
    }
}

int pa_session_memory(const struct pa_session_terms *terms, const struct pa_session_past *past,
                      struct pa_error *error) {
    struct filling filling = {.terms = terms, .past = past};
    filling.devices = calloc(terms->site->device_count, sizeof *filling.devices);
    if (filling.devices == NULL)
        return pa_fail(error, PA_EMEMORY, "memory proof: out of memory");
    int code = draw(&filling.key, error);
    if (code == PA_OK)
        choose(&filling);
    if (code == PA_OK && filling.chunks > 0) {
        pa_observe(terms->observer, (struct pa_progress){.phase = PA_PHASE_MEMORY});
        code = fill_and_read(&filling, error);
        take_losses(&filling);
        if (code == PA_OK)
            code = note_all(&filling, error);
    }
    for (uint32_t d = 0; d < terms->site->device_count; d++)
        free(filling.devices[d].answers);
    free(filling.devices);
    return code == PA_OK ? pa_session_roll_call(terms, error) : code;
}
