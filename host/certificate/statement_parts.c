/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/statement_parts.h"

#include <stdlib.h>

#include "base/base.h"

#include <stdio.h>
#include <string.h>

json_t *pa_statement_build_allreduce(struct pa_builder *b) {
    json_t *out = json_array();
    for (uint32_t i = 0; i < b->facts->allreduce_count; i++) {
        const struct pa_fact_allreduce *run = &b->facts->allreduce[i];
        json_t *item = json_object();
        pa_statement_put_decimal(b, item, "algbw_gbs", run->algbw_gbs);
        pa_statement_put_decimal(b, item, "busbw_gbs", run->busbw_gbs);
        pa_statement_put_count(b, item, "bytes", run->bytes);
        pa_statement_put_count(b, item, "ranks", run->ranks);
        pa_statement_put_truth(b, item, "verified", run->verified);
        pa_statement_append(b, out, item);
    }
    return out;
}

static void append_device(struct pa_builder *b, struct pa_device_writer *writer, uint32_t device,
                          struct pa_buffer *line, json_t *out) {
    pa_buffer_clear(line);
    pa_device_write(writer, device, line);
    pa_statement_append(
        b, out, line->failed ? NULL : json_loadb((const char *)line->data, line->size, 0, NULL));
    if (b->not_finite == NULL)
        b->not_finite = writer->not_finite;
}

/* All of them, or those that stand out where they are too many for one text. */
json_t *pa_statement_build_devices(struct pa_builder *b) {
    struct pa_device_writer writer = {.facts = b->facts, .claim = b->claim};
    struct pa_buffer line = {0};
    uint32_t count = b->facts->device_count;
    bool is_whole = count <= PA_STATEMENT_MOST_DEVICES;
    bool *marks = calloc((size_t)count + 1, sizeof *marks);
    json_t *out = json_array();
    if (marks == NULL)
        b->failed = true;
    else
        pa_devices_mark(b->facts, &b->straggling, marks);
    for (uint32_t d = 0; marks != NULL && d < count; d++)
        if (is_whole || (marks[d] && json_array_size(out) < PA_STATEMENT_MOST_DEVICES))
            append_device(b, &writer, d, &line, out);
    free(marks);
    pa_buffer_free(&line);
    return out;
}

/* Which devices the statement lists, and what the list of all hashes to where it is another file.
 */
json_t *pa_statement_build_device_list(struct pa_builder *b, uint64_t listed) {
    bool is_whole = b->facts->device_count <= PA_STATEMENT_MOST_DEVICES;
    json_t *out = json_object();
    pa_statement_put_count(b, out, "listed", listed);
    pa_statement_put_text(b, out, "selection", is_whole ? "all" : "standing out");
    if (is_whole)
        pa_statement_put(b, out, "sha256", json_null());
    else
        pa_statement_put_hex(b, out, "sha256", b->device_list.bytes);
    return out;
}

static json_t *build_epoch(struct pa_builder *b, const struct pa_fact_epoch *epoch) {
    bool is_closed = epoch->state == PA_EPOCH_CLOSED && epoch->t1.raw_ns > epoch->t0.raw_ns;
    /* An aborted epoch counts with its planned length and no work. */
    uint64_t ns = is_closed ? epoch->t1.raw_ns - epoch->t0.raw_ns
                            : pa_declared_length_ns(&b->facts->declaration, epoch->kind);
    json_t *out = json_object();
    pa_statement_put_count(b, out, "drawn", epoch->drawn);
    pa_statement_put_count(b, out, "failed", epoch->failed);
    pa_statement_put_decimal(b, out, "gap_s",
                             epoch->after_gap ? pa_statement_seconds(epoch->gap_ns) : 0);
    pa_statement_put_truth(b, out, "is_probe", epoch->kind > 0);
    pa_statement_put_count(b, out, "missing", epoch->missing);
    pa_statement_put_count(b, out, "number", epoch->number);
    pa_statement_put_decimal(b, out, "pflops",
                             is_closed ? epoch->operations / pa_statement_seconds(ns) * 1e-15 : 0);
    pa_statement_put_decimal(b, out, "seconds", pa_statement_seconds(ns));
    pa_statement_put_text(b, out, "state", epoch->state == PA_EPOCH_CLOSED ? "closed" : "aborted");
    pa_statement_put_utc(b, out, "t0_utc", epoch->t0.utc_ns);
    pa_statement_put_utc(b, out, "t1_utc", is_closed ? epoch->t1.utc_ns : epoch->t0.utc_ns + ns);
    return out;
}

