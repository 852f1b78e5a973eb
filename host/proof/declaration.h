/* SPDX-License-Identifier: Apache-2.0 */
/* declaration.h - what both sides sign before anything is measured (docs/protocol.md 2, step 0);
 * bytes in docs/protocol.md.
 *
 * Nothing that decides the outcome is chosen after it: the session's hash, on which all seeds
 * depend, is the hash of these bytes. What a session does beside its long epochs (probes of the
 * radius), or that only some devices are to work, is declared in parts at the end; a session
 * without any has the bytes that it always had.
 */
#ifndef PA_PROOF_DECLARATION_H
#define PA_PROOF_DECLARATION_H

#include "base/bytes.h"
#include "base/error.h"
#include "proof/hash.h"
#include "proof/work_class.h"

enum {
    PA_PUBLIC_KEY_BYTES = 65,     /* ECDSA P-256, uncompressed point */
    PA_DECLARED_NAME_BYTES = 128, /* with the terminating zero; UTF-8, no control characters */
    PA_MOST_DEVICES = 1 << 20,
    PA_MOST_EPOCHS = 1 << 20,
    PA_MOST_OPENINGS = 1 << 20, /* of one epoch */
    PA_MOST_PROBE_KINDS = 8,
    PA_MOST_PROBES = 1000,         /* of one kind */
    PA_MOST_PROBED_DEVICES = 1024, /* with more, a list takes longer than a short epoch */
};

/* Short epochs that bound how far away the work is done (docs/protocol.md 7). */
struct pa_declared_probe {
    uint64_t length_ns; /* planned, of each */
    uint32_t epochs;    /* how many */
    uint32_t openings;  /* n_e of each */
};
struct pa_probe_shape {
    uint32_t m, n;
};

struct pa_declared_device {
    uint32_t m, n;
    char name[PA_DECLARED_NAME_BYTES]; /* what the site calls it: a claim, not a proof */
};

struct pa_declaration {
    enum pa_class class_id;
    uint32_t k;
    uint32_t device_count;              /* G */
    struct pa_declared_device *devices; /* owned */
    uint32_t epochs;                    /* planned */
    uint64_t epoch_ns;                  /* planned length of each */
    uint32_t openings;                  /* n_e of every epoch */
    uint32_t interruptions;             /* allowed */
    uint64_t longest_gap_ns;            /* of each */
    uint32_t serial;                    /* r: the r-th session of this claim and site, from 1 */
    uint64_t alpha_ppm;                 /* error probability in millionths: 10000 is 1 % */
    struct pa_hash claim;               /* SHA-256 of the claim file's bytes */
    struct pa_hash policy;              /* SHA-256 of the policy file's bytes */
    uint8_t witness_key[PA_PUBLIC_KEY_BYTES];
    uint8_t prover_key[PA_PUBLIC_KEY_BYTES];
    char site[PA_DECLARED_NAME_BYTES];
    uint32_t probe_count; /* kinds of probes, the longest first; 0: no radius */
    struct pa_declared_probe probes[PA_MOST_PROBE_KINDS];
    struct pa_probe_shape *probe_shapes; /* owned: of each kind, device_count of them */
    uint32_t sample_count;  /* devices that the witness is to choose; 0: all of them work */
    uint64_t *sample_rates; /* owned: of each device, operations a second that the site declares */
};

/* Appends the declaration's bytes; equal declarations have equal bytes. */
void pa_declaration_write(const struct pa_declaration *declaration, struct pa_buffer *out);
/* The strict inverse: limits, sound shapes, well-formed names, no byte left over. PA_EINPUT. */
int pa_declaration_read(struct pa_declaration *out, const void *data, size_t size,
                        struct pa_error *error);
/* The same limits for one that was built, not read. */
int pa_declaration_check(const struct pa_declaration *declaration, struct pa_error *error);
/* session = H("session", declaration bytes) */
void pa_declaration_session(struct pa_hash *out, const void *bytes, size_t size);
/* False when the result type is TEST: a shape outside of a certificate's limits. */
bool pa_declaration_is_certified(const struct pa_declaration *declaration);
/* A copy with memory of its own. */
int pa_declaration_copy(const struct pa_declaration *declaration, struct pa_declaration *out,
                        struct pa_error *error);
void pa_declaration_free(struct pa_declaration *declaration);

#endif
