/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/live_view.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/team.h"
#include "witness/live_session.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const uint64_t ms = UINT64_C(1000000);

enum {
    TICK_MS = 200,   /* between two looks at the evidence */
    LIST_MS = 1000,  /* between two looks at the store */
    KEPT_S = 60,     /* a session that nobody watches any more */
    RETRY_MS = 2000, /* after which a browser connects again */
    MOST_VIEWS = PA_LIVE_MOST_VIEWERS + 4,
};

struct listed {
    char name[PA_LIVE_SESSION_DIGITS + 1];
    uint64_t declared_ns;
};

/* A session that is or was watched. The follower alone removes it. */
struct view {
    char name[PA_LIVE_SESSION_DIGITS + 1];
    struct pa_live_session *session;
    uint64_t edition; /* of what may be told; 0: nothing yet */
    uint32_t viewers;
    uint64_t left_ns; /* when the last one went */
};

struct pa_live {
    char folder[PATH_MAX];
    pthread_t follower;
    pthread_mutex_t lock; /* of everything below; never held while evidence is read */
    pthread_cond_t news;
    bool is_stopped;
    uint32_t viewers;
    struct view *views[MOST_VIEWS];
    struct listed listed[PA_LIVE_MOST_SESSIONS];
    uint32_t listed_count;
    uint64_t list_edition, looked_ns;
};

struct pa_live_viewer {
    struct pa_live *live;
    struct view *view; /* NULL while there is no session */
    bool follows_latest, is_greeted;
    uint64_t edition, since, list_edition;
};

static int latest_first(const void *a, const void *b) {
    const struct listed *left = a, *right = b;
    if (left->declared_ns != right->declared_ns)
        return left->declared_ns < right->declared_ns ? 1 : -1;
    return strcmp(left->name, right->name);
}

/* When a session of this name was declared: its ticket was written then, and never again. */
static bool is_session(const char *folder, const char *name, uint64_t *declared_ns) {
    char path[PATH_MAX];
    struct stat facts;
    if (strlen(name) != PA_LIVE_SESSION_DIGITS || name[strspn(name, "0123456789abcdef")] != '\0' ||
        snprintf(path, sizeof path, "%s/%s/ticket", folder, name) >= PATH_MAX ||
        stat(path, &facts) != 0)
        return false;
    *declared_ns =
        (uint64_t)facts.st_mtim.tv_sec * UINT64_C(1000000000) + (uint64_t)facts.st_mtim.tv_nsec;
    return true;
}

/* The latest sessions of the store, into `out`; of any number of folders only so many are kept. */
static uint32_t list_sessions(const char *folder, struct listed out[PA_LIVE_MOST_SESSIONS]) {
    struct listed found[2 * PA_LIVE_MOST_SESSIONS];
    uint32_t count = 0;
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return 0;
    memset(found, 0, sizeof found);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        uint64_t declared_ns;
        if (!is_session(folder, entry->d_name, &declared_ns))
            continue;
        memcpy(found[count].name, entry->d_name, PA_LIVE_SESSION_DIGITS);
        found[count++].declared_ns = declared_ns;
        if (count == 2 * PA_LIVE_MOST_SESSIONS) {
            qsort(found, count, sizeof found[0], latest_first);
            count = PA_LIVE_MOST_SESSIONS;
        }
    }
    closedir(directory);
    qsort(found, count, sizeof found[0], latest_first);
    count = count < PA_LIVE_MOST_SESSIONS ? count : PA_LIVE_MOST_SESSIONS;
    memcpy(out, found, count * sizeof found[0]);
    return count;
}

/* Under the lock, which is given up meanwhile. */
static void look_at_store(struct pa_live *live) {
    struct listed found[PA_LIVE_MOST_SESSIONS];
    memset(found, 0, sizeof found);
    pthread_mutex_unlock(&live->lock);
    uint32_t count = list_sessions(live->folder, found);
    pthread_mutex_lock(&live->lock);
    live->looked_ns = pa_clock_raw_ns();
    if (live->list_edition > 0 && count == live->listed_count &&
        memcmp(found, live->listed, count * sizeof found[0]) == 0)
        return;
    memcpy(live->listed, found, sizeof found);
    live->listed_count = count;
    live->list_edition++;
    pthread_cond_broadcast(&live->news);
}

static void view_delete(struct view *view) {
    if (view != NULL)
        pa_live_session_close(view->session);
    free(view);
}

/* A view of `name`, new or old, with one more viewer; NULL when there is no room or memory. Under
 * the lock. */
