/* SPDX-License-Identifier: Apache-2.0 */
/* How the processes of a host divide its processors, on machines that hwloc makes up. */
#include "cmocka_setup.h"

#include "base/team.h"
#include "device/device.h"
#include "device/processor_share.h"

#include <hwloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 256 };

/* Two sockets of eight cores with two threads each, numbered as Linux numbers them: all first
 * threads, then all second ones. */
static const char two_sockets[] =
    "pack:2 [numa] core:8 pu:2(indexes=0,16,1,17,2,18,3,19,4,20,5,21,6,22,7,23,8,24,9,25,10,26,11,"
    "27,12,28,13,29,14,30,15,31)";
static const char *const machines[] = {two_sockets, "pack:3 core:5 pu:1", "core:7 pu:4",
                                       "pack:1 core:1 pu:1", "pack:4 [numa] core:3 pu:2"};

static hwloc_topology_t machine(const char *synthetic) {
    hwloc_topology_t topology;
    assert_int_equal(hwloc_topology_init(&topology), 0);
    assert_int_equal(hwloc_topology_set_synthetic(topology, synthetic), 0);
    assert_int_equal(hwloc_topology_load(topology), 0);
    return topology;
}

static int all_of(hwloc_topology_t topology, int *out) {
    int count = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU);
    for (int i = 0; i < count; i++)
        out[i] = i;
    return count;
}

static int core_of(hwloc_topology_t topology, int processor) {
    hwloc_obj_t thread = hwloc_get_pu_obj_by_os_index(topology, (unsigned)processor);
    return (int)hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, thread)->logical_index;
}

static int cores_among(hwloc_topology_t topology, const int *processors, int count) {
    bool seen[MOST] = {false};
    int cores = 0;
    for (int i = 0; i < count; i++) {
        int core = core_of(topology, processors[i]);
        cores += !seen[core];
        seen[core] = true;
    }
    return cores;
}

struct extent {
    int least, most;
};

static void widen(struct extent *extent, int value) {
    extent->least = value < extent->least ? value : extent->least;
    extent->most = value > extent->most ? value : extent->most;
}

/* What holds of every division; `owner` of a core is set only where cores are divided. */
static void assert_fair(hwloc_topology_t topology, const int *allowed, int count, int size) {
    int users[MOST] = {0}, owner[MOST], part[MOST], total = 0;
    int cores = cores_among(topology, allowed, count);
    struct extent cores_each = {MOST, 0}, each = {MOST, 0}, shared = {MOST, 0};
    for (int i = 0; i < MOST; i++)
        owner[i] = -1;
    for (int rank = 0; rank < size; rank++) {
        int taken = pa_processors_divide(topology, allowed, count, rank, size, part);
        assert_true(taken >= 1);
        widen(&cores_each, cores_among(topology, part, taken));
        widen(&each, taken);
        total += taken;
        for (int i = 0; i < taken; i++) {
            int core = core_of(topology, part[i]);
            users[part[i]]++;
            assert_true(cores < size || owner[core] == -1 || owner[core] == rank);
            owner[core] = rank;
        }
    }
    for (int i = 0; i < count; i++)
        widen(&shared, users[allowed[i]]);
    assert_true(shared.most - shared.least <= 1);
    assert_int_equal(total, size <= count ? count : size);
    if (size <= count)
        assert_int_equal(shared.most, 1); /* disjoint, and nothing is left over */
    if (size <= cores)
        assert_true(cores_each.most - cores_each.least <= 1);
    else
        assert_true(each.most - each.least <= 1);
}

static void any_division_is_disjoint_and_even(void **state) {
    (void)state;
    unsigned seed = 20240229;
    for (size_t m = 0; m < sizeof machines / sizeof machines[0]; m++) {
        hwloc_topology_t topology = machine(machines[m]);
        int all[MOST], some[MOST], count = all_of(topology, all);
        for (int size = 1; size <= 2 * count + 3; size++)
            assert_fair(topology, all, count, size);
        for (int round = 0; round < 400; round++) {
            int left = 0;
            for (int i = 0; i < count; i++)
                if (rand_r(&seed) % 3 != 0)
                    some[left++] = all[i];
            if (left > 0)
                assert_fair(topology, some, left, 1 + rand_r(&seed) % (count + 4));
        }
        hwloc_topology_destroy(topology);
    }
}

static void assert_part(hwloc_topology_t topology, const int *allowed, int count, int rank,
                        int size, const char *expected) {
    char text[512] = "";
    int part[MOST], taken = pa_processors_divide(topology, allowed, count, rank, size, part);
    for (int i = 0; i < taken; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d", i > 0 ? " " : "",
                 part[i]);
    assert_string_equal(text, expected);
}

static void parts_are_whole_cores_of_one_socket(void **state) {
    (void)state;
    hwloc_topology_t topology = machine(two_sockets);
    int all[MOST], count = all_of(topology, all);
    assert_part(topology, all, count, 0, 4, "0 16 1 17 2 18 3 19");
    assert_part(topology, all, count, 2, 4, "8 24 9 25 10 26 11 27");
    assert_part(topology, all, count, 15, 16, "15 31");
    /* More processes than cores: threads of cores, each by itself. */
    assert_part(topology, all, count, 31, 32, "31");
    assert_part(topology, all, count, 33, 40, "1");
    /* A job that was given the second socket, less a thread. */
    static const int given[] = {8, 9, 10, 24, 25};
    assert_part(topology, given, 5, 0, 2, "8 24");
    assert_part(topology, given, 5, 1, 2, "9 25 10");
    hwloc_topology_destroy(topology);
}

