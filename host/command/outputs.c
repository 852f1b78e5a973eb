/* SPDX-License-Identifier: Apache-2.0 */
#include "command/outputs.h"
#include "command/passphrase.h"

#include "command/terminal.h"
#include "report/report.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int pa_config_path(char *out, size_t size, const char *name, struct pa_error *error) {
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char base[PATH_MAX - 64], folder[PATH_MAX];
    int length = -1;
    if (config != NULL && config[0] == '/')
        length = snprintf(base, sizeof base, "%s", config);
    else if (home != NULL && home[0] == '/')
        length = snprintf(base, sizeof base, "%s/.config", home);
    if (length < 0 || (size_t)length >= sizeof base)
        return pa_fail(error, PA_EUSAGE,
                       "looking for ~/.config: HOME is not set or too long; name a key with --key");
    PA_TRY(pa_directory_make(base, error));
    snprintf(folder, sizeof folder, "%s/petaudit", base);
    PA_TRY(pa_directory_make(folder, error));
    if ((size_t)snprintf(out, size, "%s/%s", folder, name) >= size)
        return pa_fail(error, PA_EWRITE, "looking for ~/.config/petaudit: the path is too long");
    return PA_OK;
}

static int key_path_of(const char *path, char out[PATH_MAX], struct pa_error *error) {
    if (path == NULL)
        return pa_config_path(out, PATH_MAX, "key", error);
    snprintf(out, PATH_MAX, "%s", path);
    return PA_OK;
}

int pa_default_key(const char *path, struct pa_key **out, struct pa_error *error) {
    char standard[PATH_MAX];
    if (path != NULL)
        return pa_key_file_load(path, pa_passphrase_ask, out, error);
    PA_TRY(key_path_of(NULL, standard, error));
    if (access(standard, F_OK) != 0) {
        PA_TRY(pa_key_file_make(standard, NULL, error));
        pa_say("made a signing key: %s", standard);
    }
    return pa_key_file_load(standard, pa_passphrase_ask, out, error);
}

static int load_terms(const char *claim_path, const char *policy_name, struct pa_judged *out,
                      struct pa_error *error) {
    const struct pa_facts *facts = &out->facts;
    if (claim_path != NULL)
        PA_TRY(pa_claim_load(claim_path, &out->claim, error));
    else if (facts->claim_text != NULL)
        PA_TRY(pa_claim_parse("the claim in the evidence", facts->claim_text, facts->claim_bytes,
                              &out->claim, error));
    else
        return pa_fail(error, PA_EINPUT,
                       "judging: the evidence holds no claim; name one with --claim");
    if (policy_name != NULL)
        return pa_policy_load(policy_name, &out->policy, error);
    if (facts->policy_text != NULL)
        return pa_policy_parse("the policy in the evidence", facts->policy_text,
                               facts->policy_bytes, &out->policy, error);
    return pa_fail(error, PA_EINPUT,
                   "judging: the evidence holds no policy; name one with --policy");
}

static int judge_facts(const char *claim_path, const char *policy_name, struct pa_judged *out,
                       struct pa_error *error) {
    PA_TRY(load_terms(claim_path, policy_name, out, error));
    return pa_judge(&out->facts, &out->claim, &out->policy, &out->judgement, error);
}

int pa_judge_evidence(const char *evidence, const char *claim_path, const char *policy_name,
                      enum pa_recheck recheck, struct pa_judged *out, struct pa_error *error) {
    struct pa_store *store = NULL;
    PA_TRY(pa_store_open_readonly(evidence, &store, error));
    int code = pa_facts_collect(store, recheck, &out->facts, error);
    pa_store_close(store);
    return code == PA_OK ? judge_facts(claim_path, policy_name, out, error) : code;
}

int pa_judge_beside(const char *evidence, enum pa_recheck recheck, struct pa_judged *out,
                    struct pa_error *error) {
    struct pa_store *store = NULL;
    PA_TRY(pa_store_open_beside(evidence, &store, error));
    int code = pa_store_follow(store, NULL, NULL, error);
    if (code == PA_OK)
        code = pa_facts_collect(store, recheck, &out->facts, error);
    pa_store_close(store);
    return code == PA_OK ? judge_facts(NULL, NULL, out, error) : code;
}

void pa_judged_free(struct pa_judged *judged) {
    json_decref(judged->statement);
    pa_judgement_free(&judged->judgement);
    pa_policy_free(&judged->policy);
    pa_claim_free(&judged->claim);
    pa_facts_free(&judged->facts);
    *judged = (struct pa_judged){0};
}

static const char *certificate_name(const struct pa_judged *judged) {
    return judged->facts.is_certified ? "certificate.json" : "test-result.json";
}

