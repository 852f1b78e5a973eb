/* SPDX-License-Identifier: Apache-2.0 */
/* The test process is the hub; workers are forked from it before it has a thread. */
#include "base/clock.h"
#include "base/file.h"
#include "fleet/fleet.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_setup.h"

static const uint64_t ms = UINT64_C(1000000);
static char folder[256];

static uint64_t in_ms(uint64_t wait) {
    return pa_clock_raw_ns() + wait * ms;
}

static struct pa_place place_of(int rank, int size) {
    struct pa_place place = {.rank = rank, .size = size, .local_size = 1, .job = "job-1"};
    snprintf(place.host, sizeof place.host, "node%d", rank);
    return place;
}

/* Where sanitizers or valgrind run the tests, which PETAUDIT_STRIDE tells, workers join later. */
static unsigned patient_ms(unsigned wait) {
    return getenv("PETAUDIT_STRIDE") != NULL ? 4 * wait : wait;
}

/* A worker's work: "fail", "sleep", or the request with its rank behind it. */
static int execute(void *context, const void *request, size_t size, struct pa_buffer *answer,
                   struct pa_error *error) {
    const int *rank = context;
    if (size == 4 && memcmp(request, "fail", 4) == 0)
        return pa_fail(error, PA_EDEVICE, "device 0 fell off the bus");
    if (size == 5 && memcmp(request, "sleep", 5) == 0)
        for (int i = 0; i < 30; i++)
            pa_clock_sleep(100 * ms);
    pa_buffer_bytes(answer, request, size);
    pa_buffer_u32(answer, (uint32_t)*rank);
    return PA_OK;
}

static uint8_t worker_work[PA_PLACE_WORK_BYTES]; /* of the next worker */

/* Exit statuses: 0 goodbye, 10 hub lost, 20 could not join, 30 another claim, 99 anything else. */
static pid_t fork_worker(int rank, int size, const char *hub, const char *job, unsigned delay_ms,
                         uint64_t join_ms) {
    fflush(stdout);
    pid_t child = fork();
    if (child != 0)
        return child;
    struct pa_place place = place_of(rank, size);
    struct pa_fleet *fleet = NULL;
    struct pa_error error = {0};
    snprintf(place.job, sizeof place.job, "%s", job);
    pa_clock_sleep(delay_ms * ms);
    memcpy(place.work, worker_work, sizeof place.work);
    int code = pa_fleet_join(&place, hub, folder, in_ms(join_ms), &fleet, &error);
    if (code != PA_OK && strstr(error.text, "another claim than the hub") != NULL)
        _exit(30);
    if (code != PA_OK)
        _exit(code == PA_EHUB ? 20 : 99);
    code = pa_fleet_serve(fleet, execute, &rank, &error);
    pa_fleet_close(fleet);
    _exit(code == PA_OK ? 0 : code == PA_EHUB ? 10 : 99);
}

static pid_t start_worker(int rank, int size) {
    return fork_worker(rank, size, NULL, "job-1", 0, 20000);
}

