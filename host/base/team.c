/* SPDX-License-Identifier: Apache-2.0 */
#include "base/team.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_MEMBERS = 4096 };

struct member {
    struct pa_team *team;
    pthread_t thread;
    int index;
};

struct pa_team {
    pthread_mutex_t lock;
    pthread_cond_t start;
    pthread_cond_t finish;
    pa_team_work work;
    void *context;
    uint64_t round; /* counts pa_team_start; a member that saw an older round has work to do */
    int busy;       /* members that have not finished this round */
    bool stopping;
    int size;
    struct member members[];
};

static void *member_body(void *argument) {
    struct member *self = argument;
    struct pa_team *team = self->team;
    uint64_t seen = 0;
    pthread_mutex_lock(&team->lock);
    for (;;) {
        while (team->round == seen && !team->stopping)
            pthread_cond_wait(&team->start, &team->lock);
        if (team->round == seen)
            break;
        seen = team->round;
        pa_team_work work = team->work;
        void *context = team->context;
        pthread_mutex_unlock(&team->lock);
        work(context, self->index, team->size);
        pthread_mutex_lock(&team->lock);
        if (--team->busy == 0)
            pthread_cond_broadcast(&team->finish);
    }
    pthread_mutex_unlock(&team->lock);
    return NULL;
}

/* Threads are born with every signal blocked, so that Ctrl-C reaches the main thread and no other.
 */
static int start_thread(pthread_t *out, const pthread_attr_t *attributes, void *(*body)(void *),
                        void *context) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int cause = pthread_create(out, attributes, body, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return cause;
}

static int start_member(struct member *member, const int *processor) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (processor != NULL) {
        cpu_set_t *set = CPU_ALLOC((size_t)*processor + 1);
        size_t bytes = CPU_ALLOC_SIZE((size_t)*processor + 1);
        if (set != NULL) {
            CPU_ZERO_S(bytes, set);
            CPU_SET_S((size_t)*processor, bytes, set);
            pthread_attr_setaffinity_np(&attributes, bytes, set);
            CPU_FREE(set);
        }
    }
    int cause = start_thread(&member->thread, &attributes, member_body, member);
    pthread_attr_destroy(&attributes);
    return cause;
}

int pa_team_create(int size, const int *processors, struct pa_team **out, struct pa_error *error) {
    *out = NULL;
    if (size < 1 || size > MOST_MEMBERS)
        return pa_fail(error, PA_EINTERNAL, "starting %d threads: 1 to %d are possible", size,
                       MOST_MEMBERS);
    struct pa_team *team = calloc(1, sizeof *team + (size_t)size * sizeof team->members[0]);
    if (team == NULL)
        return pa_fail(error, PA_EMEMORY, "starting %d threads: out of memory", size);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->start, NULL);
    pthread_cond_init(&team->finish, &attributes);
    pthread_condattr_destroy(&attributes);
    for (; team->size < size; team->size++) {
        struct member *member = &team->members[team->size];
        member->team = team;
        member->index = team->size;
        int cause = start_member(member, processors != NULL ? &processors[team->size] : NULL);
        if (cause != 0) {
            pa_fail(error, PA_EMEMORY, "starting thread %d of %d: %s", team->size + 1, size,
                    strerror(cause));
            pa_team_destroy(team);
            return PA_EMEMORY;
        }
    }
    *out = team;
    return PA_OK;
}

int pa_team_size(const struct pa_team *team) {
    return team->size;
}

void pa_team_start(struct pa_team *team, pa_team_work work, void *context) {
    pthread_mutex_lock(&team->lock);
    team->work = work;
    team->context = context;
    team->busy = team->size;
    team->round++;
    pthread_cond_broadcast(&team->start);
    pthread_mutex_unlock(&team->lock);
}

void pa_team_wait(struct pa_team *team) {
    pthread_mutex_lock(&team->lock);
    while (team->busy > 0)
        pthread_cond_wait(&team->finish, &team->lock);
    pthread_mutex_unlock(&team->lock);
}

bool pa_team_wait_for(struct pa_team *team, uint64_t longest_ns) {
    const uint64_t second_ns = 1000000000;
    struct timespec last;
    clock_gettime(CLOCK_MONOTONIC, &last);
    uint64_t ns = (uint64_t)last.tv_nsec + longest_ns;
    last.tv_sec += (time_t)(ns / second_ns);
    last.tv_nsec = (long)(ns % second_ns);
    pthread_mutex_lock(&team->lock);
    while (team->busy > 0 && pthread_cond_timedwait(&team->finish, &team->lock, &last) != ETIMEDOUT)
        ;
    bool is_done = team->busy == 0;
    pthread_mutex_unlock(&team->lock);
    return is_done;
}

void pa_team_run(struct pa_team *team, pa_team_work work, void *context) {
    pa_team_start(team, work, context);
    pa_team_wait(team);
}

void pa_team_destroy(struct pa_team *team) {
    if (team == NULL)
        return;
    pa_team_wait(team);
    pthread_mutex_lock(&team->lock);
    team->stopping = true;
    pthread_cond_broadcast(&team->start);
    pthread_mutex_unlock(&team->lock);
    for (int i = 0; i < team->size; i++)
        pthread_join(team->members[i].thread, NULL);
    pthread_mutex_destroy(&team->lock);
    pthread_cond_destroy(&team->start);
    pthread_cond_destroy(&team->finish);
    free(team);
}

static atomic_bool left_behind;

bool pa_team_try(pa_team_work work, void *context, uint64_t longest_ns) {
    struct pa_team *team = NULL;
    if (pa_team_create(1, NULL, &team, NULL) != PA_OK) {
        work(context, 0, 1);
        return true;
    }
    pa_team_start(team, work, context);
    if (!pa_team_wait_for(team, longest_ns)) {
        atomic_store(&left_behind, true);
        return false;
    }
    pa_team_destroy(team);
    return true;
}

bool pa_team_left_behind(void) {
    return atomic_load(&left_behind);
}

int pa_thread_start(pthread_t *out, void *(*body)(void *), void *context, struct pa_error *error) {
    int cause = start_thread(out, NULL, body, context);
    if (cause != 0)
        return pa_fail(error, PA_EMEMORY, "starting a thread: %s", strerror(cause));
    return PA_OK;
}

int pa_processors_allowed(int *out, int most) {
    cpu_set_t set;
    int found = 0;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 0;
    for (size_t i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, &set))
            continue;
        if (found < most)
            out[found] = (int)i;
        found++;
    }
    return found;
}

void pa_processors_bind(const int *processors, int count) {
    int last = 0;
    for (int i = 0; i < count; i++)
        last = processors[i] > last ? processors[i] : last;
    size_t room = (size_t)last + 1, bytes = CPU_ALLOC_SIZE(room);
    cpu_set_t *set = CPU_ALLOC(room);
    if (set == NULL)
        return;
    CPU_ZERO_S(bytes, set);
    for (int i = 0; i < count; i++)
        CPU_SET_S((size_t)processors[i], bytes, set);
    sched_setaffinity(0, bytes, set);
    CPU_FREE(set);
}