/* The request for a time stamp over it, for those who want one. */
static const char *request_name(const struct pa_judged *judged) {
    return judged->facts.is_certified ? "certificate.json.tsq" : "test-result.json.tsq";
}

static int build_once(struct pa_judged *judged, const struct pa_issue *issue,
                      struct pa_error *error) {
    json_decref(judged->statement);
    judged->statement = NULL;
    return pa_statement_build(&judged->facts, &judged->claim, &judged->policy, &judged->judgement,
                              issue, &judged->statement, error);
}

static int statement_hash(const json_t *statement, struct pa_hash *out, struct pa_error *error) {
    struct pa_buffer bytes = {0};
    int code = pa_canonical_write(statement, &bytes, error);
    pa_sha256(out, bytes.data, bytes.size);
    pa_buffer_free(&bytes);
    return code;
}

/* A certificate of the same signer that is about to be written over is superseded by name, unless
 * the new one says the same: then it is the same, whatever it superseded. */
static int build_over(struct pa_judged *judged, const struct pa_verification *old,
                      struct pa_issue *issue, struct pa_error *error) {
    struct pa_hash again;
    const json_t *link =
        json_object_get(json_object_get(old->statement, "predicate"), "supersedes");
    const char *before = json_string_value(json_object_get(link, "statement_sha256"));
    issue->has_superseded =
        before != NULL && pa_unhex(issue->superseded.bytes, PA_HASH_BYTES, before);
    PA_TRY(build_once(judged, issue, error));
    PA_TRY(statement_hash(judged->statement, &again, error));
    if (pa_hash_equal(&again, &old->statement_sha256))
        return PA_OK;
    issue->has_superseded = true;
    issue->superseded = old->statement_sha256;
    return build_once(judged, issue, error);
}

/* `folder` is where the statement will lie; NULL for nowhere. */
static int build_statement(struct pa_judged *judged, const struct pa_key *key, const char *folder,
                           struct pa_error *error) {
    struct pa_issue issue = {0};
    struct pa_verification old = {0};
    struct pa_buffer file = {0};
    char path[PATH_MAX];
    if (judged->statement != NULL)
        return PA_OK;
    pa_key_public(key, issue.signer);
    issue.has_judged_again = judged->has_earlier;
    issue.judged_again = judged->earlier;
    memcpy(issue.judged_verdict, judged->earlier_verdict, sizeof issue.judged_verdict);
    bool is_over = folder != NULL &&
                   (size_t)snprintf(path, sizeof path, "%s/%s", folder, certificate_name(judged)) <
                       sizeof path &&
                   pa_file_read(path, PA_CERTIFICATE_MOST_BYTES, &file, NULL) == PA_OK &&
                   pa_certificate_verify(file.data, file.size, &old, NULL) == PA_OK &&
                   memcmp(old.key, issue.signer, PA_PUBLIC_KEY_BYTES) == 0;
    int code =
        is_over ? build_over(judged, &old, &issue, error) : build_once(judged, &issue, error);
    pa_verification_free(&old);
    pa_buffer_free(&file);
    return code;
}

/* What belongs to a certificate, in memory. */
struct leaving {
    struct pa_buffer summary, html, pdf, stamp_request;
    struct pa_buffer devices; /* empty where the certificate lists them all */
};

static int make_leaving(const json_t *statement, const struct pa_buffer *certificate,
                        const struct pa_document_signer *signer, enum pa_language language,
                        struct leaving *out, struct pa_error *error) {
    const struct pa_report_form form = {PA_PAPER_A4, language};
    PA_TRY(pa_summary_write(statement, &out->summary, error));
    PA_TRY(pa_report_html(statement, form, &out->html, error));
    PA_TRY(pa_report_pdf(statement, form, certificate, signer, &out->pdf, error));
    return pa_time_stamp_request(certificate->data, certificate->size, &out->stamp_request, error);
}

struct output {
    const char *name;
    const struct pa_buffer *content;
    char path[PATH_MAX], temporary[PATH_MAX];
};

enum { MOST_OUTPUTS = 6 };

static int stage(const char *folder, struct output *output, struct pa_error *error) {
    PA_TRY(pa_path_join(output->path, folder, output->name, error));
    if (output->content->failed)
        return pa_fail(error, PA_EMEMORY, "writing %s: out of memory", output->path);
    return pa_file_stage(output->path, output->content->data, output->content->size, 0644,
                         output->temporary, error);
}

/* All are on the disk before the first gets its name: where there is no room, none is there and
 * what was there before still is. */
