/* SPDX-License-Identifier: Apache-2.0 */
#include "live_hall.h"

#include "evidence/evidence.h"
#include "proof/proof.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A PFLOPS for each device. */
static const char claim_format[] = "center: Example intelligent computing centre\n"
                                   "site: {name: Hall 1, region: Xinjiang}\n"
                                   "capacity: {value: %u, unit: PFLOPS, precision: fp16}\n"
                                   "grid_connection_mw: 400\n"
                                   "policy: xinjiang-2024\n";
static const char hostile[] =
    "<img src=x onerror=\"document.title='broken'\"> \xe2\x80\xae gnp.exe "
    "</script><script>document.title='broken'</script>\n\ndata: {}";

struct writer {
    const struct live_hall *hall;
    struct pa_buffer *out;
    uint64_t now_ns;
    char claim[320];
};

static struct pa_instant now(struct writer *writer) {
    writer->now_ns += 1000000;
    return (struct pa_instant){writer->now_ns - UINT64_C(1000000000000000000), writer->now_ns};
}

static void put_note(struct writer *writer, uint64_t epoch, json_t *json) {
    char *text = json_dumps(json, JSON_COMPACT);
    if (text == NULL)
        abort();
    struct pa_note_record note = {
        .at = now(writer), .json = text, .json_bytes = (uint32_t)strlen(text)};
    pa_record_put_note(writer->out, epoch, &note);
    free(text);
    json_decref(json);
}

static struct pa_signature no_signature(void) {
    return (struct pa_signature){.bytes = {0x30, 6, 2, 1, 1, 2, 1, 1}, .length = 8};
}

static void put_session(struct writer *writer) {
    const struct live_hall *hall = writer->hall;
    struct pa_declaration declaration = {.class_id = PA_DENSE16,
                                         .k = PA_CERTIFIED_K,
                                         .device_count = hall->devices,
                                         .epochs = hall->epochs,
                                         .epoch_ns = hall->epoch_ns,
                                         .openings = hall->openings,
                                         .interruptions = 1,
                                         .longest_gap_ns = UINT64_C(900000000000),
                                         .serial = 1,
                                         .alpha_ppm = 10000,
                                         .site = "Hall 1, Xinjiang"};
    struct pa_buffer bytes = {0};
    declaration.devices = calloc(hall->devices, sizeof *declaration.devices);
    if (declaration.devices == NULL)
        abort();
    for (uint32_t d = 0; d < hall->devices; d++) {
        declaration.devices[d].m = 32768;
        declaration.devices[d].n = 8192;
        snprintf(declaration.devices[d].name, sizeof declaration.devices[d].name,
                 hall->is_hostile ? "<b>gpu</b>%u&lt;" : "node%04u gpu%u",
                 hall->is_hostile ? d : d / 8, d % 8);
    }
    declaration.witness_key[0] = declaration.prover_key[0] = 4;
    pa_sha256(&declaration.claim, writer->claim, strlen(writer->claim));
    pa_declaration_write(&declaration, &bytes);
    struct pa_session_record session = {.at = now(writer),
                                        .declaration = bytes.data,
                                        .declaration_bytes = (uint32_t)bytes.size,
                                        .witness = no_signature(),
                                        .prover = no_signature()};
    pa_record_put_session(writer->out, &session);
    pa_buffer_free(&bytes);
    free(declaration.devices);
}

static void put_notes(struct writer *writer) {
    const struct live_hall *hall = writer->hall;
    char host[64];
    put_note(
        writer, PA_NO_EPOCH,
        json_pack("{s:s, s:s, s:s}", "kind", "claim", "name", "claim.yaml", "text", writer->claim));
    for (uint32_t d = 0; d < hall->devices; d++) {
        snprintf(host, sizeof host, "node%04u", d / 8);
        put_note(writer, PA_NO_EPOCH,
                 json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s}", "kind", "device", "device",
                           (int)d, "id", host, "name",
                           hall->is_hostile ? hostile : "NVIDIA H800 80GB HBM3", "backend", "cuda",
                           "format", "bf16", "host", hall->is_hostile ? hostile : host));
        put_note(writer, PA_NO_EPOCH,
                 json_pack("{s:s, s:i, s:s}", "kind", "raw", "device", (int)d, "per_second",
                           "720000000000000"));
    }
    put_note(writer, PA_NO_EPOCH,
             json_pack("{s:s, s:i, s:s, s:s, s:s}", "kind", "meter", "meter", 0, "role", "it",
                       "source", "modbus", "name", hall->is_hostile ? hostile : "busbar A"));
    put_note(
        writer, PA_NO_EPOCH,
        json_pack("{s:s, s:s, s:s, s:s}", "kind", "finding", "code", "NAME_DIFFERS", "severity",
                  "warning", "text",
                  hall->is_hostile ? hostile : "three devices tell another name than claimed"));
}

static uint32_t steps_of(uint32_t device, uint32_t epoch) {
    return device % 499 == 498 && epoch > 1 ? 0 : device % 211 == 210 ? 1200 : 1500 + device % 7;
}

