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
    uint32_t checks; /* in all */
    uint32_t mismatches;
    char first_mismatch[PA_MISMATCH_TEXT_BYTES]; /* "trees[3].root: .."; empty when all agree */
};

/* Run the vectors in `json`; `name` is what messages call it. PA_OK whether or not they agree (the
 * report says); PA_EINPUT with the place of the first thing that is malformed. A file without a
 * single check is malformed: nothing compared is never a success. */
int pa_vectors_run(const char *name, const void *json, size_t size, struct pa_vectors_report *out,
                   struct pa_error *error);
/* The same for the vectors inside the binary. */
int pa_vectors_run_embedded(struct pa_vectors_report *out, struct pa_error *error);

#endif
