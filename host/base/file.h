/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - whole files in, whole files out.
 *
 * A file is written to a temporary name beside its target, synced and renamed: after a crash or a
 * full disk the target is the old file or the new one, never a part of either.
 */
#ifndef PA_BASE_FILE_H
#define PA_BASE_FILE_H

#include "base/bytes.h"
#include "base/error.h"

#include <limits.h>
#include <sys/types.h>

/* Append the content of `path` to `out`, at most `most_bytes`. Directories, devices and longer
 * files are refused (PA_EINPUT); a file that is missing or may not be read gives PA_ENOINPUT. */
int pa_file_read(const char *path, size_t most_bytes, struct pa_buffer *out,
                 struct pa_error *error);

/* Replace `path` by `size` bytes with permissions `mode`. PA_EWRITE; the temporary file is gone
 * then. */
int pa_file_write(const char *path, const void *data, size_t size, mode_t mode,
                  struct pa_error *error);

/* The two halves of pa_file_write, for files that belong together: all are staged, each under a
 * temporary name, before the first is settled, so a full disk leaves none of them. A staged file
 * that is not settled is the caller's to unlink. PA_EWRITE; nothing is left of that one then. */
int pa_file_stage(const char *path, const void *data, size_t size, mode_t mode,
                  char temporary[PATH_MAX], struct pa_error *error);
int pa_file_settle(const char *temporary, const char *path, struct pa_error *error);

/* Create directory `path` (its parent must exist); one that is there already is fine. */
int pa_directory_make(const char *path, struct pa_error *error);

/* "FOLDER/NAME"; PA_EWRITE when that is longer than a path may be. */
int pa_path_join(char out[PATH_MAX], const char *folder, const char *name, struct pa_error *error);

/* How many files this process may have open, after trying to have `wanted`: the soft limit is
 * raised as far as that takes, and the hard one lets it. 0 when the system does not say. */
uint64_t pa_files_allow(uint64_t wanted);

/* Copy `text` to `out` with every control character, and every byte that is not part of well-formed
 * UTF-8, as '?': what comes from a file never steers a terminal. Cuts at `size` - 1 bytes. */
void pa_printable(char *out, size_t size, const char *text);

#endif
