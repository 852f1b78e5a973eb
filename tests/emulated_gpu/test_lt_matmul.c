/* SPDX-License-Identifier: Apache-2.0 */
/* The emulated cuBLASLt under the driver: products, documented constraints, and orders.
 *
 * usage: test_lt_matmul FOLDER */
#include "emulated_gpu/emulated_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *folder;

enum { M = 64, N = 32, K = 256 };
enum { OK = CUBLAS_STATUS_SUCCESS, INVALID = CUBLAS_STATUS_INVALID_VALUE };
enum { UNSUPPORTED = CUBLAS_STATUS_NOT_SUPPORTED, FAILED = CUBLAS_STATUS_EXECUTION_FAILED };

/* One product with everything that it takes; tests change a part and look what is answered. */
struct bench {
    CUstream stream;
    cublasLtHandle_t handle;
    cublasLtMatmulDesc_t desc;
    cublasLtMatrixLayout_t a, b, d;
    cublasLtMatmulPreference_t preference;
    CUdeviceptr a_data, b_data, d_data, workspace;
    size_t workspace_bytes;
    cublasLtMatmulHeuristicResult_t results[16];
    int found;
};

struct kind {
    cublasComputeType_t compute;
    cudaDataType scale, in, out;
    size_t in_bytes, out_bytes;
};

static const struct kind bf16 = {CUBLAS_COMPUTE_32F, CUDA_R_32F, CUDA_R_16BF, CUDA_R_32F, 2, 4};
static const struct kind int8 = {CUBLAS_COMPUTE_32I, CUDA_R_32I, CUDA_R_8I, CUDA_R_32I, 1, 4};
static const struct kind fp8 = {CUBLAS_COMPUTE_32F, CUDA_R_32F, CUDA_R_8F_E4M3, CUDA_R_32F, 1, 4};

static cublasLtMatrixLayout_t layout(cudaDataType type, uint64_t rows, uint64_t columns,
                                     int64_t ld) {
    cublasLtMatrixLayout_t made;
    EXPECT_IS(emulated.cublasLtMatrixLayoutCreate(&made, type, rows, columns, ld), OK);
    return made;
}

static void set_op(cublasLtMatmulDesc_t desc, cublasLtMatmulDescAttributes_t which, int32_t op) {
    EXPECT_IS(emulated.cublasLtMatmulDescSetAttribute(desc, which, &op, sizeof op), OK);
}

static void prefer(struct bench *bench, uint64_t workspace_bytes, uint32_t reductions) {
    EXPECT_IS(emulated.cublasLtMatmulPreferenceSetAttribute(
                  bench->preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace_bytes,
                  sizeof workspace_bytes),
              OK);
    EXPECT_IS(emulated.cublasLtMatmulPreferenceSetAttribute(
                  bench->preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &reductions,
                  sizeof reductions),
              OK);
}

static cublasStatus_t search(struct bench *bench) {
    return emulated.cublasLtMatmulAlgoGetHeuristic(bench->handle, bench->desc, bench->a, bench->b,
                                                   bench->d, bench->d, bench->preference, 16,
                                                   bench->results, &bench->found);
}

/* A of M columns of K ones, B of N columns of K ones: D is K everywhere. */
static void *ones(const struct kind *kind, size_t count) {
    uint8_t *out = calloc(count, kind->in_bytes);
    for (size_t i = 0; i < count; i++) {
        if (kind->in == CUDA_R_16BF)
            memcpy(out + 2 * i, &(uint16_t){0x3f80}, 2);
        else
            out[i] = kind->in == CUDA_R_8I ? 1 : 0x38;
    }
    return out;
}

