/* SPDX-License-Identifier: Apache-2.0 */
/* judge.h - the door of host/judge/: a pure function from evidence, claim and policy to a verdict.
 *
 *   facts.h         what the evidence says
 *   uncertainty.h   how sure a figure is, and what follows for a limit
 *   judge.h         what follows from it under a policy
 *
 * Guarded acceptance (JCGM 106, ILAC G8): with claim T, result y and expanded uncertainty U at k =
 * 2, PASS if y - U >= T, FAIL if y + U < T, else INCONCLUSIVE. INVALID when the evidence is broken.
 * Nothing measured is never PASS.
 */
#ifndef PA_JUDGE_JUDGE_H
#define PA_JUDGE_JUDGE_H

#include "judge/facts.h"
#include "judge/uncertainty.h"

enum pa_verdict { PA_PASS, PA_FAIL, PA_INCONCLUSIVE, PA_INVALID }; /* also the exit statuses 0..3 */

const char *pa_verdict_name(enum pa_verdict verdict);

enum pa_severity { PA_SEVERITY_INFO, PA_SEVERITY_WARNING, PA_SEVERITY_CRITICAL };

/* What a finding does to the verdict, from nothing to everything. */
enum pa_effect {
    PA_EFFECT_NONE,
    PA_EFFECT_NO_PASS,      /* what the figures would pass is inconclusive */
    PA_EFFECT_INCONCLUSIVE, /* the figures decide nothing */
    PA_EFFECT_INVALID,
    PA_EFFECTS
};

const char *pa_severity_name(enum pa_severity severity); /* "info", "warning", "critical" */
const char *pa_effect_name(enum pa_effect effect); /* "told", "no pass", "undecided", "invalid" */

/* A row of the table of findings (finding_table.c, docs/findings.md). */
struct pa_finding_kind {
    const char *code; /* NULL ends the table */
    enum pa_severity severity;
    enum pa_effect effect;
    const char *advice; /* what to do about it, one sentence */
};
extern const struct pa_finding_kind pa_finding_kinds[];
const struct pa_finding_kind *pa_finding_kind_find(const char *code);

struct pa_finding {
    char code[32]; /* "RATE_ABOVE_PEAK" */
    enum pa_severity severity;
    char text[512];
    char evidence[160]; /* where to look: "devices 3, 7-9", "epoch 2", "record 17", "claim" */
    char advice[160];   /* empty where the table does not know the code */
};

/* One way to read the clause: entitlement on a basis, in a precision, with a rounding. */
struct pa_reading {
    enum pa_basis basis;
    enum pa_precision precision;
    enum pa_rounding rounding;
    bool is_judged; /* the one that the policy chose */
    bool is_known;  /* false: nobody measured it, or the catalogue has no peak */
    double pflops;
    double entitled_mw, overclaim_mw;
};
enum { PA_MOST_READINGS = 8, PA_SAMPLE_CONFIDENCE_BYTES = 64 };

/* What became of one requirement of the policy. */
struct pa_requirement_result {
    enum pa_verdict verdict; /* never INVALID */
    bool is_known;           /* false: not measured, `reason` says why */
    struct pa_budget budget; /* of the value, in the requirement's base unit; y is the value */
    struct pa_conformity conformity;
    char reason[512]; /* one sentence */
};

struct pa_judgement {
    enum pa_verdict verdict;
    char reason[512]; /* one sentence, for people */
    double claim_pflops;
    double verified_pflops;      /* W / Dt x honest fraction */
    double verified_u;           /* U at k = 2, PFLOPS */
    double verified_rate_pflops; /* W / Dt, before the bound */
    double honest_fraction_lower, confidence;
    bool is_sampled;        /* only devices that the witness chose worked */
    double capacity_pflops; /* verified_pflops; of a sample: what it vouches for of all devices */
    double capacity_upper_pflops;  /* what a sample allows for; else the same */
    double capacity_scaled_pflops; /* what a relative error of all rates is a share of */
    double raw_pflops;             /* sum over devices; 0 unknown */
    double nominal_pflops;         /* catalogue peaks of the devices that did work; 0 unknown */
    double reference_pflops; /* the same by units x clock x operations a clock, as the devices tell
                              * them: a second reference, never judged; 0 unknown */
    uint32_t nominal_devices, nominal_unknown; /* that did work, with a catalogue peak or without */
    double substitution_bound; /* by how much a cheaper exact route could inflate the rate: the
                                * largest bound of the session's devices; 1 or more */
    double judged_pflops;      /* y: nominal or verified, as the policy's basis says; divided by the
                                * substitution bound where the policy says so */
    double judged_upper_pflops; /* what a sample allows for at most; else the same */
    double judged_u;            /* at the policy's k, 2 unless it says otherwise */
    double conformity;          /* probability that the true value reaches the claim, 0..1 */
    struct pa_budget budget;    /* of verified_pflops; U at k = 2 is verified_u */
    struct pa_conformity claim_conformity; /* of judged_pflops against the claim */
    struct pa_requirement_result requirements[PA_POLICY_MOST_REQUIREMENTS]; /* the policy's, in
                                                                             * order */
    uint32_t requirement_count;
    struct pa_reading readings[PA_MOST_READINGS];
    uint32_t reading_count;
    bool has_entitlement;
    double counted_pflops; /* what the entitlement is counted from: whole blocks of it, perhaps */
    double granted_pflops; /* what the granted MW would need */
    double entitled_mw, granted_mw,
        overclaim_mw; /* granted < 0: not told; overclaim = granted - entitled, at least 0 */
    enum pa_basis basis;
    enum pa_assurance assurance;
    struct pa_finding *findings; /* owned, ordered by severity, then code */
    uint32_t finding_count;
};

/* The most that a device can gain in this class by computing the same exact products through a
 * cheaper format (docs/protocol.md, "Substitution"): of a processor by its format, of any other by
 * the catalogue's rates. `basis` (may be NULL) is set to a constant that says where the bound comes
 * from. A device whose rates nobody knows gets the largest bound of its class. */
double pa_substitution_bound(enum pa_class class_id, const char *backend, const char *model,
                             const char *format, const char **basis);

/* The catalogue's dense peak of a device in a precision: by its whole name, from a row of medium or
 * high confidence, for a whole device; else 0, and never a default. */
double pa_judge_nominal(const struct pa_fact_device *device, enum pa_precision precision);
/* GiB that a device should have, by the claim or else by the catalogue; 0 unknown. */
double pa_judge_memory(const struct pa_claim *claim, const struct pa_fact_device *device);
/* The catalogue's sum over the devices that did work; where a sample was drawn, over all that are
 * not seen to be missing, less those that can be. PFLOPS. */
struct pa_nominal_count {
    uint32_t known, unknown; /* devices with a peak and without */
    double upper_pflops;     /* none missing but those that are seen to be */
};
double pa_judge_nominal_sum(const struct pa_facts *facts, enum pa_precision precision,
                            struct pa_nominal_count *count);
/* "confidence 99 %", or that nobody but the site says so. */
void pa_sample_confidence_text(const struct pa_facts *facts, char out[PA_SAMPLE_CONFIDENCE_BYTES]);
/* What the sample says of all devices, in a sentence; empty where none was drawn. */
void pa_sample_words(const struct pa_facts *facts, char *out, size_t size);
/* Judge `facts` against a claim and a policy. Fails only for want of memory. */
int pa_judge(const struct pa_facts *facts, const struct pa_claim *claim,
             const struct pa_policy *policy, struct pa_judgement *out, struct pa_error *error);
void pa_judgement_free(struct pa_judgement *judgement);

#endif
