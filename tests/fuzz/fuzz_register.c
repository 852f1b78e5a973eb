/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as another witness's register of devices: refused with a printable message, or signed.
 */
#include "witness/device_register.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t id[8], witness[PA_PUBLIC_KEY_BYTES];
    struct pa_sightings found;
    struct pa_error error = {0};
    int code = pa_register_read("fuzz", data, size, id, witness, &found, &error);
    if (code != PA_OK && (code != PA_EINPUT && code != PA_EINVALID))
        abort();
    for (const char *p = error.text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            abort();
    for (uint32_t i = 1; code == PA_OK && i < found.count; i++)
        if (pa_sightings_first(&found, &found.each[i].identity) > i)
            abort();
    pa_sightings_free(&found);
    return 0;
}
