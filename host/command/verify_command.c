/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/certificate.h"
#include "command/command.h"
#include "command/options.h"
#include "command/stamps.h"
#include "command/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: petaudit verify CERTIFICATE.json [--evidence EVIDENCE.db] [--trust KEY.pub] "
    "[--json]\n\n"
    "Check a certificate offline: its form to the byte, its signature and, with the evidence, "
    "every figure in it, each\n"
    "opened tile computed again.\n\n"
    "  --evidence E   derive every figure from the evidence and compare\n"
    "  --trust K      the public key that you expect the signer to have\n"
    "  --json         print one JSON object on stdout and nothing else\n\n"
    "A time stamp (RFC 3161) that lies beside it as CERTIFICATE.json.tsr is checked, too; with the "
    "evidence also\nfirst-nonce.tsr and last-root.tsr beside that, which bound the session's time "
    "from outside.\n\n"
    "Exit status: 0 authentic, whatever the verdict inside; 2 signed by somebody else than "
    "--trust; 3 not authentic, or\n"
    "the evidence contradicts it.\n\n"
    "Examples:\n"
    "  petaudit verify certificate.json\n"
    "  petaudit verify certificate.json --evidence evidence.db --trust auditor.pub\n";

struct wishes {
    const char *evidence, *trust;
    bool is_json;
};

/* What the statement's predicate says of itself, for the first lines. */
static const char *predicate_text(const struct pa_verification *verification, const char *name) {
    const json_t *predicate = json_object_get(verification->statement, "predicate");
    const char *text = json_string_value(json_object_get(predicate, name));
    return text != NULL ? text : "";
}

/* By this machine's clock: the text of a time sorts as the time does. */
static bool is_expired(const struct pa_verification *verification) {
    const json_t *predicate = json_object_get(verification->statement, "predicate");
    const char *until =
        json_string_value(json_object_get(json_object_get(predicate, "validity"), "until_utc"));
    char now[PA_UTC_TEXT_BYTES];
    pa_utc_text(now, pa_clock_utc_ns());
    return until != NULL && strcmp(now, until) > 0;
}

/* What came with later versions: the comment that the signature covers, and how long it is good. */
static void put_since_signing(struct pa_buffer *out, const struct pa_verification *verification) {
    const json_t *predicate = json_object_get(verification->statement, "predicate");
    const json_t *validity = json_object_get(predicate, "validity");
    const char *sample =
        json_string_value(json_object_get(json_object_get(predicate, "sample"), "words"));
    const char *until = json_string_value(json_object_get(validity, "until_utc"));
    const char *superseded = json_string_value(
        json_object_get(json_object_get(predicate, "supersedes"), "statement_sha256"));
    if (predicate_text(verification, "trusted_comment")[0] != '\0')
        pa_buffer_format(out, "  comment    %s\n", predicate_text(verification, "trusted_comment"));
    if (sample != NULL && sample[0] != '\0')
        pa_buffer_format(out, "  sample     %s\n", sample);
    if (until != NULL)
        pa_buffer_format(out, "  valid      %s %s\n",
                         is_expired(verification) ? "NO LONGER, it ran out" : "until", until);
    if (superseded != NULL)
        pa_buffer_format(out, "  supersedes statement sha256:%s\n", superseded);
}

static void put_stamp(struct pa_buffer *out, const char *what, const struct pa_stamp_found *found) {
    if (found->state == PA_STAMP_NONE)
        return;
    pa_buffer_format(out, "  %-10s ", what);
    if (found->state == PA_STAMP_BROKEN) {
        pa_buffer_format(out, "the stamp PROVES NOTHING: %s\n", found->failure);
        return;
    }
    pa_buffer_format(
        out, "it was there at %s, says %s, %s", found->stamp.utc, found->stamp.authority,
        found->stamp.is_known ? "an authority that this system trusts"
                              : "whom this system does not know: openssl ts -verify -CAfile");
    if (found->witness_utc[0] != '\0')
        pa_buffer_format(out, "; the witness says %s%s", found->witness_utc,
                         strcmp(found->stamp.utc, found->witness_utc) < 0
                             ? ", which is LATER: its clock was ahead"
                             : "");
    pa_buffer_text(out, "\n");
}

/* All time stamps that were found. */
struct stamps {
    struct pa_stamp_found certificate, session[PA_SESSION_STAMPS];
};

static void put_stamps(struct pa_buffer *out, const struct stamps *stamps) {
    put_stamp(out, "time stamp", &stamps->certificate);
    put_stamp(out, "1st nonce", &stamps->session[PA_WITNESS_FIRST_NONCE]);
    put_stamp(out, "last root", &stamps->session[PA_WITNESS_LAST_ROOT]);
}

/* The list of all devices that may lie beside the certificate of a large site. */
enum list_state { LIST_NONE, LIST_HOLDS, LIST_DIFFERS };