static int exit_of(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static struct pa_fleet *lead(int size) {
    struct pa_place place = place_of(0, size);
    struct pa_fleet *fleet = NULL;
    struct pa_error error = {0};
    if (pa_fleet_lead(&place, "127.0.0.1:0", folder, in_ms(20000), &fleet, &error) != PA_OK)
        fail_msg("%s", error.text);
    return fleet;
}

static void post(struct pa_fleet *fleet, int rank, const char *text) {
    struct pa_error error = {0};
    if (pa_fleet_post(fleet, rank, text, strlen(text), &error) != PA_OK)
        fail_msg("%s", error.text);
}

static void assert_echo(struct pa_fleet *fleet, int rank, const char *text) {
    struct pa_buffer answer = {0};
    struct pa_error error = {0};
    if (pa_fleet_collect(fleet, rank, in_ms(20000), &answer, &error) != PA_OK)
        fail_msg("%s", error.text);
    assert_int_equal(answer.size, strlen(text) + 4);
    assert_memory_equal(answer.data, text, strlen(text));
    assert_int_equal(pa_le32(answer.data + strlen(text)), rank);
    pa_buffer_free(&answer);
}

static void requests_reach_every_worker_and_answers_come_back(void **state) {
    (void)state;
    pid_t children[3];
    for (int i = 0; i < 3; i++)
        children[i] = start_worker(i + 1, 4);
    struct pa_fleet *fleet = lead(4);
    char path[300];
    struct stat facts;
    snprintf(path, sizeof path, "%s/hub.json", folder);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    for (int round = 0; round < 20; round++) {
        char text[32];
        snprintf(text, sizeof text, "round %d", round);
        for (int rank = 1; rank < 4; rank++)
            post(fleet, rank, text);
        for (int rank = 3; rank >= 1; rank--)
            assert_echo(fleet, rank, text);
    }
    assert_string_equal(pa_fleet_host(fleet, 2), "node2");
    assert_string_equal(pa_fleet_host(fleet, 0), "node0");
    pa_fleet_close(fleet);
    for (int i = 0; i < 3; i++)
        assert_int_equal(exit_of(children[i]), 0);
    assert_int_not_equal(stat(path, &facts), 0);
}

static void a_failure_comes_back_with_rank_and_host_and_does_not_kill(void **state) {
    (void)state;
    pid_t child = start_worker(1, 2);
    struct pa_fleet *fleet = lead(2);
    struct pa_buffer answer = {0};
    struct pa_error error = {0};
    post(fleet, 1, "fail");
    assert_int_equal(pa_fleet_collect(fleet, 1, in_ms(20000), &answer, &error), PA_EDEVICE);
    assert_string_equal(error.text, "rank 1 on node1: device 0 fell off the bus");
    assert_true(pa_fleet_is_alive(fleet, 1));
    post(fleet, 1, "again");
    assert_echo(fleet, 1, "again");
    pa_fleet_close(fleet);
    assert_int_equal(exit_of(child), 0);
}

static void a_worker_may_work_longer_than_a_heartbeat(void **state) {
    (void)state;
    pid_t child = start_worker(1, 2);
    struct pa_fleet *fleet = lead(2);
    post(fleet, 1, "sleep");
    assert_echo(fleet, 1, "sleep");
    pa_fleet_close(fleet);
    assert_int_equal(exit_of(child), 0);
}

/* Rank 2 of 4 gets `signal_number` while it works; the others go on. */
static void check_loss(int signal_number) {
    pid_t children[3];
    for (int i = 0; i < 3; i++)
        children[i] = start_worker(i + 1, 4);
    struct pa_fleet *fleet = lead(4);
    struct pa_buffer answer = {0};
    struct pa_error error = {0};
    for (int rank = 1; rank < 4; rank++)
        post(fleet, rank, "sleep");
    pa_clock_sleep(300 * ms);
    kill(children[1], signal_number);
    assert_int_equal(pa_fleet_collect(fleet, 2, in_ms(60000), &answer, &error), PA_EHUB);
    assert_non_null(strstr(error.text, "rank 2 on node2 is lost"));
    assert_false(pa_fleet_is_alive(fleet, 2));
    assert_echo(fleet, 1, "sleep");
    assert_echo(fleet, 3, "sleep");
    assert_int_equal(pa_fleet_post(fleet, 2, "x", 1, &error), PA_EHUB);
    post(fleet, 3, "on");
    assert_echo(fleet, 3, "on");
    if (signal_number == SIGSTOP) {
        /* Back from the dead, it is told that nobody waits for it. */
        kill(children[1], SIGCONT);
        assert_int_equal(exit_of(children[1]), 10);
    } else {
        assert_int_equal(exit_of(children[1]), 128 + SIGKILL);
    }
    pa_fleet_close(fleet);
    assert_int_equal(exit_of(children[0]), 0);
    assert_int_equal(exit_of(children[2]), 0);
}

static void a_killed_worker_is_named_and_the_others_finish(void **state) {
    (void)state;
    check_loss(SIGKILL);
}

/* Its heartbeat would be missed after ten minutes: the closed connections tell. */
static void a_worker_that_ends_is_named_at_once(void **state) {
    (void)state;
    assert_int_equal(setenv("PETAUDIT_HEARTBEAT", "600s", 1), 0);
    pid_t busy = start_worker(1, 3), idle = start_worker(2, 3);
    struct pa_fleet *fleet = lead(3);
    struct pa_buffer answer = {0};
    struct pa_error error = {0};
    post(fleet, 1, "sleep");
    pa_clock_sleep(300 * ms);
    kill(busy, SIGKILL);
    kill(idle, SIGKILL);
    assert_int_equal(pa_fleet_collect(fleet, 1, in_ms(120000), &answer, &error), PA_EHUB);
    assert_string_equal(error.text, "rank 1 on node1 is lost: its connections ended: the process, "
                                    "or its host, is gone");
    for (int i = 0; i < 600 && pa_fleet_is_alive(fleet, 2); i++)
        pa_clock_sleep(100 * ms);
    assert_false(pa_fleet_is_alive(fleet, 2));
    pa_fleet_close(fleet);
    assert_int_equal(exit_of(busy), 128 + SIGKILL);
    assert_int_equal(exit_of(idle), 128 + SIGKILL);
}

static void a_frozen_worker_is_named_and_the_others_finish(void **state) {
    (void)state;
    check_loss(SIGSTOP);
}

static void a_worker_that_misses_its_deadline_is_lost(void **state) {
    (void)state;
    pid_t child = start_worker(1, 2);
    struct pa_fleet *fleet = lead(2);
    struct pa_buffer answer = {0};
    struct pa_error error = {0};
    post(fleet, 1, "sleep");
    assert_int_equal(pa_fleet_collect(fleet, 1, in_ms(300), &answer, &error), PA_ETIMEOUT);
    assert_non_null(strstr(error.text, "rank 1 on node1"));
    assert_false(pa_fleet_is_alive(fleet, 1));
    pa_fleet_close(fleet);
    assert_int_equal(exit_of(child), 10);
}

static void who_does_not_come_is_named_and_comes_too_late(void **state) {
    (void)state;
    pid_t first = start_worker(1, 3),
          late = fork_worker(2, 3, NULL, "job-1", patient_ms(2500), 5000);
    struct pa_place place = place_of(0, 3);
    struct pa_fleet *fleet = NULL;
    struct pa_error error = {0};
    assert_int_equal(
        pa_fleet_lead(&place, "127.0.0.1:0", folder, in_ms(patient_ms(1500)), &fleet, &error),
        PA_ETIMEOUT);
    assert_non_null(strstr(error.text, "1 of 2 did not join: rank 2"));
    assert_non_null(fleet);
    assert_int_equal(exit_of(late), 20);
    post(fleet, 1, "on");
    assert_echo(fleet, 1, "on");
    pa_fleet_close(fleet);
    assert_int_equal(exit_of(first), 0);
}

static void a_second_process_of_one_rank_is_refused(void **state) {
    (void)state;
    pid_t first = start_worker(1, 2),
          second = fork_worker(1, 2, NULL, "job-1", patient_ms(1500), 10000);
    struct pa_fleet *fleet = lead(2);
    assert_int_equal(exit_of(second), 20);
    post(fleet, 1, "on");
    assert_echo(fleet, 1, "on");
    pa_fleet_close(fleet);
    assert_int_equal(exit_of(first), 0);
}

static void a_worker_with_another_claim_is_refused(void **state) {
    (void)state;
    pid_t children[3];
    struct pa_place place = place_of(0, 3);
    struct pa_fleet *fleet = NULL;
    struct pa_error error = {0};
    /* The same claim, none, and in the place of the second another one. */
    for (int i = 0; i < 3; i++) {
        memset(worker_work, i == 0 ? 7 : i == 1 ? 8 : 0, sizeof worker_work);
        children[i] = fork_worker(i == 0 ? 1 : 2, 3, NULL, "job-1", i == 2 ? 1500 : 0, 20000);
    }
    memset(place.work, 7, sizeof place.work);
    assert_int_equal(pa_fleet_lead(&place, "127.0.0.1:0", folder, in_ms(20000), &fleet, &error),
                     PA_OK);
    for (int rank = 1; rank <= 2; rank++) {
        post(fleet, rank, "on");
        assert_echo(fleet, rank, "on");
    }
    pa_fleet_close(fleet);
    assert_int_equal(exit_of(children[0]), 0);
    assert_int_equal(exit_of(children[1]), 30);
    assert_int_equal(exit_of(children[2]), 0);
    memset(worker_work, 0, sizeof worker_work);
}

static void an_old_file_is_not_believed(void **state) {
    (void)state;
    char path[300], digits[65];
    memset(digits, 'a', 64);
    digits[64] = '\0';
    struct pa_buffer text = {0};
    pa_buffer_format(&text,
                     "{\"schema\": \"petaudit.hub/1\", \"job\": \"job-1\", \"size\": 2, \"urls\": "
                     "[\"https://127.0.0.1:1\"], \"fingerprint\": \"%s\", \"token\": \"%s\"}",
                     digits, digits);
    snprintf(path, sizeof path, "%s/hub.json", folder);
    assert_int_equal(pa_file_write(path, text.data, text.size, 0600, NULL), PA_OK);
    pa_buffer_free(&text);
    pid_t right = start_worker(1, 2), other = fork_worker(1, 2, NULL, "job-2", 0, 2500);
    pa_clock_sleep(500 * ms);
    struct pa_fleet *fleet = lead(2);
    post(fleet, 1, "on");
    assert_echo(fleet, 1, "on");
    assert_int_equal(exit_of(other), 20);
    pa_fleet_close(fleet);
    assert_int_equal(exit_of(right), 0);
}

static void a_worker_without_a_hub_gives_up(void **state) {
    (void)state;
    pid_t child = fork_worker(1, 2, NULL, "job-1", 0, 600);
    assert_int_equal(exit_of(child), 20);
    struct pa_place place = place_of(1, 2);
    struct pa_fleet *fleet = NULL;
    struct pa_error error = {0};
    assert_int_equal(
        pa_fleet_join(&place, "https://127.0.0.1:1/#12.34", folder, in_ms(600), &fleet, &error),
        PA_EUSAGE);
    assert_non_null(strstr(error.text, "https://HOST:PORT/#FINGERPRINT.TOKEN"));
}

static void workers_end_when_their_hub_is_killed(void **state) {
    (void)state;
    pid_t children[2];
    for (int i = 0; i < 2; i++)
        children[i] = start_worker(i + 1, 3);
    fflush(stdout);
    pid_t hub = fork();
    if (hub == 0) {
        struct pa_place place = place_of(0, 3);
        struct pa_fleet *fleet = NULL;
        if (pa_fleet_lead(&place, "127.0.0.1:0", folder, in_ms(20000), &fleet, NULL) != PA_OK)
            _exit(1);
        pa_clock_sleep(500 * ms); /* both have their welcome by then */
        raise(SIGKILL);
    }
    assert_int_equal(exit_of(hub), 128 + SIGKILL);
    assert_int_equal(exit_of(children[0]), 10);
    assert_int_equal(exit_of(children[1]), 10);
}

static void a_fleet_of_one_needs_nothing(void **state) {
    (void)state;
    struct pa_place place = place_of(0, 1);
    struct pa_fleet *fleet = NULL;
    struct pa_error error = {0};
    assert_int_equal(pa_fleet_lead(&place, NULL, "/nonexistent", 0, &fleet, &error), PA_OK);
    assert_true(pa_fleet_is_alive(fleet, 0));
    assert_int_equal(pa_fleet_post(fleet, 1, "x", 1, &error), PA_EINTERNAL);
    pa_fleet_close(fleet);
    pa_fleet_close(NULL);
}

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/petaudit-fleet-XXXXXX");
    return mkdtemp(folder) != NULL ? setenv("PETAUDIT_HEARTBEAT", "1500ms", 1) : -1;
}

