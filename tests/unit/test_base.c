/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes, files, text for a terminal, and teams of threads. */
#include "cmocka_setup.h"

#include "base/base.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void reading_past_the_end_gives_zeros_and_is_remembered(void **state) {
    (void)state;
    const uint8_t data[] = {1, 0, 0, 0, 9};
    struct pa_reader reader = pa_reader_over(data, sizeof data);
    assert_int_equal(pa_read_u32(&reader), 1);
    assert_int_equal(pa_read_u32(&reader), 0);
    assert_true(reader.failed);
    assert_false(pa_reader_done(&reader));
    assert_null(pa_read_view(&reader, 1));
}

static void what_was_written_is_read_back(void **state) {
    (void)state;
    struct pa_buffer buffer = {0};
    pa_buffer_u16(&buffer, 0xABCD);
    pa_buffer_u32(&buffer, 0xDEADBEEF);
    pa_buffer_u64(&buffer, UINT64_MAX - 1);
    pa_buffer_format(&buffer, "%d-%s", 7, "x");
    for (int i = 0; i < 1000; i++)
        pa_buffer_text(&buffer, "0123456789");
    struct pa_reader reader = pa_reader_over(buffer.data, buffer.size);
    assert_int_equal(pa_read_u16(&reader), 0xABCD);
    assert_int_equal(pa_read_u32(&reader), 0xDEADBEEF);
    assert_true(pa_read_u64(&reader) == UINT64_MAX - 1);
    assert_memory_equal(pa_read_view(&reader, 3), "7-x", 3);
    assert_int_equal(reader.left, 10000);
    pa_buffer_free(&buffer);
}

static void hexadecimal_is_strict(void **state) {
    (void)state;
    uint8_t out[2];
    assert_true(pa_unhex(out, 2, "0aFF"));
    assert_int_equal(out[1], 0xFF);
    assert_false(pa_unhex(out, 2, "0aF"));
    assert_false(pa_unhex(out, 2, "0aFF0"));
    assert_false(pa_unhex(out, 2, "0aFg"));
    assert_false(pa_unhex(out, 2, ""));
    char text[5];
    pa_hex(text, out, 2);
    assert_string_equal(text, "0aff");
}

static void a_file_is_replaced_whole_or_not_at_all(void **state) {
    (void)state;
    char directory[] = "/tmp/petaudit-test-XXXXXX";
    assert_non_null(mkdtemp(directory));
    char path[128];
    snprintf(path, sizeof path, "%s/x", directory);
    struct pa_error error = {0};
    assert_int_equal(pa_file_write(path, "abc", 3, 0600, &error), PA_OK);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    struct pa_buffer content = {0};
    assert_int_equal(pa_file_read(path, 3, &content, &error), PA_OK);
    assert_memory_equal(content.data, "abc", 3);
    pa_buffer_clear(&content);
    assert_int_equal(pa_file_read(path, 2, &content, &error), PA_EINPUT);
    assert_int_equal(pa_file_read(directory, 100, &content, &error), PA_EINPUT);
    char missing[160];
    snprintf(missing, sizeof missing, "%s/missing/y", directory);
    assert_int_equal(pa_file_read(missing, 100, &content, &error), PA_ENOINPUT);
    assert_int_equal(pa_file_write(missing, "abc", 3, 0600, &error), PA_EWRITE);
    pa_buffer_free(&content);
    unlink(path);
    rmdir(directory);
}

