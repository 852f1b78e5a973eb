/* SPDX-License-Identifier: Apache-2.0 */
/* What meets what in a pair of states: a permutation, by which no split of the states over two
 * places that was made before the challenge saves its exchange. */
#include "cmocka_setup.h"

#include "proof/fabric_proof.h"

#include <stdlib.h>

static struct pa_fabric_shuffle shuffle_of(uint32_t seed, uint32_t chunks) {
    struct pa_hash nonce;
    pa_hash_bytes(&nonce, "shuffle", &seed, sizeof seed);
    return pa_fabric_round_shuffle(&nonce, chunks);
}

static void every_chunk_meets_one_and_is_met_by_one(void **state) {
    static const uint32_t large[] = {1000, 1024, 4095, 4096, 4097, 65535, 1 << 21};
    (void)state;
    for (uint32_t i = 1; i <= 300 + sizeof large / sizeof large[0]; i++) {
        uint32_t chunks = i <= 300 ? i : large[i - 301];
        struct pa_fabric_shuffle shuffle = shuffle_of(i, chunks);
        bool *is_met = calloc(chunks, sizeof *is_met);
        assert_non_null(is_met);
        for (uint32_t c = 0; c < chunks; c++) {
            uint32_t met = pa_fabric_met_chunk(shuffle, c);
            assert_true(met < chunks && !is_met[met]);
            assert_true(pa_fabric_met_turn(shuffle, c) < PA_FABRIC_CHUNK);
            is_met[met] = true;
        }
        free(is_met);
    }
}

/* In which of two places a word is computed: splits that cost no work twice, by rows, by columns,
 * by blocks and by single words. */
static uint32_t place_of(int split, uint32_t chunk, uint32_t word, uint32_t chunks) {
    switch (split) {
    case 0:
        return chunk >= chunks / 2;
    case 1:
        return chunk % 2;
    case 2:
        return chunk / 8 % 2;
    case 3:
        return chunk / 64 % 2;
    case 4:
        return word >= PA_FABRIC_CHUNK / 2;
    case 5:
        return word % 2;
    default:
        return (chunk + word) % 2;
    }
}

/* Half of the words meet one of the other place, in every round and not in the mean alone: with
 * one turn for all chunks, every other round would need nothing of the other place where chunks
 * were split into even and odd. */
static void no_split_that_was_made_before_fits(void **state) {
    enum { SPLITS = 7, CHUNKS_OF_A_STATE = 4096, ROUNDS = 100 };
    (void)state;
    for (int split = 0; split < SPLITS; split++)
        for (uint32_t round = 0; round < ROUNDS; round++) {
            struct pa_fabric_shuffle shuffle = shuffle_of(1000 + round, CHUNKS_OF_A_STATE);
            uint32_t across = 0, all = 0;
            for (uint32_t c = 0; c < CHUNKS_OF_A_STATE; c++)
                for (uint32_t e = 0; e < PA_FABRIC_CHUNK; e += 3, all++) {
                    uint32_t met = pa_fabric_met_chunk(shuffle, c);
                    uint32_t word = (e + pa_fabric_met_turn(shuffle, c)) % PA_FABRIC_CHUNK;
                    across += place_of(split, c, e, CHUNKS_OF_A_STATE) !=
                              place_of(split, met, word, CHUNKS_OF_A_STATE);
                }
            /* Of 4096 chunks, each on its own: a standard deviation of 1/128, here six. */
            if (across * 64 < all * 29 || across * 64 > all * 35)
                fail_msg("split %d, round %u: %u of %u", split, round, across, all);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_chunk_meets_one_and_is_met_by_one),
        cmocka_unit_test(no_split_that_was_made_before_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
