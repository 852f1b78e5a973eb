/* SPDX-License-Identifier: Apache-2.0 */
/* named_files.h - no output of a command is one of its inputs, a key, evidence or another output.
 *
 * Every file is replaced as a whole (base/file.h), so a slip of the hand in --html would cost the
 * signed certificate or the private key, for good. The command line is held against this before
 * anything is written:
 *
 *     const struct pa_named_file inputs[] = {{"the certificate", path}, {NULL, NULL}};
 *     const struct pa_named_file outputs[] = {{"--html", html}, {"--pdf", pdf}, {NULL, NULL}};
 *     PA_TRY(pa_named_files_check(outputs, inputs, error));
 */
#ifndef PA_COMMAND_NAMED_FILES_H
#define PA_COMMAND_NAMED_FILES_H

#include "base/error.h"

struct pa_named_file {
    const char *what; /* how messages call it: an option or a role; NULL ends a list */
    const char *path; /* NULL: not named, skipped */
};

/* Refuse an output that is the same file as an input or as another output (by device and inode, or
 * the same name in the same folder where there is none yet), one that holds a key or evidence, and
 * a device or pipe, which the writing would put a file in the place of. PA_EUSAGE. */
int pa_named_files_check(const struct pa_named_file *outputs, const struct pa_named_file *inputs,
                         struct pa_error *error);

/* The same of the files that a judgement leaves in `folder` (outputs.h), and of `more` outputs
 * beside them, which may be NULL. */
int pa_named_files_check_folder(const char *folder, const struct pa_named_file *more,
                                const struct pa_named_file *inputs, struct pa_error *error);

#endif
