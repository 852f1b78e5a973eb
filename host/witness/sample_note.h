/* SPDX-License-Identifier: Apache-2.0 */
/* sample_note.h - the choice of devices as the witness notes it (docs/protocol.md 10). */
#ifndef PA_WITNESS_SAMPLE_NOTE_H
#define PA_WITNESS_SAMPLE_NOTE_H

#include "proof/proof.h"

#include <jansson.h>

/* The key, and the devices that follow from it, for people and for whoever holds one against the
 * other. NULL, with `error` filled, when it cannot be made; the caller's to release. */
json_t *pa_sample_note(const struct pa_declaration *declaration, const struct pa_hash *session,
                       const struct pa_hash *key, struct pa_error *error);

#endif
