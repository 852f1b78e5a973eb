/* SPDX-License-Identifier: Apache-2.0 */
/* A policy in words, for the person who has to answer for it, and what it leaves open. */
#include "base/number.h"
#include "claim/claim.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Shortest plain form of a figure: the nine digits without the zeros at the end. */
static void plain(char out[PA_DECIMAL_TEXT_BYTES], double value) {
    pa_decimal_text(out, value);
    if (strchr(out, '.') == NULL)
        return;
    size_t length = strlen(out);
    while (length > 0 && out[length - 1] == '0')
        length--;
    if (length > 0 && out[length - 1] == '.')
        length--;
    out[length] = '\0';
}

static void add(struct pa_buffer *out, const char *before, double value, const char *after) {
    char text[PA_DECIMAL_TEXT_BYTES];
    plain(text, value);
    pa_buffer_text(out, before);
    pa_buffer_text(out, text);
    pa_buffer_text(out, after);
}

static double round_to(double value, double step) {
    return floor(value / step + 0.5) * step;
}

static void describe_rule(const struct pa_policy *policy, struct pa_buffer *out) {
    if (policy->has_entitlement) {
        add(out, "Entitlement: ", policy->entitlement_mw, " MW of grid connection");
        add(out, " for every ", policy->entitlement_per_pflops, " PFLOPS");
        pa_buffer_text(out, policy->rounding == PA_ROUND_WHOLE_BLOCKS ? ", in whole blocks only.\n"
                                                                      : ", in proportion.\n");
    } else {
        pa_buffer_text(out, "Entitlement: none; the certificate states the capacity alone.\n");
    }
    pa_buffer_text(out, policy->basis == PA_BASIS_SUSTAINED
                            ? "Basis: sustained; what was proven counts, the datasheets do not.\n"
                            : "Basis: nominal; the datasheet peak of the devices that answered "
                              "counts.\n");
    if (policy->acceptance == PA_ACCEPT_GUARDED)
        add(out, "Acceptance: guarded; it passes when the result less its uncertainty at k = ",
            policy->k, " reaches the claim, and fails when even the result plus it does not.\n");
    else
        pa_buffer_text(out, "Acceptance: simple; it passes when the result reaches the claim, "
                            "whatever its uncertainty.\n");
}

static void describe_requirements(const struct pa_policy *policy, struct pa_buffer *out) {
    char text[PA_REQUIREMENT_TEXT_BYTES];
    for (uint32_t i = 0; i < policy->requirement_count; i++) {
        pa_requirement_text(&policy->requirements[i], text);
        pa_buffer_format(out, "Requirement %u: %s.\n", (unsigned)i + 1, text);
    }
    if (policy->judges == PA_JUDGES_REQUIREMENTS)
        pa_buffer_text(out,
                       "Judged: the requirements alone; what was claimed is printed beside.\n");
    if (policy->judges == PA_JUDGES_BOTH)
        pa_buffer_text(out, "Judged: the claim and each requirement; all must hold.\n");
}

static void describe_open(const struct pa_policy *policy, struct pa_buffer *out) {
    if (policy->open == 0)
        return;
    static const char *const readings[] = {"basis (nominal, sustained)",
                                           "precision (the claim's, dense fp16)",
                                           "rounding (in proportion, whole blocks)"};
    const char *before = "Open in the rule, so that each reading is printed: ";
    for (unsigned i = 0; i < 3; i++) {
        if ((policy->open & 1u << i) == 0)
            continue;
        pa_buffer_text(out, before);
        pa_buffer_text(out, readings[i]);
        before = ", ";
    }
    pa_buffer_text(out, ".\n");
}

static void describe_radius(const struct pa_policy *policy, struct pa_buffer *out) {
    const char *before = "Radius: short epochs of ";
    for (uint32_t i = 0; i < policy->radius_count; i++) {
        add(out, before, (double)policy->radius_ns[i] / 1e9, " s");
        before = ", ";
    }
    if (policy->radius_count > 0)
        pa_buffer_text(out, " at random moments bound how far away the work can be done.\n");
}

