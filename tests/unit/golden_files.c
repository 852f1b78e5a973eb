/* SPDX-License-Identifier: Apache-2.0 */
#include "golden_files.h"

#include "base/file.h"
#include "cmocka_setup.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_yaml(const char *name) {
    size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, ".yaml") == 0;
}

static int differs(const char *directory, const char *name, golden_teller tell) {
    char path[PATH_MAX];
    struct pa_buffer data = {0}, told = {0}, expected = {0};
    snprintf(path, sizeof path, "%s/%s", directory, name);
    assert_int_equal(pa_file_read(path, 1 << 20, &data, NULL), PA_OK);
    tell(name, &data, &told);
    snprintf(path, sizeof path, "%s/%.*s.expected", directory, (int)strlen(name) - 5, name);
    if (getenv("PETAUDIT_GOLDEN") != NULL)
        assert_int_equal(pa_file_write(path, told.data, told.size, 0644, NULL), PA_OK);
    bool same = pa_file_read(path, 1 << 20, &expected, NULL) == PA_OK &&
                expected.size == told.size && memcmp(expected.data, told.data, told.size) == 0;
    if (!same)
        print_error("%s\n  expected: %.*s  told:     %.*s", path, (int)expected.size,
                    expected.data != NULL ? (char *)expected.data : "nothing\n", (int)told.size,
                    (char *)told.data);
    pa_buffer_free(&data);
    pa_buffer_free(&told);
    pa_buffer_free(&expected);
    return same ? 0 : 1;
}

int golden_check(const char *directory, golden_teller tell) {
    struct dirent **entries;
    int count = scandir(directory, &entries, NULL, alphasort), files = 0, different = 0;
    assert_true(count >= 0);
    for (int i = 0; i < count; i++) {
        if (is_yaml(entries[i]->d_name)) {
            files++;
            different += differs(directory, entries[i]->d_name, tell);
        }
        free(entries[i]);
    }
    free(entries);
    assert_int_equal(different, 0);
    return files;
}
