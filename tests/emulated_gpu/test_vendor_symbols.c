/* SPDX-License-Identifier: Apache-2.0 */
/* The genuine libraries of an installed toolkit, asked what they answer without a GPU: each
 * function of our tables is there under the very symbol, and versions are those that the tables
 * were written for.
 *
 * usage: test_vendor_symbols cuda=PATH cublaslt=PATH nccl=PATH nvml=PATH (those that are there) */
#include "unit/cmocka_setup.h"

#include "device/cublaslt_api.h"
#include "device/cuda_api.h"
#include "device/nccl_api.h"
#include "device/nvml_api.h"
#include "device/vendor_library.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct cuda {
    PA_CUDA_FUNCTIONS(PA_VENDOR_MEMBER)
};
struct cublaslt {
    PA_CUBLASLT_FUNCTIONS(PA_VENDOR_MEMBER)
};
struct nccl {
    PA_NCCL_FUNCTIONS(PA_VENDOR_MEMBER)
};
struct nvml {
    PA_NVML_FUNCTIONS(PA_VENDOR_MEMBER)
};

static const struct pa_vendor_row cuda_rows[] = {
#define ROW(required, returns, symbol, arguments) PA_VENDOR_ROW(struct cuda, required, symbol)
    PA_CUDA_FUNCTIONS(ROW)
#undef ROW
};
static const struct pa_vendor_row cublaslt_rows[] = {
#define ROW(required, returns, symbol, arguments) PA_VENDOR_ROW(struct cublaslt, required, symbol)
    PA_CUBLASLT_FUNCTIONS(ROW)
#undef ROW
};
static const struct pa_vendor_row nccl_rows[] = {
#define ROW(required, returns, symbol, arguments) PA_VENDOR_ROW(struct nccl, required, symbol)
    PA_NCCL_FUNCTIONS(ROW)
#undef ROW
};
static const struct pa_vendor_row nvml_rows[] = {
#define ROW(required, returns, symbol, arguments) PA_VENDOR_ROW(struct nvml, required, symbol)
    PA_NVML_FUNCTIONS(ROW)
#undef ROW
};
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static int argument_count;
static char **arguments;

/* The path after "key="; NULL when this toolkit has no such library. */
static const char *path_of(const char *key) {
    size_t length = strlen(key);
    for (int i = 1; i < argument_count; i++)
        if (strncmp(arguments[i], key, length) == 0 && arguments[i][length] == '=')
            return arguments[i] + length + 1;
    return NULL;
}

/* True when the library is there, with every function of its table. */
static bool open_whole(const char *key, const struct pa_vendor_row *rows, size_t count,
                       void *table) {
    const char *names[] = {path_of(key), NULL};
    struct pa_error error = {0};
    if (names[0] == NULL) {
        print_message("%s: NOT CHECKED, this toolkit has no such library\n", key);
        return false;
    }
    if (pa_vendor_library_open(names, rows, count, table, &error) != PA_OK)
        fail_msg("%s: %s", names[0], error.text);
    for (size_t i = 0; i < count; i++) {
        void *found;
        memcpy(&found, (const char *)table + rows[i].offset, sizeof found);
        if (found == NULL)
            fail_msg("%s has no %s", names[0], rows[i].symbol);
    }
    return true;
}

static void the_driver_has_every_symbol_of_the_table(void **state) {
    struct cuda cu;
    const char *name = NULL;
    (void)state;
    if (!open_whole("cuda", cuda_rows, COUNT(cuda_rows), &cu))
        return;
    /* A toolkit's driver is a stub that says so, by the name that we know it by. */
    CUresult result = cu.cuInit(0);
    if (result == CUDA_SUCCESS || result == CUDA_ERROR_NO_DEVICE)
        return;
    assert_int_equal(result, CUDA_ERROR_STUB_LIBRARY);
    assert_int_equal(cu.cuGetErrorName(result, &name), CUDA_ERROR_STUB_LIBRARY);
}

static void cublaslt_has_every_symbol_of_the_table(void **state) {
    struct cublaslt lt;
    (void)state;
    if (!open_whole("cublaslt", cublaslt_rows, COUNT(cublaslt_rows), &lt))
        return;
    assert_in_range(lt.cublasLtGetVersion(), 120000, 139999);
    assert_non_null(lt.cublasLtGetStatusString(CUBLAS_STATUS_NOT_SUPPORTED));
}

static void nccl_has_every_symbol_of_the_table_and_makes_ids_without_a_gpu(void **state) {
    struct nccl nccl;
    ncclUniqueId id, other;
    int version = 0;
    (void)state;
    if (!open_whole("nccl", nccl_rows, COUNT(nccl_rows), &nccl))
        return;
    assert_int_equal(nccl.ncclGetVersion(&version), ncclSuccess);
    assert_in_range(version, PA_NCCL_CONFIG_VERSION, 29999);
    assert_int_equal(nccl.ncclGetUniqueId(&id), ncclSuccess);
    assert_int_equal(nccl.ncclGetUniqueId(&other), ncclSuccess);
    assert_memory_not_equal(&id, &other, sizeof id);
}

static void nvml_has_every_symbol_of_the_table(void **state) {
    struct nvml nvml;
    (void)state;
    open_whole("nvml", nvml_rows, COUNT(nvml_rows), &nvml);
}

static void a_symbol_that_is_not_there_is_named_with_its_library(void **state) {
    struct {
        void (*missing)(void);
    } table = {0};
    const struct pa_vendor_row required[] = {{"paNoSuchFunction", true, 0}};
    const struct pa_vendor_row optional[] = {{"paNoSuchFunction", false, 0}};
    struct pa_error error = {0};
    (void)state;
    for (int i = 1; i < argument_count; i++) {
        const char *names[] = {strchr(arguments[i], '=') + 1, NULL};
        assert_int_equal(pa_vendor_library_open(names, required, 1, &table, &error),
                         PA_EUNSUPPORTED);
        assert_non_null(strstr(error.text, "paNoSuchFunction"));
        assert_non_null(strstr(error.text, names[0]));
        assert_int_equal(pa_vendor_library_open(names, optional, 1, &table, &error), PA_OK);
        assert_null(table.missing);
    }
    const char *names[] = {"libpetaudit-no-such.so.1", NULL};
    assert_int_equal(pa_vendor_library_open(names, required, 1, &table, &error), PA_EUNSUPPORTED);
    assert_non_null(strstr(error.text, names[0]));
    assert_null(strchr(error.text, '\n'));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_driver_has_every_symbol_of_the_table),
        cmocka_unit_test(cublaslt_has_every_symbol_of_the_table),
        cmocka_unit_test(nccl_has_every_symbol_of_the_table_and_makes_ids_without_a_gpu),
        cmocka_unit_test(nvml_has_every_symbol_of_the_table),
        cmocka_unit_test(a_symbol_that_is_not_there_is_named_with_its_library),
    };
    argument_count = argc;
    arguments = argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