json_t *pa_statement_build_epochs(struct pa_builder *b) {
    json_t *out = json_array();
    for (uint32_t e = 0; e < b->facts->epoch_count && e < PA_STATEMENT_MOST_EPOCHS; e++)
        pa_statement_append(b, out, build_epoch(b, &b->facts->epochs[e]));
    return out;
}

json_t *pa_statement_build_openings(struct pa_builder *b) {
    json_t *out = json_object();
    pa_statement_put_count(b, out, "drawn", b->facts->drawn);
    pa_statement_put_count(b, out, "failed", b->facts->failed);
    pa_statement_put_text(b, out, "first_failure", b->facts->first_failure);
    pa_statement_put_count(b, out, "missing", b->facts->missing);
    return out;
}

json_t *pa_statement_build_session(struct pa_builder *b) {
    const struct pa_facts *facts = b->facts;
    const struct pa_declaration *declaration = &facts->declaration;
    const struct pa_class_traits *traits = pa_class_traits(declaration->class_id);
    struct pa_hash witness, prover;
    pa_public_key_id(declaration->witness_key, &witness);
    pa_public_key_id(declaration->prover_key, &prover);
    json_t *out = json_object();
    pa_statement_put_decimal(b, out, "alpha", (double)declaration->alpha_ppm * 1e-6);
    pa_statement_put_utc(b, out, "begun_utc", facts->begun_utc_ns);
    pa_statement_put_text(b, out, "broken", facts->broken);
    pa_statement_put_text(b, out, "class", traits == NULL ? "none" : traits->name);
    pa_statement_put_decimal(b, out, "clock_step_s", facts->clock_step_seconds);
    pa_statement_put_utc(b, out, "ended_utc", facts->ended_utc_ns);
    pa_statement_put_decimal(b, out, "epoch_s", pa_statement_seconds(declaration->epoch_ns));
    pa_statement_put_count(b, out, "epochs", declaration->epochs);
    pa_statement_put_hex(b, out, "hash", facts->session.bytes);
    pa_statement_put_count(b, out, "interruptions", declaration->interruptions);
    pa_statement_put_truth(b, out, "is_finished", facts->is_finished);
    pa_statement_put_count(b, out, "k", declaration->k);
    pa_statement_put_decimal(b, out, "longest_gap_s",
                             pa_statement_seconds(declaration->longest_gap_ns));
    pa_statement_put_count(b, out, "openings", declaration->openings);
    pa_statement_put_text(b, out, "proven", traits == NULL ? "nothing" : traits->proven);
    pa_statement_put_hex(b, out, "prover_key_id", prover.bytes);
    pa_statement_put_count(b, out, "records", facts->records);
    pa_statement_put_count(b, out, "serial", declaration->serial);
    pa_statement_put_text(b, out, "test_build", facts->is_test_build ? facts->test_build : "");
    pa_statement_put_hex(b, out, "witness_key_id", witness.bytes);
    return out;
}

/* What the measuring program said of itself, from the evidence and not from the program that
 * judges: two people who judge the same evidence get the same bytes. The note's binary_sha256 is
 * the statement's sha256, empty where the note holds no such hash. */
