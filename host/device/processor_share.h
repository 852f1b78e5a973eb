/* SPDX-License-Identifier: Apache-2.0 */
/* processor_share.h - which processors of its host a process takes, and which are near a device.
 *
 * Processes that a launcher started side by side without binding them all see the same processors.
 * Each works out its own part from the same machine and the same numbers, without asking the
 * others: whole cores that are neighbours in hwloc's order, so that a part stays within a socket
 * and its memory where it can. A process that a launcher has bound keeps what it was given.
 */
#ifndef PA_DEVICE_PROCESSOR_SHARE_H
#define PA_DEVICE_PROCESSOR_SHARE_H

#include <stdbool.h>

enum { PA_MOST_PROCESSORS = 4096 };

struct hwloc_topology;

/* This machine with its PCI devices; NULL when hwloc cannot read it. Nothing of a vendor is called.
 */
struct hwloc_topology *pa_topology_open(void);
/* NULL is fine. */
void pa_topology_close(struct hwloc_topology *topology);

/* Part `rank` (0 .. size-1) of the `count` processors in `allowed`, into `out` (room for `count`);
 * returns how many, at least 1 where `count` is. Whole cores as long as there are as many cores as
 * parts, single threads of cores as long as those suffice: the parts are disjoint and differ by one
 * at most. With fewer processors than parts they take turns. Without a topology, and for a
 * processor that it does not know, each processor counts as a core. */
int pa_processors_divide(struct hwloc_topology *topology, const int *allowed, int count, int rank,
                         int size, int *out);

/* Whether a launcher bound this process: `allowed` is less than what the host, or the control group
 * of the job, has. */
bool pa_processors_are_bound(struct hwloc_topology *topology, const int *allowed, int count);

/* Those of `allowed` that are nearest to the device plugged in at `bus` ("0000:3b:00.0"); 0 where
 * hwloc does not know the place, or all are equally near. */
int pa_processors_near(struct hwloc_topology *topology, const char *bus, const int *allowed,
                       int count, int *out);

/* Those of `from` that are in `among`, too. */
int pa_processors_common(const int *from, int count, const int *among, int among_count, int *out);

#endif
