/* SPDX-License-Identifier: Apache-2.0 */
/* judgement_inside.h - what the files of the judgement share; not part of the door. */
#ifndef PA_JUDGE_JUDGEMENT_INSIDE_H
#define PA_JUDGE_JUDGEMENT_INSIDE_H

#include "judge/judge.h"

/* What a finding does to the verdict, from nothing to everything. */
enum pa_effect {
    PA_EFFECT_NONE,
    PA_EFFECT_NO_PASS,      /* what the figures would pass is inconclusive */
    PA_EFFECT_INCONCLUSIVE, /* the figures decide nothing */
    PA_EFFECT_INVALID,
    PA_EFFECTS
};

struct pa_judging {
    const struct pa_facts *facts;
    const struct pa_claim *claim;
    const struct pa_policy *policy;
    struct pa_judgement *out;
    uint32_t finding_capacity;
    bool out_of_memory;
    char cause[PA_EFFECTS][512]; /* the first finding of each effect; empty when there is none */
};

void pa_finding_add(struct pa_judging *judging, const char *code, enum pa_severity severity,
                    enum pa_effect effect, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* judgement_findings.c: everything worth saying; fills `cause`. */
void pa_judge_find(struct pa_judging *judging);
/* findings_devices.c: health, errors, parts of devices, and who else used them. */
void pa_find_devices(struct pa_judging *judging);
/* judgement_verdict.c: out of the figures, the policy's rule and the causes. */
void pa_judge_decide(struct pa_judging *judging);

/* The catalogue's peak of a device in a precision or, where it knows none, the backend's own
 * figure; 0 when nobody knows. */
double pa_judge_peak(const struct pa_fact_device *device, enum pa_precision precision,
                     bool *is_catalogued);
/* Four significant digits without trailing zeros, for sentences. */
enum { PA_FIGURE_BYTES = 352 };
void pa_figure_text(char out[PA_FIGURE_BYTES], double value);

#endif