static void put_telemetry(struct writer *writer, uint32_t epoch) {
    for (uint32_t d = 0; d < writer->hall->devices; d++)
        if (d % 97 == 96 || d < 16)
            put_note(writer, epoch,
                     json_pack("{s:s, s:i, s:i, s:b, s:i, s:i, s:[s]}", "kind", "telemetry",
                               "device", (int)d, "samples", 10, "thermal_stop", 0,
                               "temperature_max_c", 70 + (int)((d + epoch) % 20), "power_mean_mw",
                               640000, "slowdowns", d % 97 == 96 ? "hw_thermal" : "idle"));
}

static void put_power(struct writer *writer, uint64_t from_ns) {
    struct pa_power_sample samples[10];
    for (uint32_t i = 0; i < 10; i++) {
        uint64_t at = from_ns + (i + 1) * (writer->hall->epoch_ns / 10);
        samples[i] = (struct pa_power_sample){{at - UINT64_C(1000000000000000000), at},
                                              (int64_t)writer->hall->devices *
                                                  (900000 + (int64_t)(at / 1000000 % 997) * 20),
                                              PA_ENERGY_UNKNOWN};
    }
    pa_record_put_power(writer->out, now(writer), 0, samples, 10);
}

static void put_gap(struct writer *writer) {
    uint64_t so_far_ns = writer->hall->gap_ns - UINT64_C(20000000000);
    writer->now_ns += so_far_ns;
    put_note(writer, PA_NO_EPOCH,
             json_pack("{s:s, s:I, s:s}", "kind", "interruption", "gap_ns", (json_int_t)so_far_ns,
                       "reason", "resumed"));
    writer->now_ns += UINT64_C(20000000000);
}

/* Bytes that differ from one epoch to the next. */
static void invent(uint8_t out[32], uint32_t epoch, uint8_t what) {
    memset(out, what, 32);
    pa_put_le32(out, epoch * 2654435761u);
}

static void put_epoch(struct writer *writer, uint32_t epoch) {
    const struct live_hall *hall = writer->hall;
    struct pa_nonce_record nonce = {.at = now(writer)};
    struct pa_root_record root = {.prover = no_signature()};
    struct pa_key_record key;
    uint64_t begun_ns = writer->now_ns;
    invent(nonce.nonce, epoch, 1);
    pa_record_put_nonce(writer->out, epoch, &nonce);
    if (epoch == hall->closed)
        return;
    struct pa_list_entry *entries = calloc(hall->devices, sizeof *entries);
    if (entries == NULL)
        abort();
    for (uint32_t d = 0; d < hall->devices; d++)
        entries[d].steps = steps_of(d, epoch);
    writer->now_ns = begun_ns + hall->epoch_ns;
    root.at = now(writer);
    invent(root.root, epoch, 2);
    invent(key.key, epoch, 3);
    pa_record_put_root(writer->out, epoch, &root);
    pa_record_put_list(writer->out, epoch, entries, hall->devices);
    pa_record_put_key(writer->out, epoch, &key);
    free(entries);
    put_telemetry(writer, epoch);
    put_power(writer, begun_ns);
    for (uint32_t d = 498; epoch == 2 && d < hall->devices; d += 499)
        put_note(writer, PA_NO_EPOCH,
                 json_pack("{s:s, s:i, s:i, s:s, s:s}", "kind", "lost", "device", (int)d, "rank",
                           (int)d / 8, "host", "node", "text",
                           hall->is_hostile ? hostile : "rank 62 does not answer any more"));
}

static void put_openings(struct writer *writer, uint32_t epoch) {
    static const char reason[] = "device 7, step 402, tile (31, 8): the tile's digest is "
                                 "0123456789abcdef, the witness computes 76543210fedcba98";
    const struct live_hall *hall = writer->hall;
    bool is_failing = hall->is_failing && epoch == 1;
    for (uint32_t j = 0; j < hall->openings; j++) {
        struct pa_opening_record opening = {j, (const uint8_t *)"o", 1};
        pa_record_put_opening(writer->out, epoch, &opening);
    }
    struct pa_result_record result = {.drawn = hall->openings,
                                      .failed = is_failing ? 3 : 0,
                                      .first_failed = is_failing ? 4 : UINT32_MAX,
                                      .reason = reason,
                                      .reason_bytes = is_failing ? sizeof reason - 1 : 0};
    pa_record_put_result(writer->out, epoch, &result);
}

void live_hall_put(const struct live_hall *hall, struct pa_buffer *out) {
    /* So that the last record is about at its time. */
    struct writer writer = {
        .hall = hall, .out = out, .now_ns = hall->end_utc_ns - hall->closed * hall->epoch_ns};
    snprintf(writer.claim, sizeof writer.claim, claim_format, hall->devices);
    writer.now_ns -= (uint64_t)hall->devices * 3000000;
    put_session(&writer);
    put_notes(&writer);
    for (uint32_t e = 0; e <= hall->closed && e < hall->epochs; e++) {
        if (e == 2 && hall->gap_ns > 0)
            put_gap(&writer);
        put_epoch(&writer, e);
    }
    for (uint32_t e = 0; hall->is_opened && e < hall->closed; e++)
        put_openings(&writer, e);
    if (hall->is_finished) {
        struct pa_signature_record end = {now(&writer), no_signature()};
        pa_record_put_signature(out, &end);
    }
    if (out->failed)
        abort();
}
