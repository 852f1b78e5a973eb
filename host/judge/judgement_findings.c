/* SPDX-License-Identifier: Apache-2.0 */
/* judgement_findings.c - what a reader of the verdict should know of the session; of its devices:
 * device_findings.c. The table of codes, severities and effects is finding_table.c. */
#include "base/file.h"
#include "judge/judgement_inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* A session's length is counted in whole steps: a thousandth short is rounding. */
    WINDOW_TOLERANCE = 1000,
};

/* "epochs 2, 5": those in which openings failed, or never came. */
static const char *epochs_where(const struct pa_facts *facts, bool is_failed,
                                char out[PA_CROWD_EVIDENCE_BYTES]) {
    struct pa_crowd epochs = {0};
    for (uint32_t e = 0; e < facts->epoch_count; e++)
        if ((is_failed ? facts->epochs[e].failed : facts->epochs[e].missing) > 0)
            pa_crowd_add(&epochs, e);
    return epochs.count > 0 ? pa_crowd_evidence(&epochs, "epoch", out) : "openings";
}

static void find_broken(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    unsigned long long missing = facts->missing, drawn = facts->drawn;
    char where[PA_CROWD_EVIDENCE_BYTES];
    if (facts->broken[0] != '\0') {
        unsigned long long record;
        bool is_located = sscanf(facts->broken, "record %llu", &record) == 1;
        snprintf(where, sizeof where, "record %llu", is_located ? record : 0);
        pa_finding_add(judging, "BROKEN_EVIDENCE", is_located ? where : "the transcript",
                       "The evidence contradicts itself: %.440s.", facts->broken);
    }
    if (facts->failed > 0)
        pa_finding_add(judging, "OPENING_FAILED", epochs_where(facts, true, where),
                       "The site committed to results that are wrong: %.440s.",
                       facts->first_failure);
    if (missing > 0 && facts->is_finished)
        pa_finding_add(judging, "OPENING_MISSING", epochs_where(facts, false, where),
                       "%llu of %llu sampled tiles were never shown.", missing, drawn);
    if (!facts->is_finished)
        pa_finding_add(judging, "UNFINISHED", "the end of the transcript",
                       "The audit was stopped before its end, %llu of %llu sampled tiles were not "
                       "shown yet; go on with `petaudit audit --resume DIR`.",
                       missing, drawn);
}

static void find_unprovable(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    bool is_provable = true;
    const char *precision = pa_precision_name(judging->claim->precision);
    uint32_t class_id = pa_precision_class(judging->claim->precision, &is_provable);
    const struct pa_class_traits *proven = pa_class_traits(facts->declaration.class_id);
    enum pa_effect effect =
        pa_judging_needs_capacity(judging) ? PA_EFFECT_INCONCLUSIVE : PA_EFFECT_NONE;
    if (!is_provable)
        pa_finding_add_as(
            judging, "UNPROVABLE_PRECISION", PA_SEVERITY_WARNING, effect,
            "claim, capacity.precision",
            "A claim in %s cannot be proven, because 16-bit units compute the same exact "
            "products faster; claim fp16 or bf16.",
            precision);
    else if (class_id != (uint32_t)facts->declaration.class_id)
        pa_finding_add_as(judging, "CLASS_MISMATCH", PA_SEVERITY_CRITICAL, effect,
                          "claim, capacity.precision; the declaration",
                          "The session proved %s, which says nothing of a claim in %s.",
                          proven == NULL ? "another class" : proven->proven, precision);
}

static void find_unreal(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    if (facts->is_test_build)
        pa_finding_add(judging, "TEST_BUILD", "note test_build",
                       "This build of petaudit falsifies results for tests: %.255s.",
                       facts->test_build);
    struct pa_crowd emulated = {0};
    for (uint32_t d = 0; d < facts->device_count; d++)
        if (facts->devices[d].emulated)
            pa_crowd_add(&emulated, d);
    if (emulated.count > 0) {
        char who[200], where[PA_CROWD_EVIDENCE_BYTES];
        pa_crowd_text(facts, &emulated, who, sizeof who);
        pa_finding_add(judging, "EMULATED", pa_crowd_evidence(&emulated, "device", where),
                       "There is no such hardware here, it is emulated: %s.", who);
    }
}

static void find_short_window(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    double window = (double)judging->policy->window_ns / 1e9;
    if (facts->credit.seconds >= window - window / WINDOW_TOLERANCE)
        return;
    char seconds[PA_FIGURE_BYTES], wanted[PA_FIGURE_BYTES];
    pa_figure_text(seconds, facts->credit.seconds);
    pa_figure_text(wanted, window);
    pa_finding_add(judging, "SHORT_WINDOW", "all epochs; policy, session.window_s",
                   "The work took %.40s s; the policy wants at least %.40s s.", seconds, wanted);
}

