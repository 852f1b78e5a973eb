/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/memory_proof.h"

#include "base/bytes.h"
#include "kernels/digest.h"

#include <stdlib.h>

static void hash_place(struct pa_hash *out, const char *tag, const struct pa_hash *challenge,
                       const struct pa_memory_place *place) {
    uint8_t tail[12];
    pa_put_le64(tail, place->device);
    pa_put_le32(tail + 8, place->chunks);
    const struct pa_piece pieces[] = {
        {challenge != NULL ? challenge->bytes : NULL, challenge != NULL ? PA_HASH_BYTES : 0},
        {place->nonce.bytes, PA_HASH_BYTES},
        {tail, sizeof tail}};
    if (challenge != NULL)
        pa_hash_pieces(out, tag, pieces, 3);
    else
        pa_hash_pieces(out, tag, pieces + 1, 2);
}

struct pa_seed pa_memory_seed(const struct pa_memory_place *place) {
    struct pa_hash hash;
    hash_place(&hash, "memory", NULL, place);
    return pa_seed_from(&hash);
}

void pa_memory_q(struct pa_hash *q, const struct pa_memory_place *place,
                 const struct pa_hash *challenge) {
    hash_place(q, "memory order", challenge, place);
}

uint32_t pa_memory_s(const struct pa_hash *q) {
    return pa_le32(q->bytes);
}

/* bytes 0..7 of H("draw", q | u32 number), scaled to 0 .. below-1. */
static uint32_t draw(const struct pa_hash *q, uint32_t number, uint32_t below) {
    uint8_t bytes[4];
    pa_put_le32(bytes, number);
    const struct pa_piece pieces[] = {{q->bytes, sizeof q->bytes}, {bytes, sizeof bytes}};
    struct pa_hash u;
    pa_hash_pieces(&u, "draw", pieces, 2);
    return (uint32_t)(((unsigned __int128)pa_le64(u.bytes) * below) >> 64);
}

void pa_memory_order(uint32_t *order, uint32_t chunks, const struct pa_hash *q) {
    for (uint32_t i = 0; i < chunks; i++)
        order[i] = i;
    for (uint32_t i = chunks; i-- > 1;) {
        uint32_t j = draw(q, i, i + 1), here = order[i];
        order[i] = order[j];
        order[j] = here;
    }
}

void pa_memory_commitment(struct pa_hash *out, const struct pa_hash *q, const uint64_t *answers,
                          uint32_t chunks) {
    /* The answers are hashed where they lie. */
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "u64 are hashed little endian");
    uint8_t count[4];
    pa_put_le32(count, chunks);
    const struct pa_piece pieces[] = {{q->bytes, sizeof q->bytes},
                                      {count, sizeof count},
                                      {answers, (size_t)chunks * sizeof *answers}};
    pa_hash_pieces(out, "memory root", pieces, 3);
}

void pa_memory_samples(uint32_t *out, uint32_t count, uint32_t chunks, const struct pa_hash *key,
                       const struct pa_hash *commitment) {
    const struct pa_piece pieces[] = {{key->bytes, sizeof key->bytes},
                                      {commitment->bytes, sizeof commitment->bytes}};
    struct pa_hash p;
    pa_hash_pieces(&p, "memory sample", pieces, 2);
    for (uint32_t j = 0; j < count; j++)
        out[j] = draw(&p, j, chunks);
}

uint64_t pa_memory_digest_of(const struct pa_seed *seed, uint32_t chunk, uint32_t s) {
    const uint32_t blocks = (uint32_t)(PA_MEMORY_PROOF_CHUNK_BYTES / 16);
    uint64_t sum = 0;
    for (uint32_t b = 0; b < blocks; b++) {
        uint32_t x[4];
        pa_philox(*seed, b, chunk, x);
        sum += pa_digest_pair(x[0], x[1], s, 4 * b);
        sum += pa_digest_pair(x[2], x[3], s, 4 * b + 2);
    }
    return sum;
}

int pa_memory_verify(const struct pa_memory_place *place, const struct pa_hash *challenge,
                     const struct pa_hash *key, const uint64_t *answers,
                     struct pa_memory_check *out, struct pa_error *error) {
    uint32_t samples[PA_MEMORY_SAMPLES];
    struct pa_hash q, commitment;
    struct pa_seed seed = pa_memory_seed(place);
    uint32_t *order = malloc((size_t)place->chunks * sizeof *order);
    if (order == NULL)
        return pa_fail(error, PA_EMEMORY, "checking %u chunks of memory: out of memory",
                       place->chunks);
    pa_memory_q(&q, place, challenge);
    pa_memory_order(order, place->chunks, &q);
    pa_memory_commitment(&commitment, &q, answers, place->chunks);
    *out = (struct pa_memory_check){0};
    bool is_few = place->chunks <= PA_MEMORY_SAMPLES;
    out->samples = is_few ? place->chunks : (uint32_t)PA_MEMORY_SAMPLES;
    pa_memory_samples(samples, out->samples, place->chunks, key, &commitment);
    for (uint32_t j = 0; j < out->samples; j++) {
        uint32_t i = is_few ? j : samples[j], chunk = order[i];
        if (pa_memory_digest_of(&seed, chunk, pa_memory_s(&q)) == answers[i])
            continue;
        if (out->wrong++ == 0)
            out->first_wrong = chunk;
    }
    free(order);
    return PA_OK;
}
