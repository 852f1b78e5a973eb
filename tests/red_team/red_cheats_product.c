/* SPDX-License-Identifier: Apache-2.0 */
/* red_cheats_product.c - other arithmetic for dense16: three products of 8-bit integers
 * (Karatsuba), one that is nearly right, 16-bit integer multiply-add, one level of Strassen.
 *
 * What is exact is accepted, as it must be: the class is exact products, in whatever arithmetic.
 * The question is what it gains, and whether the certificate's bound covers that.
 */
#include "red_gemm.h"
#include "red_team.h"

#include "proof/tile_code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 3, TIMED_STEPS = 5, BOUNDED_STEPS = 3 };

/* Operands, parts of them and results of one cheat; A is made once a chain. */
struct workshop {
    struct pa_shape shape;
    struct red_gemm gemm;
    float *a, *b, *c;
    int8_t *a_parts[PARTS], *b_parts[PARTS];
    int32_t *c_parts[PARTS];
    int16_t *a16, *b16;
    float *half_a, *half_b, *product; /* Strassen's */
    struct pa_hash chain;             /* whose A is there */
};

static void *pages(size_t count, size_t size) {
    void *out = aligned_alloc(64, (count * size + 63) / 64 * 64);
    RED_MUST(out != NULL);
    return out;
}

static void workshop_open(struct workshop *shop, struct pa_shape shape) {
    *shop = (struct workshop){.shape = shape};
    size_t a = (size_t)shape.m * shape.k, b = (size_t)shape.n * shape.k;
    shop->a = pages(a, sizeof(float));
    shop->b = pages(b, sizeof(float));
    shop->c = pages((size_t)shape.m * shape.n, sizeof(float));
}

static void workshop_close(struct workshop *shop) {
    for (int i = 0; i < PARTS; i++) {
        free(shop->a_parts[i]);
        free(shop->b_parts[i]);
        free(shop->c_parts[i]);
    }
    free(shop->a16);
    free(shop->b16);
    free(shop->half_a);
    free(shop->half_b);
    free(shop->product);
    free(shop->a);
    free(shop->b);
    free(shop->c);
    if (shop->gemm.worker != NULL)
        red_gemm_close(&shop->gemm);
}

/* True when a chain begins: its A is in `shop->a` then, and is to be prepared. */
static bool load_operands(struct workshop *shop, const struct pa_chain *chain,
                          const struct pa_seed *b_seed) {
    bool is_new = !pa_hash_equal(&shop->chain, &chain->start);
    struct pa_seed a_seed = pa_chain_a_seed(chain);
    if (is_new)
        red_operand_f32(&a_seed, 0, shop->shape.m, shop->shape.k, shop->a);
    shop->chain = chain->start;
    red_operand_f32(b_seed, 0, shop->shape.n, shop->shape.k, shop->b);
    return is_new;
}

/* x = 16 h + l with h in -16..15 and l in 0..15, and their sum: 6 bits at most, so that even
 * processors whose 8-bit multiply-add saturates stay exact. */
static void split(const float *x, size_t count, int8_t *high, int8_t *low, int8_t *sum) {
    for (size_t i = 0; i < count; i++) {
        int value = (int)x[i];
        high[i] = (int8_t)(value >> 4);
        low[i] = (int8_t)(value & 15);
        sum[i] = (int8_t)((value >> 4) + (value & 15));
    }
}

static void open_parts(struct workshop *shop, int parts) {
    struct pa_shape shape = shop->shape;
    for (int i = 0; i < parts; i++) {
        shop->a_parts[i] = pages((size_t)shape.m * shape.k, 1);
        shop->b_parts[i] = pages((size_t)shape.n * shape.k, 1);
        shop->c_parts[i] = pages((size_t)shape.m * shape.n, sizeof(int32_t));
    }
    RED_MUST(red_gemm_open(&shop->gemm, PA_INT8, shape.m, shape.n, shape.k));
}

/* xy = 256 hh' + 16 (hl' + lh') + ll' = 240 hh' - 15 ll' + 16 (h + l)(h' + l') */
static uint64_t step_karatsuba(struct red_play *play, struct red_site *site, uint32_t epoch,
                               uint32_t device, uint32_t t, uint64_t *tiles) {
    struct workshop *shop = play->context;
    const struct pa_chain *chain = &site->chains[epoch][device];
    struct pa_seed b_seed = pa_chain_b_seed(chain, t);
    struct pa_shape shape = shop->shape;
    size_t results = (size_t)shape.m * shape.n;
    if (shop->gemm.worker == NULL)
        open_parts(shop, PARTS);
    if (load_operands(shop, chain, &b_seed))
        split(shop->a, (size_t)shape.m * shape.k, shop->a_parts[0], shop->a_parts[1],
              shop->a_parts[2]);
    split(shop->b, (size_t)shape.n * shape.k, shop->b_parts[0], shop->b_parts[1], shop->b_parts[2]);
    for (int i = 0; i < PARTS; i++)
        red_gemm_run(&shop->gemm, shop->a_parts[i], shop->b_parts[i], shop->c_parts[i]);
    for (size_t i = 0; i < results; i++)
        shop->c[i] = (float)(240 * shop->c_parts[0][i] - 15 * shop->c_parts[1][i] +
                             16 * shop->c_parts[2][i]);
    red_digest_all(shop->c, shape.m, shape.n, b_seed.s, tiles);
    return 0;
}