static void find_too_little(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    struct pa_crowd closed = {0}, aborted = {0};
    char where[PA_CROWD_EVIDENCE_BYTES];
    uint32_t long_closed = 0, declared = pa_declared_epochs_in_all(&facts->declaration);
    for (uint32_t e = 0; e < facts->epoch_count; e++) {
        bool is_closed = facts->epochs[e].state == PA_EPOCH_CLOSED;
        pa_crowd_add(is_closed ? &closed : &aborted, e);
        long_closed += is_closed && facts->epochs[e].kind == 0;
    }
    if (closed.count == 0 || facts->credit.operations <= 0) {
        pa_finding_add(judging, "NOTHING_MEASURED", "all epochs",
                       "No work was done in any closed epoch.");
        return;
    }
    if (facts->credit.honest_fraction <= 0)
        pa_finding_add(judging, "TOO_FEW_OPENINGS", "the declaration, openings",
                       "%u openings an epoch are too few to prove anything at the declared error "
                       "probability.",
                       facts->declaration.openings);
    if (long_closed < 2)
        pa_finding_add(judging, "SINGLE_EPOCH", pa_crowd_evidence(&closed, "epoch", where),
                       "One epoch says nothing of how repeatable the rate is; its uncertainty is "
                       "taken to be as large as the rate.");
    if (aborted.count > 0)
        pa_finding_add(
            judging, "ABORTED_EPOCHS", pa_crowd_evidence(&aborted, "epoch", where),
            "%u of %u epochs were aborted; they count with their planned time and no work.",
            aborted.count, facts->epoch_count);
    if (facts->is_finished && closed.count + aborted.count < declared)
        pa_finding_add(judging, "FEWER_EPOCHS", "the declaration, epochs",
                       "The session ended after %u of %u declared epochs.",
                       closed.count + aborted.count, declared);
    find_short_window(judging);
}

static void find_long_gap(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    for (uint32_t e = 0; e < facts->epoch_count; e++) {
        const struct pa_fact_epoch *epoch = &facts->epochs[e];
        if (!epoch->after_gap || epoch->gap_ns <= judging->policy->longest_gap_ns)
            continue;
        char where[32];
        snprintf(where, sizeof where, "before epoch %u", e);
        pa_finding_add(judging, "BELOW_POLICY", where,
                       "An interruption of %llu s is longer than the policy allows.",
                       (unsigned long long)(epoch->gap_ns / 1000000000));
        return;
    }
}

/* Each length that the policy names, or a shorter one. */
static bool has_probes(const struct pa_declaration *declaration, const struct pa_policy *policy) {
    for (uint32_t i = 0; i < policy->radius_count; i++)
        if (i >= declaration->probe_count ||
            declaration->probes[i].length_ns > policy->radius_ns[i])
            return false;
    return true;
}

static void find_weaker_than_policy(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    const struct pa_declaration *declaration = &facts->declaration;
    const struct pa_policy *policy = judging->policy;
    if (!facts->is_certified)
        pa_finding_add(judging, "TEST", "the declaration, shapes",
                       "The result type is TEST: the shapes are smaller than a certificate needs.");
    uint64_t openings = (uint64_t)declaration->openings * declaration->epochs;
    if (openings < policy->openings)
        pa_finding_add(judging, "BELOW_POLICY", "the declaration, openings",
                       "The session declared %llu openings; the policy wants %u.",
                       (unsigned long long)openings, policy->openings);
    if (!has_probes(declaration, policy))
        pa_finding_add(judging, "BELOW_POLICY", "the declaration, probes",
                       "The session declared %u of the %u kinds of short epochs that the policy "
                       "wants for the radius.",
                       declaration->probe_count, policy->radius_count);
    if ((double)declaration->alpha_ppm > policy->alpha * 1e6 + 0.5)
        pa_finding_add(judging, "BELOW_POLICY", "the declaration, alpha",
                       "The session declared an error probability of %llu millionths; the policy "
                       "allows %.0f.",
                       (unsigned long long)declaration->alpha_ppm, policy->alpha * 1e6);
    if (facts->credit.gaps > policy->interruptions)
        pa_finding_add(judging, "BELOW_POLICY", "notes interruption",
                       "There were %u interruptions; the policy allows %u.", facts->credit.gaps,
                       policy->interruptions);
    find_long_gap(judging);
    if (facts->assurance < policy->assurance)
        pa_finding_add(judging, "LOW_ASSURANCE", "note assurance; the declaration, keys",
                       "The assurance is %s; the policy wants %s.",
                       pa_assurance_name(facts->assurance), pa_assurance_name(policy->assurance));
}

