/* SPDX-License-Identifier: Apache-2.0 */
/* A policy from its YAML. What the verdict depends on has no default here: a parameter that nobody
 * wrote down is a decision that nobody took. Only `source` (a gap that pa_policy_describe names),
 * `entitlement` (a rule may grant nothing), `requirements` (the claim alone is judged), `open` and
 * `session.radius` (the place is not asked for) can be left out. */
#include "base/file.h"
#include "claim/policy_parts.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_EPOCHS = 65536, MOST_INTERRUPTIONS = 1000 };

static uint64_t seconds_to_ns(double seconds) {
    return (uint64_t)(seconds * 1e9 + 0.5);
}

static int read_entitlement(struct pa_yaml_map *root, struct pa_policy *out) {
    static const char *const keys[] = {"mw", "per_pflops", "rounding", NULL};
    static const char *const roundings[] = {"proportional", "whole_blocks", NULL};
    struct pa_yaml_map map;
    int word = 0;
    PA_TRY(pa_yaml_map_at(root, "entitlement", PA_OPTIONAL, keys, &map));
    if (map.node == NULL)
        return PA_OK;
    PA_TRY(pa_yaml_decimal(&map, "mw", PA_REQUIRED, 1e-6, 1e6, &out->entitlement_mw));
    PA_TRY(
        pa_yaml_decimal(&map, "per_pflops", PA_REQUIRED, 1e-6, 1e9, &out->entitlement_per_pflops));
    PA_TRY(pa_yaml_word(&map, "rounding", PA_REQUIRED, roundings, &word));
    out->rounding = (enum pa_rounding)word;
    out->has_entitlement = true;
    return PA_OK;
}

static int read_acceptance(struct pa_yaml_map *root, struct pa_policy *out) {
    static const char *const keys[] = {"rule", "k", NULL};
    static const char *const rules[] = {"guarded", "simple", NULL};
    struct pa_yaml_map map;
    int word = 0;
    PA_TRY(pa_yaml_map_at(root, "acceptance", PA_REQUIRED, keys, &map));
    PA_TRY(pa_yaml_word(&map, "rule", PA_REQUIRED, rules, &word));
    out->acceptance = (enum pa_acceptance)word;
    out->k = 2;
    /* Simple acceptance has no guard band; U is still printed, at k = 2. */
    return pa_yaml_decimal(&map, "k", word == 0 ? PA_REQUIRED : PA_OPTIONAL, 1, 4, &out->k);
}

/* Optional; with `bits` alone half-bits are as long as docs/protocol.md has them. */
static int read_watermark(struct pa_yaml_map *session, struct pa_policy *out) {
    static const char *const keys[] = {"bits", "half_bit_s", "settle_s", NULL};
    struct pa_yaml_map map;
    uint64_t bits = 0;
    double half_s = 10, settle_s = 2;
    PA_TRY(pa_yaml_map_at(session, "watermark", PA_OPTIONAL, keys, &map));
    if (map.node == NULL)
        return PA_OK;
    PA_TRY(pa_yaml_whole(&map, "bits", PA_REQUIRED, 16, 1024, &bits));
    PA_TRY(pa_yaml_decimal(&map, "half_bit_s", PA_OPTIONAL, 0.2, 600, &half_s));
    PA_TRY(pa_yaml_decimal(&map, "settle_s", PA_OPTIONAL, 0, 300, &settle_s));
    if (settle_s > half_s / 2)
        return pa_yaml_fail(map.yaml, pa_yaml_find(&map, "settle_s"), map.context, "settle_s",
                            "more than half of half_bit_s; expected time that is left to measure");
    out->watermark_bits = (uint32_t)bits;
    out->watermark_half_ns = seconds_to_ns(half_s);
    out->watermark_settle_ns = seconds_to_ns(settle_s);
    return PA_OK;
}

/* Lengths of short epochs, each shorter than the one before. */
static int read_radius(struct pa_yaml_map *session, struct pa_policy *out) {
    double lengths[PA_POLICY_MOST_PROBES];
    size_t count = 0;
    PA_TRY(
        pa_yaml_decimals(session, "radius", 0.001, 86400, PA_POLICY_MOST_PROBES, lengths, &count));
    for (size_t i = 0; i < count; i++) {
        out->radius_ns[i] = seconds_to_ns(lengths[i]);
        if (out->radius_ns[i] > (i == 0 ? out->epoch_ns : out->radius_ns[i - 1] - 1))
            return pa_yaml_fail(session->yaml, pa_yaml_find(session, "radius"), session->context,
                                "radius",
                                "expected lengths in seconds, none longer than epoch_s and each "
                                "shorter than the one before");
    }
    out->radius_count = (uint32_t)count;
    return PA_OK;
}