static struct bench open_bench(const struct kind *kind, int device) {
    struct bench bench = {.stream = emulated_open(device), .workspace_bytes = 1 << 20};
    void *a = ones(kind, M * K), *b = ones(kind, N * K);
    EXPECT_IS(emulated.cublasLtCreate(&bench.handle), OK);
    EXPECT_IS(emulated.cublasLtMatmulDescCreate(&bench.desc, kind->compute, kind->scale), OK);
    set_op(bench.desc, CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
    bench.a = layout(kind->in, K, M, K);
    bench.b = layout(kind->in, K, N, K);
    bench.d = layout(kind->out, M, N, M);
    EXPECT_IS(emulated.cublasLtMatmulPreferenceCreate(&bench.preference), OK);
    prefer(&bench, bench.workspace_bytes, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE);
    bench.a_data = emulated_upload(a, M * K * kind->in_bytes, bench.stream);
    bench.b_data = emulated_upload(b, N * K * kind->in_bytes, bench.stream);
    bench.d_data = emulated_upload(NULL, M * N * kind->out_bytes, bench.stream);
    bench.workspace = emulated_upload(NULL, bench.workspace_bytes, bench.stream);
    free(a);
    free(b);
    EXPECT_IS(search(&bench), OK);
    return bench;
}

static void *at(CUdeviceptr address) {
    return (void *)(uintptr_t)address;
}

static cublasStatus_t multiply(const struct bench *bench, int which) {
    const float one = 1, zero = 0;
    return emulated.cublasLtMatmul(bench->handle, bench->desc, &one, at(bench->a_data), bench->a,
                                   at(bench->b_data), bench->b, &zero, at(bench->d_data), bench->d,
                                   at(bench->d_data), bench->d, &bench->results[which].algo,
                                   at(bench->workspace), bench->workspace_bytes, bench->stream);
}

static void every_algorithm(void) {
    struct bench bench = open_bench(&bf16, 0);
    float d[M * N];
    int usable = 0, split = 0;
    EXPECT(bench.found >= 4);
    for (int i = 0; i < bench.found; i++) {
        int32_t splits;
        size_t written;
        if (bench.results[i].state != CUBLAS_STATUS_SUCCESS)
            continue;
        EXPECT_IS(multiply(&bench, i), OK);
        memset(d, 0, sizeof d);
        EXPECT_IS(emulated_download(d, bench.d_data, sizeof d, bench.stream), 0);
        for (int j = 0; j < M * N; j++)
            EXPECT(d[j] == (float)K);
        EXPECT_IS(emulated.cublasLtMatmulAlgoConfigGetAttribute(&bench.results[i].algo,
                                                                CUBLASLT_ALGO_CONFIG_SPLITK_NUM,
                                                                &splits, sizeof splits, &written),
                  OK);
        usable++;
        split += splits > 1;
    }
    EXPECT(usable < bench.found); /* one result says in `state` that it is of no use */
    EXPECT(split > 0);
}

static void all_algorithms_give_the_exact_product(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 0, every_algorithm));
    assert_true(emulated_run(folder, "devices=1,order=eager", 0, every_algorithm));
}

static void lazy(void) {
    struct bench bench = open_bench(&bf16, 0);
    EXPECT_IS(multiply(&bench, 0), OK);
    /* Released before the product runs: the descriptors were copied. */
    emulated.cublasLtMatmulDescDestroy(bench.desc);
    emulated.cublasLtMatrixLayoutDestroy(bench.a);
    EXPECT_IS(emulated_wait(bench.stream), 0);
}

static void descriptors_may_go_before_the_product_runs(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 0, lazy));
}

static void preferences(void) {
    struct bench bench = open_bench(&bf16, 0);
    int all = bench.found, value = 0;
    prefer(&bench, 0, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE);
    EXPECT_IS(search(&bench), OK);
    EXPECT(bench.found < all);
    for (int i = 0; i < bench.found; i++)
        EXPECT(bench.results[i].workspaceSize == 0);
    prefer(&bench, 1 << 20, 7);
    EXPECT_IS(search(&bench), OK);
    EXPECT(bench.found > all); /* also with reductions in the output type */
    EXPECT_IS(emulated.cublasLtMatmulAlgoGetHeuristic(bench.handle, bench.desc, bench.a, bench.b,
                                                      bench.d, bench.d, bench.preference, 0,
                                                      bench.results, &value),
              INVALID);
    EXPECT_IS(emulated.cublasLtMatmulAlgoGetHeuristic(bench.handle, bench.desc, bench.a, bench.b,
                                                      bench.d, bench.d, bench.preference, 2,
                                                      bench.results, &value),
              OK);
    EXPECT_IS(value, 2);
}

