/* SPDX-License-Identifier: Apache-2.0 */
/* tool_identity.h - which program measured: version, commit, SHA-256 of the binary and of each
 * library that computes or signs, with its path. */
#ifndef PA_COMMAND_TOOL_IDENTITY_H
#define PA_COMMAND_TOOL_IDENTITY_H

/* JSON text of a note of kind "tool"; the caller frees it. NULL when out of memory. */
char *pa_tool_identity(void);

#endif
