/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link_visits.h"

#include "base/clock.h"
#include "base/team.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

static const uint64_t ms = UINT64_C(1000000);

enum { WATCH_MS = 100, AT_ONCE = 512 };

static void enlist(struct pa_link_visit_list *list, struct pa_link_visit *visit) {
    visit->older = list->newest;
    visit->newer = NULL;
    *(list->newest != NULL ? &list->newest->newer : &list->oldest) = visit;
    list->newest = visit;
}

static void strike(struct pa_link_visit_list *list, struct pa_link_visit *visit) {
    *(visit->older != NULL ? &visit->older->newer : &list->oldest) = visit->newer;
    *(visit->newer != NULL ? &visit->newer->older : &list->newest) = visit->older;
    visit->older = visit->newer = NULL;
}

void pa_link_visits_init(struct pa_link_visits *visits, unsigned most) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&visits->ending, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&visits->lock, NULL);
    visits->most = most;
}

void pa_link_visits_free(struct pa_link_visits *visits) {
    pthread_cond_destroy(&visits->ending);
    pthread_mutex_destroy(&visits->lock);
}

struct pa_link_visit *pa_link_visit_begin(struct pa_link_visits *visits,
                                          struct MHD_Connection *connection) {
    struct pa_link_visit *visit = calloc(1, sizeof *visit);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (visit == NULL)
        return NULL;
    visit->connection = connection;
    visit->fd = info != NULL ? info->connect_fd : -1;
    pthread_mutex_lock(&visits->lock);
    visit->number = ++visits->begun;
    visits->open++;
    /* Its thread sees the end of the connection and clears up; the socket is open until then. */
    struct pa_link_visit *stranger = visits->strangers.oldest;
    if (visits->most > 0 && visits->open > visits->most - visits->most / 4 && stranger != NULL) {
        strike(&visits->strangers, stranger);
        stranger->is_proven = true; /* nothing more is asked of it */
        if (stranger->fd >= 0)
            shutdown(stranger->fd, SHUT_RDWR);
    }
    enlist(&visits->strangers, visit);
    pthread_mutex_unlock(&visits->lock);
    return visit;
}

void pa_link_visit_prove(struct pa_link_visits *visits, struct pa_link_visit *visit) {
    pthread_mutex_lock(&visits->lock);
    if (!visit->is_proven)
        strike(&visits->strangers, visit);
    visit->is_proven = true;
    pthread_mutex_unlock(&visits->lock);
}

void pa_link_visit_end(struct pa_link_visits *visits, struct pa_link_visit *visit) {
    pthread_mutex_lock(&visits->lock);
    if (!visit->is_proven)
        strike(&visits->strangers, visit);
    if (visit->is_held)
        strike(&visits->held, visit);
    visit->is_proven = true;
    visit->is_held = false;
    visits->open--;
    pthread_mutex_unlock(&visits->lock);
}

void pa_link_visit_hold(struct pa_link_visits *visits, struct pa_link_visit *visit,
                        uint64_t until_ns) {
    MHD_suspend_connection(visit->connection);
    pthread_mutex_lock(&visits->lock);
    visit->until_ns = until_ns;
    visit->is_held = true;
    enlist(&visits->held, visit);
    pthread_mutex_unlock(&visits->lock);
}

/* Locked: who gets true resumes it. A connection that is suspended is there until then. */
static bool release(struct pa_link_visits *visits, struct pa_link_visit *visit) {
    bool was_held = visit->is_held;
    if (was_held)
        strike(&visits->held, visit);
    visit->is_held = false;
    return was_held;
}

void pa_link_visit_wake(struct pa_link_visits *visits, struct pa_link_visit *visit) {
    pthread_mutex_lock(&visits->lock);
    bool was_held = release(visits, visit);
    pthread_mutex_unlock(&visits->lock);
    if (was_held)
        MHD_resume_connection(visit->connection);
}

/* Locked: take out of the list, and chain by `newer`, what has nothing to wait for any more. A
 * suspended connection stays until it is resumed, and nobody else does that after `release`. */
static struct pa_link_visit *take_over(struct pa_link_visits *visits) {
    struct pollfd polled[AT_ONCE];
    struct pa_link_visit *looked_at[AT_ONCE], *over = NULL, *visit = visits->held.oldest;
    uint64_t now = pa_clock_raw_ns();
    while (visit != NULL) {
        size_t count = 0;
        for (; visit != NULL && count < AT_ONCE; visit = visit->newer) {
            looked_at[count] = visit;
            polled[count++] = (struct pollfd){.fd = visit->fd, .events = POLLRDHUP};
        }
        bool is_known = poll(polled, count, 0) >= 0;
        for (size_t i = 0; i < count; i++) {
            struct pa_link_visit *at = looked_at[i];
            if (now < at->until_ns && !(is_known && polled[i].revents != 0))
                continue;
            release(visits, at);
            at->newer = over;
            over = at;
        }
    }
    return over;
}

static void resume_all(struct pa_link_visit *over) {
    while (over != NULL) {
        struct pa_link_visit *next = over->newer; /* it may be gone once it is resumed */
        over->newer = NULL;
        MHD_resume_connection(over->connection);
        over = next;
    }
}

/* libmicrohttpd does not look at a connection that is suspended: this thread does. */
static void *watch_body(void *context) {
    struct pa_link_visits *visits = context;
    pthread_mutex_lock(&visits->lock);
    while (!visits->is_ending) {
        struct timespec at;
        clock_gettime(CLOCK_MONOTONIC, &at);
        uint64_t ns = (uint64_t)at.tv_nsec + WATCH_MS * ms;
        at.tv_sec += (time_t)(ns / (1000 * ms));
        at.tv_nsec = (long)(ns % (1000 * ms));
        pthread_cond_timedwait(&visits->ending, &visits->lock, &at);
        struct pa_link_visit *over = take_over(visits);
        pthread_mutex_unlock(&visits->lock);
        resume_all(over);
        pthread_mutex_lock(&visits->lock);
    }
    pthread_mutex_unlock(&visits->lock);
    return NULL;
}

int pa_link_visits_watch(struct pa_link_visits *visits, struct pa_error *error) {
    int code = pa_thread_start(&visits->watch, watch_body, visits, error);
    visits->has_watch = code == PA_OK;
    return code;
}

void pa_link_visits_stop(struct pa_link_visits *visits) {
    pthread_mutex_lock(&visits->lock);
    visits->is_ending = true;
    pthread_cond_broadcast(&visits->ending);
    pthread_mutex_unlock(&visits->lock);
    if (visits->has_watch)
        pthread_join(visits->watch, NULL);
    visits->has_watch = false;
    struct pa_link_visit *over = NULL;
    pthread_mutex_lock(&visits->lock);
    while (visits->held.oldest != NULL) {
        struct pa_link_visit *visit = visits->held.oldest;
        release(visits, visit);
        visit->newer = over;
        over = visit;
    }
    pthread_mutex_unlock(&visits->lock);
    resume_all(over);
}
