/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/fabric_proof.h"

#include "base/bytes.h"
#include "kernels/fabric.h"

#include <stdlib.h>
#include <string.h>

static uint32_t element_words(enum pa_class class_id) {
    return pa_class_traits(class_id)->words == PA_WORD_F64 ? 2 : 1;
}

uint64_t pa_fabric_words(enum pa_class class_id, const struct pa_shape *shapes, uint32_t devices) {
    uint64_t words = PA_FABRIC_MOST_WORDS;
    for (uint32_t d = 0; d < devices; d++) {
        uint64_t own = (uint64_t)shapes[d].m * shapes[d].n * element_words(class_id);
        words = own < words ? own : words;
    }
    return words / PA_FABRIC_CHUNK * PA_FABRIC_CHUNK;
}

void pa_fabric_digests(uint64_t *out, const uint32_t *x, uint64_t words, uint32_t s) {
    for (uint64_t at = 0; at < words; at += PA_FABRIC_CHUNK) {
        uint64_t sum = 0;
        for (uint32_t e = 0; e < PA_FABRIC_CHUNK; e += 2)
            sum += pa_digest_pair(x[at + e], x[at + e + 1], s, e);
        out[at / PA_FABRIC_CHUNK] = sum;
    }
}

static uint64_t sum_words(const uint32_t *x, const uint32_t *y, uint32_t count, uint32_t s_x,
                          uint32_t s_y, uint32_t first) {
    uint64_t sum = 0;
    for (uint32_t e = 0; e < count; e++)
        sum += pa_fabric_term(x[e], y[e], s_x, s_y, first + e);
    return sum;
}

/* In two pieces, of which each is one run through memory. */
uint64_t pa_fabric_chunk_sum(const uint32_t x[PA_FABRIC_CHUNK], const uint32_t y[PA_FABRIC_CHUNK],
                             uint32_t chunk, uint32_t s_x, uint32_t s_y, uint32_t turn) {
    uint32_t rest = PA_FABRIC_CHUNK - turn, first = chunk * PA_FABRIC_CHUNK;
    return sum_words(x, y + turn, rest, s_x, s_y, first) +
           sum_words(x + rest, y, turn, s_x, s_y, first + rest);
}

void pa_fabric_sums(uint64_t *out, const uint32_t *x, const uint32_t *y, uint32_t s_x, uint32_t s_y,
                    struct pa_fabric_shuffle shuffle) {
    for (uint32_t c = 0; c < shuffle.chunks; c++)
        out[c] = pa_fabric_chunk_sum(x + (size_t)c * PA_FABRIC_CHUNK,
                                     y + (size_t)pa_fabric_met_chunk(shuffle, c) * PA_FABRIC_CHUNK,
                                     c, s_x, s_y, pa_fabric_met_turn(shuffle, c));
}

uint32_t pa_fabric_blocks(uint32_t chunks) {
    return (chunks + PA_FABRIC_BLOCK - 1) / PA_FABRIC_BLOCK;
}

void pa_fabric_block(struct pa_hash *out, const uint64_t *values, uint32_t count) {
    /* The values are hashed where they lie. */
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "u64 are hashed little endian");
    pa_hash_bytes(out, "fabric block", values, count * sizeof *values);
}

void pa_fabric_list_hash(struct pa_hash *out, const char *tag, uint32_t chunks,
                         const struct pa_hash *blocks) {
    uint8_t count[4];
    pa_put_le32(count, chunks);
    const struct pa_piece pieces[] = {{count, sizeof count},
                                      {blocks, pa_fabric_blocks(chunks) * sizeof *blocks}};
    pa_hash_pieces(out, tag, pieces, 2);
}

int pa_fabric_hash_values(struct pa_hash *out, const char *tag, const uint64_t *values,
                          uint32_t chunks, struct pa_error *error) {
    uint32_t blocks = pa_fabric_blocks(chunks);
    struct pa_hash *hashes = calloc(blocks, sizeof *hashes);
    if (hashes == NULL)
        return pa_fail(error, PA_EMEMORY, "fabric proof: out of memory");
    for (uint32_t b = 0; b < blocks; b++) {
        uint32_t first = b * PA_FABRIC_BLOCK, left = chunks - first;
        pa_fabric_block(&hashes[b], values + first,
                        left < PA_FABRIC_BLOCK ? left : PA_FABRIC_BLOCK);
    }
    pa_fabric_list_hash(out, tag, chunks, hashes);
    free(hashes);
    return PA_OK;
}

uint32_t pa_fabric_digest_key(const struct pa_tail *tail) {
    return pa_le32(tail->last.bytes);
}

void pa_fabric_root(struct pa_hash *out, const struct pa_hash *nonce,
                    const struct pa_fabric_tail *tails, uint32_t devices) {
    struct pa_hasher hasher;
    pa_hasher_begin(&hasher, "root");
    pa_hasher_add(&hasher, nonce->bytes, PA_HASH_BYTES);
    for (uint32_t d = 0; d < devices; d++) {
        uint8_t steps[8];
        pa_put_le64(steps, tails[d].tail.steps);
        pa_hasher_add(&hasher, steps, sizeof steps);
        pa_hasher_add(&hasher, tails[d].tail.last.bytes, PA_HASH_BYTES);
        pa_hasher_add(&hasher, tails[d].tail.tree.bytes, PA_HASH_BYTES);
        pa_hasher_add(&hasher, tails[d].fabric.bytes, PA_HASH_BYTES);
    }
    pa_hasher_end(&hasher, out);
}