static void round_to_8_bits(const float *x, size_t count, int8_t *out) {
    for (size_t i = 0; i < count; i++)
        out[i] = (int8_t)((int)x[i] >> 1);
}

/* The lowest bit of each operand is dropped: one product in 8 bits, right to 1 % or so. */
static uint64_t step_approximate(struct red_play *play, struct red_site *site, uint32_t epoch,
                                 uint32_t device, uint32_t t, uint64_t *tiles) {
    struct workshop *shop = play->context;
    const struct pa_chain *chain = &site->chains[epoch][device];
    struct pa_seed b_seed = pa_chain_b_seed(chain, t);
    struct pa_shape shape = shop->shape;
    size_t results = (size_t)shape.m * shape.n;
    if (shop->gemm.worker == NULL)
        open_parts(shop, 1);
    if (load_operands(shop, chain, &b_seed))
        round_to_8_bits(shop->a, (size_t)shape.m * shape.k, shop->a_parts[0]);
    round_to_8_bits(shop->b, (size_t)shape.n * shape.k, shop->b_parts[0]);
    red_gemm_run(&shop->gemm, shop->a_parts[0], shop->b_parts[0], shop->c_parts[0]);
    for (size_t i = 0; i < results; i++)
        shop->c[i] = (float)(4 * shop->c_parts[0][i]);
    red_digest_all(shop->c, shape.m, shape.n, b_seed.s, tiles);
    return pa_shape_tiles(shape);
}

static const struct pa_tile_code *integer_code(void) {
    const struct pa_tile_code *code = pa_tile_avx512();
    if (code == NULL)
        code = pa_tile_avx2();
    return code != NULL ? code : &pa_tile_portable;
}

/* Panels of all vectors for one range of K after another. */
static void generate16(const struct pa_tile_code *code, const struct pa_seed *seed,
                       uint32_t vectors, uint32_t k, int16_t *out) {
    uint32_t panel_blocks = PA_PANEL_SHORTS / 8;
    for (uint32_t first = 0; first < k / 8; first += panel_blocks)
        for (uint32_t v = 0; v < vectors; v += PA_TILE, out += PA_TILE * PA_PANEL_SHORTS) {
            uint32_t left = k / 8 - first;
            code->generate(out, PA_DENSE16, *seed, v, PA_TILE, first,
                           left < panel_blocks ? left : panel_blocks);
        }
}

static void tile16(const struct workshop *shop, const struct pa_tile_code *code, uint32_t i,
                   uint32_t j, float *c) {
    static int32_t sum[PA_TILE * PA_TILE];
    uint32_t rows = shop->shape.m / PA_TILE, columns = shop->shape.n / PA_TILE;
    const size_t panel = PA_TILE * PA_PANEL_SHORTS;
    memset(sum, 0, sizeof sum);
    for (uint32_t at = 0, p = 0; at < shop->shape.k; at += PA_PANEL_SHORTS, p++) {
        uint32_t left = shop->shape.k - at;
        code->multiply16(sum, PA_TILE, shop->a16 + ((size_t)p * rows + i) * panel,
                         shop->b16 + ((size_t)p * columns + j) * panel,
                         left < PA_PANEL_SHORTS ? left : PA_PANEL_SHORTS);
    }
    for (int e = 0; e < PA_TILE * PA_TILE; e++)
        c[e] = (float)sum[e];
}

/* 16-bit integer multiply-add, which processors have had for longer than bf16. */
static uint64_t step_integers(struct red_play *play, struct red_site *site, uint32_t epoch,
                              uint32_t device, uint32_t t, uint64_t *tiles) {
    struct workshop *shop = play->context;
    const struct pa_chain *chain = &site->chains[epoch][device];
    const struct pa_tile_code *code = integer_code();
    const struct pa_cpu_kernels *kernels = pa_cpu_kernels(pa_cpu_level());
    struct pa_seed b_seed = pa_chain_b_seed(chain, t), a_seed = pa_chain_a_seed(chain);
    struct pa_shape shape = shop->shape;
    size_t panels = (shape.k + PA_PANEL_SHORTS - 1) / PA_PANEL_SHORTS;
    if (shop->a16 == NULL) {
        shop->a16 = pages(panels * shape.m * PA_PANEL_SHORTS, sizeof(int16_t));
        shop->b16 = pages(panels * shape.n * PA_PANEL_SHORTS, sizeof(int16_t));
    }
    if (!pa_hash_equal(&shop->chain, &chain->start))
        generate16(code, &a_seed, shape.m, shape.k, shop->a16);
    shop->chain = chain->start;
    generate16(code, &b_seed, shape.n, shape.k, shop->b16);
    for (uint32_t j = 0; j < shape.n / PA_TILE; j++)
        for (uint32_t i = 0; i < shape.m / PA_TILE; i++) {
            tile16(shop, code, i, j, shop->c);
            tiles[i * (shape.n / PA_TILE) + j] = kernels->tile_f32(shop->c, PA_TILE, b_seed.s);
        }
    return 0;
}

