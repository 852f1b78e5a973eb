/* SPDX-License-Identifier: Apache-2.0 */
/* Who is who: tokens and pins. */
#include "link/link.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

int pa_link_token_draw(char out[PA_LINK_TOKEN_BYTES], struct pa_error *error) {
    uint8_t bytes[(PA_LINK_TOKEN_BYTES - 1) / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return pa_fail(error, PA_EINTERNAL, "drawing a token: %s", strerror(errno));
    pa_hex(out, bytes, sizeof bytes);
    explicit_bzero(bytes, sizeof bytes);
    return PA_OK;
}

/* SubjectPublicKeyInfo of an uncompressed P-256 point is these bytes and the point (RFC 5480). */
static const uint8_t info_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48,
                                    0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
                                    0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

void pa_link_pin(const uint8_t key[PA_PUBLIC_KEY_BYTES], struct pa_hash *out) {
    uint8_t info[sizeof info_head + PA_PUBLIC_KEY_BYTES];
    memcpy(info, info_head, sizeof info_head);
    memcpy(info + sizeof info_head, key, PA_PUBLIC_KEY_BYTES);
    pa_sha256(out, info, sizeof info);
}
