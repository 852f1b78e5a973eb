/* SPDX-License-Identifier: Apache-2.0 */
/* kill -9 at hundreds of moments: every record whose append returned is there, and nothing that was
 * not sent.
 *
 * A child appends notes as fast as it can and says through a pipe how many appends have returned;
 * the parent kills it at a random moment, opens the file, compares, and lets the next child go on
 * from there. The moments come from a fixed seed; where exactly they hit is up to the machine. */
#include "cmocka_setup.h"

#include "record_samples.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILES = 12, KILLS_EACH = 25 };

static char folder[64];
static char path[128];

/* Sizes vary so that records cross pages, and now and then the -wal is written back. */
static void put_nth(struct pa_buffer *out, uint64_t n) {
    if (n == 1)
        put_sample_session(out);
    else
        put_sample_note(out, n, (size_t)(n * 2654435761u % 9000));
}

static void append_for_ever(int pipe_end) {
    struct pa_store *store;
    if (pa_store_open(path, &store, NULL) != PA_OK)
        _exit(1);
    struct pa_buffer record = {0};
    for (uint64_t n = pa_store_count(store) + 1;; n++) {
        pa_buffer_clear(&record);
        put_nth(&record, n);
        if (pa_store_append(store, record.data, record.size, NULL) != PA_OK ||
            write(pipe_end, &n, sizeof n) != sizeof n)
            _exit(1);
    }
}

/* Runs one child for about `delay_us`, which begin with its first append or with its start; returns
   the last append that it reported. */
static uint64_t kill_one(uint64_t before, unsigned delay_us, bool is_after_append) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        append_for_ever(ends[1]);
    }
    close(ends[1]);
    if (is_after_append)
        assert_int_equal(poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, -1), 1);
    usleep(delay_us);
    kill(child, SIGKILL);
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    uint64_t last = before, n;
    while (read(ends[0], &n, sizeof n) == sizeof n)
        last = n;
    close(ends[0]);
    return last;
}

/* Every record is the one that was sent; returns how many there are. */
static uint64_t check_file(uint64_t reported) {
    struct pa_store *store;
    struct pa_error error = {0};
    struct pa_buffer found = {0}, expected = {0};
    if (pa_store_open(path, &store, &error) != PA_OK)
        fail_msg("%s", error.text);
    uint64_t count = pa_store_count(store);
    assert_true(count >= reported);
    assert_true(count <= reported + 1); /* one may be on disk and not yet reported */
    assert_int_equal(pa_store_export(store, &found, &error), PA_OK);
    for (uint64_t n = 1; n <= count; n++)
        put_nth(&expected, n);
    assert_int_equal(found.size, expected.size);
    assert_memory_equal(found.data, expected.data, found.size);
    pa_store_close(store);
    pa_buffer_free(&found);
    pa_buffer_free(&expected);
    return count;
}

static void no_record_is_lost_when_the_writer_is_killed(void **state) {
    (void)state;
    unsigned random = 20261124;
    uint64_t appended = 0;
    for (int f = 0; f < FILES; f++) {
        struct pa_store *store;
        make_folder(folder);
        snprintf(path, sizeof path, "%s/evidence.db", folder);
        assert_int_equal(pa_store_create(path, &store, NULL), PA_OK);
        pa_store_close(store);
        uint64_t count = 0;
        for (int i = 0; i < KILLS_EACH; i++) {
            random = random * 1103515245u + 12345u;
            count = check_file(kill_one(count, random >> 8 & 0x3FFF, i % 2 == 1));
        }
        appended += count;
        remove_folder(folder);
    }
    assert_true(appended >= FILES * (KILLS_EACH / 2)); /* every second child got somewhere */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_record_is_lost_when_the_writer_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
