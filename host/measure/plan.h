/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h - what an audit will do, decided before anything is declared. */
#ifndef PA_MEASURE_PLAN_H
#define PA_MEASURE_PLAN_H

#include "claim/claim.h"
#include "measure/progress.h"
#include "measure/ramp.h"
#include "measure/site.h"

struct pa_plan_wishes {
    enum pa_precision precision;     /* NONE: the claim's */
    uint64_t duration_ns;            /* 0: the policy's window */
    uint32_t test_m, test_n, test_k; /* not 0: TEST shapes, a TEST result */
    double sample_percent;           /* of the devices, that the witness chooses; 0: see below */
    uint32_t sample_count;           /* the same as a number; 0 and 0: all of them */
};

struct pa_plan {
    enum pa_class class_id;
    bool is_provable; /* false for fp32 and tf32 claims: dense16 is run, the verdict is INCONCLUSIVE
                       */
    enum pa_precision precision;
    uint32_t k;
    uint32_t epochs;
    uint64_t epoch_ns;
    uint32_t openings;    /* of each epoch */
    uint32_t probe_count; /* kinds of short epochs for the radius */
    struct pa_declared_probe probes[PA_MOST_PROBE_KINDS];
    struct pa_ramp ramp;
    uint32_t sample_count;       /* devices that the witness is to choose; 0: all work */
    uint64_t warm_up_ns, raw_ns; /* at most; of each of the two raw windows */
    uint64_t coupled_ns;         /* of products with all-reduce between them, and as long again for
                                    the same devices by themselves */
    bool wants_fabric;           /* a fabric proof after the last epoch */
    uint64_t watermark_ns;       /* of switching the load at the end */
    uint64_t expected_ns;        /* of the whole run from here on */
    uint64_t memory_bytes;       /* of the hungriest process */
};

/* Decide class, epochs and times from claim, policy and wishes. PA_EINPUT when they cannot be had.
 */
int pa_plan_make(const struct pa_claim *claim, const struct pa_policy *policy,
                 const struct pa_plan_wishes *wishes, struct pa_plan *out, struct pa_error *error);

/* Let all devices calibrate at the same time; those that cannot run the class are lost. */
int pa_plan_calibrate(struct pa_plan *plan, struct pa_site *site,
                      const struct pa_plan_wishes *wishes, const struct pa_observer *observer,
                      struct pa_error *error);

/* The plan of a session that was declared by an earlier process. */
void pa_plan_of(const struct pa_declaration *declaration, struct pa_plan *out);

/* The shape for a short epoch: the calibrated one, halved until a few steps fit. */
struct pa_step_shape pa_plan_probe_shape(const struct pa_trial *chosen, uint32_t k,
                                         uint64_t length_ns);

/* The time still needed when `epochs_left` of all epochs, and the openings of all, are to come. */
uint64_t pa_plan_remaining(const struct pa_plan *plan, uint32_t epochs_left);
uint32_t pa_plan_epochs(const struct pa_plan *plan); /* probes included */
/* Of working as one system; 0 where there is nothing to couple. */
uint64_t pa_plan_coupled_ns(const struct pa_plan *plan, const struct pa_site *site);
/* Of a fabric proof: its steps at the calibrated rates, and the witness's check. What crosses the
 * fabric is not in it: nobody knows how fast that is before. 0 where there are not two devices. */
uint64_t pa_plan_fabric_ns(const struct pa_plan *plan, const struct pa_site *site);

#endif
