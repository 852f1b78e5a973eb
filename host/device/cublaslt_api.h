/* SPDX-License-Identifier: Apache-2.0 */
/* cublaslt_api.h - what petaudit uses of NVIDIA's cuBLASLt, from our own declarations.
 *
 * Types, constants and functions are spelled as the vendor spells them, so that one table makes the
 * pointers that are loaded, the emulated library's exports and the comparison with the vendor's
 * header (cublaslt_header_check.c, which includes <cublasLt.h> and defines
 * PA_CUBLASLT_VENDOR_HEADER). The binary needs neither the header nor the library. Everything here
 * is in both libcublasLt.so.12 and .13. The static inline functions of the vendor's header call
 * private exports and are not used.
 */
#ifndef PA_DEVICE_CUBLASLT_API_H
#define PA_DEVICE_CUBLASLT_API_H

#include <stddef.h>
#include <stdint.h>

struct CUstream_st;

/* C(name, value), by type; the check compares them with the vendor's. */
#define PA_CUBLASLT_STATUSES(C)                                                                    \
    C(CUBLAS_STATUS_SUCCESS, 0)                                                                    \
    C(CUBLAS_STATUS_NOT_INITIALIZED, 1)                                                            \
    C(CUBLAS_STATUS_ALLOC_FAILED, 3)                                                               \
    C(CUBLAS_STATUS_INVALID_VALUE, 7)                                                              \
    C(CUBLAS_STATUS_ARCH_MISMATCH, 8)                                                              \
    C(CUBLAS_STATUS_MAPPING_ERROR, 11)                                                             \
    C(CUBLAS_STATUS_EXECUTION_FAILED, 13)                                                          \
    C(CUBLAS_STATUS_INTERNAL_ERROR, 14)                                                            \
    C(CUBLAS_STATUS_NOT_SUPPORTED, 15)
#define PA_CUBLASLT_TYPES(C)                                                                       \
    C(CUDA_R_32F, 0)                                                                               \
    C(CUDA_R_64F, 1)                                                                               \
    C(CUDA_R_16F, 2)                                                                               \
    C(CUDA_R_8I, 3)                                                                                \
    C(CUDA_R_32I, 10)                                                                              \
    C(CUDA_R_16BF, 14)                                                                             \
    C(CUDA_R_8F_E4M3, 28)
#define PA_CUBLASLT_COMPUTE_TYPES(C)                                                               \
    C(CUBLAS_COMPUTE_32F, 68)                                                                      \
    C(CUBLAS_COMPUTE_32F_PEDANTIC, 69)                                                             \
    C(CUBLAS_COMPUTE_64F, 70)                                                                      \
    C(CUBLAS_COMPUTE_64F_PEDANTIC, 71)                                                             \
    C(CUBLAS_COMPUTE_32I, 72)                                                                      \
    C(CUBLAS_COMPUTE_32F_FAST_TF32, 77)
#define PA_CUBLASLT_OPERATIONS(C)                                                                  \
    C(CUBLAS_OP_N, 0)                                                                              \
    C(CUBLAS_OP_T, 1)
#define PA_CUBLASLT_DESC_ATTRIBUTES(C)                                                             \
    C(CUBLASLT_MATMUL_DESC_TRANSA, 3)           /* int32_t */                                      \
    C(CUBLASLT_MATMUL_DESC_TRANSB, 4)           /* int32_t */                                      \
    C(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, 17) /* device pointer to float */                      \
    C(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, 18) /* device pointer to float */                      \
    C(CUBLASLT_MATMUL_DESC_FAST_ACCUM, 25)      /* int8_t */
#define PA_CUBLASLT_LAYOUT_ATTRIBUTES(C)                                                           \
    C(CUBLASLT_MATRIX_LAYOUT_TYPE, 0)  /* uint32_t */                                              \
    C(CUBLASLT_MATRIX_LAYOUT_ORDER, 1) /* int32_t */                                               \
    C(CUBLASLT_MATRIX_LAYOUT_ROWS, 2)  /* uint64_t */                                              \
    C(CUBLASLT_MATRIX_LAYOUT_COLS, 3)  /* uint64_t */                                              \
    C(CUBLASLT_MATRIX_LAYOUT_LD, 4)    /* int64_t */
