/* SPDX-License-Identifier: Apache-2.0 */
/* vectors_run.h - what the parts of vectors.c share: strict reading of JSON, and comparing.
 *
 * A run fails once and stays failed: after that, readers give zeros and comparisons are not
 * counted, so that a group needs no check after every line.
 */
#ifndef PA_PROOF_VECTORS_RUN_H
#define PA_PROOF_VECTORS_RUN_H

#include "proof/hash.h"
#include "proof/vectors.h"
#include "proof/work_class.h"

#include <jansson.h>

struct pa_vectors_run {
    const char *file;
    struct pa_vectors_report *report;
    const struct pa_vectors_device *device; /* NULL: none */
    bool is_on_device;                      /* what is compared now was computed by it */
    struct pa_error *error;
    int code;
    int group;
    char place[160]; /* "epochs[1].devices[0]" */
};

/* Record a malformed entry. */
void pa_run_fail(struct pa_vectors_run *run, const char *key, const char *wanted);
void pa_run_place(struct pa_vectors_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Members of an object, which fail the run when they are missing or of another kind. An array has
 * at most `most` entries; NULL after a failure. */
const json_t *pa_run_array(struct pa_vectors_run *run, const json_t *object, const char *key,
                           size_t most);
int64_t pa_run_integer(struct pa_vectors_run *run, const json_t *object, const char *key,
                       int64_t least, int64_t most);
struct pa_hash pa_run_hash(struct pa_vectors_run *run, const json_t *object, const char *key);
enum pa_class pa_run_class(struct pa_vectors_run *run, const json_t *object);
const char *pa_run_text(struct pa_vectors_run *run, const json_t *object, const char *key);
/* Elements of arrays. */
int64_t pa_run_integer_at(struct pa_vectors_run *run, const json_t *array, size_t index,
                          int64_t least, int64_t most);
struct pa_hash pa_run_hash_at(struct pa_vectors_run *run, const json_t *array, size_t index);
uint64_t pa_run_word_at(struct pa_vectors_run *run, const json_t *array, size_t index);
uint64_t pa_run_word(struct pa_vectors_run *run, const json_t *object, const char *key);

/* Comparisons, each one check. */
void pa_run_same_hash(struct pa_vectors_run *run, const char *what, const struct pa_hash *ours,
                      const struct pa_hash *theirs);
void pa_run_same_word(struct pa_vectors_run *run, const char *what, uint64_t ours, uint64_t theirs);
void pa_run_same_integer(struct pa_vectors_run *run, const char *what, int64_t ours,
                         int64_t theirs);

/* vectors_device.c. True when the device computed something to compare; false, and a failed run,
 * when it broke. */
bool pa_run_device(struct pa_vectors_run *run, int code);
/* 256 values of vector v from `first` on, and a digest over the first words of a tile. */
void pa_run_device_operands(struct pa_vectors_run *run, enum pa_class class_id,
                            const struct pa_seed *seed, uint32_t v, uint32_t first,
                            const json_t *values, int64_t wanted_sum);
void pa_run_device_digest(struct pa_vectors_run *run, enum pa_word_kind kind, const json_t *words,
                          uint32_t s, uint64_t wanted);

/* vectors_epoch.c: one entry of "epochs". */
void pa_run_epoch(struct pa_vectors_run *run, const json_t *epoch, size_t number);

#endif
