/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the embedded kernels a device is given. */
#include "cmocka_setup.h"

#include "device/cuda_images.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct pa_cuda_image *of(unsigned sm) {
    const struct pa_cuda_images *images = pa_cuda_images();
    for (size_t i = 0; i < images->cubin_count; i++)
        if (images->cubins[i].sm == sm)
            return &images->cubins[i];
    return NULL;
}

/* Code of a lower minor version runs, of another major one it does not. */
static void a_device_gets_the_nearest_code_of_its_own_kind(void **state) {
    (void)state;
    static const struct {
        unsigned major, minor, sm;
    } cases[] = {{7, 0, 0},  {7, 2, 0},    {7, 5, 75},   {8, 0, 80},   {8, 6, 86},
                 {8, 7, 86}, {8, 9, 89},   {9, 0, 90},   {10, 0, 100}, {10, 3, 100},
                 {11, 0, 0}, {12, 0, 120}, {12, 1, 120}, {13, 0, 0},   {0, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct pa_cuda_image *found = pa_cuda_image_for(cases[i].major, cases[i].minor);
        if (pa_cuda_images()->cubin_count == 7 || cases[i].sm == 0)
            assert_ptr_equal(found, cases[i].sm == 0 ? NULL : of(cases[i].sm));
        else if (found != NULL)
            assert_int_equal(found->sm / 10, cases[i].major);
    }
}

static void machine_code_is_elf_and_lies_as_the_driver_wants_it(void **state) {
    (void)state;
    const struct pa_cuda_images *images = pa_cuda_images();
    for (size_t i = 0; i < images->cubin_count; i++) {
        assert_true(images->cubins[i].size > 4096);
        assert_memory_equal(images->cubins[i].bytes, "\177ELF", 4);
        assert_int_equal((uintptr_t)images->cubins[i].bytes % 8, 0);
        assert_true(i == 0 || images->cubins[i - 1].sm < images->cubins[i].sm);
    }
}

/* A version that a driver of CUDA 12 reads, for every device that is not too old. */
static void the_ptx_is_of_a_low_version_or_its_absence_is_explained(void **state) {
    (void)state;
    const struct pa_cuda_images *images = pa_cuda_images();
    if (images->ptx == NULL) {
        printf("NOT TESTED: this build has no kernels\n");
        assert_non_null(images->why_absent);
        assert_string_equal(images->compiler, "");
        assert_int_equal(images->cubin_count, 0);
        return;
    }
    assert_null(images->why_absent);
    assert_int_equal(strlen(images->ptx), images->ptx_size);
    assert_non_null(strstr(images->ptx, "\n.version 6.3\n.target sm_75"));
    assert_true(strncmp(images->compiler, "nvcc ", 5) == 0 ||
                strncmp(images->compiler, "clang ", 6) == 0);
    assert_int_equal(images->cubin_count > 0, images->compiler[0] == 'n');
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_gets_the_nearest_code_of_its_own_kind),
        cmocka_unit_test(machine_code_is_elf_and_lies_as_the_driver_wants_it),
        cmocka_unit_test(the_ptx_is_of_a_low_version_or_its_absence_is_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
