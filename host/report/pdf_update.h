/* SPDX-License-Identifier: Apache-2.0 */
/* pdf_update.h - inside the room: a file into a PDF, and a signature over all of it.
 *
 * cairo can do neither. One incremental update (ISO 32000-1, 7.5.6) is appended to what cairo
 * wrote: the attachment, and when there is a signer a signature field whose value covers every byte
 * but itself (ETSI EN 319 142-1, PAdES baseline B).
 */
#ifndef PA_REPORT_PDF_UPDATE_H
#define PA_REPORT_PDF_UPDATE_H

#include "base/bytes.h"
#include "base/error.h"
#include "certificate/cms.h"

struct pa_pdf_attachment {
    const char *name; /* of the file; plain ASCII */
    const char *media_type;
    const struct pa_buffer *bytes;
    const char *date_utc; /* "2026-11-24T00:12:11Z" */
};

/* `drawn` is what cairo wrote; `signer` may be NULL. PA_EINTERNAL when `drawn` is not of the form
 * that cairo writes. */
int pa_pdf_update(const struct pa_buffer *drawn, const struct pa_pdf_attachment *attachment,
                  const struct pa_document_signer *signer, struct pa_buffer *out,
                  struct pa_error *error);

#endif
