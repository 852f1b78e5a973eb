/* SPDX-License-Identifier: Apache-2.0 */
/* judgement_inside.h - what the files of the judgement share; not part of the door. */
#ifndef PA_JUDGE_JUDGEMENT_INSIDE_H
#define PA_JUDGE_JUDGEMENT_INSIDE_H

#include "judge/judge.h"

struct pa_judging {
    const struct pa_facts *facts;
    const struct pa_claim *claim;
    const struct pa_policy *policy;
    struct pa_judgement *out;
    uint32_t finding_capacity;
    bool out_of_memory;
    char cause[PA_EFFECTS][512]; /* the first finding of each effect; empty when there is none */
};

/* A finding of the table, with its severity and effect; `evidence` says where to look. */
void pa_finding_add(struct pa_judging *judging, const char *code, const char *evidence,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The same where the case at hand is milder or graver than the table's row. */
void pa_finding_add_as(struct pa_judging *judging, const char *code, enum pa_severity severity,
                       enum pa_effect effect, const char *evidence, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* Numbers of devices (or epochs) that one finding is about, in ascending order, as text. */
struct pa_crowd {
    uint32_t count, first, run_from, last;
    char ranges[96]; /* of closed runs: "0, 3-7" */
};
void pa_crowd_add(struct pa_crowd *crowd, uint32_t number);
/* "device 3 (NVIDIA H100)" or "4 devices, the first of them device 3 (...)". */
void pa_crowd_text(const struct pa_facts *facts, const struct pa_crowd *crowd, char *out,
                   size_t size);
/* "devices 3, 7-9": for the member `evidence`; `noun` is "device" or "epoch". */
enum { PA_CROWD_EVIDENCE_BYTES = 160 };
const char *pa_crowd_evidence(const struct pa_crowd *crowd, const char *noun,
                              char out[PA_CROWD_EVIDENCE_BYTES]);

/* judgement_findings.c: everything worth saying; fills `cause`. judgement_doubts.c: what to know of
 * the figures themselves. */
void pa_judge_find(struct pa_judging *judging);
void pa_judge_find_doubts(struct pa_judging *judging);
/* findings_devices.c: health, errors, parts of devices, and who else used them. */
void pa_find_devices(struct pa_judging *judging);
/* findings_identity.c: what the devices are, against what they say and what was claimed. */
void pa_judge_find_identities(struct pa_judging *judging);
void pa_judge_find_duplicates(struct pa_judging *judging);
/* judgement_sample.c: capacity where some devices were measured. `upper` is in the unit of `limit`.
 */
void pa_judge_sample(struct pa_judging *judging);
void pa_judge_widen(const struct pa_judging *judging, enum pa_limit_side side, double limit,
                    double upper, double u, struct pa_conformity *conformity);
void pa_find_sample(struct pa_judging *judging);
/* findings_power.c: gaps of meters, and power that cannot be. */
void pa_find_power(struct pa_judging *judging);
/* findings_attestation.c: devices that their vendor vouches for, or does not. */
void pa_find_attestation(struct pa_judging *judging);
/* findings_elsewhere.c: devices that the witness's register knows from another site. */
void pa_find_elsewhere(struct pa_judging *judging);
/* findings_fabric.c: whether what devices exchanged was theirs. */
void pa_find_fabric(struct pa_judging *judging);
/* findings_watermark.c: whether power followed the witness's commands. */
void pa_find_watermark(struct pa_judging *judging);
/* judgement_requirements.c: each requirement of the policy against the figures. */
void pa_judge_requirements(struct pa_judging *judging);
/* judgement_readings.c: entitlement, and each reading of what the rule leaves open. */
void pa_judge_entitle(struct pa_judging *judging);
/* uncertainty_rate.c: the budget of a verified rate y, and the change of the epochs' rates over the
 * window as a share of their mean. */
void pa_rate_budget(const struct pa_facts *facts, double y, struct pa_budget *out);
double pa_rate_drift(const struct pa_facts *facts, bool *is_significant);
/* Whether the claim's capacity, or any capacity, decides; and whether data sheets decide it. */
bool pa_judging_needs_capacity(const struct pa_judging *judging);
bool pa_judging_is_nominal(const struct pa_judging *judging);
enum pa_verdict pa_verdict_of_decision(enum pa_decision decision);
/* judgement_verdict.c: out of the figures, the policy's rule and the causes. */
void pa_judge_decide(struct pa_judging *judging);

/* Whether a device is of a claimed model, under any of the names that the catalogue knows. */
bool pa_judge_is_model(const struct pa_fact_device *device, const char *model);
/* Four significant digits without trailing zeros, for sentences. */
enum { PA_FIGURE_BYTES = 352 };
void pa_figure_text(char out[PA_FIGURE_BYTES], double value);

#endif