static void the_heuristic_keeps_to_the_preferences(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 0, preferences));
}

static void shapes(void) {
    struct bench bench = open_bench(&bf16, 0), good = bench;
    bench.a = layout(CUDA_R_16BF, K, M, K - 1); /* shorter than a column */
    EXPECT_IS(search(&bench), INVALID);
    bench.a = layout(CUDA_R_16BF, K + 8, M, K + 8); /* another k than B's */
    EXPECT_IS(search(&bench), INVALID);
    bench.a = layout(CUDA_R_16F, K, M, K); /* another type than B's */
    EXPECT_IS(search(&bench), UNSUPPORTED);
    bench = good;
    set_op(bench.desc, CUBLASLT_MATMUL_DESC_TRANSA, 7);
    EXPECT_IS(search(&bench), INVALID);
    set_op(bench.desc, CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_N); /* now A is K x M */
    EXPECT_IS(search(&bench), INVALID);
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 0, shapes));
}

static void arguments(void) {
    struct bench bench = open_bench(&bf16, 0);
    bench.workspace += 128;
    EXPECT_IS(multiply(&bench, 0), INVALID); /* 256 are wanted */
    bench.workspace -= 128;
    for (int i = 0; i < bench.found; i++) {
        size_t wanted = bench.results[i].workspaceSize;
        if (bench.results[i].state != CUBLAS_STATUS_SUCCESS || wanted == 0)
            continue;
        bench.workspace_bytes = wanted - 1;
        EXPECT_IS(multiply(&bench, i), INVALID);
        bench.workspace_bytes = wanted;
        EXPECT_IS(multiply(&bench, i), OK);
    }
    bench.workspace_bytes = 1 << 20;
    bench.a_data += 2;
    EXPECT_IS(multiply(&bench, 0), UNSUPPORTED); /* this algorithm wants 16 bytes */
    bench.a_data -= 2;
    EXPECT_IS(multiply(&bench, 0), OK);
    EXPECT_IS(emulated_wait(bench.stream), 0);
    bench.a = layout(CUDA_R_16BF, K, M, K + 8);
    EXPECT_IS(multiply(&bench, 0), UNSUPPORTED); /* made for another leading dimension */
}

static void workspace_and_alignment_are_checked_at_the_call(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 0, arguments));
}

static void integers(void) {
    struct bench bench = open_bench(&int8, 0), good = bench;
    const int32_t one = 1, zero = 0;
    int32_t d[M * N];
    EXPECT_IS(emulated.cublasLtMatmul(bench.handle, bench.desc, &one, at(bench.a_data), bench.a,
                                      at(bench.b_data), bench.b, &zero, at(bench.d_data), bench.d,
                                      at(bench.d_data), bench.d, &bench.results[0].algo,
                                      at(bench.workspace), bench.workspace_bytes, bench.stream),
              OK);
    EXPECT_IS(emulated_download(d, bench.d_data, sizeof d, bench.stream), 0);
    for (int i = 0; i < M * N; i++)
        EXPECT_IS(d[i], K);
    bench.a = layout(CUDA_R_8I, K, M, K + 2); /* no multiple of 4 */
    EXPECT_IS(search(&bench), UNSUPPORTED);
    bench = good;
    bench.a = layout(CUDA_R_8I, K - 2, M, K);
    bench.b = layout(CUDA_R_8I, K - 2, N, K);
    EXPECT_IS(search(&bench), UNSUPPORTED);
    bench = good; /* "NN" */
    set_op(bench.desc, CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_N);
    bench.a = layout(CUDA_R_8I, M, K, M);
    EXPECT_IS(search(&bench), UNSUPPORTED);
}

