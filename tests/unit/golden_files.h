/* SPDX-License-Identifier: Apache-2.0 */
/* golden_files.h - data-driven tests: every x.yaml of a directory, read and told in words, must
 * give the bytes of x.expected beside it. PETAUDIT_GOLDEN=write in the environment writes them
 * anew, for `git diff` to show what changed. */
#ifndef PA_TESTS_GOLDEN_FILES_H
#define PA_TESTS_GOLDEN_FILES_H

#include "base/bytes.h"

/* Tell in words what `data` gives, or its error. `name` is the file's name without its directory.
 */
typedef void (*golden_teller)(const char *name, const struct pa_buffer *data,
                              struct pa_buffer *told);

/* Fails the running test for each file that tells something else. Returns how many files there
 * were. */
int golden_check(const char *directory, golden_teller tell);

#endif
