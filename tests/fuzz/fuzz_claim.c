/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a claim: read, or refused with a printable message that names the place. */
#include "claim/claim.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pa_claim claim;
    struct pa_error error = {0};
    int code = pa_claim_parse("fuzz.yaml", data, size, &claim, &error);
    if (code != PA_OK && (code != PA_EINPUT || strncmp(error.text, "fuzz.yaml:", 10) != 0) &&
        size <= PA_CLAIM_MOST_BYTES)
        abort();
    for (const char *p = error.text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            abort();
    if (code == PA_OK && !(claim.capacity_per_second >= 1 && claim.capacity_per_second <= 1e24))
        abort();
    pa_claim_free(&claim);
    return 0;
}