static struct view *view_take(struct pa_live *live, const char *name) {
    uint32_t free_at = MOST_VIEWS;
    for (uint32_t i = 0; i < MOST_VIEWS; i++) {
        if (live->views[i] == NULL) {
            free_at = i;
        } else if (strcmp(live->views[i]->name, name) == 0) {
            live->views[i]->viewers++;
            return live->views[i];
        }
    }
    struct view *view = free_at < MOST_VIEWS ? calloc(1, sizeof *view) : NULL;
    char path[PATH_MAX];
    if (view == NULL || snprintf(path, sizeof path, "%s/%s", live->folder, name) >= PATH_MAX ||
        (view->session = pa_live_session_new(path)) == NULL) {
        free(view);
        return NULL;
    }
    memcpy(view->name, name, sizeof view->name);
    view->viewers = 1;
    live->views[free_at] = view;
    pthread_cond_broadcast(&live->news);
    return view;
}

static void view_leave(struct view *view) {
    if (view == NULL)
        return;
    view->viewers--;
    view->left_ns = pa_clock_raw_ns();
}

static void wait_for_news(struct pa_live *live, uint64_t wait_ns) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t at = (uint64_t)until.tv_nsec + wait_ns;
    until.tv_sec += (time_t)(at / UINT64_C(1000000000));
    until.tv_nsec = (long)(at % UINT64_C(1000000000));
    pthread_cond_timedwait(&live->news, &live->lock, &until);
}

/* Read what has come to each watched session; forget those that nobody wants any more. Under the
 * lock, which is given up while evidence is read. */
static void follow_all(struct pa_live *live) {
    uint64_t now = pa_clock_raw_ns();
    for (uint32_t i = 0; i < MOST_VIEWS && !live->is_stopped; i++) {
        struct view *view = live->views[i];
        if (view == NULL)
            continue;
        if (view->viewers == 0) {
            if (now - view->left_ns > KEPT_S * 1000 * ms || live->viewers == PA_LIVE_MOST_VIEWERS) {
                live->views[i] = NULL;
                view_delete(view);
            }
            continue;
        }
        pthread_mutex_unlock(&live->lock);
        bool has_changed = pa_live_session_follow(view->session);
        pthread_mutex_lock(&live->lock);
        if (!has_changed)
            continue;
        view->edition++;
        pthread_cond_broadcast(&live->news);
    }
}

static void *follow(void *context) {
    struct pa_live *live = context;
    pthread_mutex_lock(&live->lock);
    while (!live->is_stopped) {
        if (live->viewers == 0) {
            pthread_cond_wait(&live->news, &live->lock);
            continue;
        }
        if (live->list_edition == 0 || pa_clock_raw_ns() - live->looked_ns > LIST_MS * ms)
            look_at_store(live);
        follow_all(live);
        uint64_t until = pa_clock_raw_ns() + TICK_MS * ms, now;
        while (!live->is_stopped && (now = pa_clock_raw_ns()) < until)
            wait_for_news(live, until - now);
    }
    pthread_mutex_unlock(&live->lock);
    return NULL;
}

int pa_live_open(const char *folder, struct pa_live **out, struct pa_error *error) {
    *out = NULL;
    struct pa_live *live = calloc(1, sizeof *live);
    if (live == NULL)
        return pa_fail(error, PA_EMEMORY, "preparing the live page: out of memory");
    if ((size_t)snprintf(live->folder, sizeof live->folder, "%s", folder) >= sizeof live->folder) {
        free(live);
        return pa_fail(error, PA_EUSAGE, "--store: the path is too long");
    }
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&live->news, &steady);
    pthread_condattr_destroy(&steady);
    pthread_mutex_init(&live->lock, NULL);
    int code = pa_thread_start(&live->follower, follow, live, error);
    if (code != PA_OK) {
        pthread_mutex_destroy(&live->lock);
        pthread_cond_destroy(&live->news);
        free(live);
        return code;
    }
    *out = live;
    return PA_OK;
}

void pa_live_stop(struct pa_live *live) {
    if (live == NULL)
        return;
    pthread_mutex_lock(&live->lock);
    live->is_stopped = true;
    pthread_cond_broadcast(&live->news);
    pthread_mutex_unlock(&live->lock);
}

void pa_live_close(struct pa_live *live) {
    if (live == NULL)
        return;
    pa_live_stop(live);
    pthread_join(live->follower, NULL);
    for (uint32_t i = 0; i < MOST_VIEWS; i++)
        view_delete(live->views[i]);
    pthread_mutex_destroy(&live->lock);
    pthread_cond_destroy(&live->news);
    free(live);
}

