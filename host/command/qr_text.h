/* SPDX-License-Identifier: Apache-2.0 */
/* qr_text.h - a QR code for a terminal. */
#ifndef PA_COMMAND_QR_TEXT_H
#define PA_COMMAND_QR_TEXT_H

#include "base/bytes.h"
#include "base/error.h"

/* Append `text` as a QR code of half blocks, two rows a line, with the quiet zone; dark modules are
 * spaces, so that it reads on a dark terminal. */
int pa_qr_text(const char *text, struct pa_buffer *out, struct pa_error *error);

#endif
