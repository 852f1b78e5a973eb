/* SPDX-License-Identifier: Apache-2.0 */
#include "command/audit_witness.h"

#include "base/file.h"
#include "certificate/verify.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

int pa_audit_witness_begin(const char *url, const char *folder, struct pa_witness **out,
                           struct pa_error *error) {
    char path[PATH_MAX];
    PA_TRY(pa_path_join(path, folder, "witness.ticket", error));
    struct pa_remote_witness_options options = {.url = url, .ticket_path = path};
    return pa_remote_witness_open(&options, out, error);
}

/* Bring the evidence file, made where there is none, up to what the witness has. */
static int fetch(struct pa_witness *witness, const char *evidence, struct pa_error *error) {
    struct pa_store *store = NULL;
    PA_TRY(access(evidence, F_OK) == 0 ? pa_store_open(evidence, &store, error)
                                       : pa_store_create(evidence, &store, error));
    int code = pa_remote_witness_fetch(witness, store, error);
    pa_store_close(store);
    return code;
}

int pa_audit_witness_resume(const char *folder, const char *evidence, struct pa_witness **out,
                            struct pa_error *error) {
    char path[PATH_MAX];
    *out = NULL;
    PA_TRY(pa_path_join(path, folder, "witness.ticket", error));
    if (access(path, F_OK) != 0)
        return PA_OK;
    struct pa_remote_witness_options options = {.ticket_path = path};
    PA_TRY(pa_remote_witness_open(&options, out, error));
    PA_TRY(pa_remote_witness_resume(*out, error));
    return fetch(*out, evidence, error);
}

/* The witness's word is its signature: what it says must follow from the evidence that it sent. */
static int check(const struct pa_buffer *certificate, const char *evidence,
                 struct pa_verification *out, struct pa_error *error) {
    struct pa_store *store = NULL;
    int code = pa_certificate_verify(certificate->data, certificate->size, out, error);
    if (code == PA_OK)
        code = pa_store_open_readonly(evidence, &store, error);
    if (code == PA_OK)
        code = pa_verification_evidence(out, store, PA_RECHECK_PATHS, error);
    pa_store_close(store);
    return code == PA_OK ? PA_OK : pa_fail_in(error, "checking what the witness sent");
}

int pa_audit_witness_conclude(struct pa_witness *witness, const char *folder, const char *evidence,
                              enum pa_language language, struct pa_judged *judged,
                              struct pa_error *error) {
    struct pa_buffer certificate = {0};
    struct pa_verification verification = {0};
    char name[32];
    PA_TRY(fetch(witness, evidence, error));
    int code = pa_remote_witness_result(witness, name, &certificate, error);
    if (code == PA_OK)
        code = check(&certificate, evidence, &verification, error);
    if (code == PA_OK)
        code = pa_judge_evidence(evidence, NULL, NULL, PA_RECHECK_PATHS, judged, error);
    if (code == PA_OK)
        code = pa_outputs_write_signed(judged, &certificate, verification.statement, language,
                                       folder, error);
    pa_verification_free(&verification);
    pa_buffer_free(&certificate);
    return code;
}