static void what_hwloc_does_not_know_is_divided_in_the_kernels_order(void **state) {
    (void)state;
    static const int given[] = {2, 3, 100, 101};
    hwloc_topology_t topology = machine("core:2 pu:2");
    assert_part(NULL, given, 4, 0, 2, "2 3");
    assert_part(NULL, given, 4, 1, 2, "100 101");
    assert_part(topology, given, 4, 1, 3, "100");
    assert_int_equal(pa_processors_divide(topology, given, 0, 0, 1, &(int){0}), 0);
    hwloc_topology_destroy(topology);
}

/* The machine of two sockets with a GPU in the second, as hwloc writes it down. */
static hwloc_topology_t machine_with_gpu(void) {
    static const char gpu[] =
        "<object type=\"Bridge\" gp_index=\"1000\" bridge_type=\"0-1\" depth=\"0\" "
        "bridge_pci=\"0000:[3a-3b]\"><object type=\"PCIDev\" gp_index=\"1001\" "
        "pci_busid=\"0000:3b:00.0\" pci_type=\"0302 [10de:2330] [10de:16c1] a1\" "
        "pci_link_speed=\"0.0\"/></object>";
    static const char end[] = "</object>";
    hwloc_topology_t plain = machine(two_sockets), topology;
    char *text, *at, *next;
    int size;
    assert_int_equal(hwloc_topology_export_xmlbuffer(plain, &text, &size, 0), 0);
    char *more = malloc((size_t)size + sizeof gpu);
    assert_non_null(more);
    /* Before the last end but one: that of the second socket. */
    for (at = next = strstr(text, end); strstr(next + 1, end) != NULL; next = strstr(next + 1, end))
        at = next;
    int length =
        snprintf(more, (size_t)size + sizeof gpu, "%.*s%s%s", (int)(at - text), text, gpu, at);
    assert_int_equal(hwloc_topology_init(&topology), 0);
    hwloc_topology_set_type_filter(topology, HWLOC_OBJ_PCI_DEVICE, HWLOC_TYPE_FILTER_KEEP_ALL);
    assert_int_equal(hwloc_topology_set_xmlbuffer(topology, more, length + 1), 0);
    assert_int_equal(hwloc_topology_load(topology), 0);
    free(more);
    hwloc_free_xmlbuffer(plain, text);
    hwloc_topology_destroy(plain);
    return topology;
}

static void a_gpu_is_driven_from_its_socket(void **state) {
    (void)state;
    hwloc_topology_t topology = machine_with_gpu();
    int all[MOST], near[MOST], common[MOST], count = all_of(topology, all);
    assert_int_equal(pa_processors_near(topology, "0000:3b:00.0", all, count, near), 16);
    for (int i = 0; i < 16; i++)
        assert_int_equal(near[i] % 16 / 8, 1);
    /* Upper case as CUDA writes it; a device that is not there; one without a place. */
    assert_int_equal(pa_processors_near(topology, "0000:3B:00.0", all, count, near), 16);
    assert_int_equal(pa_processors_near(topology, "0000:3c:00.0", all, count, near), 0);
    assert_int_equal(pa_processors_near(topology, "", all, count, near), 0);
    assert_int_equal(pa_processors_near(NULL, "0000:3b:00.0", all, count, near), 0);
    /* Bound to the other socket: nothing is near. Bound to this one: all is. */
    static const int far[] = {0, 1, 16}, close[] = {8, 24};
    assert_int_equal(pa_processors_near(topology, "0000:3b:00.0", far, 3, near), 0);
    assert_int_equal(pa_processors_near(topology, "0000:3b:00.0", close, 2, near), 0);
    static const int mixed[] = {0, 8, 24};
    assert_int_equal(pa_processors_near(topology, "0000:3b:00.0", mixed, 3, near), 2);
    assert_int_equal(pa_processors_common(mixed, 3, near, 2, common), 2);
    assert_int_equal(common[0], 8);
    assert_int_equal(pa_processors_common(far, 3, near, 2, common), 0);
    hwloc_topology_destroy(topology);
}

static void less_than_the_host_has_was_bound_by_a_launcher(void **state) {
    (void)state;
    hwloc_topology_t topology = machine(two_sockets);
    int all[MOST], count = all_of(topology, all);
    static const int foreign[] = {1, 500};
    assert_false(pa_processors_are_bound(topology, all, count));
    assert_true(pa_processors_are_bound(topology, all, count - 1));
    assert_false(pa_processors_are_bound(topology, foreign, 2));
    hwloc_topology_destroy(topology);
}

/* On this machine: who is bound to one processor sees that and no more. */
static int look_from_one_processor(void) {
    int mine[PA_MOST_PROCESSORS], now[PA_MOST_PROCESSORS];
    int count = pa_processors_allowed(mine, PA_MOST_PROCESSORS), last = mine[count - 1];
    struct hwloc_topology *topology = pa_topology_open();
    if (topology == NULL)
        return 10;
    bool was_bound = pa_processors_are_bound(topology, mine, count);
    pa_processors_bind(&last, 1);
    if (pa_processors_allowed(now, PA_MOST_PROCESSORS) != 1 || now[0] != last)
        return 11;
    if (pa_processors_are_bound(topology, now, 1) != (was_bound || count > 1))
        return 12;
    pa_topology_close(topology);
    return 0;
}

static void a_launchers_binding_is_seen_on_this_machine(void **state) {
    (void)state;
    int status;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(look_from_one_processor());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_division_is_disjoint_and_even),
        cmocka_unit_test(parts_are_whole_cores_of_one_socket),
        cmocka_unit_test(what_hwloc_does_not_know_is_divided_in_the_kernels_order),
        cmocka_unit_test(a_gpu_is_driven_from_its_socket),
        cmocka_unit_test(less_than_the_host_has_was_bound_by_a_launcher),
        cmocka_unit_test(a_launchers_binding_is_seen_on_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
