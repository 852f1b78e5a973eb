/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/vectors.h"

#include "base/bytes.h"
#include "base/file.h"
#include "embedded/pa_vectors_proof_json.h"
#include "kernels/digest.h"
#include "proof/tree.h"
#include "proof/vectors_run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CASES = 4096, MOST_WORDS = 2 * PA_TILE * PA_TILE, MOST_LEAVES = 4096 };

void pa_run_fail(struct pa_vectors_run *run, const char *key, const char *wanted) {
    if (run->code == PA_OK)
        run->code = pa_fail(run->error, PA_EINPUT, "vectors %s: %s.%s: %s is wanted", run->file,
                            run->place, key, wanted);
}

void pa_run_place(struct pa_vectors_run *run, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(run->place, sizeof run->place, format, args);
    va_end(args);
}

const json_t *pa_run_array(struct pa_vectors_run *run, const json_t *object, const char *key,
                           size_t most) {
    const json_t *array = json_object_get(object, key);
    if (run->code == PA_OK && json_is_array(array) && json_array_size(array) <= most)
        return array;
    pa_run_fail(run, key, "an array of bounded size");
    return NULL;
}

static int64_t integer_of(struct pa_vectors_run *run, const json_t *value, const char *key,
                          int64_t least, int64_t most) {
    if (json_is_integer(value) && json_integer_value(value) >= least &&
        json_integer_value(value) <= most)
        return json_integer_value(value);
    pa_run_fail(run, key, "a whole number in range");
    return 0;
}

int64_t pa_run_integer(struct pa_vectors_run *run, const json_t *object, const char *key,
                       int64_t least, int64_t most) {
    return integer_of(run, json_object_get(object, key), key, least, most);
}

int64_t pa_run_integer_at(struct pa_vectors_run *run, const json_t *array, size_t index,
                          int64_t least, int64_t most) {
    return integer_of(run, json_array_get(array, index), "[]", least, most);
}

static struct pa_hash hash_of(struct pa_vectors_run *run, const json_t *value, const char *key) {
    struct pa_hash hash = {{0}};
    if (!json_is_string(value) || json_string_length(value) != 2 * sizeof hash.bytes ||
        !pa_unhex(hash.bytes, sizeof hash.bytes, json_string_value(value)))
        pa_run_fail(run, key, "a hash of 64 hexadecimal digits");
    return hash;
}

struct pa_hash pa_run_hash(struct pa_vectors_run *run, const json_t *object, const char *key) {
    return hash_of(run, json_object_get(object, key), key);
}

struct pa_hash pa_run_hash_at(struct pa_vectors_run *run, const json_t *array, size_t index) {
    return hash_of(run, json_array_get(array, index), "[]");
}

/* A tile digest: 16 digits, most significant first. */
static uint64_t word_of(struct pa_vectors_run *run, const json_t *value, const char *key) {
    uint8_t bytes[8] = {0};
    if (!json_is_string(value) || json_string_length(value) != 2 * sizeof bytes ||
        !pa_unhex(bytes, sizeof bytes, json_string_value(value)))
        pa_run_fail(run, key, "a digest of 16 hexadecimal digits");
    uint64_t word = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        word = word << 8 | bytes[i];
    return word;
}

uint64_t pa_run_word(struct pa_vectors_run *run, const json_t *object, const char *key) {
    return word_of(run, json_object_get(object, key), key);
}

uint64_t pa_run_word_at(struct pa_vectors_run *run, const json_t *array, size_t index) {
    return word_of(run, json_array_get(array, index), "[]");
}

const char *pa_run_text(struct pa_vectors_run *run, const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL)
        pa_run_fail(run, key, "a text");
    return text == NULL ? "" : text;
}

enum pa_class pa_run_class(struct pa_vectors_run *run, const json_t *object) {
    enum pa_class class_id = pa_class_named(pa_run_text(run, object, "class"));
    if (class_id == PA_CLASS_NONE)
        pa_run_fail(run, "class", "the name of a class");
    return class_id;
}

/* Count one comparison; the first that fails is kept in words. */
static void compared(struct pa_vectors_run *run, const char *what, bool same, const char *ours,
                     const char *theirs) {
    if (run->code != PA_OK)
        return;
    run->report->checks++;
    run->report->device_checks += run->is_on_device ? 1 : 0;
    run->report->groups[run->group].checks++;
    if (same)
        return;
    run->report->mismatches++;
    run->report->groups[run->group].mismatches++;
    if (run->report->first_mismatch[0] == '\0')
        snprintf(run->report->first_mismatch, sizeof run->report->first_mismatch,
                 "%s.%s: %scomputed %s, the vectors say %s", run->place, what,
                 run->is_on_device ? "the device " : "", ours, theirs);
}

void pa_run_same_hash(struct pa_vectors_run *run, const char *what, const struct pa_hash *ours,
                      const struct pa_hash *theirs) {
    bool same = pa_hash_equal(ours, theirs);
    char a[17] = "", b[17] = "";
    if (!same) { /* eight bytes tell two hashes apart */
        pa_hex(a, ours->bytes, 8);
        pa_hex(b, theirs->bytes, 8);
    }
    compared(run, what, same, a, b);
}

