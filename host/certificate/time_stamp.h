/* SPDX-License-Identifier: Apache-2.0 */
/* time_stamp.h - an RFC 3161 time stamp over a certificate's file.
 *
 * A certificate says when its evidence ended, by the witness's clock. A stamp of somebody else says
 * that the file was there at a time: FILE.tsq is the request for one, FILE.tsr the answer. It is
 * taken from any authority by any program (docs/certificate.md shows curl); here it is only
 * checked.
 */
#ifndef PA_CERTIFICATE_TIME_STAMP_H
#define PA_CERTIFICATE_TIME_STAMP_H

#include "base/base.h"
#include "base/bytes.h"
#include "base/error.h"

enum { PA_TIME_STAMP_MOST_BYTES = 1 << 16 };

/* Append the request for a stamp over `size` bytes: SHA-256, the authority's certificate wanted. No
 * nonce, so that the same file gives the same request: a stamp is worth no less when it is old. */
int pa_time_stamp_request(const void *file, size_t size, struct pa_buffer *out,
                          struct pa_error *error);

struct pa_time_stamp {
    char utc[PA_UTC_TEXT_BYTES]; /* the time that it proves */
    char authority[256];         /* the name in its certificate, safe to print */
    bool is_known; /* the authority's certificate leads to one that this system trusts; if not, the
                    * stamp holds in itself and its reader must know the authority */
};

/* Check an answer over the file's bytes. PA_EINVALID, with the reason: not granted, of another
 * file, not signed by the certificate in it, that certificate not for time stamps. */
int pa_time_stamp_check(const void *file, size_t size, const void *stamp, size_t stamp_size,
                        struct pa_time_stamp *out, struct pa_error *error);

#endif