static void find_terms(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    const struct pa_claim *claim = judging->claim;
    const struct pa_policy *policy = judging->policy;
    if (facts->assurance == PA_ASSURANCE_SELF)
        pa_finding_add(
            judging, "SELF_DECLARED", "note assurance; the declaration, keys",
            "Witness and site are one process: this protects against errors, not against "
            "fraud.");
    bool is_other_claim = memcmp(claim->sha256, facts->declaration.claim.bytes, 32) != 0;
    bool is_other_policy = memcmp(policy->sha256, facts->declaration.policy.bytes, 32) != 0;
    if (is_other_claim || is_other_policy)
        pa_finding_add(judging, "REJUDGED", "the declaration, hashes of claim and policy",
                       "The evidence is judged under another %s than the one that it was declared "
                       "with.",
                       !is_other_policy  ? "claim"
                       : !is_other_claim ? "policy"
                                         : "claim and another policy");
    if (claim->basis != PA_BASIS_NONE && policy->basis != PA_BASIS_NONE &&
        claim->basis != policy->basis)
        pa_finding_add(judging, "BASIS_OVERRIDDEN", "claim, capacity.basis; policy, basis",
                       "The claim means %s capacity; the policy judges %s capacity.",
                       pa_basis_name(claim->basis), pa_basis_name(policy->basis));
}

static void find_circumstances(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    if (facts->clock_step_seconds > 1) {
        char seconds[PA_FIGURE_BYTES];
        pa_figure_text(seconds, facts->clock_step_seconds);
        pa_finding_add(
            judging, "CLOCK_STEP", "times of all records",
            "The calendar clock moved by %.40s s against the oscillator during the session; "
            "dates are uncertain, durations are not.",
            seconds);
    }
    if (facts->suspended_ns > 0)
        pa_finding_add(judging, "SUSPENDED", "notes boottime",
                       "The witness's machine slept for %llu ms while epochs were under work: its "
                       "clock stood still, so the rate is overstated.",
                       (unsigned long long)(facts->suspended_ns / 1000000));
    if (facts->credit.gaps > 0)
        pa_finding_add(
            judging, "INTERRUPTED", "notes interruption",
            "The session was interrupted %u times, for %llu s in all, which do not count "
            "as time.",
            facts->credit.gaps, (unsigned long long)(facts->credit.gap_ns / 1000000000));
    for (uint32_t i = 0; i < facts->allreduce_count; i++) {
        if (facts->allreduce[i].verified)
            continue;
        char where[32];
        snprintf(where, sizeof where, "note allreduce %u", i);
        pa_finding_add(judging, "ALLREDUCE_WRONG", where,
                       "An all-reduce of %llu bytes over %u ranks gave a wrong result.",
                       (unsigned long long)facts->allreduce[i].bytes, facts->allreduce[i].ranks);
        break;
    }
    if (facts->coupled.state == PA_COUPLED_WRONG)
        pa_finding_add(judging, "COUPLED_WRONG", "note coupled",
                       "Working as one system, %u ranks reduced to a wrong result.",
                       facts->coupled.ranks);
    if (facts->coupled.state == PA_COUPLED_LOST)
        pa_finding_add(judging, "COUPLED_LOST", "note coupled",
                       "The devices could not be measured as one system: %s",
                       facts->coupled.reason);
}

/* A code that a site may note, cut to what a finding holds. */
static enum pa_severity severity_named(const char *name) {
    return strcmp(name, "critical") == 0  ? PA_SEVERITY_CRITICAL
           : strcmp(name, "warning") == 0 ? PA_SEVERITY_WARNING
                                          : PA_SEVERITY_INFO;
}

/* Findings of the measuring side: told, never decisive. Optional members "evidence" and "advice"
 * say where to look and what to do; a code of the table has its own advice. */
static void repeat_findings(struct pa_judging *judging) {
    size_t index;
    const json_t *note;
    json_array_foreach(judging->facts->notes, index, note) {
        const char *kind = json_string_value(json_object_get(note, "kind"));
        const char *code = json_string_value(json_object_get(note, "code"));
        const char *severity = json_string_value(json_object_get(note, "severity"));
        const char *text = json_string_value(json_object_get(note, "text"));
        const char *evidence = json_string_value(json_object_get(note, "evidence"));
        char printable[512], where[160];
        if (kind == NULL || strcmp(kind, "finding") != 0 || code == NULL || severity == NULL ||
            text == NULL)
            continue;
        pa_printable(printable, sizeof printable, text);
        pa_printable(where, sizeof where, evidence == NULL ? "note finding" : evidence);
        pa_finding_add_as(judging, code, severity_named(severity), PA_EFFECT_NONE, where, "%s",
                          printable);
    }
}

void pa_judge_find(struct pa_judging *judging) {
    find_broken(judging);
    pa_judge_find_duplicates(judging);
    find_unprovable(judging);
    find_unreal(judging);
    find_too_little(judging);
    find_weaker_than_policy(judging);
    find_terms(judging);
    find_circumstances(judging);
    pa_judge_find_identities(judging);
    pa_find_devices(judging);
    pa_find_attestation(judging);
    pa_find_elsewhere(judging);
    pa_find_power(judging);
    pa_find_sample(judging);
    pa_find_watermark(judging);
    pa_find_fabric(judging);
    pa_judge_find_doubts(judging);
    repeat_findings(judging);
}