static int drop_folder(void **state) {
    char path[300];
    (void)state;
    snprintf(path, sizeof path, "%s/hub.json", folder);
    unlink(path);
    return rmdir(folder);
}

#define FLEET_TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, drop_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        FLEET_TEST(requests_reach_every_worker_and_answers_come_back),
        FLEET_TEST(a_failure_comes_back_with_rank_and_host_and_does_not_kill),
        FLEET_TEST(a_worker_may_work_longer_than_a_heartbeat),
        FLEET_TEST(a_killed_worker_is_named_and_the_others_finish),
        FLEET_TEST(a_worker_that_ends_is_named_at_once),
        FLEET_TEST(a_frozen_worker_is_named_and_the_others_finish),
        FLEET_TEST(a_worker_that_misses_its_deadline_is_lost),
        FLEET_TEST(who_does_not_come_is_named_and_comes_too_late),
        FLEET_TEST(a_second_process_of_one_rank_is_refused),
        FLEET_TEST(a_worker_with_another_claim_is_refused),
        FLEET_TEST(an_old_file_is_not_believed),
        FLEET_TEST(a_worker_without_a_hub_gives_up),
        FLEET_TEST(workers_end_when_their_hub_is_killed),
        FLEET_TEST(a_fleet_of_one_needs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
