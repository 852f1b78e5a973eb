/* SPDX-License-Identifier: Apache-2.0 */
/* red_cheats_digest.c - the digest of a tile without the tile.
 *
 * Were the words added to their weights and not XORed, the digest of a dense8 tile would be a
 * quadratic form of its results, x(r,c) = sum over k of A(r,k) B(c,k):
 *
 *     sum over r and even c of (x(r,c) + w(r,c)) (x(r,c+1) + w(r,c+1))
 *
 * Its square part is <A^T A, sum of B(c+1) B(c)^T>: A^T A is known once a chain, the other matrix
 * once a column of tiles, and each tile costs K^2 multiplications instead of 128 * 128 * K. The
 * attack is carried out here: against that digest it is right every time, against ours never.
 */
#include "red_team.h"

#include "kernels/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { K = 256, ROWS = 32, TILES_SHOWN = 20, STEPS = 2 };

struct algebra {
    int32_t *square;  /* ROWS times A^T A, K x K */
    int32_t *mixed;   /* sum over even c of B(c) (x) B(c+1), K x K */
    int64_t *rows[2]; /* of each tile row: sum of A(r), of r A(r) */
    int8_t *a, *b;
};

static void operand(const struct pa_seed *seed, uint32_t first, uint32_t count, int8_t *out) {
    for (uint32_t v = 0; v < count; v++)
        for (uint32_t block = 0; block < K / 16; block++) {
            pa_u32 x[4];
            pa_philox(*seed, block, first + v, x);
            for (uint32_t i = 0; i < 16; i++)
                out[(size_t)v * K + block * 16 + i] = (int8_t)pa_slot_dense8(x, i);
        }
}

static void *zeroed(size_t count, size_t size) {
    void *out = calloc(count, size);
    RED_MUST(out != NULL);
    return out;
}

static void algebra_open(struct algebra *algebra) {
    algebra->square = zeroed((size_t)ROWS * K * K, sizeof(int32_t));
    algebra->mixed = zeroed((size_t)K * K, sizeof(int32_t));
    for (int i = 0; i < 2; i++)
        algebra->rows[i] = zeroed((size_t)ROWS * K, sizeof(int64_t));
    algebra->a = zeroed((size_t)ROWS * PA_TILE * K, 1);
    algebra->b = zeroed((size_t)PA_TILE * K, 1);
}

static void algebra_close(struct algebra *algebra) {
    free(algebra->square);
    free(algebra->mixed);
    free(algebra->rows[0]);
    free(algebra->rows[1]);
    free(algebra->a);
    free(algebra->b);
}

/* Once a chain: A does not change in it. */
static void learn_a(struct algebra *algebra, const struct pa_seed *seed) {
    operand(seed, 0, ROWS * PA_TILE, algebra->a);
    memset(algebra->square, 0, (size_t)ROWS * K * K * sizeof(int32_t));
    for (int i = 0; i < 2; i++)
        memset(algebra->rows[i], 0, (size_t)ROWS * K * sizeof(int64_t));
    for (uint32_t v = 0; v < ROWS * PA_TILE; v++) {
        const int8_t *a = algebra->a + (size_t)v * K;
        int32_t *square = algebra->square + (size_t)(v / PA_TILE) * K * K;
        for (uint32_t k = 0; k < K; k++) {
            algebra->rows[0][v / PA_TILE * K + k] += a[k];
            algebra->rows[1][v / PA_TILE * K + k] += (int64_t)(v % PA_TILE) * a[k];
            for (uint32_t l = 0; l < K; l++)
                square[k * K + l] += a[k] * a[l];
        }
    }
}

/* Once a column of tiles. */
static void learn_b(struct algebra *algebra, const struct pa_seed *seed, uint32_t column) {
    operand(seed, column * PA_TILE, PA_TILE, algebra->b);
    memset(algebra->mixed, 0, (size_t)K * K * sizeof(int32_t));
    for (uint32_t c = 0; c < PA_TILE; c += 2) {
        const int8_t *even = algebra->b + (size_t)c * K, *odd = even + K;
        for (uint32_t k = 0; k < K; k++)
            for (uint32_t l = 0; l < K; l++)
                algebra->mixed[k * K + l] += even[k] * odd[l];
    }
}

static uint64_t dot(const int64_t *a, const int8_t *b) {
    int64_t sum = 0;
    for (uint32_t k = 0; k < K; k++)
        sum += a[k] * b[k];
    return (uint64_t)sum;
}

/* The terms of first degree, and those without x. w(r,c) = s + (128 r + c) PA_DIGEST_WEIGHT. */
static uint64_t low_degrees(const struct algebra *algebra, uint32_t row, uint32_t s) {
    const int64_t *plain = algebra->rows[0] + (size_t)row * K;
    const int64_t *weighted = algebra->rows[1] + (size_t)row * K;
    uint64_t sum = 0, q = PA_DIGEST_WEIGHT;
    for (uint32_t c = 0; c < PA_TILE; c++) {
        const int8_t *b = algebra->b + (size_t)c * K;
        uint64_t partner = c ^ 1; /* the other of its pair has this column */
        sum += (s + partner * q) * dot(plain, b) + PA_TILE * q * dot(weighted, b);
        for (uint64_t r = 0; r < PA_TILE && c % 2 == 0; r++)
            sum += (s + (PA_TILE * r + c) * q) * (s + (PA_TILE * r + c + 1) * q);
    }
    return sum;
}