/* out (rows x k/2) = x's quarter (r, q) + sign * its quarter (r2, q2). */
static void add_quarters(const float *x, uint32_t rows, uint32_t k, int r, int q, int sign, int r2,
                         int q2, float *out) {
    for (uint32_t i = 0; i < rows / 2; i++) {
        const float *one = x + ((size_t)i + (size_t)r * (rows / 2)) * k + (size_t)q * (k / 2);
        const float *two = x + ((size_t)i + (size_t)r2 * (rows / 2)) * k + (size_t)q2 * (k / 2);
        for (uint32_t e = 0; e < k / 2; e++)
            out[(size_t)i * (k / 2) + e] = sign == 0 ? one[e] : one[e] + (float)sign * two[e];
    }
}

/* Strassen 1969: seven products of halves. B lies by columns, so its quarter (k half, n half) is
 * quarter (n half, k half) of the array. Each row: A's two quarters and their sign, B's, and what
 * the product adds to C11, C12, C21, C22. */
static const struct {
    int a[5], b[5], c[4];
} seven[] = {
    {{0, 0, 1, 1, 1}, {0, 0, 1, 1, 1}, {1, 0, 0, 1}},
    {{1, 0, 1, 1, 1}, {0, 0, 0, 0, 0}, {0, 0, 1, -1}},
    {{0, 0, 0, 0, 0}, {1, 0, -1, 1, 1}, {0, 1, 0, 1}},
    {{1, 1, 0, 0, 0}, {0, 1, -1, 0, 0}, {1, 0, 1, 0}},
    {{0, 0, 1, 0, 1}, {1, 1, 0, 0, 0}, {-1, 1, 0, 0}},
    {{1, 0, -1, 0, 0}, {0, 0, 1, 1, 0}, {0, 0, 0, 1}},
    {{0, 1, -1, 1, 1}, {0, 1, 1, 1, 1}, {1, 0, 0, 0}},
};

static void add_product(const struct workshop *shop, const int c[4]) {
    uint32_t m = shop->shape.m / 2, n = shop->shape.n / 2;
    for (int quarter = 0; quarter < 4; quarter++) {
        float *into =
            shop->c + (size_t)(quarter / 2) * m * shop->shape.n + (size_t)(quarter % 2) * n;
        for (uint32_t i = 0; i < m && c[quarter] != 0; i++)
            for (uint32_t j = 0; j < n; j++)
                into[(size_t)i * shop->shape.n + j] +=
                    (float)c[quarter] * shop->product[(size_t)i * n + j];
    }
}

static uint64_t step_strassen(struct red_play *play, struct red_site *site, uint32_t epoch,
                              uint32_t device, uint32_t t, uint64_t *tiles) {
    struct workshop *shop = play->context;
    const struct pa_chain *chain = &site->chains[epoch][device];
    struct pa_seed b_seed = pa_chain_b_seed(chain, t);
    struct pa_shape shape = shop->shape;
    if (shop->half_a == NULL) {
        shop->half_a = pages((size_t)shape.m * shape.k / 4, sizeof(float));
        shop->half_b = pages((size_t)shape.n * shape.k / 4, sizeof(float));
        shop->product = pages((size_t)shape.m * shape.n / 4, sizeof(float));
        RED_MUST(red_gemm_open(&shop->gemm, PA_FP32, shape.m / 2, shape.n / 2, shape.k / 2));
    }
    load_operands(shop, chain, &b_seed);
    memset(shop->c, 0, (size_t)shape.m * shape.n * sizeof(float));
    for (size_t p = 0; p < sizeof seven / sizeof seven[0]; p++) {
        const int *a = seven[p].a, *b = seven[p].b;
        add_quarters(shop->a, shape.m, shape.k, a[0], a[1], a[2], a[3], a[4], shop->half_a);
        add_quarters(shop->b, shape.n, shape.k, b[0], b[1], b[2], b[3], b[4], shop->half_b);
        red_gemm_run(&shop->gemm, shop->half_a, shop->half_b, shop->product);
        add_product(shop, seven[p].c);
    }
    red_digest_all(shop->c, shape.m, shape.n, b_seed.s, tiles);
    return 0;
}

