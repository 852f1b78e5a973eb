/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that cuBLASLt answers without a GPU, made to the emulated library and, where the
 * toolkit is installed, to the genuine one: both must give the same answers.
 *
 * usage: test_lt_contract EMULATED [GENUINE] */
#include "device/cublaslt_api.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct library {
#define MEMBER(required, returns, symbol, arguments) returns(*symbol) arguments;
    PA_CUBLASLT_FUNCTIONS(MEMBER)
#undef MEMBER
};

static struct library libraries[2];
static int library_count;

static bool load(const char *path, struct library *out) {
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    bool complete = handle != NULL;
    if (handle == NULL)
        printf("%s\n", dlerror());
#define LOAD(required, returns, name, arguments)                                                   \
    if (handle != NULL) {                                                                          \
        void *found = dlsym(handle, #name);                                                        \
        memcpy(&out->name, &found, sizeof found);                                                  \
        complete = complete && found != NULL;                                                      \
    }
    PA_CUBLASLT_FUNCTIONS(LOAD)
#undef LOAD
    return complete;
}

/* The size that each attribute has, from id 0; 0 where there is no such attribute. */
static const size_t desc_sizes[] = {4, 4, 4, 4, 4, 4, 4, 4, 8, 0, 8, 8, 8, 8, 8, 4};
static const size_t desc_more_sizes[] = {8, 8, 8, 8, 8, 4, 8, 8, 1, 4, 0, 0, 0, 0, 4, 4, 4, 4};
static const size_t layout_sizes[] = {4, 4, 8, 8, 8, 4, 8, 8, 4, 0, 0};
static const size_t preference_sizes[] = {4, 8, 0, 4, 0, 4, 4, 4, 4, 4, 0, 0, 8, 0};

#define COUNT(list) ((int)(sizeof(list) / sizeof(list)[0]))

static void expect(const char *what, int id, size_t size, bool fits, cublasStatus_t status) {
    cublasStatus_t expected = fits ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
    if (status != expected)
        fail_msg("%s attribute %d with %zu bytes: status %d", what, id, size, (int)status);
}

static void attributes_want_their_own_size(void **state) {
    const uint8_t zeros[16] = {0};
    (void)state;
    for (int i = 0; i < library_count; i++) {
        const struct library *lt = &libraries[i];
        cublasLtMatmulDesc_t desc;
        cublasLtMatrixLayout_t layout;
        cublasLtMatmulPreference_t preference;
        assert_int_equal(lt->cublasLtMatmulDescCreate(&desc, CUBLAS_COMPUTE_32F, CUDA_R_32F), 0);
        assert_int_equal(lt->cublasLtMatrixLayoutCreate(&layout, CUDA_R_16BF, 128, 256, 128), 0);
        assert_int_equal(lt->cublasLtMatmulPreferenceCreate(&preference), 0);
        for (size_t size = 0; size <= sizeof zeros; size++) {
            for (int id = 0; id < COUNT(desc_sizes); id++)
                expect("descriptor", id, size, size != 0 && size == desc_sizes[id],
                       lt->cublasLtMatmulDescSetAttribute(desc, (cublasLtMatmulDescAttributes_t)id,
                                                          zeros, size));
            for (int id = 0; id < COUNT(desc_more_sizes); id++)
                expect("descriptor", id + 17, size, size != 0 && size == desc_more_sizes[id],
                       lt->cublasLtMatmulDescSetAttribute(
                           desc, (cublasLtMatmulDescAttributes_t)(id + 17), zeros, size));
            for (int id = 0; id < COUNT(layout_sizes); id++)
                expect("layout", id, size, size != 0 && size == layout_sizes[id],
                       lt->cublasLtMatrixLayoutSetAttribute(
                           layout, (cublasLtMatrixLayoutAttribute_t)id, zeros, size));
            for (int id = 0; id < COUNT(preference_sizes); id++)
                expect("preference", id, size, size != 0 && size == preference_sizes[id],
                       lt->cublasLtMatmulPreferenceSetAttribute(
                           preference, (cublasLtMatmulPreferenceAttributes_t)id, zeros, size));
        }
        assert_int_equal(lt->cublasLtMatmulDescDestroy(desc), 0);
        assert_int_equal(lt->cublasLtMatrixLayoutDestroy(layout), 0);
        assert_int_equal(lt->cublasLtMatmulPreferenceDestroy(preference), 0);
    }
}

static void what_petaudit_sets_has_the_size_that_it_sends(void **state) {
    (void)state;
    for (int i = 0; i < library_count; i++) {
        const struct library *lt = &libraries[i];
        cublasLtMatmulDesc_t desc;
        cublasLtMatmulPreference_t preference;
        int32_t op = CUBLAS_OP_T;
        const void *pointer = NULL;
        int8_t fast = 0;
        uint64_t bytes = 32 << 20;
        uint32_t mask = CUBLASLT_REDUCTION_SCHEME_INPLACE, alignment = 256;
        assert_int_equal(lt->cublasLtMatmulDescCreate(&desc, CUBLAS_COMPUTE_32F, CUDA_R_32F), 0);
        assert_int_equal(lt->cublasLtMatmulPreferenceCreate(&preference), 0);
        assert_int_equal(
            lt->cublasLtMatmulDescSetAttribute(desc, CUBLASLT_MATMUL_DESC_TRANSA, &op, sizeof op),
            0);
        assert_int_equal(lt->cublasLtMatmulDescSetAttribute(
                             desc, CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, &pointer, sizeof pointer),
                         0);
        assert_int_equal(lt->cublasLtMatmulDescSetAttribute(desc, CUBLASLT_MATMUL_DESC_FAST_ACCUM,
                                                            &fast, sizeof fast),
                         0);
        assert_int_equal(
            lt->cublasLtMatmulPreferenceSetAttribute(
                preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes, sizeof bytes),
            0);
        assert_int_equal(
            lt->cublasLtMatmulPreferenceSetAttribute(
                preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &mask, sizeof mask),
            0);
        assert_int_equal(lt->cublasLtMatmulPreferenceSetAttribute(
                             preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, &alignment,
                             sizeof alignment),
                         0);
        lt->cublasLtMatmulDescDestroy(desc);
        lt->cublasLtMatmulPreferenceDestroy(preference);
    }
}

static void nothing_is_taken_where_nothing_is_given(void **state) {
    (void)state;
    for (int i = 0; i < library_count; i++) {
        const struct library *lt = &libraries[i];
        cublasLtMatmulDesc_t desc;
        int32_t op = 0;
        assert_int_equal(lt->cublasLtMatmulDescCreate(&desc, CUBLAS_COMPUTE_32F, CUDA_R_32F), 0);
        assert_int_equal(lt->cublasLtMatmulDescCreate(NULL, CUBLAS_COMPUTE_32F, CUDA_R_32F),
                         CUBLAS_STATUS_INVALID_VALUE);
        assert_int_equal(
            lt->cublasLtMatmulDescSetAttribute(desc, CUBLASLT_MATMUL_DESC_TRANSA, NULL, sizeof op),
            CUBLAS_STATUS_INVALID_VALUE);
        assert_int_equal(
            lt->cublasLtMatmulDescSetAttribute(NULL, CUBLASLT_MATMUL_DESC_TRANSA, &op, sizeof op),
            CUBLAS_STATUS_INVALID_VALUE);
        assert_int_equal(lt->cublasLtMatmulDescDestroy(NULL), 0);
        assert_int_equal(lt->cublasLtMatrixLayoutDestroy(NULL), 0);
        assert_int_equal(lt->cublasLtMatmulPreferenceDestroy(NULL), 0);
        assert_int_equal(lt->cublasLtDestroy(NULL), CUBLAS_STATUS_INVALID_VALUE);
        lt->cublasLtMatmulDescDestroy(desc);
    }
}

static void a_layout_is_not_judged_before_it_is_used(void **state) {
    (void)state;
    for (int i = 0; i < library_count; i++) {
        cublasLtMatrixLayout_t layout;
        assert_int_equal(libraries[i].cublasLtMatrixLayoutCreate(&layout, CUDA_R_16BF, 128, 256, 1),
                         0);
        libraries[i].cublasLtMatrixLayoutDestroy(layout);
    }
}

static void no_handle_is_made_without_a_gpu(void **state) {
    (void)state;
    for (int i = 0; i < library_count; i++) {
        cublasLtHandle_t handle = NULL;
        assert_int_equal(libraries[i].cublasLtCreate(&handle), CUBLAS_STATUS_NOT_INITIALIZED);
    }
}

static void statuses_have_the_same_words(void **state) {
    (void)state;
    for (int status = 0; status < 18; status++)
        for (int i = 1; i < library_count && status != 11 && status != 16; i++)
            assert_string_equal(libraries[i].cublasLtGetStatusString((cublasStatus_t)status),
                                libraries[0].cublasLtGetStatusString((cublasStatus_t)status));
    for (int i = 0; i < library_count; i++)
        assert_true(libraries[i].cublasLtGetVersion() >= 120000);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_want_their_own_size),
        cmocka_unit_test(what_petaudit_sets_has_the_size_that_it_sends),
        cmocka_unit_test(nothing_is_taken_where_nothing_is_given),
        cmocka_unit_test(a_layout_is_not_judged_before_it_is_used),
        cmocka_unit_test(no_handle_is_made_without_a_gpu),
        cmocka_unit_test(statuses_have_the_same_words),
    };
    for (int i = 1; i < argc && i <= 2; i++)
        if (!load(argv[i], &libraries[library_count++]))
            return 1;
    printf("%d of cublasLt: emulated%s\n", library_count, library_count > 1 ? " and genuine" : "");
    return library_count == 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
