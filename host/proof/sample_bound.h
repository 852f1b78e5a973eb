/* SPDX-License-Identifier: Apache-2.0 */
/* sample_bound.h - what a random sample of devices says of all of them (docs/sampling.md).
 *
 * Nothing is assumed of how rates are distributed. Each device was declared with a rate before the
 * draw, and counts for at most that. The bound of the mean is by betting (Waudby-Smith and Ramdas,
 * J. R. Stat. Soc. B 86, 2024; sampling without replacement), that of the number of devices which
 * are not there is hypergeometric and exact. Openings vouch for the sum of the sample only, so up
 * to (1 - honest fraction) of it is taken away wherever that hurts most.
 */
#ifndef PA_PROOF_SAMPLE_BOUND_H
#define PA_PROOF_SAMPLE_BOUND_H

#include "base/error.h"

#include <stdint.h>

/* A device that delivers less than this share of its declared rate counts as missing. */
#define PA_SAMPLE_PRESENT_SHARE 0.5

struct pa_sample_unit {
    double declared; /* rate, before the draw */
    double shown;    /* rate in the session; 0 when it did not answer */
};

struct pa_sample_terms {
    uint32_t devices;       /* N, the declared ones */
    double declared_total;  /* sum of their declared rates */
    double declared_most;   /* the largest of them, above 0 */
    double honest_fraction; /* of the sum that was shown, at least; from the openings */
    double error;           /* probability that a bound does not hold, of each bound by itself */
};

struct pa_sample_bound {
    uint32_t devices, sampled;
    uint32_t failing;      /* of the sample: certainly or possibly under the share above */
    uint32_t missing_most; /* of all devices, at most */
    double estimate;       /* of all: declared total times shown / declared of the sample */
    double lower;          /* the rate of all is at least this, */
    double upper;          /* and, no device counted above its declared rate, at most this */
};

/* The units in the order of the draw. PA_EINPUT for terms that cannot be, PA_EMEMORY. */
int pa_sample_bound_compute(struct pa_sample_bound *out, const struct pa_sample_unit *units,
                            uint32_t count, const struct pa_sample_terms *terms,
                            struct pa_error *error);

/* The largest number of failing devices among `devices` of which a sample of `count` shows at most
 * `failing` with a probability above `error`. */
uint32_t pa_sample_failing_most(uint32_t devices, uint32_t count, uint32_t failing, double error);

/* The least share of the time that a site which passes `passed` of `audits` surprise audits has
 * what it claims, at an error probability of `error` (Clopper and Pearson): a share p passes them
 * all with p^audits. */
double pa_passes_by_chance(uint32_t audits, uint32_t passed, double share); /* so many or more */
double pa_share_of_time_lower(uint32_t audits, uint32_t passed, double error);

/* The largest mean in [0, 1] that `values` (each in [0, 1], in the order of the draw, of `devices`
 * in all) refute with everything below it; up to `taken` of their sum may not be real. */
double pa_sample_mean_lower(const double *values, uint32_t count, uint32_t devices, double taken,
                            double error);

#endif
