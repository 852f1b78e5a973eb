/* SPDX-License-Identifier: Apache-2.0 */
/* A hub that is crowded: by its own workers, by strangers, or because it may open few files.
 * PETAUDIT_CROWD=4000 makes it so many workers, and says what they took: results/fleet-crowd.txt.
 */
#include "base/clock.h"
#include "fleet/fleet.h"
#include "fleet/fleet_sides.h"
#include "fleet/fleet_wire.h"
#include "fleet/hub_file.h"
#include "link/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_setup.h"

enum { MANY = 250, MOST = 16000, ROUNDS = 3 };

static const uint64_t ms = UINT64_C(1000000);
static char folder[256];
static int many = MANY;
static atomic_int many_dismissed;

static uint64_t in_ms(uint64_t wait) {
    return pa_clock_raw_ns() + wait * ms;
}

static struct pa_place place_of(int rank, int size) {
    struct pa_place place = {.rank = rank, .size = size, .local_size = 1, .job = "job-1"};
    snprintf(place.host, sizeof place.host, "node%d", rank);
    return place;
}

static int echo(void *context, const void *request, size_t size, struct pa_buffer *answer,
                struct pa_error *error) {
    const int *rank = context;
    (void)error;
    pa_buffer_bytes(answer, request, size);
    pa_buffer_u32(answer, (uint32_t)*rank);
    return PA_OK;
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
    if (pa_fleet_lead(&place, "127.0.0.1:0", folder, in_ms(120000), &fleet, &error) != PA_OK)
        fail_msg("%s", error.text);
    return fleet;
}

/* A request to each, then each one's answer. */
static void ask_all(struct pa_fleet *fleet, int size) {
    struct pa_error error = {0};
    for (int rank = 1; rank < size; rank++)
        if (pa_fleet_post(fleet, rank, "on", 2, &error) != PA_OK)
            fail_msg("%s", error.text);
    for (int rank = 1; rank < size; rank++) {
        struct pa_buffer answer = {0};
        if (pa_fleet_collect(fleet, rank, in_ms(120000), &answer, &error) != PA_OK)
            fail_msg("%s", error.text);
        assert_int_equal(answer.size, 6);
        assert_int_equal(pa_le32(answer.data + 2), rank);
        pa_buffer_free(&answer);
    }
}

/* The hub's address as soon as its file is there. */
static struct pa_hub_address await_hub(void) {
    struct pa_hub_address address = {0};
    for (int i = 0; i < 600 && pa_hub_file_read(folder, &address, NULL) != PA_OK; i++)
        pa_clock_sleep(100 * ms);
    return address;
}

static void idle_strangers_do_not_keep_a_worker_out(void **state) {
    (void)state;
    enum { STRANGERS = 300 };
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct pa_hub_address hub = await_hub();
        const char *colon = strrchr(hub.urls[0], ':');
        struct sockaddr_in at = {.sin_family = AF_INET,
                                 .sin_addr = {htonl(INADDR_LOOPBACK)},
                                 .sin_port = htons((uint16_t)atoi(colon != NULL ? colon + 1 : ""))};
        for (int i = 0; i < STRANGERS; i++) {
            int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if (fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof at) != 0)
                _exit(98);
        }
        int rank = 1;
        struct pa_place place = place_of(rank, 2);
        struct pa_fleet *fleet = NULL;
        if (pa_fleet_join(&place, NULL, folder, in_ms(60000), &fleet, NULL) != PA_OK)
            _exit(20);
        int code = pa_fleet_serve(fleet, echo, &rank, NULL);
        pa_fleet_close(fleet);
        _exit(code == PA_OK ? 0 : 10);
    }
    struct pa_fleet *fleet = lead(2);
    ask_all(fleet, 2);
    pa_fleet_close(fleet);
    assert_int_equal(exit_of(child), 0);
}

enum { LIMIT_REFUSED = 97 };