static int read_session(struct pa_yaml_map *root, struct pa_policy *out) {
    static const char *const keys[] = {
        "window_s",      "epoch_s", "alpha",     "openings", "interruptions",
        "longest_gap_s", "radius",  "watermark", "fabric",   NULL};
    static const char *const answers[] = {"off", "on", NULL};
    struct pa_yaml_map map;
    double window_s = 0, epoch_s = 0, gap_s = 0;
    uint64_t openings = 0, interruptions = 0;
    int fabric = 0;
    PA_TRY(pa_yaml_map_at(root, "session", PA_REQUIRED, keys, &map));
    PA_TRY(pa_yaml_decimal(&map, "window_s", PA_REQUIRED, 0.05, 30 * 86400.0, &window_s));
    PA_TRY(pa_yaml_decimal(&map, "epoch_s", PA_REQUIRED, 0.05, 86400, &epoch_s));
    PA_TRY(pa_yaml_decimal(&map, "alpha", PA_REQUIRED, 1e-9, 0.5, &out->alpha));
    PA_TRY(pa_yaml_whole(&map, "openings", PA_REQUIRED, 1, 1 << 20, &openings));
    PA_TRY(
        pa_yaml_whole(&map, "interruptions", PA_REQUIRED, 0, MOST_INTERRUPTIONS, &interruptions));
    PA_TRY(pa_yaml_decimal(&map, "longest_gap_s", PA_REQUIRED, 0, 7 * 86400.0, &gap_s));
    if (epoch_s > window_s)
        return pa_yaml_fail(map.yaml, pa_yaml_find(&map, "epoch_s"), map.context, "epoch_s",
                            "longer than window_s; expected an epoch that fits into the window");
    if (window_s / epoch_s > MOST_EPOCHS)
        return pa_yaml_fail(map.yaml, pa_yaml_find(&map, "epoch_s"), map.context, "epoch_s",
                            "the window would need more than %d epochs; expected longer epochs",
                            MOST_EPOCHS);
    if ((interruptions > 0) != (gap_s > 0))
        return pa_yaml_fail(map.yaml, pa_yaml_find(&map, "longest_gap_s"), map.context,
                            "longest_gap_s",
                            "contradicts interruptions; expected both to be 0, or neither");
    out->window_ns = seconds_to_ns(window_s);
    out->epoch_ns = seconds_to_ns(epoch_s);
    out->openings = (uint32_t)openings;
    out->interruptions = (uint32_t)interruptions;
    out->longest_gap_ns = seconds_to_ns(gap_s);
    PA_TRY(read_radius(&map, out));
    PA_TRY(pa_yaml_word(&map, "fabric", PA_OPTIONAL, answers, &fabric));
    out->wants_fabric = fabric == 1;
    return read_watermark(&map, out);
}

static int read_name(struct pa_yaml_map *root, struct pa_policy *out) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    PA_TRY(pa_yaml_text(root, "policy", PA_REQUIRED, out->name, sizeof out->name));
    size_t length = strlen(out->name);
    if (length > 63 || strspn(out->name, allowed) != length)
        return pa_yaml_fail(root->yaml, pa_yaml_find(root, "policy"), "", "policy",
                            "\"%.80s\" is no name for a policy; expected at most 63 small letters, "
                            "digits and hyphens",
                            out->name);
    return PA_OK;
}

static int read_policy(struct pa_yaml *yaml, struct pa_policy *out) {
    static const char *const keys[] = {
        "policy",    "title",     "source",       "entitlement", "basis", "acceptance", "session",
        "inflation", "assurance", "requirements", "judges",      "open",  NULL};
    static const char *const open[] = {"basis", "precision", "rounding", NULL};
    static const char *const bases[] = {"nominal", "sustained", NULL};
    static const char *const inflations[] = {"report", "divide", NULL};
    static const char *const assurances[] = {"self", "witnessed", "attested", NULL};
    struct pa_yaml_map root;
    int word = 0;
    PA_TRY(pa_yaml_root(yaml, keys, &root));
    PA_TRY(read_name(&root, out));
    PA_TRY(pa_yaml_text(&root, "title", PA_REQUIRED, out->title, sizeof out->title));
    PA_TRY(pa_yaml_text(&root, "source", PA_OPTIONAL, out->source, sizeof out->source));
    PA_TRY(read_entitlement(&root, out));
    PA_TRY(pa_yaml_word(&root, "basis", PA_REQUIRED, bases, &word));
    out->basis = (enum pa_basis)(PA_BASIS_NOMINAL + word);
    PA_TRY(read_acceptance(&root, out));
    PA_TRY(read_session(&root, out));
    PA_TRY(pa_yaml_word(&root, "inflation", PA_REQUIRED, inflations, &word));
    out->inflation = (enum pa_inflation)word;
    PA_TRY(pa_yaml_word(&root, "assurance", PA_REQUIRED, assurances, &word));
    out->assurance = (enum pa_assurance)word;
    PA_TRY(pa_yaml_words(&root, "open", open, &out->open));
    if ((out->open & PA_OPEN_ROUNDING) != 0 && !out->has_entitlement)
        return pa_yaml_fail(yaml, pa_yaml_find(&root, "open"), "", "open",
                            "there is no entitlement whose rounding could be open");
    return pa_policy_read_requirements(&root, out);
}

int pa_policy_parse(const char *name, const void *data, size_t size, struct pa_policy *out,
                    struct pa_error *error) {
    *out = (struct pa_policy){0};
    if (size > PA_CLAIM_MOST_BYTES)
        return pa_fail(error, PA_EINPUT,
                       "reading %s: it is larger than the %d bytes allowed for a policy", name,
                       PA_CLAIM_MOST_BYTES);
    struct pa_yaml yaml;
    PA_TRY(pa_yaml_open(&yaml, name, data, size, error));
    int code = read_policy(&yaml, out);
    pa_yaml_close(&yaml);
    if (code == PA_OK)
        code = pa_yaml_keep(name, data, size, &out->text, out->sha256, error);
    if (code != PA_OK) {
        pa_policy_free(out);
        return code;
    }
    out->text_bytes = size;
    return PA_OK;
}

void pa_policy_free(struct pa_policy *policy) {
    free(policy->text);
    *policy = (struct pa_policy){0};
}
