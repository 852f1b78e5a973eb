/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/allreduce_sum.h"

#include "base/bytes.h"
#include "kernels/digest.h"
#include "kernels/philox.h"

enum { WORD_BYTES = 4, BLOCK_WORDS = 16 /* 8-bit slots of one Philox block */ };

bool pa_allreduce_size_is_sound(uint64_t bytes) {
    return bytes > 0 && bytes % WORD_BYTES == 0 && bytes <= PA_ALLREDUCE_MOST_BYTES;
}

uint64_t pa_allreduce_chunks(uint64_t bytes) {
    return (bytes / WORD_BYTES + PA_ALLREDUCE_CHUNK_WORDS - 1) / PA_ALLREDUCE_CHUNK_WORDS;
}

struct pa_seed pa_allreduce_seed(const struct pa_hash *nonce, uint64_t bytes, uint32_t round) {
    uint8_t tail[12];
    pa_put_le64(tail, bytes);
    pa_put_le32(tail + 8, round);
    const struct pa_piece pieces[] = {{nonce->bytes, sizeof nonce->bytes}, {tail, sizeof tail}};
    struct pa_hash hash;
    pa_hash_pieces(&hash, "allreduce", pieces, 2);
    return pa_seed_from(&hash);
}

/* Words 16b .. 16b+15 of the sum. They fit: 2^20 ranks of 8 bits stay within 28. */
static void sum_block(const struct pa_seed *seed, uint32_t ranks, uint32_t block,
                      int32_t sums[BLOCK_WORDS]) {
    for (uint32_t i = 0; i < BLOCK_WORDS; i++)
        sums[i] = 0;
    for (uint32_t rank = 0; rank < ranks; rank++) {
        uint32_t x[4];
        pa_philox(*seed, block, rank, x);
        for (uint32_t i = 0; i < BLOCK_WORDS; i++)
            sums[i] += pa_slot_dense8(x, i);
    }
}

uint64_t pa_allreduce_chunk_digest(const struct pa_seed *seed, uint32_t ranks, uint64_t bytes,
                                   uint64_t chunk) {
    uint64_t first = chunk * PA_ALLREDUCE_CHUNK_WORDS, left = bytes / WORD_BYTES - first, sum = 0;
    uint32_t words = left < PA_ALLREDUCE_CHUNK_WORDS ? (uint32_t)left : PA_ALLREDUCE_CHUNK_WORDS;
    for (uint32_t e = 0; e < words; e += BLOCK_WORDS) {
        int32_t sums[BLOCK_WORDS];
        sum_block(seed, ranks, (uint32_t)((first + e) / BLOCK_WORDS), sums);
        for (uint32_t i = 0; i < BLOCK_WORDS && e + i < words; i += 2)
            sum += pa_digest_pair((uint32_t)sums[i], e + i + 1 < words ? (uint32_t)sums[i + 1] : 0,
                                  seed->s, e + i);
    }
    return sum;
}

void pa_allreduce_commitment(struct pa_hash *out, const struct pa_hash *nonce, uint64_t bytes,
                             uint32_t round, uint32_t ranks, const uint64_t *chunks) {
    /* The digests are hashed where they lie. */
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "u64 are hashed little endian");
    uint8_t head[16];
    pa_put_le64(head, bytes);
    pa_put_le32(head + 8, round);
    pa_put_le32(head + 12, ranks);
    const struct pa_piece pieces[] = {
        {nonce->bytes, sizeof nonce->bytes},
        {head, sizeof head},
        {chunks, (size_t)pa_allreduce_chunks(bytes) * sizeof *chunks},
    };
    pa_hash_pieces(out, "reduce root", pieces, 3);
}

void pa_allreduce_samples(uint64_t *out, uint32_t count, const struct pa_hash *key,
                          const struct pa_hash *commitment, uint64_t bytes) {
    const struct pa_piece seed[] = {{key->bytes, sizeof key->bytes},
                                    {commitment->bytes, sizeof commitment->bytes}};
    struct pa_hash q;
    pa_hash_pieces(&q, "reduce sample", seed, 2);
    for (uint32_t j = 0; j < count; j++) {
        uint8_t number[4];
        pa_put_le32(number, j);
        const struct pa_piece draw[] = {{q.bytes, sizeof q.bytes}, {number, sizeof number}};
        struct pa_hash u;
        pa_hash_pieces(&u, "draw", draw, 2);
        out[j] =
            (uint64_t)(((unsigned __int128)pa_le64(u.bytes) * pa_allreduce_chunks(bytes)) >> 64);
    }
}