/* What leading so many gives in a process that may have so many files: a child's exit status. */
static int lead_with_files(int size, rlim_t soft, rlim_t hard) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit files = {.rlim_cur = soft, .rlim_max = hard};
        struct pa_place place = place_of(0, size);
        struct pa_fleet *fleet = NULL;
        struct pa_error error = {0};
        if (setrlimit(RLIMIT_NOFILE, &files) != 0)
            _exit(LIMIT_REFUSED);
        int code = pa_fleet_lead(&place, "127.0.0.1:0", folder, in_ms(0), &fleet, &error);
        pa_fleet_close(fleet);
        if (code == PA_EUNSUPPORTED && strstr(error.text, "open files") != NULL)
            _exit(1);
        _exit(code == PA_ETIMEOUT ? 0 : 2); /* nobody came, but it did lead */
    }
    return exit_of(child);
}

static void a_hub_without_files_for_all_says_so_before_anybody_joins(void **state) {
    (void)state;
    int first = lead_with_files(11, 24, 24);
    if (first == LIMIT_REFUSED) {
        printf("NOT TESTED: a hub without files: valgrind lets no program limit them\n");
        return;
    }
    assert_int_equal(first, 1);
    assert_int_equal(lead_with_files(11, 24, 400), 0); /* the soft limit is raised */
    assert_int_equal(lead_with_files(500, 24, 400), 1);
}

/* One request of a worker over a connection of its own: the answer's status. */
static int say_once(const struct pa_hub_address *hub, const char *path,
                    const struct pa_buffer *message) {
    const struct pa_link_client_options options = {.url = hub->urls[0],
                                                   .pin = hub->pin,
                                                   .token = hub->token,
                                                   .peer = "the hub",
                                                   .failure = PA_EHUB};
    struct pa_link_client *client = NULL;
    struct pa_buffer reply = {0};
    if (pa_link_client_open(&options, &client, NULL) != PA_OK)
        return -1;
    int code = pa_link_request(client, "POST", path, message->data, message->size,
                               PA_FLEET_MOST_ENVELOPE, in_ms(20000), &reply, NULL);
    int status = code == PA_OK ? 200 : pa_link_client_status(client);
    pa_buffer_free(&reply);
    pa_link_client_close(client);
    return status;
}

/* Introduce itself, hang up without having read the welcome, and begin anew: as a worker does whose
 * hub takes longer than its patience. With `has_spoken` it was at work in between. */
static int come_back(bool has_spoken) {
    struct pa_hub_address hub = await_hub();
    struct pa_wire_join join = {.rank = 1, .size = 2, .job = "job-1", .host = "node1", .id = {7}};
    struct pa_wire_poll poll = {.rank = 1, .id = {7}};
    struct pa_buffer message = {0}, alive = {0};
    pa_wire_put_join(&message, &join);
    pa_wire_put_poll(&alive, &poll);
    int status = say_once(&hub, "/v1/join", &message);
    if (status == 200 && has_spoken)
        status = say_once(&hub, "/v1/alive", &alive);
    pa_clock_sleep(2500 * ms);
    if (status == 200)
        status = say_once(&hub, "/v1/join", &message);
    pa_buffer_free(&message);
    pa_buffer_free(&alive);
    return status == 200 ? 0 : status == PA_FLEET_DEAD ? 1 : 2;
}

static int come_back_to_a_hub(bool has_spoken) {
    struct pa_error error = {0};
    struct pa_buffer answer = {0};
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(come_back(has_spoken));
    struct pa_fleet *fleet = lead(2);
    assert_int_equal(pa_fleet_post(fleet, 1, "on", 2, &error), PA_OK);
    assert_int_not_equal(pa_fleet_collect(fleet, 1, in_ms(4000), &answer, &error), PA_OK);
    int status = exit_of(child);
    pa_buffer_free(&answer);
    pa_fleet_close(fleet);
    return status;
}