static int write_together(const char *folder, struct output *outputs, size_t count,
                          struct pa_error *error) {
    size_t staged = 0, settled = 0;
    int code = PA_OK;
    while (staged < count && (code = stage(folder, &outputs[staged], error)) == PA_OK)
        staged++;
    while (code == PA_OK && settled < count) {
        code = pa_file_settle(outputs[settled].temporary, outputs[settled].path, error);
        settled++;
    }
    for (size_t i = settled; i < staged; i++)
        unlink(outputs[i].temporary);
    return code;
}

/* What belongs to a certificate, then the certificate: it is never there without the rest. */
static int write_all(struct pa_judged *judged, const struct pa_buffer *certificate,
                     const struct pa_document_signer *signer, enum pa_language language,
                     const char *folder, struct pa_error *error) {
    struct leaving leaving = {0};
    struct output outputs[MOST_OUTPUTS] = {{.name = "summary.json", .content = &leaving.summary},
                                           {.name = "report.html", .content = &leaving.html},
                                           {.name = "report.pdf", .content = &leaving.pdf}};
    size_t count = 3;
    bool is_whole = judged->facts.device_count <= PA_STATEMENT_MOST_DEVICES;
    int code = make_leaving(judged->statement, certificate, signer, language, &leaving, error);
    if (code == PA_OK && !is_whole) {
        code = pa_device_list_write(&judged->facts, &judged->claim, &leaving.devices, error);
        outputs[count++] =
            (struct output){.name = PA_DEVICE_LIST_NAME, .content = &leaving.devices};
    }
    outputs[count++] =
        (struct output){.name = request_name(judged), .content = &leaving.stamp_request};
    outputs[count++] = (struct output){.name = certificate_name(judged), .content = certificate};
    if (code == PA_OK)
        code = write_together(folder, outputs, count, error);
    pa_buffer_free(&leaving.stamp_request);
    pa_buffer_free(&leaving.devices);
    pa_buffer_free(&leaving.summary);
    pa_buffer_free(&leaving.html);
    pa_buffer_free(&leaving.pdf);
    return code;
}

int pa_outputs_write(struct pa_judged *judged, const struct pa_key *key, const char *key_path,
                     enum pa_language language, const char *folder, struct pa_error *error) {
    struct pa_buffer certificate = {0};
    struct pa_document_signer signer = {0};
    char path[PATH_MAX];
    PA_TRY(pa_directory_make(folder, error));
    PA_TRY(build_statement(judged, key, folder, error));
    PA_TRY(key_path_of(key_path, path, error));
    int code = pa_document_signer_make(key, path, &signer, error);
    if (code == PA_OK)
        code = pa_envelope_sign(judged->statement, key, &certificate, error);
    if (code == PA_OK)
        code = write_all(judged, &certificate, &signer, language, folder, error);
    pa_document_signer_free(&signer);
    pa_buffer_free(&certificate);
    return code;
}

int pa_outputs_write_signed(struct pa_judged *judged, const struct pa_buffer *certificate,
                            json_t *statement, enum pa_language language, const char *folder,
                            struct pa_error *error) {
    json_decref(judged->statement);
    judged->statement = json_incref(statement);
    return write_all(judged, certificate, NULL, language, folder, error);
}

static void put_rate(struct pa_buffer *out, const char *label, double pflops, const char *remark) {
    char rate[PA_RATE_TEXT_BYTES];
    pa_terminal_rate(rate, pflops * 1e15);
    if (pflops > 0)
        pa_buffer_format(out, "  %-10s %s%s\n", label, rate, remark);
}

static void put_power(struct pa_buffer *out, const struct pa_judged *judged) {
    const struct pa_fact_power *power = &judged->facts.power;
    char level[24] = "no level";
    const char *source = power->source;
    if (!power->has_watts)
        return;
    for (uint32_t m = 0; m < power->meter_count; m++)
        if (pa_power_counts(power, m, power->scope))
            source = power->meters[m].source;
    if (power->level > 0)
        snprintf(level, sizeof level, "level %d", power->level);
    pa_buffer_format(out, "  %-10s %.4g W of %s by %s, %s", "power", power->watts,
                     power->scope == PA_METER_IT ? "the machines" : "the facility", source, level);
    if (power->watts > 0 && judged->judgement.verified_pflops > 0)
        pa_buffer_format(out, "; %.4g PFLOPS per MW",
                         judged->judgement.verified_pflops / (power->watts * 1e-6));
    if (power->has_pue)
        pa_buffer_format(out, "; PUE %.3f", power->pue);
    if (power->has_green)
        pa_buffer_format(out, "; %.3g %% of the load covered by PV and wind",
                         100 * power->green_share);
    pa_buffer_text(out, "\n");
}

