/* SPDX-License-Identifier: Apache-2.0 */
/* passphrase.h - where the passphrase of a key comes from: the file that PETAUDIT_PASSPHRASE_FILE
 * names (its first line; nobody but its owner may read it), else the terminal. */
#ifndef PA_COMMAND_PASSPHRASE_H
#define PA_COMMAND_PASSPHRASE_H

#include "base/bytes.h"
#include "base/error.h"

/* For a key that is there (key_file.h: pa_ask_passphrase). */
int pa_passphrase_ask(const char *path, struct pa_buffer *out, struct pa_error *error);

/* For a new key: nothing is appended where no file is named. */
int pa_passphrase_for_new(struct pa_buffer *out, struct pa_error *error);

/* Overwrite and free. */
void pa_passphrase_wipe(struct pa_buffer *passphrase);

#endif
