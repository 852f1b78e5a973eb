/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's low-level SHA-256: the one interface that can neither fail nor allocate, so that a
 * chain can be hashed anywhere without an error path. Deprecated in name since 3.0 (it is what EVP
 * ends in all the same); asking for the API of 1.1.0 keeps the compiler quiet in this file only. */
#define OPENSSL_API_COMPAT 0x10100000L

#include "proof/hash.h"

#include "base/bytes.h"

#include <openssl/sha.h>
#include <string.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct pa_hasher), "pa_hasher holds a SHA256_CTX");

static SHA256_CTX *context_of(struct pa_hasher *hasher) {
    return (SHA256_CTX *)(void *)hasher->state;
}

void pa_hasher_begin(struct pa_hasher *hasher, const char *tag) {
    SHA256_Init(context_of(hasher));
    if (tag == NULL)
        return;
    uint8_t padded[PA_TAG_BYTES] = {0};
    memcpy(padded, tag, strnlen(tag, sizeof padded));
    SHA256_Update(context_of(hasher), padded, sizeof padded);
}

void pa_hasher_add(struct pa_hasher *hasher, const void *data, size_t size) {
    if (size > 0)
        SHA256_Update(context_of(hasher), data, size);
}

void pa_hasher_end(struct pa_hasher *hasher, struct pa_hash *out) {
    SHA256_Final(out->bytes, context_of(hasher));
}

void pa_hash_pieces(struct pa_hash *out, const char *tag, const struct pa_piece *pieces,
                    size_t count) {
    struct pa_hasher hasher;
    pa_hasher_begin(&hasher, tag);
    for (size_t i = 0; i < count; i++)
        pa_hasher_add(&hasher, pieces[i].data, pieces[i].size);
    pa_hasher_end(&hasher, out);
}

void pa_hash_bytes(struct pa_hash *out, const char *tag, const void *data, size_t size) {
    const struct pa_piece piece = {data, size};
    pa_hash_pieces(out, tag, &piece, 1);
}

void pa_sha256(struct pa_hash *out, const void *data, size_t size) {
    struct pa_hasher hasher;
    pa_hasher_begin(&hasher, NULL);
    pa_hasher_add(&hasher, data, size);
    pa_hasher_end(&hasher, out);
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
