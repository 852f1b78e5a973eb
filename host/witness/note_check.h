/* SPDX-License-Identifier: Apache-2.0 */
/* note_check.h - what a site may note, and what only the witness writes. */
#ifndef PA_WITNESS_NOTE_CHECK_H
#define PA_WITNESS_NOTE_CHECK_H

#include "base/error.h"

#include <stddef.h>

/* PA_EWITNESS for what is no object with a "kind", for one that is too long, and for the witness's
 * own kinds. */
int pa_note_check(const char *json, size_t size, struct pa_error *error);

#endif
