/* SPDX-License-Identifier: Apache-2.0 */
/* vectors.h - known answers run through the real functions (`petaudit selftest`).
 *
 * The file format is that of tests/vectors/proof.json, which a separate, slow implementation wrote;
 * that file is embedded in the binary. A report counts the comparisons of each group and keeps the
 * first one that failed, in words. The file may be hostile: types, sizes and bounds are checked
 * before anything is computed.
 */
#ifndef PA_PROOF_VECTORS_H
#define PA_PROOF_VECTORS_H

#include "base/error.h"
#include "proof/chain.h"

#include <stddef.h>
#include <stdint.h>

enum { PA_VECTOR_GROUPS = 6, PA_MISMATCH_TEXT_BYTES = 320 };

struct pa_vectors_report {
    struct {
        const char *name; /* "hash", "philox", "operands", "digests", "trees", "epochs" */
        uint32_t cases;   /* entries of the group */
        uint32_t checks;  /* comparisons made */
        uint32_t mismatches;
    } groups[PA_VECTOR_GROUPS];
    uint32_t checks;        /* in all */
    uint32_t device_checks; /* of these, what the device computed */
    uint32_t mismatches;
    char first_mismatch[PA_MISMATCH_TEXT_BYTES]; /* "trees[3].root: .."; empty when all agree */
};

/* A chain of `steps` steps from `start`, and the state that the first `words` words of each of its
 * results fold into (fabric_proof.h). */
struct pa_vectors_chain {
    enum pa_class class_id;
    struct pa_shape shape;
    const struct pa_hash *start;
    uint32_t steps;
    uint64_t words;
    /* Filled in: */
    struct pa_chain chain;
    uint32_t *state; /* owned by the caller, who gives room for it */
    bool has_state;  /* false: the device does not fold */
};

/* A device that computes, beside this code, what it can of the vectors. Each function returns
 * PA_OK, PA_EUNSUPPORTED for what the device does not have (nothing is compared then), or an error
 * that ends the run. */
struct pa_vectors_device {
    void *context;
    /* The first `count` values of vector v; `count` is a multiple of what a Philox block holds. */
    int (*values)(void *context, enum pa_class class_id, const struct pa_seed *seed, uint32_t v,
                  uint32_t count, int32_t *out, struct pa_error *error);
    /* The digest of a whole tile: 128 x 128 words, of doubles twice as many. */
    int (*digest)(void *context, enum pa_word_kind kind, const uint32_t *words, uint32_t s,
                  uint64_t *out, struct pa_error *error);
    /* The chain that `work` asks for, into its `chain`, which is begun here and freed by the
     * caller, also on failure. */
    int (*chain)(void *context, struct pa_vectors_chain *work, struct pa_error *error);
};

/* Run the vectors in `json`; `name` is what messages call it. PA_OK whether or not they agree (the
 * report says); PA_EINPUT with the place of the first thing that is malformed. A file without a
 * single check is malformed: nothing compared is never a success. `device` may be NULL. */
int pa_vectors_run(const char *name, const void *json, size_t size,
                   const struct pa_vectors_device *device, struct pa_vectors_report *out,
                   struct pa_error *error);
/* The same for the vectors inside the binary. */
int pa_vectors_run_embedded(const struct pa_vectors_device *device, struct pa_vectors_report *out,
                            struct pa_error *error);

#endif