static void put_figures(struct pa_buffer *out, const struct pa_judged *judged) {
    const struct pa_judgement *judgement = &judged->judgement;
    const struct pa_facts *facts = &judged->facts;
    char remark[160], u[PA_RATE_TEXT_BYTES];
    put_rate(out, "claimed", judgement->claim_pflops, "");
    put_rate(out, "nominal", judgement->nominal_pflops, "   (peaks of the devices that answered)");
    put_rate(out, "library", judgement->raw_pflops, "   (the library alone, same run and shape)");
    pa_terminal_rate(u, judgement->verified_u * 1e15);
    snprintf(remark, sizeof remark, " +- %s   (%llu openings, %llu wrong or missing)", u,
             (unsigned long long)facts->drawn,
             (unsigned long long)(facts->failed + facts->missing));
    put_rate(out, "proven", judgement->verified_pflops, remark);
    if (judgement->is_sampled) {
        snprintf(remark, sizeof remark, " at least, by %u of %u devices", facts->sample.count,
                 facts->device_count);
        put_rate(out, "of all", judgement->capacity_pflops, remark);
    }
    put_power(out, judged);
    if (!judgement->has_entitlement)
        return;
    pa_buffer_format(out, "  %-10s %.6g MW of grid connection", "entitled", judgement->entitled_mw);
    if (judgement->granted_mw >= 0)
        pa_buffer_format(out, "; granted %.6g MW, overclaim %.6g MW", judgement->granted_mw,
                         judgement->overclaim_mw);
    pa_buffer_text(out, "\n");
}

/* What the rule leaves open, in each reading, and what it requires. */
static void put_rule(struct pa_buffer *out, const struct pa_judgement *judgement) {
    for (uint32_t i = 0; i < judgement->reading_count; i++) {
        const struct pa_reading *reading = &judgement->readings[i];
        char rate[PA_RATE_TEXT_BYTES];
        pa_terminal_rate(rate, reading->pflops * 1e15);
        pa_buffer_format(out, "  %-10s %s, %s, %s: %s", reading->is_judged ? "judged" : "or read",
                         pa_basis_name(reading->basis), pa_precision_name(reading->precision),
                         reading->rounding == PA_ROUND_WHOLE_BLOCKS ? "whole blocks"
                                                                    : "in proportion",
                         reading->is_known ? rate : "not known");
        if (reading->is_known && judgement->has_entitlement)
            pa_buffer_format(out, ", %.6g MW", reading->entitled_mw);
        pa_buffer_text(out, "\n");
    }
    for (uint32_t i = 0; i < judgement->requirement_count; i++) {
        char text[sizeof judgement->requirements[i].reason];
        pa_printable(text, sizeof text, judgement->requirements[i].reason);
        pa_buffer_format(out, "  %-10s %s: %s\n", i == 0 ? "required" : "",
                         pa_verdict_name(judgement->requirements[i].verdict), text);
    }
}

static void put_findings(struct pa_buffer *out, const struct pa_judgement *judgement) {
    for (uint32_t i = 0; i < judgement->finding_count; i++) {
        const struct pa_finding *finding = &judgement->findings[i];
        char text[sizeof finding->text];
        pa_printable(text, sizeof text, finding->text);
        pa_buffer_format(out, "  %-8s %s: %s", pa_severity_name(finding->severity), finding->code,
                         text);
        pa_buffer_format(out, finding->evidence[0] != '\0' ? " [%s]\n" : "%s\n", finding->evidence);
        if (finding->severity > PA_SEVERITY_INFO && finding->advice[0] != '\0')
            pa_buffer_format(out, "           -> %s\n", finding->advice);
    }
}

static void put_judgement(struct pa_buffer *out, const struct pa_judged *judged,
                          const char *folder) {
    char reason[sizeof judged->judgement.reason];
    pa_printable(reason, sizeof reason, judged->judgement.reason);
    pa_buffer_format(out, "%s  %s\n", pa_verdict_text(judged->judgement.verdict), reason);
    put_figures(out, judged);
    put_rule(out, &judged->judgement);
    put_findings(out, &judged->judgement);
    if (folder != NULL)
        pa_buffer_format(out, "  in %s: %s, summary.json, report.html, report.pdf\n", folder,
                         judged->facts.is_certified ? "certificate.json"
                                                    : "test-result.json (no certificate)");
}

int pa_outputs_print(struct pa_judged *judged, const struct pa_key *key, const char *folder,
                     bool is_json, struct pa_error *error) {
    struct pa_buffer out = {0};
    int code = PA_OK;
    if (!is_json)
        put_judgement(&out, judged, folder);
    else if ((code = build_statement(judged, key, folder, error)) == PA_OK)
        code = pa_summary_write(judged->statement, &out, error);
    if (code == PA_OK && out.failed)
        code = pa_fail(error, PA_EMEMORY, "printing the result: out of memory");
    if (code == PA_OK)
        code = pa_print_result(out.data, out.size, error);
    pa_buffer_free(&out);
    return code;
}
