/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/session_allowance.h"

enum {
    KIB = 1 << 10,
    MIB = 1 << 20,
    /* SQLite's share of a row: r_k, numbers and times, its place in the tree of pages. */
    ROW_BYTES = 96,
    /* NONCE, ROOT, KEY and RESULT of an epoch, and what the witness notes of it. */
    EPOCH_BYTES = 4 * KIB,
    /* Epochs of a short session that are aborted for whatever reason. */
    SPARE_NONCES = 16,
    /* Claim, policy, libraries and hosts, all-reduce, watermark, findings; and the chunks of the
     * memory proof, which are 64 MiB for however many devices. */
    SESSION_NOTES_BYTES = 128 * MIB,
    /* What it is, its calibration of at most 128 trials, its raw rates, an attestation with its
     * chain (22 KiB as text), where it was lost: 40 KiB where everything is as long as it can be.
     */
    DEVICE_NOTES_BYTES = 64 * KIB,
    /* Of a device in an epoch: its telemetry. */
    EPOCH_NOTES_BYTES = KIB,
    /* A reading, and its part of a record of some of them. */
    READING_BYTES = 40,
    SECONDS_A_DAY = 86400,
    /* A day at one reading a second from each meter is for sessions that are short, interrupted, or
     * metered by fast loggers. For the planned time there are four a second more, for a week of it:
     * at one a second that is four weeks. */
    PLANNED_READINGS_A_SECOND = 4,
    MOST_PLANNED_S = 7 * SECONDS_A_DAY,
    /* Epoch and time before the text of a NOTE; and meter and count before the readings. */
    NOTE_HEAD_BYTES = 24,
    POWER_HEAD_BYTES = 32,
};

/* Paths are as long as they can get: how many steps there will be is not declared. */
static uint64_t largest_opening(const struct pa_declaration *declaration) {
    uint64_t m = 0, n = 0;
    for (uint32_t kind = 0; kind <= declaration->probe_count; kind++)
        for (uint32_t d = 0; d < declaration->device_count; d++) {
            struct pa_shape shape = pa_declared_shape(declaration, kind, d);
            m = shape.m > m ? shape.m : m;
            n = shape.n > n ? shape.n : n;
        }
    return (uint64_t)PA_OPENED_STEPS * (2 + PA_MOST_PATH) * PA_HASH_BYTES +
           m / PA_TILE * PA_HASH_BYTES + n / PA_TILE * sizeof(uint64_t);
}

static uint64_t planned_readings(const struct pa_declaration *declaration) {
    uint64_t planned_s = pa_declared_ns_in_all(declaration) / UINT64_C(1000000000) + 1;
    if (planned_s > MOST_PLANNED_S)
        planned_s = MOST_PLANNED_S;
    return PA_POWER_MOST_METERS * (SECONDS_A_DAY + PLANNED_READINGS_A_SECOND * planned_s);
}

/* 2^20 epochs, devices and openings at most, and openings of less than 2^19 bytes: below 2^60. */
void pa_allowance_begin(struct pa_allowance *out, const struct pa_declaration *declaration) {
    uint64_t epochs = pa_declared_epochs_in_all(declaration);
    uint64_t devices = declaration->device_count;
    out->nonces = 2 * epochs + SPARE_NONCES;
    out->opening_bytes = largest_opening(declaration);
    out->told_bytes = SESSION_NOTES_BYTES + DEVICE_NOTES_BYTES * devices +
                      EPOCH_NOTES_BYTES * (devices + 1) * epochs +
                      READING_BYTES * planned_readings(declaration);
    out->proof_bytes =
        epochs * (EPOCH_BYTES + PA_LIST_ENTRY_BYTES * devices) +
        pa_declared_openings_in_all(declaration) * pa_allowance_record(out->opening_bytes);
}

uint64_t pa_allowance_record(uint64_t payload_bytes) {
    return ROW_BYTES + payload_bytes;
}

uint64_t pa_allowance_note(uint64_t json_bytes) {
    return pa_allowance_record(NOTE_HEAD_BYTES + json_bytes);
}

uint64_t pa_allowance_power(uint32_t count) {
    return pa_allowance_record(POWER_HEAD_BYTES + (uint64_t)count * PA_POWER_SAMPLE_BYTES);
}

uint64_t pa_allowance_told(const void *records, size_t size) {
    struct pa_reader in = pa_reader_over(records, size);
    struct pa_record record;
    uint64_t bytes = 0;
    while (in.left > 0 && pa_record_next(&in, &record, NULL) == PA_OK)
        if (record.type == PA_RECORD_NOTE || record.type == PA_RECORD_POWER)
            bytes += pa_allowance_record(record.length);
    return bytes;
}

int pa_allowance_check_nonce(const struct pa_allowance *allowance, uint64_t drawn, uint64_t epoch,
                             struct pa_error *error) {
    return drawn < allowance->nonces
               ? PA_OK
               : pa_fail(error, PA_EWITNESS,
                         "challenging epoch %llu: %llu epochs of this session were begun, and its "
                         "declaration allows no more. End the session, or start a new audit",
                         (unsigned long long)epoch, (unsigned long long)drawn);
}

int pa_allowance_check_told(const struct pa_allowance *allowance, uint64_t told_bytes,
                            uint64_t bytes, const char *doing, struct pa_error *error) {
    uint64_t most = allowance->told_bytes;
    if (told_bytes <= most && bytes <= most - told_bytes)
        return PA_OK;
    return pa_fail(error, PA_EWITNESS,
                   "%s: notes and power readings of this session would take more than the %llu MiB "
                   "that its declaration allows. This was not kept; open what is closed and end "
                   "the session, or start a new audit",
                   doing, (unsigned long long)(most / MIB));
}

int pa_allowance_check_opening(const struct pa_allowance *allowance, uint64_t epoch, uint32_t j,
                               size_t size, struct pa_error *error) {
    return size <= allowance->opening_bytes
               ? PA_OK
               : pa_fail(error, PA_EWITNESS,
                         "opening epoch %llu: opening %u has %zu bytes; with the declared shapes "
                         "one has at most %llu. This was not kept",
                         (unsigned long long)epoch, j, size,
                         (unsigned long long)allowance->opening_bytes);
}