static void int8_wants_tn_and_multiples_of_four(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 0, integers));
}

static void set_scale(cublasLtMatmulDesc_t desc, const void *pointer) {
    EXPECT_IS(emulated.cublasLtMatmulDescSetAttribute(desc, CUBLASLT_MATMUL_DESC_A_SCALE_POINTER,
                                                      &pointer, sizeof pointer),
              OK);
}

static void eight_bit_floats(void) {
    struct bench bench = open_bench(&fp8, 0);
    const float two = 2;
    float d[M * N];
    CUdeviceptr scale = emulated_upload(&two, sizeof two, bench.stream);
    set_scale(bench.desc, at(scale));
    EXPECT_IS(multiply(&bench, 0), OK);
    EXPECT_IS(emulated_download(d, bench.d_data, sizeof d, bench.stream), 0);
    EXPECT(d[0] == 2.0f * K);
    bench.a_data += 8;
    EXPECT_IS(multiply(&bench, 0), UNSUPPORTED);
    bench.a_data -= 8;
    cublasLtMatrixLayout_t whole = bench.d;
    bench.b = layout(CUDA_R_8F_E4M3, K, N - 8, K);
    bench.d = layout(CUDA_R_32F, M, N - 8, M);
    EXPECT_IS(search(&bench), UNSUPPORTED); /* n is no multiple of 16 */
    bench.b = layout(CUDA_R_8F_E4M3, K, N, K);
    bench.d = whole;
    set_scale(bench.desc, &two); /* a host pointer: seen when the product runs */
    EXPECT_IS(multiply(&bench, 0), OK);
    EXPECT_IS(emulated_wait(bench.stream), CUDA_ERROR_ILLEGAL_ADDRESS);
}

static void fp8_wants_sixteens_and_scales_on_the_device(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 1, eight_bit_floats));
}

static void refused_scale(void) {
    struct bench bench = open_bench(&bf16, 0);
    set_scale(bench.desc, at(bench.a_data));
    EXPECT_IS(search(&bench), INVALID);
}

static void no_fp8_on_old_hardware(void) {
    struct bench bench = open_bench(&bf16, 0);
    bench.a = layout(CUDA_R_8F_E4M3, K, M, K);
    bench.b = layout(CUDA_R_8F_E4M3, K, N, K);
    EXPECT_IS(search(&bench), UNSUPPORTED);
}

static void formats_are_those_of_the_gpu(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 0, refused_scale));
    assert_true(emulated_run(folder, "devices=1,sm=80", 0, no_fp8_on_old_hardware));
    assert_true(emulated_run(folder, "devices=1,gpu0.without=fp8", 0, no_fp8_on_old_hardware));
}

static void unwritten(void) {
    struct bench bench = open_bench(&bf16, 0);
    bench.a_data = emulated_upload(NULL, M * K * 2, bench.stream);
    EXPECT_IS(multiply(&bench, 0), OK);
    EXPECT_IS(emulated_wait(bench.stream), CUDA_ERROR_LAUNCH_FAILED);
}

static void too_short(void) {
    struct bench bench = open_bench(&bf16, 0);
    bench.d_data += 256; /* the last columns lie outside */
    EXPECT_IS(multiply(&bench, 0), OK);
    EXPECT_IS(emulated_wait(bench.stream), CUDA_ERROR_ILLEGAL_ADDRESS);
}

static void operands_are_looked_at_when_the_product_runs(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 1, unwritten));
    assert_true(emulated_run(folder, "devices=1", 1, too_short));
}

static void other_device(void) {
    struct bench bench = open_bench(&bf16, 0);
    CUstream other = emulated_open(1); /* now current */
    EXPECT_IS(multiply(&bench, 0), FAILED);
    bench.stream = other;
    EXPECT_IS(multiply(&bench, 0), FAILED);
}

static void a_handle_serves_its_own_gpu(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2", 2, other_device));
}

