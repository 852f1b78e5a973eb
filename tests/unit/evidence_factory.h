/* SPDX-License-Identifier: Apache-2.0 */
/* evidence_factory.h - whole sessions, honest or broken in one named way, made with the real proof
 * functions at shapes so small that a processor computes them tile by tile.
 *
 *     struct evidence_recipe recipe = evidence_recipe_honest();
 *     recipe.flaw = FLAW_WRONG_TILES;
 *     evidence_make(path, &recipe);
 */
#ifndef PA_TESTS_EVIDENCE_FACTORY_H
#define PA_TESTS_EVIDENCE_FACTORY_H

#include "base/bytes.h"
#include "proof/proof.h"

#include <jansson.h>

/* The session and its first epoch begin here; epochs follow one another without pause. */
#define EVIDENCE_UTC_START UINT64_C(1795478400000000000)
#define EVIDENCE_RAW_START UINT64_C(5000000000000)

enum evidence_flaw {
    FLAW_NONE,
    FLAW_WRONG_TILES,     /* device 0 commits to falsified digests in one epoch; RESULT says so */
    FLAW_LYING_RESULT,    /* the same, and RESULT says that all is well */
    FLAW_SHY_RESULT,      /* RESULT speaks of fewer openings than are due */
    FLAW_FLIPPED_OPENING, /* one bit of one opening */
    FLAW_OPENING_MISSING,
    FLAW_OPENING_TWICE,
    FLAW_OPENING_BEYOND, /* j = n_e */
    FLAW_NO_OPENINGS,
    FLAW_NO_LIST,
    FLAW_NO_KEY,
    FLAW_WRONG_KEY,
    FLAW_KEY_BEFORE_LIST,
    FLAW_LIST_NOT_ROOT,
    FLAW_LATE_LIST_ENTRY, /* the list has one device more */
    FLAW_WRONG_ROOT_SIGNATURE,
    FLAW_WRONG_WITNESS_SIGNATURE,
    FLAW_WRONG_PROVER_SIGNATURE,
    FLAW_WRONG_CLOSING_SIGNATURE,
    FLAW_AFTER_SIGNATURE, /* a note after the end */
    FLAW_T1_BEFORE_T0,
    FLAW_EPOCH_SKIPPED,
    FLAW_EXTRA_EPOCH, /* one more than declared */
    FLAW_WRONG_CLAIM, /* the claim note is not the declared one */
    FLAW_NOTE_NOT_JSON,
    FLAW_NOTE_MALFORMED, /* a device note without an id */
    FLAW_DUPLICATE_DEVICE,
    FLAW_TOO_LONG_GAP,
    FLAW_LONG_AFTER_GAP, /* noted at once, and long before the next nonce */
    FLAW_TOO_MANY_GAPS,
    FLAW_OTHERS_CHOSEN, /* the devices noted are not those that the key gives, and these work */
    FLAW_OTHERS_WORK,   /* the note is right, and another device works */
    FLAW_CHOSEN_TWICE,
    FLAW_NOBODY_CHOSEN,
    /* Not broken, only special: */
    FLAW_UNFINISHED, /* killed before the last openings */
    FLAW_ABORTED,    /* the flawed epoch has no root */
    FLAW_INTERRUPTED,
    FLAW_CLOCK_STEP,
    FLAW_LOST_DEVICE, /* device 1 does nothing from the flawed epoch on */
    FLAW_IDLE,        /* no device ever does anything */
    FLAW_TEST_BUILD,
};

/* A device as a site tells of it. */
struct evidence_device {
    const char *id, *name, *backend, *format, *host, *partition; /* partition may be NULL */
    uint64_t memory_bytes;
    const char *peak_per_second, *raw_per_second; /* figures; NULL: not told */
    uint32_t steps;                               /* of its first epoch, */
    uint32_t fewer;                               /* so many fewer in each that follows */
};

struct evidence_recipe {
    uint32_t devices, epochs, openings, steps;
    uint32_t m, n, k;
    enum pa_class class_id;
    uint64_t epoch_ns;
    uint32_t serial;
    uint32_t sample;                      /* devices that the witness chooses; 0: all work */
    uint64_t sample_rate;                 /* declared of each, operations a second */
    const char *claim_text, *policy_text; /* kept as notes, hashed into the declaration */
    enum evidence_flaw flaw;
    uint32_t flaw_epoch;
    const struct pa_buffer *readings; /* whole records that follow the last epoch; may be NULL */
    const char *const *more_notes;    /* JSON, ended by NULL; after those that each session has */
    const struct evidence_device *described; /* all `devices`; NULL: sample processors */
    bool is_invented;    /* tile digests are invented, not computed: for PA_RECHECK_PATHS alone */
    bool is_witnessed;   /* the assurance told; the keys differ in any case */
    const json_t *notes; /* array: more notes before the first epoch; may be NULL */
    const json_t *late_notes; /* after the last; "at_epoch" says of which epoch */
    struct pa_hash session;   /* out */
};

/* 2 devices of 256 x 256 x 256, 3 epochs of 5 steps and 20 s, 60 openings each. */
struct evidence_recipe evidence_recipe_honest(void);
/* Makes `path`; aborts the test program when something cannot be done. */
void evidence_make(const char *path, struct evidence_recipe *recipe);

#endif
