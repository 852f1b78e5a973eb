/* SPDX-License-Identifier: Apache-2.0 */
/* earlier_statement.c - what was said of the same evidence before: a statement that judges it again
 * by another claim or policy points to the first. */
#include "command/outputs.h"

#include "base/base.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *text_at(const json_t *object, const char *part, const char *name) {
    const char *text = json_string_value(json_object_get(json_object_get(object, part), name));
    return text == NULL ? "" : text;
}

static bool is_of_hash(const char *hex, const uint8_t hash[PA_HASH_BYTES]) {
    char again[2 * PA_HASH_BYTES + 1];
    pa_hex(again, hash, PA_HASH_BYTES);
    return strcmp(hex, again) == 0;
}

static bool is_same_evidence(const json_t *statement, const struct pa_judged *judged) {
    const json_t *subject = json_array_get(json_object_get(statement, "subject"), 0);
    return is_of_hash(text_at(subject, "digest", "sha256"), judged->facts.transcript.bytes);
}

/* One that was judged by the same claim and policy is the same judgement: what it pointed to, this
 * one does, so that judging twice gives the same bytes. */
static void point_to(const struct pa_verification *earlier, struct pa_judged *judged) {
    const json_t *predicate = json_object_get(earlier->statement, "predicate");
    const char *verdict = json_string_value(json_object_get(predicate, "verdict"));
    if (is_of_hash(text_at(predicate, "claim", "text_sha256"), judged->claim.sha256) &&
        is_of_hash(text_at(predicate, "policy", "sha256"), judged->policy.sha256)) {
        const char *link = text_at(predicate, "judges_again", "statement_sha256");
        judged->has_earlier = pa_unhex(judged->earlier.bytes, PA_HASH_BYTES, link);
        verdict = text_at(predicate, "judges_again", "verdict");
    } else {
        judged->has_earlier = true;
        judged->earlier = earlier->statement_sha256;
    }
    snprintf(judged->earlier_verdict, sizeof judged->earlier_verdict, "%s",
             verdict == NULL ? "" : verdict);
}

static int take(const char *path, struct pa_judged *judged, struct pa_error *error) {
    struct pa_buffer file = {0};
    struct pa_verification earlier = {0};
    int code = pa_file_read(path, PA_CERTIFICATE_MOST_BYTES, &file, error);
    if (code == PA_OK)
        code = pa_certificate_verify(file.data, file.size, &earlier, error);
    if (code == PA_OK && !is_same_evidence(earlier.statement, judged))
        code = pa_fail(error, PA_EINPUT,
                       "judging again: %s is of other evidence; name the certificate of this one",
                       path);
    if (code == PA_OK)
        point_to(&earlier, judged);
    pa_verification_free(&earlier);
    pa_buffer_free(&file);
    return code;
}

int pa_earlier_statement(const char *named, const char *evidence, struct pa_judged *judged,
                         struct pa_error *error) {
    char path[PATH_MAX];
    if (named != NULL)
        return take(named, judged, error);
    const char *slash = strrchr(evidence, '/');
    int folder = slash == NULL ? 0 : (int)(slash - evidence) + 1;
    if ((size_t)snprintf(path, sizeof path, "%.*s%s", folder, evidence,
                         judged->facts.is_certified ? "certificate.json" : "test-result.json") >=
            sizeof path ||
        access(path, F_OK) != 0)
        return PA_OK;
    /* What merely lies there may be anything. */
    (void)take(path, judged, NULL);
    return PA_OK;
}
