/* SPDX-License-Identifier: Apache-2.0 */
/* outputs.h - from evidence to what an audit leaves: certificate.json (or test-result.json),
 * summary.json, report.html,
 * report.pdf.
 */
#ifndef PA_COMMAND_OUTPUTS_H
#define PA_COMMAND_OUTPUTS_H

#include "certificate/certificate.h"
#include "judge/judge.h"
#include "report/report.h"

/* A judgement with everything that it was made from. Zero-initialise; pa_judged_free in any case.
 */
struct pa_judged {
    struct pa_facts facts;
    struct pa_claim claim;
    struct pa_policy policy;
    struct pa_judgement judgement;
    json_t *statement;
    bool has_earlier; /* a statement of the same evidence under another claim or policy */
    struct pa_hash earlier;
    char earlier_verdict[16];
};

/* Collect the facts of `evidence` (a path) and judge them. `claim_path` and `policy_name` may be
 * NULL: those that the session was declared with are used. */
int pa_judge_evidence(const char *evidence, const char *claim_path, const char *policy_name,
                      enum pa_recheck recheck, struct pa_judged *out, struct pa_error *error);
/* The same of a finished session whose store this process has open: opening and closing it in any
 * other way would drop the locks by which SQLite keeps other processes from its log. */
int pa_judge_beside(const char *evidence, enum pa_recheck recheck, struct pa_judged *out,
                    struct pa_error *error);
void pa_judged_free(struct pa_judged *judged);
/* Find what was said of the same evidence before: in the certificate `named`, or, when that is
 * NULL, in the one that lies beside `evidence`, if there is one. A named one that is not authentic
 * or of other evidence is an error. */
int pa_earlier_statement(const char *named, const char *evidence, struct pa_judged *judged,
                         struct pa_error *error);

/* Sign and write the files into `folder`, which is made. `key_path` is what pa_default_key was
 * given: the key's certificate lies beside it. */
int pa_outputs_write(struct pa_judged *judged, const struct pa_key *key, const char *key_path,
                     enum pa_language language, const char *folder, struct pa_error *error);

/* The same with a certificate that the witness of the session has signed over `statement`, which is
 * shared: the witness's key is not here, and report.pdf is not signed. */
int pa_outputs_write_signed(struct pa_judged *judged, const struct pa_buffer *certificate,
                            json_t *statement, enum pa_language language, const char *folder,
                            struct pa_error *error);

/* Print the judgement for people on stdout, or summary.json when `is_json`. `folder` (may be NULL)
 * is where files were written. */
int pa_outputs_print(struct pa_judged *judged, const struct pa_key *key, const char *folder,
                     bool is_json, struct pa_error *error);

/* The key of --key, or ~/.config/petaudit/key, which is made on first use. */
int pa_default_key(const char *path, struct pa_key **out, struct pa_error *error);
/* The path of `name` in ~/.config/petaudit (or $XDG_CONFIG_HOME/petaudit), which is made. */
int pa_config_path(char *out, size_t size, const char *name, struct pa_error *error);

#endif