void pa_fabric_first_nonce(struct pa_hash *out, const struct pa_hash *challenge,
                           const struct pa_hash *root) {
    const struct pa_piece pieces[] = {{challenge->bytes, PA_HASH_BYTES},
                                      {root->bytes, PA_HASH_BYTES}};
    pa_hash_pieces(out, "fabric nonce", pieces, 2);
}

void pa_fabric_next_nonce(struct pa_hash *out, const struct pa_hash *nonce,
                          const struct pa_hash *answers, uint32_t pairs) {
    const struct pa_piece pieces[] = {{nonce->bytes, PA_HASH_BYTES},
                                      {answers, pairs * sizeof *answers}};
    pa_hash_pieces(out, "fabric nonce", pieces, 2);
}

/* bytes 0..7 of H("draw", q | u32 number), scaled to 0 .. below-1. */
static uint64_t draw(const struct pa_hash *q, uint32_t number, uint64_t below) {
    uint8_t bytes[4];
    pa_put_le32(bytes, number);
    const struct pa_piece pieces[] = {{q->bytes, sizeof q->bytes}, {bytes, sizeof bytes}};
    struct pa_hash u;
    pa_hash_pieces(&u, "draw", pieces, 2);
    return (uint64_t)(((unsigned __int128)pa_le64(u.bytes) * below) >> 64);
}

void pa_fabric_match(uint32_t *devices, uint32_t count, const struct pa_hash *nonce) {
    for (uint32_t i = count; i-- > 1;) {
        uint32_t j = (uint32_t)draw(nonce, i, i + 1), here = devices[i];
        devices[i] = devices[j];
        devices[j] = here;
    }
}

uint32_t pa_fabric_weight_key(const struct pa_hash *nonce, uint64_t device) {
    uint8_t number[8];
    struct pa_hash hash;
    pa_put_le64(number, device);
    const struct pa_piece pieces[] = {{nonce->bytes, PA_HASH_BYTES}, {number, sizeof number}};
    pa_hash_pieces(&hash, "fabric weight", pieces, 2);
    return pa_le32(hash.bytes);
}

struct pa_fabric_shuffle pa_fabric_round_shuffle(const struct pa_hash *nonce, uint32_t chunks) {
    struct pa_hash hash;
    uint32_t bits = 0;
    while (bits < 31 && (chunks - 1) >> bits != 0)
        bits++;
    struct pa_fabric_shuffle shuffle = {
        .chunks = chunks, .mask = (UINT32_C(1) << bits) - 1, .shift = (bits + 1) / 2};
    pa_hash_bytes(&hash, "fabric shuffle", nonce->bytes, PA_HASH_BYTES);
    for (size_t i = 0; i < sizeof shuffle.key / sizeof shuffle.key[0]; i++)
        shuffle.key[i] = pa_le32(hash.bytes + 4 * i);
    return shuffle;
}

void pa_fabric_samples(struct pa_fabric_sample *out, uint32_t count, const struct pa_hash *key,
                       const struct pa_hash *answers, uint32_t pairs, uint32_t chunks) {
    const struct pa_piece pieces[] = {
        {key->bytes, PA_HASH_BYTES}, {answers, PA_FABRIC_ROUNDS * (size_t)pairs * sizeof *answers}};
    struct pa_hash q;
    pa_hash_pieces(&q, "fabric sample", pieces, 2);
    uint64_t round = (uint64_t)pairs * chunks;
    for (uint32_t j = 0; j < count; j++) {
        uint64_t index = draw(&q, j, PA_FABRIC_ROUNDS * round);
        out[j] = (struct pa_fabric_sample){.round = (uint32_t)(index / round),
                                           .pair = (uint32_t)(index % round / chunks),
                                           .chunk = (uint32_t)(index % chunks)};
    }
}

void pa_fabric_floor(struct pa_fabric_floor *out, enum pa_class class_id, uint32_t k,
                     uint32_t devices, uint64_t words, uint64_t window_ns, double rate) {
    double seconds = (double)window_ns * 1e-9;
    /* All that is sure to have been computed is what the states hold. */
    uint64_t elements = words / element_words(class_id);
    double operations = 2.0 * k * (double)elements * PA_FABRIC_STEPS;
    double possible = rate * seconds / operations;
    *out = (struct pa_fabric_floor){.device_bytes_per_second = 4.0 * (double)words / seconds,
                                    .twice_share = rate > 0 ? possible / devices - 1 : 1};
    if (out->twice_share < 0)
        out->twice_share = 0;
    if (out->twice_share > 1)
        out->twice_share = 1;
}

/* No state meets itself: where each is split between the places, words that could be of use to each
 * other across the cut lie in one state, and matching takes them out of the mean. That costs most
 * when those that are in both places are whole states. */
double pa_fabric_cut(const struct pa_fabric_floor *floor, uint32_t devices, double p, double held) {
    double rest = p - floor->twice_share;
    if (rest <= 0 || devices < 2)
        return 0;
    double met = (devices - 1 / (1 - floor->twice_share)) / (devices - 1);
    uint32_t paired = devices / 2 * 2;
    return floor->device_bytes_per_second * paired * met * rest * (1 - p) * held;
}
