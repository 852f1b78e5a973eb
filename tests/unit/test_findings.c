/* SPDX-License-Identifier: Apache-2.0 */
/* The table of findings in C, the one in docs/findings.md and the code that finds: all three have
 * the same codes. */
#include "cmocka_setup.h"

#include "base/base.h"
#include "judge/judge.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 5, MOST_BYTES = 1 << 20 };

static char *read_source(const char *path) {
    struct pa_buffer bytes = {0};
    struct pa_error error = {0};
    char full[512];
    snprintf(full, sizeof full, "%s/%s", PETAUDIT_SOURCE_DIR, path);
    if (pa_file_read(full, MOST_BYTES, &bytes, &error) != PA_OK)
        fail_msg("%s", error.text);
    char *text = calloc(bytes.size + 1, 1);
    assert_non_null(text);
    memcpy(text, bytes.data, bytes.size);
    pa_buffer_free(&bytes);
    return text;
}

/* Cut a row "| a | b | .. |" into its cells, in place; false for another line. */
static bool cut_row(char *line, char *cells[FIELDS]) {
    if (strncmp(line, "| `", 3) != 0)
        return false;
    char *at = line + 2;
    for (int i = 0; i < FIELDS; i++) {
        char *end = strstr(at, " |");
        if (end == NULL)
            return false;
        cells[i] = at;
        *end = '\0';
        at = end + 3;
    }
    return true;
}

static bool begins_with(const char *text, const char *word) {
    return strncmp(text, word, strlen(word)) == 0;
}

static void check_row(char *cells[FIELDS], bool *seen) {
    cells[0][strlen(cells[0]) - 1] = '\0'; /* the back quotes */
    const struct pa_finding_kind *kind = pa_finding_kind_find(cells[0] + 1);
    if (kind == NULL)
        fail_msg("docs/findings.md has %s, finding_table.c has not", cells[0] + 1);
    if (seen[kind - pa_finding_kinds])
        fail_msg("docs/findings.md has %s twice", kind->code);
    seen[kind - pa_finding_kinds] = true;
    if (!begins_with(cells[1], pa_severity_name(kind->severity)))
        fail_msg("%s: severity \"%s\" in the page, %s in the code", kind->code, cells[1],
                 pa_severity_name(kind->severity));
    if (!begins_with(cells[2], pa_effect_name(kind->effect)))
        fail_msg("%s: effect \"%s\" in the page, %s in the code", kind->code, cells[2],
                 pa_effect_name(kind->effect));
    assert_true(strlen(cells[3]) > 10);
    assert_string_equal(cells[4], kind->advice);
}

static void the_page_and_the_table_say_the_same(void **state) {
    (void)state;
    bool seen[256] = {false};
    char *page = read_source("docs/findings.md"), *rest = page, *line, *cells[FIELDS];
    while ((line = strsep(&rest, "\n")) != NULL)
        if (cut_row(line, cells))
            check_row(cells, seen);
    size_t count = 0;
    for (; pa_finding_kinds[count].code != NULL; count++)
        if (!seen[count])
            fail_msg("docs/findings.md lacks %s", pa_finding_kinds[count].code);
    assert_true(count >= 35);
    free(page);
}

static void every_row_is_complete_and_stands_once(void **state) {
    (void)state;
    for (const struct pa_finding_kind *kind = pa_finding_kinds; kind->code != NULL; kind++) {
        struct pa_finding room;
        assert_true(strlen(kind->code) < sizeof room.code);
        assert_true(strlen(kind->advice) > 10 && strlen(kind->advice) < sizeof room.advice);
        assert_ptr_equal(pa_finding_kind_find(kind->code), kind);
    }
    assert_null(pa_finding_kind_find("NO_SUCH_CODE"));
}

/* All sources of the rooms but the table itself, one behind the other. */
static struct pa_buffer sources;

static int add_source(const char *path, const struct stat *status, int type, struct FTW *where) {
    (void)status;
    (void)where;
    size_t length = strlen(path);
    if (type != FTW_F || length < 2 || strcmp(path + length - 2, ".c") != 0 ||
        strstr(path, "finding_table.c") != NULL)
        return 0;
    struct pa_buffer one = {0};
    if (pa_file_read(path, MOST_BYTES, &one, NULL) != PA_OK)
        return -1;
    pa_buffer_bytes(&sources, one.data, one.size);
    pa_buffer_free(&one);
    return 0;
}

static void every_code_is_found_by_some_code(void **state) {
    (void)state;
    assert_int_equal(nftw(PETAUDIT_SOURCE_DIR "/host", add_source, 16, FTW_PHYS), 0);
    pa_buffer_bytes(&sources, "", 1);
    assert_false(sources.failed);
    for (const struct pa_finding_kind *kind = pa_finding_kinds; kind->code != NULL; kind++) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "\"%s\"", kind->code);
        if (strstr((const char *)sources.data, quoted) == NULL)
            fail_msg("nobody finds %s", kind->code);
    }
    pa_buffer_free(&sources);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_and_the_table_say_the_same),
        cmocka_unit_test(every_row_is_complete_and_stands_once),
        cmocka_unit_test(every_code_is_found_by_some_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