static void describe_session(const struct pa_policy *policy, struct pa_buffer *out) {
    add(out, "Session: at least ", (double)policy->window_ns / 1e9, " s of proven work");
    add(out, " in epochs of ", (double)policy->epoch_ns / 1e9, " s; ");
    pa_buffer_format(out, "%u results are computed again by the witness, spread over the epochs.\n",
                     (unsigned)policy->openings);
    /* All n draws hold: the share of honest work is above p with confidence 1 - alpha, p^n = alpha.
     */
    double honest = pow(policy->alpha, 1.0 / policy->openings);
    add(out, "Confidence: ", round_to(100 * (1 - policy->alpha), 1e-6), " %");
    add(out, "; a session whose openings all hold did at least ", round_to(100 * honest, 0.001),
        " % of its work (first session of a claim; later ones are corrected for the "
        "repetition).\n");
    describe_radius(policy, out);
    if (policy->watermark_bits > 0) {
        pa_buffer_format(out, "Power watermark: %u bits", (unsigned)policy->watermark_bits);
        add(out, " in half-bits of ", (double)policy->watermark_half_ns / 1e9, " s");
        add(out, "; the first ", (double)policy->watermark_settle_ns / 1e9,
            " s of each are left out. The load must follow at the meter.\n");
    }
    if (policy->wants_fabric)
        pa_buffer_text(out, "Fabric proof: where there are two devices or more, they exchange what "
                            "they computed, in pairs that the witness draws.\n");
    if (policy->interruptions == 0) {
        pa_buffer_text(out, "Interruptions: none.\n");
        return;
    }
    pa_buffer_format(out, "Interruptions: at most %u", (unsigned)policy->interruptions);
    add(out, ", each of at most ", (double)policy->longest_gap_ns / 1e9,
        " s, between epochs; they are printed and not counted as time.\n");
}

static void warn(struct pa_buffer *out, bool when, const char *text) {
    if (!when)
        return;
    pa_buffer_text(out, "warning: ");
    pa_buffer_text(out, text);
    pa_buffer_text(out, "\n");
}

static bool wants(const struct pa_policy *policy, enum pa_quantity quantity) {
    for (uint32_t i = 0; i < policy->requirement_count; i++)
        if (policy->requirements[i].quantity == quantity)
            return true;
    return false;
}

/* A file that borrows a built-in name would be quoted as that policy. */
static bool borrows_a_name(const struct pa_policy *policy) {
    size_t size;
    const char *text = pa_policy_text(policy->name, &size);
    return text != NULL && (size != policy->text_bytes || memcmp(text, policy->text, size) != 0);
}

static void warn_of_gaps(const struct pa_policy *policy, struct pa_buffer *out) {
    warn(out, borrows_a_name(policy),
         "the name is that of a built-in policy, but the content differs; give it its own name");
    warn(out, policy->source[0] == '\0',
         "source is not told; name the rule, its clause, date and link, and what is assumed");
    warn(out,
         policy->source[0] != '\0' && strstr(policy->source, "20") == NULL &&
             strstr(policy->source, "19") == NULL,
         "source names no year; a reader cannot tell which edition of the rule is meant");
    warn(out, !policy->has_entitlement && policy->judges == PA_JUDGES_CLAIM,
         "entitlement is not told; no overclaim in MW can be worked out");
    warn(out, policy->basis == PA_BASIS_NOMINAL,
         "basis is nominal; devices that are slow or throttled count like good ones");
    warn(out, wants(policy, PA_QUANTITY_DEVICES),
         "devices are counted as the site tells them; only the sum of their work is proven");
    warn(out, wants(policy, PA_QUANTITY_PUE),
         "PUE is a figure of a year; this one holds for the time of the work alone");
    warn(out,
         wants(policy, PA_QUANTITY_IT_POWER) || wants(policy, PA_QUANTITY_FACILITY_POWER) ||
             wants(policy, PA_QUANTITY_PUE),
         "power is judged; without a meter of the mains and its accuracy class nothing is decided");
    warn(out, policy->acceptance == PA_ACCEPT_SIMPLE,
         "acceptance is simple; a centre at the limit passes by luck every second time");
    warn(out, policy->window_ns < 60000000000ull,
         "window_s is below 60; a burst may pass for sustained work");
    warn(out, policy->openings < 300,
         "openings is below 300; more than 1 % of the work can be missing without notice");
    warn(out, policy->alpha > 0.05, "alpha is above 0.05; the confidence is below 95 %");
    warn(out, policy->inflation == PA_INFLATION_REPORT,
         "inflation is report; where a cheaper format can stand in, the bound is printed and not "
         "deducted");
    warn(out, policy->assurance == PA_ASSURANCE_SELF,
         "assurance is self; an operator's own, unwitnessed run can pass");
}

int pa_policy_describe(const struct pa_policy *policy, struct pa_buffer *out) {
    pa_buffer_format(out, "%s: %s\n", policy->name, policy->title);
    if (policy->source[0] != '\0')
        pa_buffer_format(out, "Source: %s\n", policy->source);
    describe_rule(policy, out);
    describe_requirements(policy, out);
    describe_open(policy, out);
    describe_session(policy, out);
    pa_buffer_text(out, policy->inflation == PA_INFLATION_DIVIDE
                            ? "Substitution: the credit is divided by the bound of the device.\n"
                            : "Substitution: the bound of the device is printed.\n");
    pa_buffer_format(out, "Assurance: %s, or better, can pass.\n",
                     pa_assurance_name(policy->assurance));
    warn_of_gaps(policy, out);
    return out->failed ? PA_EMEMORY : PA_OK;
}
