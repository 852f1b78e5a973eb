/* SPDX-License-Identifier: Apache-2.0 */
/* test_vendor_file LIBRARY - a shared object that is cut off anywhere is refused before the loader
 * maps it. That it is not is a SIGBUS of this program. */
#include "unit/cmocka_setup.h"

#include "base/base.h"
#include "device/vendor_file.h"
#include "device/vendor_library.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct pa_buffer whole;
static char folder[] = "/tmp/petaudit-test-XXXXXX";

struct table {
    void *(*function)(void);
};

static void write_cut(const char *path, size_t size) {
    struct pa_error error = {0};
    unlink(path); /* the one before may be mapped */
    if (pa_file_write(path, whole.data, size, 0644, &error) != PA_OK)
        fail_msg("%s", error.text);
}

static uint64_t end_of_segments(void) {
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)(const void *)whole.data;
    const Elf64_Phdr *entry = (const Elf64_Phdr *)(const void *)(whole.data + head->e_phoff);
    uint64_t end = 0;
    for (int i = 0; i < head->e_phnum; i++)
        if (entry[i].p_type == PT_LOAD && entry[i].p_offset + entry[i].p_filesz > end)
            end = entry[i].p_offset + entry[i].p_filesz;
    return end;
}

/* Through the door that backends use. */
static int open_library(const char *path, struct pa_error *error) {
    const struct pa_vendor_row rows[] = {{"petaudit_emulated_gpu", true, 0}};
    const char *const names[] = {path, NULL};
    struct table table;
    return pa_vendor_library_open(names, rows, 1, &table, error);
}

static void a_library_that_is_cut_off_anywhere_is_refused(void **state) {
    (void)state;
    uint64_t end = end_of_segments();
    unsigned seed = 60;
    char path[128];
    struct pa_error error;
    size_t fixed[] = {0, 1, 4, 63, 64, 65, 119, 120, 400, 831, 832, 833, 4095, 4096, 4097, end - 1};
    size_t count = sizeof fixed / sizeof fixed[0];
    assert_true(end > 100000 && end <= whole.size);
    snprintf(path, sizeof path, "%s/libcut.so", folder);
    for (size_t i = 0; i < count + 200; i++) {
        size_t size = i < count ? fixed[i] : (size_t)rand_r(&seed) % (size_t)end;
        write_cut(path, size);
        error = (struct pa_error){0};
        assert_int_equal(open_library(path, &error), PA_EUNSUPPORTED);
        if (strstr(error.text, path) == NULL)
            fail_msg("at %zu bytes the file is not named: %s", size, error.text);
        /* Below a whole header the loader speaks. */
        assert_true(size < sizeof(Elf64_Ehdr) || strstr(error.text, "is cut short") != NULL);
    }
    /* What follows the segments is for debuggers. */
    write_cut(path, (size_t)end);
    if (open_library(path, &error) != PA_OK)
        fail_msg("%s", error.text);
}

static void what_is_no_library_of_this_kind_is_left_to_the_loader(void **state) {
    (void)state;
    uint8_t bytes[4096];
    memcpy(bytes, whole.data, sizeof bytes);
    assert_int_equal(pa_elf_look(bytes, sizeof bytes, whole.size), PA_ELF_WHOLE);
    bytes[EI_CLASS] = ELFCLASS32;
    assert_int_equal(pa_elf_look(bytes, sizeof bytes, 10), PA_ELF_OTHER);
    bytes[EI_CLASS] = ELFCLASS64;
    bytes[0] = '#';
    assert_int_equal(pa_elf_look(bytes, sizeof bytes, 10), PA_ELF_OTHER);
    assert_int_equal(pa_elf_look(bytes, 0, 0), PA_ELF_OTHER);
}

/* Sums beyond 64 bits must not come out small. */
static void sizes_that_overflow_are_beyond_the_file(void **state) {
    (void)state;
    uint8_t bytes[4096];
    memcpy(bytes, whole.data, sizeof bytes);
    memset(bytes + offsetof(Elf64_Ehdr, e_phoff), 0xff, 8);
    assert_int_equal(pa_elf_look(bytes, sizeof bytes, whole.size), PA_ELF_CUT);
    memcpy(bytes, whole.data, sizeof bytes);
    Elf64_Phdr *entry = (Elf64_Phdr *)(void *)(bytes + sizeof(Elf64_Ehdr));
    while (entry->p_type != PT_LOAD)
        entry++;
    entry->p_offset = 4096;
    entry->p_filesz = UINT64_MAX - 4095;
    assert_int_equal(pa_elf_look(bytes, sizeof bytes, whole.size), PA_ELF_CUT);
}

/* The loader's cache: tables, then strings. */
static void the_loaders_cache_leads_to_the_file(void **state) {
    (void)state;
    char cache[64], path[PATH_MAX], other[PATH_MAX], text[512];
    snprintf(cache, sizeof cache, "%s/cache", folder);
    snprintf(path, sizeof path, "%s/libsomewhere.so.1", folder);
    write_cut(path, 5000);
    int size = snprintf(text, sizeof text,
                        "glibc-ld.so.cache1.1\x01%clibsomewhere.so.1%c/none/lib"
                        "somewhere.so.1%c%s/libsomewhere.so.1%c/libother.so",
                        0, 0, 0, folder, 0);
    assert_int_equal(pa_file_write(cache, text, (size_t)size, 0644, NULL), PA_OK);
    assert_true(pa_vendor_file_is_cut("libsomewhere.so.1", cache, path));
    assert_non_null(strstr(path, folder));
    assert_false(pa_vendor_file_is_cut("libsomewhere.so.2", cache, path));
    assert_false(pa_vendor_file_is_cut("libother.so", cache, path));
    assert_false(pa_vendor_file_is_cut("libsomewhere.so.1", "/no/cache", path));
    /* A whole one before it ends the search. */
    snprintf(path, sizeof path, "%s/libother.so", folder);
    write_cut(path, whole.size);
    assert_false(pa_vendor_file_is_cut(path, "/no/cache", other));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_library_that_is_cut_off_anywhere_is_refused),
        cmocka_unit_test(what_is_no_library_of_this_kind_is_left_to_the_loader),
        cmocka_unit_test(sizes_that_overflow_are_beyond_the_file),
        cmocka_unit_test(the_loaders_cache_leads_to_the_file),
    };
    char command[128];
    if (mkdtemp(folder) == NULL || pa_file_read(EMULATED_GPU, 64 << 20, &whole, NULL) != PA_OK)
        return 2;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -r %s", folder);
    pa_buffer_free(&whole);
    return system(command) != 0 ? 2 : failed;
}
