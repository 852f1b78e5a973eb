/* SPDX-License-Identifier: Apache-2.0 */
/* The statement built again from the evidence, and the first member in which two statements differ.
 */
#include "base/base.h"
#include "certificate/canonical.h"
#include "certificate/statement.h"
#include "certificate/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 192, SHOWN_BYTES = 80 };

static void show(char out[SHOWN_BYTES], const json_t *value) {
    char *text = value == NULL ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    pa_printable(out, SHOWN_BYTES, text == NULL ? "nothing" : text);
    free(text);
}

/* The path and both values of the first leaf that differs; false when there is none. */
static bool first_difference(const json_t *said, const json_t *found, const char *path,
                             char text[512]) {
    if (json_equal(said, found))
        return false;
    char inner[PATH_BYTES];
    if (json_is_object(said) && json_is_object(found)) {
        const char *name;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)found, name, value) {
            snprintf(inner, sizeof inner, "%.120s.%.60s", path, name);
            if (first_difference(json_object_get(said, name), value, inner, text))
                return true;
        }
    }
    if (json_is_array(said) && json_is_array(found) &&
        json_array_size(said) == json_array_size(found)) {
        for (size_t i = 0; i < json_array_size(found); i++) {
            snprintf(inner, sizeof inner, "%.160s[%zu]", path, i);
            if (first_difference(json_array_get(said, i), json_array_get(found, i), inner, text))
                return true;
        }
    }
    char left[SHOWN_BYTES], right[SHOWN_BYTES];
    show(left, said);
    show(right, found);
    snprintf(text, 512, "%s: the certificate says %s, the evidence gives %s", path, left, right);
    return true;
}

static int take_text(const json_t *predicate, const char *part, struct pa_buffer *out,
                     struct pa_error *error) {
    const json_t *value = json_object_get(json_object_get(predicate, part), "text_base64");
    if (!pa_base64_read(out, json_string_value(value), json_string_length(value)))
        return pa_fail(error, PA_EINVALID, "predicate.%s.text_base64 cannot be read", part);
    return PA_OK;
}

struct rebuilt {
    struct pa_facts facts;
    struct pa_claim claim;
    struct pa_policy policy;
    struct pa_judgement judgement;
    struct pa_buffer claim_text, policy_text;
    json_t *statement;
    bool has_facts, has_claim, has_policy, has_judgement;
};

static void rebuilt_free(struct rebuilt *r) {
    if (r->has_judgement)
        pa_judgement_free(&r->judgement);
    if (r->has_policy)
        pa_policy_free(&r->policy);
    if (r->has_claim)
        pa_claim_free(&r->claim);
    if (r->has_facts)
        pa_facts_free(&r->facts);
    pa_buffer_free(&r->claim_text);
    pa_buffer_free(&r->policy_text);
    json_decref(r->statement);
}

/* What follows from no evidence: who issued it, and in the place of what. */
static void take_issue(const struct pa_verification *verification, struct pa_issue *out) {
    const json_t *predicate = json_object_get(verification->statement, "predicate");
    const json_t *superseded =
        json_object_get(json_object_get(predicate, "supersedes"), "statement_sha256");
    *out = (struct pa_issue){0};
    memcpy(out->signer, verification->key, PA_PUBLIC_KEY_BYTES);
    out->has_superseded =
        json_is_string(superseded) &&
        pa_unhex(out->superseded.bytes, PA_HASH_BYTES, json_string_value(superseded));
    const json_t *again = json_object_get(predicate, "judges_again");
    const json_t *before = json_object_get(again, "statement_sha256");
    const char *verdict = json_string_value(json_object_get(again, "verdict"));
    out->has_judged_again =
        json_is_string(before) && verdict != NULL &&
        pa_unhex(out->judged_again.bytes, PA_HASH_BYTES, json_string_value(before));
    if (out->has_judged_again)
        snprintf(out->judged_verdict, sizeof out->judged_verdict, "%s", verdict);
}

/* The claim and policy come from the certificate, not from the evidence: one that was judged again
 * under another policy carries that policy. */
static int rebuild(struct rebuilt *r, const struct pa_verification *verification,
                   struct pa_store *store, enum pa_recheck recheck, struct pa_error *error) {
    const json_t *predicate = json_object_get(verification->statement, "predicate");
    PA_TRY(take_text(predicate, "claim", &r->claim_text, error));
    PA_TRY(take_text(predicate, "policy", &r->policy_text, error));
    PA_TRY(pa_claim_parse("the certificate's claim", r->claim_text.data, r->claim_text.size,
                          &r->claim, error));
    r->has_claim = true;
    PA_TRY(pa_policy_parse("the certificate's policy", r->policy_text.data, r->policy_text.size,
                           &r->policy, error));
    r->has_policy = true;
    PA_TRY(pa_facts_collect(store, recheck, &r->facts, error));
    r->has_facts = true;
    PA_TRY(pa_judge(&r->facts, &r->claim, &r->policy, &r->judgement, error));
    r->has_judgement = true;
    struct pa_issue issue;
    take_issue(verification, &issue);
    return pa_statement_build(&r->facts, &r->claim, &r->policy, &r->judgement, &issue,
                              &r->statement, error);
}

static int compare(const struct pa_verification *verification, const struct rebuilt *r,
                   struct pa_error *error) {
    /* Another file altogether is the common mistake, and would else be named as the first of a
     * hundred differences. */
    const json_t *predicate = json_object_get(verification->statement, "predicate");
    const char *session =
        json_string_value(json_object_get(json_object_get(predicate, "session"), "hash"));
    char found[2 * PA_HASH_BYTES + 1];
    pa_hex(found, r->facts.session.bytes, PA_HASH_BYTES);
    if (strcmp(session, found) != 0)
        return pa_fail(error, PA_EINVALID,
                       "the evidence is of another session: the certificate names %.16s, the "
                       "evidence is %.16s",
                       session, found);
    char text[512];
    if (first_difference(verification->statement, r->statement, "statement", text))
        return pa_fail(error, PA_EINVALID, "%s", text);
    return PA_OK;
}

int pa_verification_evidence(struct pa_verification *verification, struct pa_store *store,
                             enum pa_recheck recheck, struct pa_error *error) {
    struct pa_error local = {0};
    struct pa_error *message = error == NULL ? &local : error;
    if (!verification->is_authentic)
        return pa_fail(message, PA_EINVALID, "checking evidence: the certificate is not authentic");
    struct rebuilt r = {0};
    verification->recheck = recheck;
    int code = rebuild(&r, verification, store, recheck, message);
    if (code == PA_OK)
        code = compare(verification, &r, message);
    /* A claim or a policy that its own parser refuses was never judged: that contradicts, too. */
    if (code == PA_EINPUT) {
        code = PA_EINVALID;
        message->code = code;
    }
    if (code == PA_OK)
        verification->evidence = PA_EVIDENCE_AGREES;
    else if (code == PA_EINVALID)
        verification->evidence = PA_EVIDENCE_CONTRADICTS;
    if (code != PA_OK)
        pa_printable(verification->failure, sizeof verification->failure, message->text);
    rebuilt_free(&r);
    return code;
}
