/* SPDX-License-Identifier: Apache-2.0 */
/* facts_vitals.c - what the notes of the kinds `telemetry` and `memory` say of a device. */
#include "judge/facts_inside.h"
#include "proof/memory_proof.h"

#include <stdlib.h>
#include <string.h>

/* The names of enum pa_fact_slowdown, bit by bit. */
static const char *const slowdowns[] = {"idle",    "setting",    "power_cap",  "hardware",
                                        "sync",    "sw_thermal", "hw_thermal", "power_brake",
                                        "display", "other"};

/* A whole number that may be missing: false then. */
static bool take_whole(const json_t *note, const char *key, uint64_t most, uint64_t *out,
                       char wrong[PA_NOTE_WRONG_BYTES]) {
    const json_t *value = json_object_get(note, key);
    *out = 0;
    if (value == NULL)
        return false;
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (uint64_t)json_integer_value(value) > most) {
        pa_note_should_be(wrong, key, "a whole number");
        return false;
    }
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static uint32_t take_slowdowns(const json_t *note, char wrong[PA_NOTE_WRONG_BYTES]) {
    const json_t *list = json_object_get(note, "slowdowns"), *name;
    uint32_t found = 0;
    size_t index;
    if (list != NULL && !json_is_array(list))
        pa_note_should_be(wrong, "slowdowns", "a list of names");
    json_array_foreach(list, index, name) {
        const char *text = json_string_value(name);
        size_t bit = 0, count = sizeof slowdowns / sizeof slowdowns[0];
        while (text != NULL && bit < count && strcmp(text, slowdowns[bit]) != 0)
            bit++;
        if (text == NULL)
            pa_note_should_be(wrong, "slowdowns", "a list of names");
        found |= 1u << (bit < count ? bit : count - 1); /* a younger name is "other" */
    }
    return found;
}

/* Sums over epochs; a sum that no session can reach is no longer added to. */
static void add_capped(uint64_t *sum, uint64_t more) {
    *sum = more > INT64_MAX - *sum ? INT64_MAX : *sum + more;
}

void pa_replay_telemetry_note(struct pa_fact_device *device, const json_t *note,
                              char wrong[PA_NOTE_WRONG_BYTES]) {
    struct pa_fact_vitals *vitals = &device->vitals;
    const json_t *stop = json_object_get(note, "thermal_stop");
    uint64_t samples, value, corrected, uncorrected, clock;
    if (!take_whole(note, "samples", UINT32_MAX, &samples, wrong))
        pa_note_should_be(wrong, "samples", "a whole number");
    if (!json_is_boolean(stop))
        pa_note_should_be(wrong, "thermal_stop", "true or false");
    uint32_t found = take_slowdowns(note, wrong);
    bool has_ecc = take_whole(note, "ecc_corrected", INT64_MAX, &corrected, wrong);
    has_ecc &= take_whole(note, "ecc_uncorrected", INT64_MAX, &uncorrected, wrong);
    bool has_others = take_whole(note, "others", UINT32_MAX, &value, wrong);
    uint32_t others = has_others ? (uint32_t)value : 0;
    bool has_clock = take_whole(note, "clock_min_mhz", UINT32_MAX, &clock, wrong);
    bool has_heat = take_whole(note, "temperature_max_c", 1000, &value, wrong);
    if (wrong[0] != '\0')
        return;
    vitals->epochs += samples > 0 ? 1 : 0;
    vitals->thermal_stops += json_is_true(stop) ? 1 : 0;
    vitals->slowdowns |= found;
    vitals->throttled_epochs += (found & PA_FACT_THROTTLED) != 0 ? 1 : 0;
    if (has_ecc) {
        add_capped(&vitals->ecc_corrected, corrected);
        add_capped(&vitals->ecc_uncorrected, uncorrected);
    }
    if (others > vitals->others)
        vitals->others = others;
    if (has_clock && (vitals->clock_min_mhz == 0 || clock < vitals->clock_min_mhz))
        vitals->clock_min_mhz = (uint32_t)clock;
    if (has_heat && value > vitals->temperature_max_c)
        vitals->temperature_max_c = (uint32_t)value;
}

static uint64_t require_whole(const json_t *note, const char *key, uint64_t most,
                              char wrong[PA_NOTE_WRONG_BYTES]) {
    uint64_t value;
    if (!take_whole(note, key, most, &value, wrong))
        pa_note_should_be(wrong, key, "a whole number");
    return value;
}