void pa_run_same_word(struct pa_vectors_run *run, const char *what, uint64_t ours,
                      uint64_t theirs) {
    char a[17], b[17];
    snprintf(a, sizeof a, "%016llx", (unsigned long long)ours);
    snprintf(b, sizeof b, "%016llx", (unsigned long long)theirs);
    compared(run, what, ours == theirs, a, b);
}

void pa_run_same_integer(struct pa_vectors_run *run, const char *what, int64_t ours,
                         int64_t theirs) {
    char a[24], b[24];
    snprintf(a, sizeof a, "%lld", (long long)ours);
    snprintf(b, sizeof b, "%lld", (long long)theirs);
    compared(run, what, ours == theirs, a, b);
}

static void run_hash(struct pa_vectors_run *run, const json_t *entry, size_t number) {
    pa_run_place(run, "hash[%zu]", number);
    const char *tag = pa_run_text(run, entry, "tag"), *input = pa_run_text(run, entry, "input");
    size_t size = strlen(input) / 2;
    if (strlen(tag) < 1 || strlen(tag) > PA_TAG_BYTES)
        pa_run_fail(run, "tag", "a text of 1 to 16 characters");
    uint8_t *bytes = calloc(size + 1, 1);
    if (bytes == NULL || !pa_unhex(bytes, size, input)) {
        pa_run_fail(run, "input", "hexadecimal text");
    } else {
        struct pa_hash ours, theirs = pa_run_hash(run, entry, "output");
        pa_hash_bytes(&ours, tag, bytes, size);
        pa_run_same_hash(run, "output", &ours, &theirs);
    }
    free(bytes);
}

static void run_philox(struct pa_vectors_run *run, const json_t *entry, size_t number) {
    pa_run_place(run, "philox[%zu]", number);
    const json_t *counter = pa_run_array(run, entry, "counter", 4);
    const json_t *key = pa_run_array(run, entry, "key", 2);
    const json_t *output = pa_run_array(run, entry, "output", 4);
    pa_u32 c[4], k[2], x[4];
    for (size_t i = 0; i < 4; i++)
        c[i] = (pa_u32)pa_run_integer_at(run, counter, i, 0, UINT32_MAX);
    for (size_t i = 0; i < 2; i++)
        k[i] = (pa_u32)pa_run_integer_at(run, key, i, 0, UINT32_MAX);
    pa_philox((struct pa_seed){.k0 = k[0], .k1 = k[1], .c2 = c[2], .c3 = c[3]}, c[0], c[1], x);
    for (size_t i = 0; i < 4; i++)
        pa_run_same_integer(run, "output", x[i], pa_run_integer_at(run, output, i, 0, UINT32_MAX));
}

static void run_operands(struct pa_vectors_run *run, const json_t *entry, size_t number) {
    pa_run_place(run, "operands[%zu]", number);
    const struct pa_class_traits *traits = pa_class_traits(pa_run_class(run, entry));
    struct pa_hash hash = pa_run_hash(run, entry, "seed");
    uint32_t v = (uint32_t)pa_run_integer(run, entry, "v", 0, PA_MOST_MN - 1);
    uint32_t first = (uint32_t)pa_run_integer(run, entry, "first_k", 0, PA_MOST_K);
    const json_t *values = pa_run_array(run, entry, "values", 256);
    int64_t wanted_sum = pa_run_integer(run, entry, "sum_256", INT32_MIN, INT32_MAX);
    if (run->code != PA_OK)
        return;
    struct pa_seed seed = pa_seed_from(&hash);
    uint32_t width = (uint32_t)traits->slot_bits, slots = 128 / width;
    int64_t sum = 0;
    for (uint32_t i = 0; i < 256; i++) {
        pa_u32 x[4];
        pa_philox(seed, (first + i) / slots, v, x);
        int64_t value = pa_slot_value(x, (first + i) % slots, width, (uint32_t)traits->bits);
        sum += value;
        if (i < json_array_size(values))
            pa_run_same_integer(run, "values", value,
                                pa_run_integer_at(run, values, i, INT32_MIN, INT32_MAX));
    }
    pa_run_same_integer(run, "sum_256", sum, wanted_sum);
    if (run->device != NULL)
        pa_run_device_operands(run, traits->id, &seed, v, first, values, wanted_sum);
}

