/* SPDX-License-Identifier: Apache-2.0 */
/* audit_options.h - what the user wants of an audit: its command line and the few variables of the
 * environment. */
#ifndef PA_COMMAND_AUDIT_OPTIONS_H
#define PA_COMMAND_AUDIT_OPTIONS_H

#include "fleet/fleet.h"
#include "measure/plan.h"
#include "report/report.h"

#include <limits.h>

enum { PA_AUDIT_MOST_METERS = 16 }; /* given with --meter */

struct pa_audit_options {
    const char *claim, *policy, *precision, *duration, *devices, *witness, *hub, *key, *out,
        *resume, *sample, *telemetry, *lang;
    const char *meters[PA_AUDIT_MOST_METERS]; /* those given, then NULL */
    bool is_plan_only, is_shared, is_json, wants_help;
    struct pa_plan_wishes wishes;
    enum pa_language language;
    char folder[PATH_MAX]; /* where the audit's files go */
};

extern const char pa_audit_help[];

/* Parse the command line. PA_EUSAGE. */
int pa_audit_options_parse(int argc, char **argv, struct pa_audit_options *out,
                           struct pa_error *error);

/* Refuse outputs that are the claim, the policy (the one at `policy`, or NULL), the key, a meter's
 * file, `evidence` or each other (named_files.h). The folder must have been chosen. */
int pa_audit_options_check_files(const struct pa_audit_options *options, const char *policy,
                                 const char *evidence, struct pa_error *error);

/* Choose the folder: --resume, --out, one of the launcher's job, or ./petaudit-<UTC>. */
void pa_audit_options_folder(struct pa_audit_options *options, const struct pa_place *place);

#endif