#define PA_CUBLASLT_ORDERS(C) C(CUBLASLT_ORDER_COL, 0)
#define PA_CUBLASLT_PREFERENCES(C)                                                                 \
    C(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, 1)   /* uint64_t */                                \
    C(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, 3) /* uint32_t */                                \
    C(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, 5) /* uint32_t */                                \
    C(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, 6) /* uint32_t */                                \
    C(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, 7) /* uint32_t */                                \
    C(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, 8) /* uint32_t */
#define PA_CUBLASLT_REDUCTIONS(C)                                                                  \
    C(CUBLASLT_REDUCTION_SCHEME_NONE, 0)                                                           \
    C(CUBLASLT_REDUCTION_SCHEME_INPLACE, 1)                                                        \
    C(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE, 2)                                                   \
    C(CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE, 4)
#define PA_CUBLASLT_CONFIGURATIONS(C)                                                              \
    C(CUBLASLT_ALGO_CONFIG_ID, 0)               /* int32_t */                                      \
    C(CUBLASLT_ALGO_CONFIG_TILE_ID, 1)          /* uint32_t */                                     \
    C(CUBLASLT_ALGO_CONFIG_SPLITK_NUM, 2)       /* int32_t */                                      \
    C(CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME, 3) /* uint32_t */                                     \
    C(CUBLASLT_ALGO_CONFIG_STAGES_ID, 6)        /* uint32_t */

#ifndef PA_CUBLASLT_VENDOR_HEADER
#define PA_CUBLASLT_ENUMERATOR(name, value) name = value,
typedef enum { PA_CUBLASLT_STATUSES(PA_CUBLASLT_ENUMERATOR) } cublasStatus_t;
typedef enum { PA_CUBLASLT_TYPES(PA_CUBLASLT_ENUMERATOR) } cudaDataType;
typedef enum { PA_CUBLASLT_COMPUTE_TYPES(PA_CUBLASLT_ENUMERATOR) } cublasComputeType_t;
typedef enum { PA_CUBLASLT_OPERATIONS(PA_CUBLASLT_ENUMERATOR) } cublasOperation_t;
typedef enum { PA_CUBLASLT_DESC_ATTRIBUTES(PA_CUBLASLT_ENUMERATOR) } cublasLtMatmulDescAttributes_t;
typedef enum {
    PA_CUBLASLT_LAYOUT_ATTRIBUTES(PA_CUBLASLT_ENUMERATOR)
} cublasLtMatrixLayoutAttribute_t;
typedef enum { PA_CUBLASLT_ORDERS(PA_CUBLASLT_ENUMERATOR) } cublasLtOrder_t;
typedef enum {
    PA_CUBLASLT_PREFERENCES(PA_CUBLASLT_ENUMERATOR)
} cublasLtMatmulPreferenceAttributes_t;
typedef enum { PA_CUBLASLT_REDUCTIONS(PA_CUBLASLT_ENUMERATOR) } cublasLtReductionScheme_t;
typedef enum {
    PA_CUBLASLT_CONFIGURATIONS(PA_CUBLASLT_ENUMERATOR)
} cublasLtMatmulAlgoConfigAttributes_t;
#undef PA_CUBLASLT_ENUMERATOR

typedef struct cublasLtContext *cublasLtHandle_t;
/* The vendor's header shows how large these are; a library makes and frees them itself. */
typedef struct pa_cublaslt_desc *cublasLtMatmulDesc_t;
typedef struct pa_cublaslt_layout *cublasLtMatrixLayout_t;
typedef struct pa_cublaslt_preference *cublasLtMatmulPreference_t;

typedef struct {
    uint64_t data[8];
} cublasLtMatmulAlgo_t;

typedef struct {
    cublasLtMatmulAlgo_t algo;
    size_t workspaceSize;
    cublasStatus_t state; /* the rest is valid only when this is SUCCESS */
    float wavesCount;
    int reserved[4];
} cublasLtMatmulHeuristicResult_t;
#endif