static void take_hash(const json_t *note, const char *key, struct pa_hash *out,
                      char wrong[PA_NOTE_WRONG_BYTES]) {
    const char *digits = json_string_value(json_object_get(note, key));
    if (digits == NULL || !pa_unhex(out->bytes, PA_HASH_BYTES, digits))
        pa_note_should_be(wrong, key, "64 hexadecimal digits");
}

/* Who noted the proof, in the words of docs/protocol.md, "Memory proof". */
struct memory_words {
    struct pa_hash key, challenge, commitment;
    const json_t *answers; /* NULL: they were not kept */
};

/* Compute the samples again, and hold the note against them. */
static int check_answers(struct pa_replay *replay, uint32_t device,
                         const struct memory_words *words, struct pa_error *error) {
    struct pa_fact_memory *memory = &replay->facts->devices[device].memory;
    struct pa_memory_place place = {
        .device = device, .chunks = (uint32_t)(memory->filled_bytes / PA_MEMORY_PROOF_CHUNK_BYTES)};
    struct pa_memory_check check;
    struct pa_hash q, commitment;
    uint8_t *bytes = malloc(((size_t)place.chunks + 1) * 8);
    uint64_t *answers = malloc(((size_t)place.chunks + 1) * sizeof *answers);
    int code = PA_OK;
    pa_epoch_nonce(&place.nonce, &words->key);
    if (bytes == NULL || answers == NULL) {
        code = pa_fail(error, PA_EMEMORY, "checking a memory proof: out of memory");
    } else if (!pa_unhex(bytes, (size_t)place.chunks * 8, json_string_value(words->answers))) {
        code = pa_replay_broken(replay, "the memory proof of device %u lacks answers", device);
    } else {
        for (uint32_t i = 0; i < place.chunks; i++)
            answers[i] = pa_le64(bytes + (size_t)8 * i);
        pa_memory_q(&q, &place, &words->challenge);
        pa_memory_commitment(&commitment, &q, answers, place.chunks);
        if (!pa_hash_equal(&commitment, &words->commitment))
            code = pa_replay_broken(
                replay, "the memory proof of device %u committed to other answers", device);
        else if (replay->recheck == PA_RECHECK_TILES) {
            code = pa_memory_verify(&place, &words->challenge, &words->key, answers, &check, error);
            memory->is_checked = code == PA_OK;
            if (code == PA_OK && (check.samples != memory->samples || check.wrong != memory->wrong))
                code = pa_replay_broken(
                    replay, "%u of %u samples of device %u's memory are wrong, the note says %u",
                    check.wrong, check.samples, device, memory->wrong);
        }
    }
    free(bytes);
    free(answers);
    return code;
}

int pa_replay_memory_note(struct pa_replay *replay, uint32_t device, const json_t *note,
                          char wrong[PA_NOTE_WRONG_BYTES], struct pa_error *error) {
    struct memory_words words = {.answers = json_object_get(note, "answers")};
    uint64_t chunks = require_whole(note, "chunks", PA_MEMORY_MOST_CHUNKS, wrong);
    struct pa_fact_memory found = {
        .is_there = true,
        .wanted_bytes = require_whole(note, "wanted_bytes", INT64_MAX, wrong),
        .filled_bytes = chunks * PA_MEMORY_PROOF_CHUNK_BYTES,
        .workbench_bytes = require_whole(note, "workbench_bytes", INT64_MAX, wrong),
        .fill_ns = require_whole(note, "fill_ns", INT64_MAX, wrong),
        .read_ns = require_whole(note, "read_ns", INT64_MAX, wrong),
        .samples = (uint32_t)require_whole(note, "samples", PA_MEMORY_SAMPLES, wrong),
        .wrong = (uint32_t)require_whole(note, "wrong", PA_MEMORY_SAMPLES, wrong),
        .first_wrong = (uint32_t)require_whole(note, "first_wrong", UINT32_MAX, wrong),
    };
    take_hash(note, "key", &words.key, wrong);
    take_hash(note, "challenge", &words.challenge, wrong);
    take_hash(note, "commitment", &words.commitment, wrong);
    if (chunks < 1)
        pa_note_should_be(wrong, "chunks", "at least 1");
    if (words.answers != NULL && !json_is_string(words.answers))
        pa_note_should_be(wrong, "answers", "hexadecimal text");
    /* The first counts: whoever may fill memory twice may choose. */
    if (wrong[0] != '\0' || replay->facts->devices[device].memory.is_there)
        return PA_OK;
    found.has_failed = replay->facts->devices[device].memory.has_failed;
    replay->facts->devices[device].memory = found;
    return words.answers == NULL ? PA_OK : check_answers(replay, device, &words, error);
}
