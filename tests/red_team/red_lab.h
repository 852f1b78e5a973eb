/* SPDX-License-Identifier: Apache-2.0 */
/* red_lab.h - where cheats are tried: the witness's desk and the judge of the product, unmodified,
 * with nothing between them and a hostile site but the bytes of the wire.
 *
 * The lab owns the witness's key and store. Keys, nonces and tickets come from the system's random
 * numbers, as always; with a seed those are a fixed sequence (OpenSSL's method is replaced, not a
 * line of the witness), so that a run of CI can be repeated.
 */
#ifndef PA_TESTS_RED_LAB_H
#define PA_TESTS_RED_LAB_H

#include "command/outputs.h"
#include "witness/witness_desk.h"
#include "witness/witness_wire.h"

struct red_lab {
    char folder[64];
    struct pa_key *key;
    struct pa_witness_desk *desk;
    struct pa_judged judged; /* of the session that was finished last */
    bool has_judged;
    uint32_t sessions; /* since the desk was opened: it has room for 256 */
};

/* Numbers that do not depend on the C library; the stream of a seed is the same everywhere. */
uint64_t red_random(uint64_t *state);
/* 0 <= x < 1. */
double red_uniform(uint64_t *state);

/* Make the system's random numbers those of `seed` from here on. */
void red_lab_fix_randomness(uint64_t seed);

void red_lab_open(struct red_lab *lab);
void red_lab_close(struct red_lab *lab);
/* Forget everything that was judged and stored, the register of sessions included. */
void red_lab_renew(struct red_lab *lab);

/* What cannot fail in a lab that works; everything that an enemy might cause is a result. */
#define RED_MUST(holds)                                                                            \
    do {                                                                                           \
        if (!(holds))                                                                              \
            red_fail(__FILE__, __LINE__, #holds);                                                  \
    } while (0)
__attribute__((noreturn)) void red_fail(const char *file, int line, const char *what);

#endif
