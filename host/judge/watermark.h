/* SPDX-License-Identifier: Apache-2.0 */
/* watermark.h - whether power at a meter followed secret commands (docs/protocol.md, "Power
 * watermark").
 *
 * Each bit is two half-bits, one with the load on and one with it off, in an order that the witness
 * drew. Whoever did not see the commands is right in half of them, whatever the load did besides:
 * that is all the test rests on. All sums are whole numbers and the signs of the re-randomisation
 * come from a hash, so that two judges of the same readings get the same p.
 */
#ifndef PA_JUDGE_WATERMARK_H
#define PA_JUDGE_WATERMARK_H

#include "base/error.h"
#include "proof/hash.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PA_WATERMARK_FEWEST_BITS = 16, /* fewer cannot reach the p that is asked for */
    PA_WATERMARK_MOST_BITS = 1024,
    PA_WATERMARK_DRAWS = 99999, /* of the re-randomisation: p is at least 1e-5 */
    PA_WATERMARK_CLIP = 4,      /* times the median of the differences' sizes */
};
#define PA_WATERMARK_LEAST_T 5.0
#define PA_WATERMARK_MOST_P 1e-4
/* |milliwatts| of a difference; larger ones are cut to it, so that no sum can overflow. */
#define PA_WATERMARK_MOST_MW INT64_C(2000000000000000)

struct pa_watermark_bit {
    bool is_on_first;
    bool is_usable;        /* false: told late, or without readings; it counts against */
    int64_t difference_mw; /* mean of the first half-bit less that of the second */
};

struct pa_watermark_test {
    uint32_t bits, usable;
    int64_t mean_mw; /* of the half differences with their signs: half of what was switched */
    double t;        /* mean / (sd / sqrt(n)), at most 1e6 */
    double p;        /* of a mean as large where the signs are random */
    bool is_found;   /* t above PA_WATERMARK_LEAST_T and p at most PA_WATERMARK_MOST_P */
};

/* z of every bit: its difference with the sign of the command, cut at PA_WATERMARK_CLIP medians; an
 * unusable bit has the median, with the wrong sign. */
void pa_watermark_signed(const struct pa_watermark_bit *bits, uint32_t count, int64_t *z);
double pa_watermark_t(const int64_t *z, uint32_t count);
/* (1 + draws with a sum at least that of z) / (1 + draws); the signs of draw r are the bits of
 * H("watermark", session | u32 r | u32 block), 256 of them a block. */
double pa_watermark_p(const int64_t *z, uint32_t count, const struct pa_hash *session);
/* All of it, of at most PA_WATERMARK_MOST_BITS bits. PA_EMEMORY. */
int pa_watermark_judge(const struct pa_watermark_bit *bits, uint32_t count,
                       const struct pa_hash *session, struct pa_watermark_test *out,
                       struct pa_error *error);

#endif
