/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a policy: described, or refused with a printable message that names the place. */
#include "claim/claim.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pa_policy policy;
    struct pa_error error = {0};
    int code = pa_policy_parse("fuzz.yaml", data, size, &policy, &error);
    if (code != PA_OK && (code != PA_EINPUT || strncmp(error.text, "fuzz.yaml:", 10) != 0) &&
        size <= PA_CLAIM_MOST_BYTES)
        abort();
    for (const char *p = error.text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            abort();
    if (code == PA_OK) {
        struct pa_buffer told = {0};
        if (pa_policy_describe(&policy, &told) != PA_OK || policy.epoch_ns > policy.window_ns ||
            policy.epoch_ns == 0 || policy.openings == 0)
            abort();
        pa_buffer_free(&told);
    }
    pa_policy_free(&policy);
    return 0;
}
