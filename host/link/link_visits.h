/* SPDX-License-Identifier: Apache-2.0 */
/* link_visits.h - the connections of one server: who has not shown the token yet, and whose answer
 * waits.
 *
 * Where connections get scarce, the one that has been without a token for longest is cut off: idle
 * strangers take no place from those who belong here. A held request costs no thread; one thread
 * for all of them wakes those whose time is over or whose client has hung up.
 */
#ifndef PA_LINK_LINK_VISITS_H
#define PA_LINK_LINK_VISITS_H

#include "link/link.h"

#include <microhttpd.h>
#include <pthread.h>

struct pa_link_visit {
    struct MHD_Connection *connection;
    uint64_t number, tag;
    uint64_t until_ns; /* while it is held */
    int fd;
    bool is_held, is_proven;
    struct pa_link_visit *older, *newer; /* in the list below that it is in */
};

struct pa_link_visit_list {
    struct pa_link_visit *oldest, *newest;
};

struct pa_link_visits {
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t ending;
    struct pa_link_visit_list strangers, held;
    uint64_t begun;
    unsigned open, most; /* above three quarters of `most` strangers are cut off; 0: nobody is */
    pthread_t watch;
    bool has_watch, is_ending;
};

void pa_link_visits_init(struct pa_link_visits *visits, unsigned most);
/* Start the thread without which nothing may be held. */
int pa_link_visits_watch(struct pa_link_visits *visits, struct pa_error *error);
/* Wake all that is held, for good. */
void pa_link_visits_stop(struct pa_link_visits *visits);
/* When none is left. */
void pa_link_visits_free(struct pa_link_visits *visits);

/* NULL when memory has run out. */
struct pa_link_visit *pa_link_visit_begin(struct pa_link_visits *visits,
                                          struct MHD_Connection *connection);
/* It has shown the token. */
void pa_link_visit_prove(struct pa_link_visits *visits, struct pa_link_visit *visit);
void pa_link_visit_hold(struct pa_link_visits *visits, struct pa_link_visit *visit,
                        uint64_t until_ns);
void pa_link_visit_wake(struct pa_link_visits *visits, struct pa_link_visit *visit);
/* Its connection has ended; the caller frees it. */
void pa_link_visit_end(struct pa_link_visits *visits, struct pa_link_visit *visit);

#endif
