/* SPDX-License-Identifier: Apache-2.0 */
#include "device/processor_share.h"

#include <hwloc.h>
#include <stdlib.h>
#include <unistd.h>

/* Where a processor stands in the machine. What hwloc does not know comes behind the rest. */
struct spot {
    int processor;
    uint64_t core, thread;
};

static const uint64_t unknown = UINT64_C(1) << 32;

struct hwloc_topology *pa_topology_open(void) {
    /* Plugins that would start vendors' libraries, which may never come back; and the one of
     * libpciaccess, which reads a database of names and never frees it: /sys says where devices
     * are. */
    static const char *const unwanted[] = {"cuda", "nvml",      "opencl", "rsmi",
                                           "gl",   "levelzero", "pci"};
    hwloc_topology_t topology;
    if (hwloc_topology_init(&topology) != 0)
        return NULL;
    for (size_t i = 0; i < sizeof unwanted / sizeof unwanted[0]; i++)
        hwloc_topology_set_components(topology, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST,
                                      unwanted[i]);
    hwloc_topology_set_type_filter(topology, HWLOC_OBJ_PCI_DEVICE, HWLOC_TYPE_FILTER_KEEP_ALL);
    if (hwloc_topology_load(topology) == 0)
        return topology;
    hwloc_topology_destroy(topology);
    return NULL;
}

void pa_topology_close(struct hwloc_topology *topology) {
    if (topology != NULL)
        hwloc_topology_destroy(topology);
}

static struct spot spot_of(hwloc_topology_t topology, int processor) {
    struct spot spot = {processor, unknown + (uint64_t)processor, unknown + (uint64_t)processor};
    hwloc_obj_t thread =
        topology != NULL ? hwloc_get_pu_obj_by_os_index(topology, (unsigned)processor) : NULL;
    if (thread == NULL)
        return spot;
    hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, thread);
    spot.thread = thread->logical_index;
    /* Without cores, as on some virtual machines, a thread is all there is of one. */
    spot.core = core != NULL ? core->logical_index : thread->logical_index;
    return spot;
}

static int by_place(const void *a, const void *b) {
    const struct spot *x = a, *y = b;
    if (x->core != y->core)
        return x->core < y->core ? -1 : 1;
    return x->thread < y->thread ? -1 : x->thread > y->thread;
}

/* Where part `rank` of `size` begins among `whole` things in a row. */
static int64_t begin_of(int rank, int size, int whole) {
    return (int64_t)whole * rank / size;
}

int pa_processors_divide(struct hwloc_topology *topology, const int *allowed, int count, int rank,
                         int size, int *out) {
    if (count < 1)
        return 0;
    if (count < size) {
        out[0] = allowed[rank % count];
        return 1;
    }
    struct spot spots[PA_MOST_PROCESSORS];
    if (count > PA_MOST_PROCESSORS)
        count = PA_MOST_PROCESSORS;
    for (int i = 0; i < count; i++)
        spots[i] = spot_of(topology, allowed[i]);
    qsort(spots, (size_t)count, sizeof spots[0], by_place);
    int cores = 0, taken = 0, core = -1;
    for (int i = 0; i < count; i++)
        cores += i == 0 || spots[i].core != spots[i - 1].core;
    int whole = cores >= size ? cores : count;
    for (int i = 0; i < count; i++) {
        core += i == 0 || spots[i].core != spots[i - 1].core;
        int at = cores >= size ? core : i;
        if (at >= begin_of(rank, size, whole) && at < begin_of(rank + 1, size, whole))
            out[taken++] = spots[i].processor;
    }
    return taken;
}

bool pa_processors_are_bound(struct hwloc_topology *topology, const int *allowed, int count) {
    if (topology == NULL)
        return count < (int)sysconf(_SC_NPROCESSORS_ONLN);
    hwloc_const_bitmap_t all = hwloc_topology_get_allowed_cpuset(topology);
    int known = 0;
    for (int i = 0; i < count; i++)
        known += hwloc_bitmap_isset(all, (unsigned)allowed[i]) != 0;
    return known == count && count < hwloc_bitmap_weight(all);
}

int pa_processors_near(struct hwloc_topology *topology, const char *bus, const int *allowed,
                       int count, int *out) {
    hwloc_obj_t device =
        topology != NULL && bus[0] != '\0' ? hwloc_get_pcidev_by_busidstring(topology, bus) : NULL;
    hwloc_obj_t place = device != NULL ? hwloc_get_non_io_ancestor_obj(topology, device) : NULL;
    int taken = 0;
    for (int i = 0; place != NULL && i < count; i++)
        if (hwloc_bitmap_isset(place->cpuset, (unsigned)allowed[i]))
            out[taken++] = allowed[i];
    return taken < count ? taken : 0;
}

int pa_processors_common(const int *from, int count, const int *among, int among_count, int *out) {
    int taken = 0;
    for (int i = 0; i < count; i++)
        for (int other = 0; other < among_count; other++)
            if (from[i] == among[other]) {
                out[taken++] = from[i];
                break;
            }
    return taken;
}