/* How many tiles of a step differ from the honest ones. */
static uint64_t count_wrong(struct red_play *cheat, struct red_play *honest,
                            const struct red_terms *terms) {
    struct red_site *site = calloc(1, sizeof *site);
    uint64_t *tiles[2], wrong = 0;
    struct pa_error error = {0};
    struct pa_hash start;
    RED_MUST(site != NULL);
    site->terms = *terms;
    struct pa_shape shape = red_site_shape(site);
    red_site_start(site, 0, 0, &start);
    RED_MUST(pa_chain_begin(&site->chains[0][0], &start, shape, 1, &error) == PA_OK);
    struct pa_seed a_seed = pa_chain_a_seed(&site->chains[0][0]);
    red_machine_load(honest->machine, &a_seed);
    for (int i = 0; i < 2; i++)
        tiles[i] = pages(pa_shape_tiles(shape), sizeof(uint64_t));
    honest->step(honest, site, 0, 0, 1, tiles[0]);
    cheat->step(cheat, site, 0, 0, 1, tiles[1]);
    for (uint64_t i = 0; i < pa_shape_tiles(shape); i++)
        wrong += tiles[0][i] != tiles[1][i];
    free(tiles[0]);
    free(tiles[1]);
    red_site_forget(site, 0);
    free(site);
    return wrong;
}

static struct red_terms terms_of(const struct red_game *game) {
    struct red_terms terms = red_terms_certified();
    if (!game->is_full) {
        terms.m = terms.n = 512;
        terms.k = 1024;
    }
    terms.format = red_machine_format(terms.class_id);
    return terms;
}

static void play_product(struct red_game *game, const char *name, red_step step,
                         enum red_fate fate) {
    struct red_terms terms = terms_of(game);
    struct pa_shape shape = {terms.m, terms.n, terms.k};
    struct red_machine machine;
    struct workshop shop;
    struct red_site site;
    struct red_row row = {.cheat = name, .fate = fate};
    const char *basis;
    double bound =
        pa_substitution_bound(terms.class_id, terms.backend, terms.model, terms.format, &basis);
    workshop_open(&shop, shape);
    red_machine_open(&machine, terms.class_id, shape);
    struct red_play honest = {.machine = &machine, .step = red_step_honest};
    struct red_play cheat = {.machine = &machine,
                             .steps = BOUNDED_STEPS,
                             .step = step,
                             .context = &shop,
                             .is_unaided = true};
    uint64_t wrong = count_wrong(&cheat, &honest, &terms);
    double honest_ns = red_play_step_ns(&honest, &terms, TIMED_STEPS, true);
    double cheat_ns = red_play_step_ns(&cheat, &terms, TIMED_STEPS, true);
    RED_MUST(red_site_begin(&site, &game->lab, &terms) == PA_OK);
    red_play_session(&cheat, &site);
    red_put_verdict(game, &row);
    double gain = honest_ns / cheat_ns;
    snprintf(row.gain, sizeof row.gain, "%.3f times the rate of honest %s", gain, terms.format);
    snprintf(row.note, sizeof row.note, "%llu of %llu tiles wrong; bound %.2f (%s), printed %.2f",
             (unsigned long long)wrong, (unsigned long long)pa_shape_tiles(shape), bound, basis,
             game->lab.judged.judgement.substitution_bound);
    bool is_accepted = cheat.failed == 0;
    bool is_printed = game->lab.judged.judgement.substitution_bound >= bound;
    row.is_predicted = fate == RED_CAUGHT ? !is_accepted && wrong == pa_shape_tiles(shape)
                                          : is_accepted && wrong == 0 && is_printed &&
                                                (gain <= bound || !game->is_full);
    red_site_end(&site);
    red_machine_close(&machine);
    workshop_close(&shop);
    game->put(game, &row);
}

static void run_karatsuba(struct red_game *game) {
    play_product(game, "three products in int8 for dense16 (Karatsuba)", step_karatsuba,
                 RED_BOUNDED);
}

static void run_integers(struct red_game *game) {
    play_product(game, "16-bit integer multiply-add for dense16", step_integers, RED_BOUNDED);
}

static void run_approximate(struct red_game *game) {
    play_product(game, "one product in int8, nearly right", step_approximate, RED_CAUGHT);
}

static void run_strassen(struct red_game *game) {
    play_product(game, "one level of Strassen, in fp32", step_strassen, RED_BOUNDED);
}

const struct red_cheat red_cheats_product[] = {{"karatsuba", run_karatsuba},
                                               {"integers", run_integers},
                                               {"approximate", run_approximate},
                                               {"strassen", run_strassen},
                                               {NULL, NULL}};