/* Digests are given over a few words, so the pieces of digest.h are put together here. */
static void run_digest(struct pa_vectors_run *run, const json_t *entry, size_t number) {
    pa_run_place(run, "digests[%zu]", number);
    const char *kind = pa_run_text(run, entry, "words_are");
    bool is_f32 = strcmp(kind, "f32") == 0, is_f64 = strcmp(kind, "f64") == 0;
    if (!is_f32 && !is_f64 && strcmp(kind, "i32") != 0)
        pa_run_fail(run, "words_are", "f32, i32 or f64");
    pa_u32 s = (pa_u32)pa_run_integer(run, entry, "s", 0, UINT32_MAX);
    const json_t *words = pa_run_array(run, entry, "words", MOST_WORDS);
    uint64_t wanted = pa_run_word(run, entry, "digest"), sum = 0;
    if (json_array_size(words) % 2 != 0)
        pa_run_fail(run, "words", "an even number of words");
    for (size_t e = 0; run->code == PA_OK && e < json_array_size(words); e += 2) {
        pa_u32 x0 = (pa_u32)pa_run_integer_at(run, words, e, 0, UINT32_MAX);
        pa_u32 x1 = (pa_u32)pa_run_integer_at(run, words, e + 1, 0, UINT32_MAX);
        if (is_f64)
            x1 = pa_digest_f64_high(x0, x1);
        if (is_f32) {
            x0 = pa_digest_f32_word(x0);
            x1 = pa_digest_f32_word(x1);
        }
        sum += pa_digest_pair(x0, x1, s, (pa_u32)e);
    }
    pa_run_same_word(run, "digest", sum, wanted);
    if (run->device != NULL && run->code == PA_OK)
        pa_run_device_digest(run,
                             is_f32   ? PA_WORD_F32
                             : is_f64 ? PA_WORD_F64
                                      : PA_WORD_I32,
                             words, s, wanted);
}

static void run_tree(struct pa_vectors_run *run, const json_t *entry, size_t number) {
    pa_run_place(run, "trees[%zu]", number);
    const json_t *array = pa_run_array(run, entry, "leaves", MOST_LEAVES);
    const json_t *path = pa_run_array(run, entry, "path", PA_MOST_PATH);
    uint32_t count = (uint32_t)json_array_size(array);
    uint32_t index = (uint32_t)pa_run_integer(run, entry, "index", 0, count > 0 ? count - 1 : 0);
    struct pa_hash root, wanted = pa_run_hash(run, entry, "root"), ours[PA_MOST_PATH];
    struct pa_hash *leaves = calloc((size_t)count + 1, sizeof *leaves);
    if (leaves == NULL)
        pa_run_fail(run, "leaves", "less than all memory");
    for (uint32_t i = 0; run->code == PA_OK && i < count; i++)
        leaves[i] = pa_run_hash_at(run, array, i);
    if (run->code == PA_OK) {
        pa_tree_root(&root, leaves, count);
        pa_run_same_hash(run, "root", &root, &wanted);
    }
    if (run->code == PA_OK && count > 0) {
        uint32_t length = pa_tree_path(ours, leaves, count, index);
        pa_run_same_integer(run, "path", length, (int64_t)json_array_size(path));
        for (uint32_t i = 0; i < length && i < json_array_size(path); i++) {
            struct pa_hash theirs = pa_run_hash_at(run, path, i);
            pa_run_same_hash(run, "path", &ours[i], &theirs);
        }
        pa_run_same_integer(run, "verify",
                            pa_tree_verify(&leaves[index], index, count, ours, length, &wanted), 1);
    }
    free(leaves);
}

static const struct {
    const char *name;
    void (*run)(struct pa_vectors_run *run, const json_t *entry, size_t number);
} groups[PA_VECTOR_GROUPS] = {
    {"hash", run_hash},      {"philox", run_philox}, {"operands", run_operands},
    {"digests", run_digest}, {"trees", run_tree},    {"epochs", pa_run_epoch},
};

static void run_all(struct pa_vectors_run *run, const json_t *root) {
    pa_run_place(run, "the file");
    pa_run_integer(run, root, "version", PA_PROTOCOL_VERSION, PA_PROTOCOL_VERSION);
    for (int g = 0; run->code == PA_OK && g < PA_VECTOR_GROUPS; g++) {
        run->group = g;
        pa_run_place(run, "the file");
        const json_t *entries = pa_run_array(run, root, groups[g].name, MOST_CASES);
        run->report->groups[g].cases = (uint32_t)json_array_size(entries);
        for (size_t i = 0; run->code == PA_OK && i < json_array_size(entries); i++)
            groups[g].run(run, json_array_get(entries, i), i);
    }
    if (run->code == PA_OK && run->report->checks == 0)
        pa_run_fail(run, "version", "something to compare besides it");
}

int pa_vectors_run(const char *name, const void *json, size_t size,
                   const struct pa_vectors_device *device, struct pa_vectors_report *out,
                   struct pa_error *error) {
    *out = (struct pa_vectors_report){0};
    for (int g = 0; g < PA_VECTOR_GROUPS; g++)
        out->groups[g].name = groups[g].name;
    json_error_t reason;
    json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &reason);
    if (root == NULL) {
        char text[JSON_ERROR_TEXT_LENGTH];
        pa_printable(text, sizeof text, reason.text);
        return pa_fail(error, PA_EINPUT, "vectors %s:%d:%d: %s", name, reason.line, reason.column,
                       text);
    }
    struct pa_vectors_run run = {
        .file = name, .device = device, .report = out, .error = error, .code = PA_OK};
    run_all(&run, root);
    json_decref(root);
    return run.code;
}

int pa_vectors_run_embedded(const struct pa_vectors_device *device, struct pa_vectors_report *out,
                            struct pa_error *error) {
    return pa_vectors_run("proof.json", pa_vectors_proof_json, pa_vectors_proof_json_size, device,
                          out, error);
}
