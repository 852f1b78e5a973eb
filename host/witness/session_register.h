/* SPDX-License-Identifier: Apache-2.0 */
/* session_register.h - how often the same claim or site was declared: the r of alpha_r
 * (docs/protocol.md 4).
 *
 * One line of text a session: claim hash, site hash, session hash, in hexadecimal. Lines are only
 * ever appended, so that a failed session stays counted.
 */
#ifndef PA_WITNESS_SESSION_REGISTER_H
#define PA_WITNESS_SESSION_REGISTER_H

#include "base/error.h"
#include "proof/hash.h"

#include <stdint.h>

/* The serial number that the next session of this claim and site gets: one more than are registered
 * of the claim, at whatever site, or of the site, with whatever claim. */
int pa_session_register_next(const char *path, const struct pa_hash *claim, const char *site,
                             uint32_t *serial, struct pa_error *error);
int pa_session_register_add(const char *path, const struct pa_hash *claim, const char *site,
                            const struct pa_hash *session, struct pa_error *error);

#endif
