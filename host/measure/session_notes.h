/* SPDX-License-Identifier: Apache-2.0 */
/* session_notes.h - what the site says about itself, as NOTE records (docs/protocol.md, "Notes").
 */
#ifndef PA_MEASURE_SESSION_NOTES_H
#define PA_MEASURE_SESSION_NOTES_H

#include "measure/session.h"

#include <jansson.h>

/* Append `content` to the transcript and release it; NULL counts as out of memory. */
int pa_note_put(const struct pa_session_terms *terms, uint64_t epoch, json_t *content,
                struct pa_error *error);

/* The same of one device among many: on disk only after pa_note_sync, or with whatever comes next.
 */
int pa_note_put_later(const struct pa_session_terms *terms, uint64_t epoch, json_t *content,
                      struct pa_error *error);
int pa_note_sync(const struct pa_session_terms *terms, struct pa_error *error);

/* A figure as a decimal string: notes hold no binary floats, so that their bytes mean the same
 * everywhere. */
json_t *pa_note_figure(double value);

/* Claim, policy, tool, host: once, after the declaration. */
int pa_note_session(const struct pa_session_terms *terms, struct pa_error *error);
int pa_note_host(const struct pa_session_terms *terms, struct pa_error *error);
/* Which process ran on which host, and a finding where some did not come; nothing of one alone. */
int pa_note_ranks(const struct pa_session_terms *terms, struct pa_error *error);
/* The vendors' libraries of each host: name, path and SHA-256. */
int pa_note_libraries(const struct pa_session_terms *terms, struct pa_error *error);
/* Identity, choice and calibration sweep of every device. */
int pa_note_devices(const struct pa_session_terms *terms, struct pa_error *error);
int pa_note_raw(const struct pa_session_terms *terms, struct pa_error *error);
/* Devices that were lost since the last call. */
int pa_note_losses(const struct pa_session_terms *terms, uint64_t epoch, struct pa_error *error);

#endif
