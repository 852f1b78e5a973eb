/* SPDX-License-Identifier: Apache-2.0 */
/* Every byte of a small evidence file flipped, every page cut off: refused, or no record changed.
 */
#include "cmocka_setup.h"

#include "base/file.h"
#include "record_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];
static char path[128];
static struct pa_buffer file, records;

static int set_up(void **state) {
    (void)state;
    struct pa_store *store;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/evidence.db", folder);
    put_samples(&records);
    if (pa_store_create(path, &store, NULL) != PA_OK ||
        pa_store_append(store, records.data, records.size, NULL) != PA_OK)
        return -1;
    pa_store_close(store);
    return pa_file_read(path, 1 << 20, &file, NULL);
}

static int tear_down(void **state) {
    (void)state;
    pa_buffer_free(&file);
    pa_buffer_free(&records);
    remove_folder(folder);
    return 0;
}

static void put_file(const uint8_t *data, size_t size) {
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, size, out), size);
    fclose(out);
}

/* True when refused; fails the test when accepted with other records. */
static bool is_refused(bool for_writing) {
    struct pa_store *store;
    struct pa_buffer out = {0};
    struct pa_error error = {0};
    int code = for_writing ? pa_store_open(path, &store, &error)
                           : pa_store_open_readonly(path, &store, &error);
    if (code != PA_OK) {
        assert_true(error.text[0] != '\0');
        return true;
    }
    assert_int_equal(pa_store_export(store, &out, &error), PA_OK);
    assert_int_equal(out.size, records.size);
    assert_memory_equal(out.data, records.data, out.size);
    pa_buffer_free(&out);
    pa_store_close(store);
    return false;
}

/* 0xFF changes all bits of the byte, 1 the lowest and 0x80 the highest. */
static void no_flipped_byte_changes_a_record(void **state) {
    (void)state;
    static const uint8_t masks[] = {0xFF, 0x01, 0x80};
    size_t refused = 0;
    for (size_t i = 0; i < file.size; i++) {
        /* Free space inside pages is all zeros and most of the file: a sample of it is enough. */
        if (file.data[i] == 0 && i > 200 && i % 37 != 0)
            continue;
        for (size_t m = 0; m < sizeof masks; m++) {
            file.data[i] ^= masks[m];
            put_file(file.data, file.size);
            refused += is_refused(false);
            file.data[i] ^= masks[m];
        }
    }
    assert_true(refused > 2000);
    put_file(file.data, file.size);
    assert_false(is_refused(false));
}

static void a_resumed_file_is_checked_alike(void **state) {
    (void)state;
    for (size_t i = 0; i < file.size; i += file.data[i] == 0 ? 211 : 17) {
        file.data[i] ^= 0xFF;
        put_file(file.data, file.size);
        is_refused(true);
        file.data[i] ^= 0xFF;
    }
}

static void no_truncation_changes_a_record(void **state) {
    (void)state;
    for (size_t size = 0; size < file.size; size += 97) {
        put_file(file.data, size);
        assert_true(is_refused(false));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_flipped_byte_changes_a_record),
        cmocka_unit_test(a_resumed_file_is_checked_alike),
        cmocka_unit_test(no_truncation_changes_a_record),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
