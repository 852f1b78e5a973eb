/* SPDX-License-Identifier: Apache-2.0 */
/* statement_sample.c - which devices the witness chose, and what they say of all of them. */
#include "certificate/statement_parts.h"

/* More are in the evidence. */
enum { MOST_CHOSEN = 4096 };

static json_t *build_chosen(struct pa_builder *b) {
    const struct pa_fact_sample *sample = &b->facts->sample;
    double seconds = b->facts->credit.seconds;
    json_t *out = json_array();
    for (uint32_t i = 0; sample->chosen != NULL && i < sample->count && i < MOST_CHOSEN; i++) {
        uint32_t d = sample->chosen[i];
        json_t *item = json_object();
        pa_statement_put_decimal(b, item, "declared_pflops",
                                 (double)b->facts->declaration.sample_rates[d] * 1e-15);
        pa_statement_put_count(b, item, "device", d);
        pa_statement_put_decimal(
            b, item, "pflops", seconds > 0 ? b->facts->devices[d].operations / seconds * 1e-15 : 0);
        pa_statement_append(b, out, item);
    }
    return out;
}

json_t *pa_statement_build_sample(struct pa_builder *b) {
    const struct pa_fact_sample *sample = &b->facts->sample;
    const struct pa_sample_bound *bound = &sample->bound;
    char confidence[PA_SAMPLE_CONFIDENCE_BYTES] = "none", words[512];
    bool is_known = bound->sampled > 0;
    json_t *out = json_object();
    if (is_known)
        pa_sample_confidence_text(b->facts, confidence);
    pa_statement_put(b, out, "chosen", build_chosen(b));
    pa_statement_put_known(b, out, "confidence", 1 - 2 * b->facts->credit.alpha_r, is_known);
    pa_statement_put_text(b, out, "confidence_text", confidence);
    pa_statement_put_known(b, out, "declared_pflops", sample->declared_per_second * 1e-15,
                           is_known);
    pa_statement_put_count(b, out, "devices", sample->count > 0 ? b->facts->device_count : 0);
    pa_statement_put_count(b, out, "drawn", sample->count);
    pa_statement_put_known(b, out, "estimate_pflops", bound->estimate * 1e-15, is_known);
    pa_statement_put_count(b, out, "failing", bound->failing);
    if (sample->chosen != NULL)
        pa_statement_put_hex(b, out, "key", sample->key.bytes);
    else
        pa_statement_put(b, out, "key", json_null());
    pa_statement_put_known(b, out, "lower_pflops", bound->lower * 1e-15, is_known);
    pa_statement_put_count(b, out, "missing_most", bound->missing_most);
    pa_statement_put_known(b, out, "missing_share_most",
                           is_known ? (double)bound->missing_most / bound->devices : 0, is_known);
    pa_statement_put_known(b, out, "upper_pflops", bound->upper * 1e-15, is_known);
    pa_sample_words(b->facts, words, sizeof words);
    pa_statement_put_text(b, out, "words", words);
    return out;
}
