/* SPDX-License-Identifier: Apache-2.0 */
/* audit_witness.h - an audit whose witness is on another machine: the ticket beside the evidence,
 * the transcript that comes back, and the certificate that somebody else signed. */
#ifndef PA_COMMAND_AUDIT_WITNESS_H
#define PA_COMMAND_AUDIT_WITNESS_H

#include "command/outputs.h"
#include "witness/remote_witness.h"

/* Begin with the witness at `url`, whose ticket will lie in `folder`. */
int pa_audit_witness_begin(const char *url, const char *folder, struct pa_witness **out,
                           struct pa_error *error);
/* Go on with the witness of an earlier process, when `folder` holds its ticket; `*out` is NULL when
 * it does not. `evidence` is brought up to what the witness has. */
int pa_audit_witness_resume(const char *folder, const char *evidence, struct pa_witness **out,
                            struct pa_error *error);
/* After the session: fetch the transcript to `evidence` and the certificate, check one against the
 * other, and write what an audit leaves to `folder`. `judged` is filled for printing. */
int pa_audit_witness_conclude(struct pa_witness *witness, const char *folder, const char *evidence,
                              enum pa_language language, struct pa_judged *judged,
                              struct pa_error *error);

#endif