static const char *const list_states[] = {"none", "holds", "differs"};

static void put_list(struct pa_buffer *out, enum list_state list) {
    if (list == LIST_HOLDS)
        pa_buffer_text(out, "  devices    " PA_DEVICE_LIST_NAME " beside it is the signed list\n");
    else if (list == LIST_DIFFERS)
        pa_buffer_text(out,
                       "  devices    " PA_DEVICE_LIST_NAME " beside it is NOT the signed list\n");
}

static void put_words(struct pa_buffer *out, const struct pa_verification *verification,
                      const struct stamps *stamps, enum list_state list, const char *path) {
    static const char *const signers[] = {
        "the signer is not known: compare the key id, or name a key with --trust",
        "the signer is the one you trust", "signed by SOMEBODY ELSE than --trust"};
    static const char *const evidence[] = {"no evidence was given",
                                           "the evidence gives the same statement to the byte",
                                           "the evidence CONTRADICTS it"};
    char id[2 * PA_HASH_BYTES + 1], failure[sizeof verification->failure];
    const char *underived[PA_UNDERIVED_MOST];
    pa_printable(failure, sizeof failure, verification->failure);
    if (!verification->is_authentic) {
        pa_buffer_format(out, "NOT AUTHENTIC  %s: %s\n", path, failure);
        return;
    }
    pa_hex(id, verification->key_id.bytes, PA_HASH_BYTES);
    pa_buffer_format(out, "authentic  %s: %s, verdict %s\n", path,
                     verification->is_test ? "a TEST result, no certificate"
                                           : "a capacity certificate",
                     predicate_text(verification, "verdict"));
    put_since_signing(out, verification);
    put_stamps(out, stamps);
    put_list(out, list);
    pa_buffer_format(out, "  key id     %s\n  signer     %s\n  evidence   %s\n", id,
                     signers[verification->signer], evidence[verification->evidence]);
    if (failure[0] != '\0')
        pa_buffer_format(out, "  differs    %s\n", failure);
    pa_verification_underived(verification, underived);
    for (int i = 0; i < PA_UNDERIVED_MOST && underived[i] != NULL; i++)
        pa_buffer_format(out, "  not derived again: %s\n", underived[i]);
}

static int put_json(struct pa_buffer *out, const struct pa_verification *verification,
                    const struct stamps *stamps, enum list_state devices, struct pa_error *error) {
    static const char *const signers[] = {"unknown", "trusted", "other"};
    static const char *const evidence[] = {"not given", "agrees", "contradicts"};
    char id[2 * PA_HASH_BYTES + 1], failure[sizeof verification->failure];
    const char *underived[PA_UNDERIVED_MOST];
    json_t *list = json_array();
    pa_hex(id, verification->key_id.bytes, PA_HASH_BYTES);
    pa_printable(failure, sizeof failure, verification->failure);
    if (verification->is_authentic) {
        pa_verification_underived(verification, underived);
        for (int i = 0; i < PA_UNDERIVED_MOST && underived[i] != NULL; i++)
            json_array_append_new(list, json_string(underived[i]));
    }
    json_t *object =
        json_pack("{s:s, s:b, s:s, s:s, s:s, s:b, s:s, s:s, s:b, s:o, s:s, s:o}", "schema",
                  "petaudit-verification/1", "authentic", verification->is_authentic ? 1 : 0,
                  "failure", failure, "signer", signers[verification->signer], "evidence",
                  evidence[verification->evidence], "test", verification->is_test ? 1 : 0,
                  "verdict", predicate_text(verification, "verdict"), "key_id",
                  verification->is_authentic ? id : "", "expired", is_expired(verification) ? 1 : 0,
                  "time_stamp", pa_stamp_object(&stamps->certificate), "device_list",
                  list_states[devices], "not_derived", list);
    for (int i = 0; i < PA_SESSION_STAMPS; i++)
        json_object_set_new(object,
                            i == PA_WITNESS_FIRST_NONCE ? "first_nonce_stamp" : "last_root_stamp",
                            pa_stamp_object(&stamps->session[i]));
    char *text = json_dumps(object, JSON_INDENT(2));
    json_decref(object);
    if (text == NULL)
        return pa_fail(error, PA_EMEMORY, "printing the result: out of memory");
    pa_buffer_text(out, text);
    pa_buffer_text(out, "\n");
    free(text);
    return PA_OK;
}