static void a_full_disk_leaves_the_old_file(void **state) {
    (void)state;
    struct pa_error error = {0};
    /* A size limit refuses bytes as a full disk does, to root as well: EFBIG comes from write()
     * where ENOSPC would. */
    struct rlimit before, none;
    char directory[] = "/tmp/petaudit-test-XXXXXX";
    assert_non_null(mkdtemp(directory));
    char path[128];
    snprintf(path, sizeof path, "%s/x", directory);
    assert_int_equal(pa_file_write(path, "old", 3, 0644, &error), PA_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = before;
    none.rlim_cur = 1;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    int code = pa_file_write(path, "new", 3, 0644, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(code, PA_EWRITE);
    struct pa_buffer content = {0};
    assert_int_equal(pa_file_read(path, 100, &content, &error), PA_OK);
    assert_memory_equal(content.data, "old", 3);
    pa_buffer_free(&content);
    unlink(path);
    assert_int_equal(rmdir(directory), 0); /* no temporary file was left */
}

static void a_staged_file_has_its_name_only_when_settled(void **state) {
    (void)state;
    struct pa_error error = {0};
    char directory[] = "/tmp/petaudit-test-XXXXXX", path[128], temporary[PATH_MAX];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/x", directory);
    assert_int_equal(pa_file_stage(path, "abc", 3, 0644, temporary, &error), PA_OK);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(access(temporary, F_OK), 0);
    assert_int_equal(pa_file_settle(temporary, path, &error), PA_OK);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_not_equal(access(temporary, F_OK), 0);
    /* A folder cannot be replaced: the staged file is gone, and the error names the folder. */
    assert_int_equal(pa_file_stage(path, "abc", 3, 0644, temporary, &error), PA_OK);
    assert_int_equal(pa_file_settle(temporary, directory, &error), PA_EWRITE);
    assert_non_null(strstr(error.text, directory));
    assert_int_not_equal(access(temporary, F_OK), 0);
    unlink(path);
    assert_int_equal(rmdir(directory), 0);
}

static void control_characters_never_reach_a_terminal(void **state) {
    (void)state;
    char out[64];
    pa_printable(out, sizeof out, "a\x1b[31mb\a\r\n\x7f");
    assert_string_equal(out, "a?[31mb????");
    pa_printable(out, sizeof out,
                 "\xc2\x9b"
                 "x\xff\xe4\xb8\xad\xc0\x80");
    assert_string_equal(out, "?x?\xe4\xb8\xad??");
    pa_printable(out, 4, "\xe4\xb8\xad\xe4\xb8\xad");
    assert_string_equal(out, "\xe4\xb8\xad");
    pa_printable(out, sizeof out, "\xed\xa0\x80");
    assert_string_equal(out, "???");
}

static void count_member(void *context, int member, int size) {
    atomic_int *counters = context;
    atomic_fetch_add(&counters[member], size);
}

static void every_member_of_a_team_works_once_a_round(void **state) {
    (void)state;
    struct pa_team *team = NULL;
    struct pa_error error = {0};
    atomic_int counters[3] = {0};
    assert_int_equal(pa_team_create(3, NULL, &team, &error), PA_OK);
    for (int round = 0; round < 1000; round++)
        pa_team_run(team, count_member, counters);
    for (int i = 0; i < 3; i++)
        assert_int_equal(atomic_load(&counters[i]), 3000);
    pa_team_destroy(team);
    assert_int_equal(pa_team_create(0, NULL, &team, &error), PA_EINTERNAL);
    assert_null(team);
}

static void a_date_is_printed_in_utc(void **state) {
    (void)state;
    char text[PA_UTC_TEXT_BYTES];
    pa_utc_text(text, 1795478400u * UINT64_C(1000000000));
    assert_string_equal(text, "2026-11-24T00:00:00Z");
    pa_utc_text(text, UINT64_MAX);
    assert_int_equal(strlen(text), 20);
}

static void patience_can_be_shortened_and_never_lengthened(void **state) {
    (void)state;
    unsetenv("PETAUDIT_PATIENCE");
    assert_int_equal(pa_clock_patience_ns(1000), 1000);
    setenv("PETAUDIT_PATIENCE", "2s", 1);
    assert_int_equal(pa_clock_patience_ns(UINT64_C(60000000000)), UINT64_C(2000000000));
    assert_int_equal(pa_clock_patience_ns(1000), 1000);
    setenv("PETAUDIT_PATIENCE", "soon", 1);
    assert_int_equal(pa_clock_patience_ns(1000), 1000);
    unsetenv("PETAUDIT_PATIENCE");
}

static void a_context_comes_before_its_cause(void **state) {
    (void)state;
    struct pa_error error = {0};
    assert_int_equal(pa_fail(&error, PA_EINPUT, "line %d", 3), PA_EINPUT);
    assert_int_equal(pa_fail_in(&error, "claim %s", "x.yaml"), PA_EINPUT);
    assert_string_equal(error.text, "claim x.yaml: line 3");
    assert_string_equal(pa_status_name(PA_ETIMEOUT), "PA_ETIMEOUT");
    assert_string_equal(pa_status_name(-99), "PA_E?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_past_the_end_gives_zeros_and_is_remembered),
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(hexadecimal_is_strict),
        cmocka_unit_test(a_file_is_replaced_whole_or_not_at_all),
        cmocka_unit_test(a_full_disk_leaves_the_old_file),
        cmocka_unit_test(a_staged_file_has_its_name_only_when_settled),
        cmocka_unit_test(control_characters_never_reach_a_terminal),
        cmocka_unit_test(every_member_of_a_team_works_once_a_round),
        cmocka_unit_test(a_date_is_printed_in_utc),
        cmocka_unit_test(patience_can_be_shortened_and_never_lengthened),
        cmocka_unit_test(a_context_comes_before_its_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
