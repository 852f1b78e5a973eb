/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the file of a key, locked or not, private or public. */
#include "certificate/key_lock.h"
#include "proof/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pa_buffer plain = {0};
    struct pa_key *key = NULL;
    uint8_t point[PA_PUBLIC_KEY_BYTES];
    if (pa_key_from_pem("fuzz", data, size, &key, NULL) == PA_OK)
        pa_key_free(key);
    pa_public_key_from_pem("fuzz", data, size, point, NULL);
    if (pa_key_is_locked(data, size) &&
        pa_key_unlock("fuzz", data, size, "correct horse", &plain, NULL) == PA_OK &&
        pa_key_from_pem("fuzz", plain.data, plain.size, &key, NULL) == PA_OK)
        pa_key_free(key);
    pa_buffer_free(&plain);
    return 0;
}
