/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's low-level SHA-256: the one interface that can neither fail nor allocate, so that a
 * chain can be hashed anywhere without an error path. Deprecated in name since 3.0 (it is what EVP
 * ends in all the same); asking for the API of 1.1.0 keeps the compiler quiet in this file only. */
#define OPENSSL_API_COMPAT 0x10100000L

#include "proof/hash.h"

#include "base/bytes.h"

#include <openssl/sha.h>
#include <string.h>

void pa_hash_pieces(struct pa_hash *out, const char *tag, const struct pa_piece *pieces,
                    size_t count) {
    uint8_t padded[PA_TAG_BYTES] = {0};
    memcpy(padded, tag, strnlen(tag, sizeof padded));
    SHA256_CTX state;
    SHA256_Init(&state);
    SHA256_Update(&state, padded, sizeof padded);
    for (size_t i = 0; i < count; i++)
        SHA256_Update(&state, pieces[i].data, pieces[i].size);
    SHA256_Final(out->bytes, &state);
}

void pa_hash_bytes(struct pa_hash *out, const char *tag, const void *data, size_t size) {
    const struct pa_piece piece = {data, size};
    pa_hash_pieces(out, tag, &piece, 1);
}

void pa_sha256(struct pa_hash *out, const void *data, size_t size) {
    SHA256_CTX state;
    SHA256_Init(&state);
    SHA256_Update(&state, data, size);
    SHA256_Final(out->bytes, &state);
}

bool pa_hash_equal(const struct pa_hash *a, const struct pa_hash *b) {
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

struct pa_seed pa_seed_from(const struct pa_hash *hash) {
    const uint8_t *p = hash->bytes;
    return (struct pa_seed){.k0 = pa_le32(p),
                            .k1 = pa_le32(p + 4),
                            .c2 = pa_le32(p + 8),
                            .c3 = pa_le32(p + 12),
                            .s = pa_le32(p + 16)};
}