int pa_live_attach(struct pa_live *live, const char *session, struct pa_live_viewer **out,
                   struct pa_error *error) {
    uint64_t declared_ns;
    *out = NULL;
    if (session != NULL && !is_session(live->folder, session, &declared_ns))
        return pa_fail(error, PA_ENOINPUT, "there is no such session");
    struct pa_live_viewer *viewer = calloc(1, sizeof *viewer);
    if (viewer == NULL)
        return pa_fail(error, PA_EMEMORY, "watching: out of memory");
    *viewer = (struct pa_live_viewer){.live = live, .follows_latest = session == NULL};
    pthread_mutex_lock(&live->lock);
    bool has_room = live->viewers < PA_LIVE_MOST_VIEWERS;
    if (has_room && session != NULL)
        has_room = (viewer->view = view_take(live, session)) != NULL;
    if (has_room) {
        live->viewers++;
        pthread_cond_broadcast(&live->news);
    }
    pthread_mutex_unlock(&live->lock);
    if (!has_room) {
        free(viewer);
        return pa_fail(error, PA_EUNSUPPORTED, "%d are watching already: try again later",
                       PA_LIVE_MOST_VIEWERS);
    }
    *out = viewer;
    return PA_OK;
}

void pa_live_detach(struct pa_live_viewer *viewer) {
    struct pa_live *live = viewer->live;
    pthread_mutex_lock(&live->lock);
    view_leave(viewer->view);
    live->viewers--;
    pthread_cond_broadcast(&live->news);
    pthread_mutex_unlock(&live->lock);
    free(viewer);
}

/* Who follows the latest moves on when there is a later one. Under the lock. */
static void move_on(struct pa_live_viewer *viewer) {
    struct pa_live *live = viewer->live;
    if (!viewer->follows_latest || live->listed_count == 0 ||
        (viewer->view != NULL && strcmp(viewer->view->name, live->listed[0].name) == 0))
        return;
    struct view *next = view_take(live, live->listed[0].name);
    if (next == NULL)
        return;
    view_leave(viewer->view);
    viewer->view = next;
    viewer->since = viewer->edition = 0;
}

/* Something to tell, now that the lock is held. */
static bool has_news(const struct pa_live_viewer *viewer) {
    return viewer->list_edition != viewer->live->list_edition ||
           (viewer->view != NULL && viewer->edition != viewer->view->edition);
}

static json_t *sessions_of(const struct pa_live *live) {
    json_t *out = json_array();
    for (uint32_t i = 0; i < live->listed_count; i++)
        json_array_append_new(out, json_pack("{s:s, s:I}", "session", live->listed[i].name,
                                             "declared_ms",
                                             (json_int_t)(live->listed[i].declared_ns / ms)));
    return out;
}

static int to_buffer(const char *text, size_t size, void *context) {
    struct pa_buffer *out = context;
    pa_buffer_bytes(out, text, size);
    return out->failed ? -1 : 0;
}

/* JSON without line breaks, in ASCII: nothing that a site wrote can end the event. */
static void put_event(struct pa_buffer *out, const char *event, json_t *data) {
    pa_buffer_format(out, "event: %s\ndata: ", event);
    if (data == NULL ||
        json_dump_callback(data, to_buffer, out,
                           JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9)) != 0)
        out->failed = true;
    pa_buffer_text(out, "\n\n");
    json_decref(data);
}

/* Tell what is new. Under the lock, which is given up while the state is read; the view cannot go
 * meanwhile. */
static void tell(struct pa_live_viewer *viewer, struct pa_buffer *out) {
    struct pa_live *live = viewer->live;
    struct view *view = viewer->view;
    bool has_list = viewer->list_edition != live->list_edition;
    bool has_state = view != NULL && viewer->edition != view->edition;
    json_t *list = has_list ? sessions_of(live) : NULL;
    viewer->list_edition = live->list_edition;
    if (view != NULL)
        viewer->edition = view->edition;
    pthread_mutex_unlock(&live->lock);
    if (list != NULL)
        put_event(out, "sessions",
                  json_pack("{s:s, s:I, s:b, s:o}", "schema", "petaudit-live/1", "now_ms",
                            (json_int_t)(pa_clock_utc_ns() / ms), "follows_latest",
                            viewer->follows_latest, "sessions", list));
    if (has_state)
        put_event(out, "state", pa_live_session_message(view->session, &viewer->since));
    pthread_mutex_lock(&live->lock);
}

bool pa_live_next(struct pa_live_viewer *viewer, struct pa_buffer *out) {
    struct pa_live *live = viewer->live;
    uint64_t until = pa_clock_raw_ns() + PA_LIVE_SECONDS_A_BEAT * 1000 * ms, now = 0;
    if (!viewer->is_greeted)
        pa_buffer_format(out, "retry: %d\n\n", RETRY_MS);
    viewer->is_greeted = true;
    pthread_mutex_lock(&live->lock);
    move_on(viewer);
    while (!live->is_stopped && !has_news(viewer) && (now = pa_clock_raw_ns()) < until) {
        wait_for_news(live, until - now);
        move_on(viewer);
    }
    bool is_stopped = live->is_stopped;
    if (!is_stopped && has_news(viewer))
        tell(viewer, out);
    else if (!is_stopped)
        put_event(out, "beat", json_pack("{s:I}", "now_ms", (json_int_t)(pa_clock_utc_ns() / ms)));
    pthread_mutex_unlock(&live->lock);
    return !is_stopped;
}
