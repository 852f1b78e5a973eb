/* SPDX-License-Identifier: Apache-2.0 */
/* stragglers.h - how the rates of like devices are distributed, and which fall out of it.
 *
 * Devices are alike when model, format and backend are the same. What is usual is the median of
 * their rates, how much they differ is the median absolute deviation (MAD): both stay where they
 * are when a part of the devices is slow, which a mean and a standard deviation do not. A straggler
 * is slower than the median by more than 5 standard deviations (1.4826 MAD, as of a normal
 * distribution) and by more than a twentieth: where all are equal to a thousandth, a hundredth less
 * is no reason to open a rack. Lost devices are no stragglers, and groups of fewer than four tell
 * nothing. */
#ifndef PA_JUDGE_STRAGGLERS_H
#define PA_JUDGE_STRAGGLERS_H

#include "judge/facts.h"

enum { PA_RATE_QUANTILES = 7 }; /* 0, 10, 25, 50, 75, 90, 100 % */

/* Like devices. Rates are operations a second of one device over the session's time. */
struct pa_rate_group {
    uint32_t first; /* the device of the lowest number */
    uint32_t count;
    double quantiles[PA_RATE_QUANTILES];
    double mad;
};

struct pa_straggler {
    uint32_t device;
    double rate;
    double share; /* of its group's median */
    double score; /* how many standard deviations below it; INFINITY where all others are equal */
};

struct pa_straggling {
    struct pa_rate_group *groups; /* owned, by the number of their first device */
    uint32_t group_count;
    struct pa_straggler *stragglers; /* owned: by host, the host with the slowest device first, and
                                      * by share on each */
    uint32_t straggler_count;
};

int pa_straggling_find(const struct pa_facts *facts, struct pa_straggling *out,
                       struct pa_error *error);
void pa_straggling_free(struct pa_straggling *straggling);
/* Mean power that a device told of itself, in watts; 0 unknown. */
double pa_device_told_watts(const struct pa_facts *facts, uint32_t device);

#endif