static void who_never_got_its_welcome_may_begin_anew(void **state) {
    (void)state;
    assert_int_equal(come_back_to_a_hub(false), 0);
}

static void who_was_at_work_and_is_gone_is_lost_at_once(void **state) {
    (void)state;
    assert_int_equal(come_back_to_a_hub(true), 1);
}

static void *one_of_many(void *context) {
    int rank = *(const int *)context;
    struct pa_place place = place_of(rank, many);
    struct pa_fleet *fleet = NULL;
    if (pa_fleet_join(&place, NULL, folder, in_ms(120000), &fleet, NULL) == PA_OK &&
        pa_fleet_serve(fleet, echo, &rank, NULL) == PA_OK)
        atomic_fetch_add(&many_dismissed, 1);
    pa_fleet_close(fleet);
    return NULL;
}

static int thread_count(void) {
    FILE *file = fopen("/proc/self/status", "re");
    char line[128];
    int count = -1;
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "Threads:", 8) == 0)
            count = atoi(line + 8);
    if (file != NULL)
        fclose(file);
    return count;
}

static double processor_s(const struct rusage *usage) {
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1e-6;
}

/* A process of many threads, each of which is a worker. */
static void some_hundred_workers_take_a_hub_no_thread_each(void **state) {
    (void)state;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        static pthread_t threads[MOST];
        static int ranks[MOST];
        pthread_attr_t small;
        pthread_attr_init(&small);
        pthread_attr_setstacksize(&small, 256 << 10);
        for (int rank = 1; rank < many; rank++) {
            ranks[rank] = rank;
            if (pthread_create(&threads[rank], &small, one_of_many, &ranks[rank]) != 0)
                _exit(99);
        }
        for (int rank = 1; rank < many; rank++)
            pthread_join(threads[rank], NULL);
        _exit(atomic_load(&many_dismissed) == many - 1 ? 0 : 1);
    }
    int before = thread_count();
    uint64_t begun = pa_clock_raw_ns();
    struct pa_fleet *fleet = lead(many);
    uint64_t joined = pa_clock_raw_ns();
    struct rusage first = {0}, last = {0};
    getrusage(RUSAGE_SELF, &first);
    for (int round = 0; round < ROUNDS; round++)
        ask_all(fleet, many);
    getrusage(RUSAGE_SELF, &last);
    if (many != MANY)
        printf("workers: %d, each a thread of one process on this machine\njoined: %.2f s\n"
               "round: %.3f s of request and answer for all, %.3f s of the hub's processor\n"
               "hub's joining: %.2f s of processor\nhub's memory: %ld KiB\nhub's threads: %d\n",
               many - 1, (double)(joined - begun) / 1e9,
               (double)(pa_clock_raw_ns() - joined) / 1e9 / ROUNDS,
               (processor_s(&last) - processor_s(&first)) / ROUNDS, processor_s(&first),
               last.ru_maxrss, thread_count());
    assert_in_range(thread_count(), before + 1, before + 16);
    pa_fleet_close(fleet);
    assert_int_equal(exit_of(child), 0);
}

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/petaudit-fleet-XXXXXX");
    return mkdtemp(folder) != NULL ? setenv("PETAUDIT_HEARTBEAT", "60s", 1) : -1;
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
    const char *crowd = getenv("PETAUDIT_CROWD");
    if (crowd != NULL && atoi(crowd) > 1 && atoi(crowd) < MOST)
        many = atoi(crowd) + 1;
    const struct CMUnitTest tests[] = {
        FLEET_TEST(idle_strangers_do_not_keep_a_worker_out),
        FLEET_TEST(a_hub_without_files_for_all_says_so_before_anybody_joins),
        FLEET_TEST(who_never_got_its_welcome_may_begin_anew),
        FLEET_TEST(who_was_at_work_and_is_gone_is_lost_at_once),
        FLEET_TEST(some_hundred_workers_take_a_hub_no_thread_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