static void released(void) {
    struct bench bench = open_bench(&bf16, 0);
    memset(&bench.results[0].algo, 0, sizeof bench.results[0].algo);
    EXPECT_IS(multiply(&bench, 0), INVALID);
}

static void an_algorithm_that_nobody_chose_is_reported(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 1, released));
}

static void one_bit(void) {
    struct bench bench = open_bench(&bf16, 0);
    float d[M * N];
    int wrong = 0;
    for (int i = 0; i < 3; i++) {
        EXPECT_IS(multiply(&bench, 0), OK);
        EXPECT_IS(emulated_download(d, bench.d_data, sizeof d, bench.stream), 0);
        for (int j = 0; j < M * N; j++)
            wrong += d[j] != (float)K ? 1 << (8 * i) : 0;
        EXPECT(i != 1 || d[16] != (float)K);
    }
    EXPECT_IS(wrong, 1 << 8);
}

static void no_result(void) {
    struct bench bench = open_bench(&bf16, 0);
    EXPECT_IS(search(&bench), OK);
    EXPECT_IS(bench.found, 0);
    EXPECT_IS(search(&bench), UNSUPPORTED);
}

static void fails_when_it_runs(void) {
    struct bench bench = open_bench(&bf16, 0);
    EXPECT_IS(multiply(&bench, 0), OK);
    EXPECT_IS(emulated_wait(bench.stream), CUDA_ERROR_ECC_UNCORRECTABLE);
    EXPECT_IS(multiply(&bench, 0), FAILED);
}

static void hangs(void) {
    struct bench bench = open_bench(&bf16, 0);
    EXPECT_IS(multiply(&bench, 0), OK);
    for (int i = 0; i < 1000; i++)
        EXPECT_IS(emulated.cuStreamQuery(bench.stream), CUDA_ERROR_NOT_READY);
}

static void rounds(void) {
    struct bench bench = open_bench(&bf16, 0);
    float d[M * N];
    uint16_t b[N * K];
    for (int i = 0; i < N * K; i++)
        b[i] = 0x3f80;
    b[0] = 0x4400; /* 512: the ones after it fall off a sum of 8 bits */
    bench.b_data = emulated_upload(b, sizeof b, bench.stream);
    EXPECT_IS(multiply(&bench, 0), OK);
    EXPECT_IS(emulated_download(d, bench.d_data, sizeof d, bench.stream), 0);
    EXPECT(d[0] != 512.0f + K - 1);
}

static void orders_are_carried_out(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "fault=cublasLtMatmul:2:wrong=64", 0, one_bit));
    assert_true(emulated_run(folder,
                             "fault=cublasLtMatmulAlgoGetHeuristic:2:empty,"
                             "fault=cublasLtMatmulAlgoGetHeuristic:3:code=15",
                             0, no_result));
    assert_true(emulated_run(folder, "fault=cublasLtMatmul:1:sticky=214", 0, fails_when_it_runs));
    assert_true(emulated_run(folder, "fault=cublasLtMatmul@0:1:hang", 0, hangs));
    assert_true(emulated_run(folder, "gpu0.inexact=bf16", 0, rounds));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_algorithms_give_the_exact_product),
        cmocka_unit_test(descriptors_may_go_before_the_product_runs),
        cmocka_unit_test(the_heuristic_keeps_to_the_preferences),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(workspace_and_alignment_are_checked_at_the_call),
        cmocka_unit_test(int8_wants_tn_and_multiples_of_four),
        cmocka_unit_test(fp8_wants_sixteens_and_scales_on_the_device),
        cmocka_unit_test(formats_are_those_of_the_gpu),
        cmocka_unit_test(operands_are_looked_at_when_the_product_runs),
        cmocka_unit_test(a_handle_serves_its_own_gpu),
        cmocka_unit_test(an_algorithm_that_nobody_chose_is_reported),
        cmocka_unit_test(orders_are_carried_out),
    };
    if (argc != 2)
        return 64;
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
