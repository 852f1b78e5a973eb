/* SPDX-License-Identifier: Apache-2.0 */
/* team.h - the one place where threads are created.
 *
 * A team is `size` threads, each bound to a processor, that run the same function together and then
 * sleep. The caller is not a member: it waits. petaudit owns its threads because a library's own
 * pool, spinning beside ours, costs up to 5 % of the rate (docs/protocol.md 9).
 */
#ifndef PA_BASE_TEAM_H
#define PA_BASE_TEAM_H

#include "base/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct pa_team;

/* One member's part of the work: `member` is 0 .. size-1. */
typedef void (*pa_team_work)(void *context, int member, int size);

/* Start `size` threads (1 to 4096). `processors[i]` is where member i is bound; NULL binds nobody.
 */
int pa_team_create(int size, const int *processors, struct pa_team **out, struct pa_error *error);
int pa_team_size(const struct pa_team *team);
/* Run `work` on every member and wait for all of them. One caller at a time. */
void pa_team_run(struct pa_team *team, pa_team_work work, void *context);
/* The same in two halves: start, go on with something else, wait. */
void pa_team_start(struct pa_team *team, pa_team_work work, void *context);
void pa_team_wait(struct pa_team *team);
/* Wait no longer than `longest_ns`; false when somebody still works. A member that never comes back
 * keeps its team: it can neither be given work nor be destroyed. */
bool pa_team_wait_for(struct pa_team *team, uint64_t longest_ns);
/* Waits for running work. NULL is fine. */
void pa_team_destroy(struct pa_team *team);

/* Run `work` on a thread of its own, as member 0 of 1, and wait no longer than `longest_ns`. False:
 * it is left behind with its context, which must stay. Without a thread it runs on the caller's. */
bool pa_team_try(pa_team_work work, void *context, uint64_t longest_ns);
/* True once that happened: exit handlers of libraries may wait for such a thread for ever. */
bool pa_team_left_behind(void);

/* A single thread with no work in common with others (a hub's listener, a progress line). Join it
 * with pthread_join. */
int pa_thread_start(pthread_t *out, void *(*body)(void *), void *context, struct pa_error *error);

/* The processors that this process may run on, in order; at most `most` are written. Returns how
 * many there are. */
int pa_processors_allowed(int *out, int most);
/* Let the calling thread run on these alone. What the system refuses is left as it was. */
void pa_processors_bind(const int *processors, int count);

#endif