/* The digest with + of tile (row, the column learnt), without its results. */
static uint64_t digest_by_algebra(const struct algebra *algebra, uint32_t row, uint32_t s) {
    const int32_t *square = algebra->square + (size_t)row * K * K;
    int64_t sum = 0; /* at most K^2 * 2^21 * 2^20 */
    for (uint32_t i = 0; i < K * K; i++)
        sum += (int64_t)square[i] * algebra->mixed[i];
    return (uint64_t)sum + low_degrees(algebra, row, s);
}

/* The same from the results: what it would have to be. */
static uint64_t digest_with_plus(const struct algebra *algebra, uint32_t row, uint32_t s,
                                 uint64_t *with_xor) {
    static int32_t x[PA_TILE * PA_TILE];
    uint64_t sum = 0, q = PA_DIGEST_WEIGHT;
    for (uint32_t e = 0; e < PA_TILE * PA_TILE; e++) {
        const int8_t *a = algebra->a + ((size_t)row * PA_TILE + e / PA_TILE) * K;
        const int8_t *b = algebra->b + (size_t)(e % PA_TILE) * K;
        int32_t value = 0;
        for (uint32_t k = 0; k < K; k++)
            value += a[k] * b[k];
        x[e] = value;
    }
    for (uint64_t e = 0; e < PA_TILE * PA_TILE; e += 2)
        sum += ((uint64_t)x[e] + s + e * q) * ((uint64_t)x[e + 1] + s + (e + 1) * q);
    *with_xor = pa_digest_tile_i32(x, PA_TILE, s);
    return sum;
}

static uint64_t step_by_algebra(struct red_play *play, struct red_site *site, uint32_t epoch,
                                uint32_t device, uint32_t t, uint64_t *tiles) {
    struct algebra *algebra = play->context;
    const struct pa_chain *chain = &site->chains[epoch][device];
    struct pa_seed a_seed = pa_chain_a_seed(chain), b_seed = pa_chain_b_seed(chain, t);
    uint32_t columns = site->terms.n / PA_TILE;
    if (t == 1)
        learn_a(algebra, &a_seed);
    for (uint32_t j = 0; j < columns; j++) {
        learn_b(algebra, &b_seed, j);
        for (uint32_t i = 0; i < ROWS; i++)
            tiles[i * columns + j] = digest_by_algebra(algebra, i, b_seed.s);
    }
    return pa_shape_tiles(chain->shape);
}

/* How many of `TILES_SHOWN` tiles the algebra gets right, for each digest. */
static void compare_digests(struct algebra *algebra, uint64_t seed, int *plus, int *ours) {
    struct pa_seed a = {(pa_u32)seed, 2, 3, 4, 5}, b = {(pa_u32)seed, 7, 8, 9, 0x12345678};
    learn_a(algebra, &a);
    learn_b(algebra, &b, 3);
    *plus = *ours = 0;
    for (uint32_t i = 0; i < TILES_SHOWN; i++) {
        uint64_t with_xor, with_plus = digest_with_plus(algebra, i, b.s, &with_xor);
        uint64_t guess = digest_by_algebra(algebra, i, b.s);
        *plus += guess == with_plus;
        *ours += guess == with_xor;
    }
}

static double processor_s(void) {
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Time of the product of one column of tiles over that of the algebra, both in plain C. */
static double measure_algebra(struct algebra *algebra) {
    struct pa_seed b = {5, 4, 3, 2, 1};
    uint64_t with_xor, sum = 0;
    double begin = processor_s();
    learn_b(algebra, &b, 0);
    for (uint32_t i = 0; i < ROWS; i++)
        sum += digest_by_algebra(algebra, i, b.s);
    double between = processor_s();
    for (uint32_t i = 0; i < ROWS; i++)
        sum -= digest_with_plus(algebra, i, b.s, &with_xor);
    RED_MUST(sum == 0);
    return (processor_s() - between) / (between - begin);
}

static void run_algebra(struct red_game *game) {
    struct red_terms terms = red_terms_small();
    struct red_site site;
    struct algebra algebra;
    struct red_row row = {.cheat = "the digest by algebra, without the product (dense8)",
                          .fate = RED_CAUGHT};
    int plus, ours;
    terms.class_id = PA_DENSE8;
    terms.m = ROWS * PA_TILE;
    terms.k = K;
    terms.format = "int8";
    algebra_open(&algebra);
    compare_digests(&algebra, game->seed, &plus, &ours);
    double gain = measure_algebra(&algebra);
    struct red_play cheat = {
        .steps = STEPS, .step = step_by_algebra, .context = &algebra, .is_unaided = true};
    RED_MUST(red_site_begin(&site, &game->lab, &terms) == PA_OK);
    red_play_session(&cheat, &site);
    red_put_verdict(game, &row);
    red_site_end(&site);
    algebra_close(&algebra);
    snprintf(row.gain, sizeof row.gain,
             "%.1f times the rate of the product, both in plain C, K = %d", gain, K);
    snprintf(row.note, sizeof row.note,
             "right in %d of %d tiles were the digest a sum with +, in %d of %d of ours; %u of %u "
             "openings failed",
             plus, TILES_SHOWN, ours, TILES_SHOWN, cheat.failed, terms.openings);
    row.is_predicted = plus == TILES_SHOWN && ours == 0 && cheat.failed == terms.openings;
    game->put(game, &row);
}

const struct red_cheat red_cheats_digest[] = {{"algebra", run_algebra}, {NULL, NULL}};
