/* SPDX-License-Identifier: Apache-2.0 */
/* hash.h - H(tag, x) = SHA-256(tag in ASCII padded with zeros to 16 bytes, then x), the one hash of
 * the protocol. */
#ifndef PA_PROOF_HASH_H
#define PA_PROOF_HASH_H

#include "kernels/philox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PA_HASH_BYTES = 32, PA_TAG_BYTES = 16 };

struct pa_hash {
    uint8_t bytes[PA_HASH_BYTES];
};

/* A piece of the input x; pieces are hashed as if they were joined. */
struct pa_piece {
    const void *data;
    size_t size;
};

/* H(tag, pieces joined). `tag` has 1 to 16 characters. Cannot fail and allocates nothing. */
void pa_hash_pieces(struct pa_hash *out, const char *tag, const struct pa_piece *pieces,
                    size_t count);
void pa_hash_bytes(struct pa_hash *out, const char *tag, const void *data, size_t size);

/* The same, piece by piece, for what is too long to be in one place. A NULL tag gives plain
 * SHA-256.
 */
struct pa_hasher {
    uint64_t state[16]; /* OpenSSL's SHA256_CTX, which stays out of this header */
};
void pa_hasher_begin(struct pa_hasher *hasher, const char *tag);
void pa_hasher_add(struct pa_hasher *hasher, const void *data, size_t size);
void pa_hasher_end(struct pa_hasher *hasher, struct pa_hash *out);

/* Plain SHA-256, for files and names rather than for the protocol. */
void pa_sha256(struct pa_hash *out, const void *data, size_t size);

bool pa_hash_equal(const struct pa_hash *a, const struct pa_hash *b);

/* k0 = [0:4), k1 = [4:8), c2 = [8:12), c3 = [12:16), s = [16:20) of the hash, little endian. */
struct pa_seed pa_seed_from(const struct pa_hash *hash);

#endif