/* Of ours and of the vendor's alike. */
_Static_assert(sizeof(cublasLtMatmulAlgo_t) == 64, "cublasLtMatmulAlgo_t");
_Static_assert(sizeof(cublasLtMatmulHeuristicResult_t) == 96 &&
                   offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize) == 64 &&
                   offsetof(cublasLtMatmulHeuristicResult_t, state) == 72 &&
                   offsetof(cublasLtMatmulHeuristicResult_t, wavesCount) == 76,
               "cublasLtMatmulHeuristicResult_t");

/* F(required, returns, symbol, arguments) */
#define PA_CUBLASLT_FUNCTIONS(F)                                                                   \
    F(true, size_t, cublasLtGetVersion, (void))                                                    \
    F(true, const char *, cublasLtGetStatusString, (cublasStatus_t status))                        \
    F(true, cublasStatus_t, cublasLtCreate, (cublasLtHandle_t * handle))                           \
    F(true, cublasStatus_t, cublasLtDestroy, (cublasLtHandle_t handle))                            \
    F(true, cublasStatus_t, cublasLtMatmulDescCreate,                                              \
      (cublasLtMatmulDesc_t * desc, cublasComputeType_t compute, cudaDataType scale))              \
    F(true, cublasStatus_t, cublasLtMatmulDescDestroy, (cublasLtMatmulDesc_t desc))                \
    F(true, cublasStatus_t, cublasLtMatmulDescSetAttribute,                                        \
      (cublasLtMatmulDesc_t desc, cublasLtMatmulDescAttributes_t attribute, const void *value,     \
       size_t bytes))                                                                              \
    F(true, cublasStatus_t, cublasLtMatrixLayoutCreate,                                            \
      (cublasLtMatrixLayout_t * layout, cudaDataType type, uint64_t rows, uint64_t columns,        \
       int64_t ld))                                                                                \
    F(true, cublasStatus_t, cublasLtMatrixLayoutDestroy, (cublasLtMatrixLayout_t layout))          \
    F(true, cublasStatus_t, cublasLtMatrixLayoutSetAttribute,                                      \
      (cublasLtMatrixLayout_t layout, cublasLtMatrixLayoutAttribute_t attribute,                   \
       const void *value, size_t bytes))                                                           \
    F(true, cublasStatus_t, cublasLtMatmulPreferenceCreate,                                        \
      (cublasLtMatmulPreference_t * preference))                                                   \
    F(true, cublasStatus_t, cublasLtMatmulPreferenceDestroy,                                       \
      (cublasLtMatmulPreference_t preference))                                                     \
    F(true, cublasStatus_t, cublasLtMatmulPreferenceSetAttribute,                                  \
      (cublasLtMatmulPreference_t preference, cublasLtMatmulPreferenceAttributes_t attribute,      \
       const void *value, size_t bytes))                                                           \
    F(true, cublasStatus_t, cublasLtMatmulAlgoGetHeuristic,                                        \
      (cublasLtHandle_t handle, cublasLtMatmulDesc_t desc, cublasLtMatrixLayout_t a,               \
       cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,               \
       cublasLtMatmulPreference_t preference, int wanted,                                          \
       cublasLtMatmulHeuristicResult_t results[], int *found))                                     \
    F(true, cublasStatus_t, cublasLtMatmulAlgoConfigGetAttribute,                                  \
      (const cublasLtMatmulAlgo_t *algo, cublasLtMatmulAlgoConfigAttributes_t attribute,           \
       void *value, size_t bytes, size_t *written))                                                \
    F(true, cublasStatus_t, cublasLtMatmul,                                                        \
      (cublasLtHandle_t handle, cublasLtMatmulDesc_t desc, const void *alpha, const void *a,       \
       cublasLtMatrixLayout_t a_layout, const void *b, cublasLtMatrixLayout_t b_layout,            \
       const void *beta, const void *c, cublasLtMatrixLayout_t c_layout, void *d,                  \
       cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t *algo, void *workspace,         \
       size_t workspace_bytes, struct CUstream_st *stream))

#endif
