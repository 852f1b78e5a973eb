/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_attestation.c - u16 length of a report | the report | its chain in PEM, under the pinned
 * root and with the nonce that the report itself has, so that all that comes behind it is reached.
 */
#include "base/bytes.h"
#include "proof/attestation.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_printable(const char *text) {
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { NONCE_AT = 4 };
    const uint64_t judged_ns = UINT64_C(1777593600000000000); /* May 2026 */
    uint8_t nonce[PA_ATTESTATION_NONCE_BYTES] = {0};
    struct pa_attested found;
    struct pa_error error = {0};
    struct pa_reader in = pa_reader_over(data, size);
    uint16_t length = pa_read_u16(&in);
    const uint8_t *report = pa_read_view(&in, length);
    if (in.failed)
        return 0;
    if (length >= NONCE_AT + sizeof nonce)
        memcpy(nonce, report + NONCE_AT, sizeof nonce);
    const struct pa_attestation attestation = {.report = report,
                                               .report_bytes = length,
                                               .chain = (const char *)in.next,
                                               .chain_bytes = in.left};
    int code = pa_attestation_verify(&attestation, nonce, pa_attestation_root(), judged_ns, &found,
                                     &error);
    if ((code == PA_OK) != (found.device[0] != '\0') || (code != PA_OK && code != PA_EINVALID))
        abort();
    check_printable(error.text);
    check_printable(found.device);
    check_printable(found.driver);
    check_printable(found.vbios);
    return 0;
}