json_t *pa_statement_build_tool(struct pa_builder *b) {
    static const char *const names[] = {"commit", "version"};
    const json_t *note = pa_facts_note(b->facts, "tool");
    json_t *out = json_object();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *text = json_string_value(json_object_get(note, names[i]));
        pa_statement_put_text(b, out, names[i], text == NULL || strlen(text) > 256 ? "" : text);
    }
    const char *digits = json_string_value(json_object_get(note, "binary_sha256"));
    bool is_hash = digits != NULL && strspn(digits, "0123456789abcdef") == 2 * PA_HASH_BYTES &&
                   digits[2 * PA_HASH_BYTES] == '\0';
    pa_statement_put_text(b, out, "sha256", is_hash ? digits : "");
    return out;
}

static void put_caveat(struct pa_builder *b, json_t *list, const char *code, const char *text) {
    json_t *item = json_object();
    pa_statement_put_text(b, item, "code", code);
    pa_statement_put_text(b, item, "text", text);
    pa_statement_append(b, list, item);
}

json_t *pa_build_not_proven(struct pa_builder *b) {
    json_t *out = json_array();
    if (!b->facts->is_certified)
        put_caveat(b, out, "TEST_RESULT",
                   "Anything about a capacity: the shapes are outside of a certificate's limits, "
                   "this is a test of the program.");
    if (b->judgement->assurance == PA_ASSURANCE_SELF)
        put_caveat(b, out, "SELF_DECLARED",
                   "That nobody cheated: witness and site were one process, which held the keys "
                   "and owned the clock. It protects against errors, not against fraud.");
    put_caveat(b, out, "DEVICES",
               "Who owns the devices, their number or model: these are listed as the site told "
               "them and are evidence, not proof.");
    if (b->facts->radius_count == 0)
        put_caveat(b, out, "PLACE",
                   "Where the devices stand: the work may have been done elsewhere.");
    else
        put_caveat(b, out, "PLACE",
                   "Where the devices stand, beyond what the short epochs bound: up to the remote "
                   "share of each radius may have been done farther away.");
    if (b->facts->sample.count > 0)
        put_caveat(b, out, "SAMPLED",
                   "That the chosen devices themselves did the work: idle ones could have answered "
                   "for them, unless somebody watched; and that those not chosen are there, beyond "
                   "what the sample bounds.");
    put_caveat(b, out, "OTHER_FORMATS",
               "Capacity in other number formats, or that more is not there and was not shown.");
    put_caveat(b, out, "SUBSTITUTION",
               "That the named format did the work: only exact products are proven, by whatever "
               "route was cheapest; the substitution bound says how much that can inflate.");
    put_caveat(b, out, "OTHER_SESSIONS",
               "That no other session was declared with another witness and kept back.");
    return out;
}

void pa_statement_put_trusted_comment(struct pa_builder *b, json_t *object) {
    const struct pa_judgement *judgement = b->judgement;
    char text[2048], proven[PA_DECIMAL_TEXT_BYTES], claimed[PA_DECIMAL_TEXT_BYTES];
    char ended[PA_UTC_TEXT_BYTES];
    char of_all[160] = "";
    if (judgement->is_sampled)
        snprintf(of_all, sizeof of_all, " by a sample of %u of %u devices", b->facts->sample.count,
                 b->facts->device_count);
    pa_decimal_text(proven, judgement->capacity_pflops);
    pa_decimal_text(claimed, judgement->claim_pflops);
    pa_utc_text(ended, b->facts->ended_utc_ns);
    snprintf(text, sizeof text, "%s %s: %s of %s claimed PFLOPS %s%s for %.256s, %s",
             b->facts->is_certified ? "capacity certificate" : "TEST result, no certificate",
             pa_verdict_name(judgement->verdict), proven, claimed,
             judgement->is_sampled    ? "vouched for"
             : b->facts->is_certified ? "proven"
                                      : "as test work",
             of_all, b->claim->center, ended);
    pa_statement_put_text(b, object, "trusted_comment", text);
}