/* Fills `verification`; a certificate or evidence that does not hold is a result, not an error. */
static int check(const struct pa_buffer *file, const struct wishes *wishes,
                 struct pa_verification *verification, struct stamps *stamps,
                 struct pa_error *error) {
    struct pa_store *store = NULL;
    uint8_t trusted[PA_PUBLIC_KEY_BYTES];
    int code = PA_OK;
    if (wishes->trust != NULL)
        PA_TRY(pa_key_file_load_public(wishes->trust, trusted, error));
    code = pa_certificate_verify(file->data, file->size, verification, error);
    if (code == PA_OK && wishes->trust != NULL)
        pa_verification_trust(verification, trusted);
    if (code == PA_OK && wishes->evidence != NULL) {
        PA_TRY(pa_store_open_readonly(wishes->evidence, &store, error));
        code = pa_verification_evidence(verification, store, PA_RECHECK_TILES, error);
        if (code == PA_OK)
            code = pa_session_stamps_find(wishes->evidence, store, stamps->session, error);
        pa_store_close(store);
    }
    return code == PA_EINVALID ? PA_OK : code;
}

/* A stamp of the certificate from before the end of the evidence is of another clock. */
static void find_stamp(const char *path, const struct pa_buffer *file,
                       const struct pa_verification *verification, struct pa_stamp_found *found) {
    pa_stamp_find(path, file->data, file->size, found);
    if (found->state == PA_STAMP_HOLDS &&
        strcmp(found->stamp.utc, predicate_text(verification, "issued_utc")) < 0) {
        found->state = PA_STAMP_BROKEN;
        snprintf(found->failure, sizeof found->failure, "it is older than the end of the evidence");
    }
}

/* Beside the certificate, where that lists only a part of the devices. */
static int find_list(const char *path, const struct pa_verification *verification,
                     enum list_state *found, struct pa_error *error) {
    enum { MOST_BYTES = 1 << 30 };
    const json_t *list =
        json_object_get(json_object_get(verification->statement, "predicate"), "device_list");
    const char *signed_hash = json_string_value(json_object_get(list, "sha256"));
    const char *slash = strrchr(path, '/');
    char name[PATH_MAX], digits[2 * PA_HASH_BYTES + 1];
    struct pa_buffer content = {0};
    struct pa_hash hash;
    *found = LIST_NONE;
    if (signed_hash == NULL ||
        (size_t)snprintf(name, sizeof name, "%.*s" PA_DEVICE_LIST_NAME,
                         slash == NULL ? 0 : (int)(slash - path) + 1, path) >= sizeof name ||
        access(name, F_OK) != 0)
        return PA_OK;
    PA_TRY(pa_file_read(name, MOST_BYTES, &content, error));
    pa_sha256(&hash, content.data, content.size);
    pa_buffer_free(&content);
    pa_hex(digits, hash.bytes, PA_HASH_BYTES);
    *found = strcmp(digits, signed_hash) == 0 ? LIST_HOLDS : LIST_DIFFERS;
    return PA_OK;
}

static int exit_of(const struct pa_verification *verification, enum list_state list) {
    if (!verification->is_authentic || verification->evidence == PA_EVIDENCE_CONTRADICTS ||
        list == LIST_DIFFERS)
        return 3;
    return verification->signer == PA_SIGNER_OTHER ? 2 : 0;
}

static int verify(const char *path, const struct wishes *wishes, int *status,
                  struct pa_error *error) {
    struct pa_verification verification = {0};
    struct pa_buffer file = {0}, out = {0};
    struct stamps stamps = {0};
    enum list_state list = LIST_NONE;
    int code = pa_file_read(path, PA_CERTIFICATE_MOST_BYTES, &file, error);
    if (code == PA_OK) {
        code = check(&file, wishes, &verification, &stamps, error);
        find_stamp(path, &file, &verification, &stamps.certificate);
        if (code == PA_OK)
            code = find_list(path, &verification, &list, error);
        if (code == PA_OK && wishes->is_json)
            code = put_json(&out, &verification, &stamps, list, error);
        else if (code == PA_OK)
            put_words(&out, &verification, &stamps, list, path);
        if (code == PA_OK)
            code = pa_print_result(out.data, out.size, error);
        *status = exit_of(&verification, list);
        pa_verification_free(&verification);
    }
    pa_buffer_free(&file);
    pa_buffer_free(&out);
    return code;
}

static int run(int argc, char **argv) {
    struct wishes wishes = {0};
    const struct pa_option options[] = {
        {"--evidence", NULL, &wishes.evidence},
        {"--trust", NULL, &wishes.trust},
        {"--json", &wishes.is_json, NULL},
        {NULL, NULL, NULL},
    };
    struct pa_arguments arguments;
    struct pa_error error = {0};
    int code = pa_options_parse(argc, argv, options, &arguments, &error), status = 0;
    if (code == PA_OK && arguments.wants_help)
        code = pa_print_result(help, sizeof help - 1, &error);
    else if (code == PA_OK &&
             (code = pa_arguments_expect(&arguments, 1, 1, "CERTIFICATE.json", &error)) == PA_OK)
        code = verify(arguments.plain[0], &wishes, &status, &error);
    return code == PA_OK ? status : pa_report_error("verify", &error);
}

const struct pa_command pa_command_verify = {"verify", "check a certificate offline", help, run};
