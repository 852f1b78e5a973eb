/* SPDX-License-Identifier: Apache-2.0 */
/* What this processor is: CPUID for model, ISA and clock, hwloc for cores, sockets and caches. */
#include "device/cpu.h"

#include "base/clock.h"

#include <hwloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>

static void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4]) {
    if (!__get_cpuid_count(leaf, sub, &out[0], &out[1], &out[2], &out[3]))
        memset(out, 0, 4 * sizeof out[0]);
}

static void read_cpuid(struct pa_cpu_device *device) {
    struct pa_cpu_facts *facts = &device->facts;
    struct pa_device_identity *identity = &device->base.identity;
    uint32_t r[4];
    cpuid(0, 0, r);
    snprintf(identity->vendor, sizeof identity->vendor, "%.4s%.4s%.4s", (const char *)&r[1],
             (const char *)&r[3], (const char *)&r[2]);
    facts->is_amd = strcmp(identity->vendor, "AuthenticAMD") == 0;
    cpuid(1, 0, r);
    facts->family = (r[0] >> 8 & 15) + (r[0] >> 20 & 255);
    facts->model = (r[0] >> 4 & 15) | (r[0] >> 12 & 0xF0);
    facts->has_fma = r[2] >> 12 & 1;
    cpuid(7, 0, r);
    facts->has_avx512 = __builtin_cpu_supports("avx512f") != 0;
    facts->has_vnni = r[2] >> 11 & 1;
    facts->has_amx_bf16 = r[3] >> 22 & 1;
    facts->has_amx_int8 = r[3] >> 25 & 1;
    cpuid(7, 1, r);
    facts->has_avx512_bf16 = r[0] >> 5 & 1;
    char brand[49] = "";
    for (uint32_t i = 0; i < 3; i++) {
        cpuid(0x80000002u + i, 0, r);
        memcpy(brand + 16 * i, r, sizeof r);
    }
    const char *start = brand + strspn(brand, " ");
    snprintf(identity->name, sizeof identity->name, "%s", start);
}

static double cpuid_clock_hz(void) {
    uint32_t r[4];
    cpuid(0x16, 0, r);
    return (r[1] & 0xFFFF) * 1e6;
}

/* Virtual machines hide the highest clock. A chain of dependent additions takes one cycle each, so
 * it tells the clock that the processor really runs at: the best of many short runs, since an
 * interruption can only lengthen one. */
static double timed_clock_hz(void) {
    enum { RUNS = 40, ROUNDS = 40000, ADDITIONS = 16 };
    double best = 0;
    for (int run = 0; run < RUNS; run++) {
        uint64_t rounds = ROUNDS, sum = 0, begin = pa_clock_raw_ns();
        __asm__ volatile("1:\n\t.rept 16\n\tadd %1, %0\n\t.endr\n\tdec %1\n\tjnz 1b"
                         : "+r"(sum), "+r"(rounds)
                         :
                         : "cc");
        double clock = (double)ROUNDS * ADDITIONS * 1e9 / (double)(pa_clock_raw_ns() - begin);
        best = clock > best ? clock : best;
    }
    return best;
}
#else
static void read_cpuid(struct pa_cpu_device *device) {
    snprintf(device->base.identity.name, sizeof device->base.identity.name, "processor");
}

static double cpuid_clock_hz(void) {
    return 0;
}

static double timed_clock_hz(void) {
    return 0;
}
#endif

/* The number after `key` in a small text file of the kernel; 0 when it is not there. */
static double number_in(const char *path, const char *key) {
    char line[256];
    double value = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        const char *digits = strpbrk(line + strlen(key), "0123456789");
        unsigned long long whole = 0;
        if (digits != NULL && sscanf(digits, "%llu", &whole) == 1)
            value = (double)whole;
        break;
    }
    fclose(file);
    return value;
}

static void find_clock(struct pa_cpu_device *device) {
    struct pa_cpu_facts *facts = &device->facts;
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cpufreq/cpuinfo_max_freq",
             device->processors[0]);
    facts->clock_hz = number_in(path, "") * 1e3;
    const char *source = "highest of cpufreq";
    if (facts->clock_hz <= 0) {
        facts->clock_hz = cpuid_clock_hz();
        source = "highest of CPUID";
    }
    if (facts->clock_hz <= 0) {
        facts->clock_hz = timed_clock_hz();
        source = "timed: no source states the highest";
    }
    snprintf(facts->clock_source, sizeof facts->clock_source, "%s",
             facts->clock_hz > 0 ? source : "unknown");
    device->base.identity.clock_hz = facts->clock_hz;
}

static uint64_t least_left(uint64_t free_bytes, uint64_t limit, uint64_t used) {
    uint64_t left = limit > used ? limit - used : 1;
    return limit != 0 && left < free_bytes ? left : free_bytes;
}

uint64_t pa_cpu_memory_available(void) {
    uint64_t free_bytes = (uint64_t)number_in("/proc/meminfo", "MemAvailable:") * 1024;
    free_bytes = least_left(free_bytes, (uint64_t)number_in("/sys/fs/cgroup/memory.max", ""),
                            (uint64_t)number_in("/sys/fs/cgroup/memory.current", ""));
    /* `ulimit -v`: under a tight one the libraries fail in ways of their own, late and unclear. */
    struct rlimit space;
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY)
        free_bytes = least_left(free_bytes, space.rlim_cur,
                                (uint64_t)number_in("/proc/self/status", "VmSize:") * 1024);
    return free_bytes;
}

/* "0-3,8" */
static void list_text(const int *processors, int count, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < count && used < size;) {
        int last = i;
        while (last + 1 < count && processors[last + 1] == processors[last] + 1)
            last++;
        used += (size_t)snprintf(out + used, size - used, last > i ? "%s%d-%d" : "%s%d",
                                 i > 0 ? "," : "", processors[i], processors[last]);
        i = last + 1;
    }
}

static uint64_t cache_kib(hwloc_topology_t topology, hwloc_obj_type_t type) {
    hwloc_obj_t cache = hwloc_get_obj_by_type(topology, type, 0);
    return cache != NULL ? cache->attr->cache.size / 1024 : 0;
}

/* Distinct cores and sockets among the processors in use. */
static void count_cores(hwloc_topology_t topology, struct pa_cpu_device *device,
                        uint32_t *sockets) {
    hwloc_bitmap_t cores = hwloc_bitmap_alloc(), packages = hwloc_bitmap_alloc();
    for (int i = 0; i < device->threads && cores != NULL && packages != NULL; i++) {
        hwloc_obj_t pu = hwloc_get_pu_obj_by_os_index(topology, (unsigned)device->processors[i]);
        hwloc_obj_t core =
            pu != NULL ? hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, pu) : NULL;
        hwloc_obj_t package =
            pu != NULL ? hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_PACKAGE, pu) : NULL;
        hwloc_bitmap_set(cores, core != NULL ? core->logical_index : (unsigned)i);
        hwloc_bitmap_set(packages, package != NULL ? package->logical_index : 0);
    }
    int found = cores != NULL ? hwloc_bitmap_weight(cores) : -1;
    device->facts.cores = found > 0 ? (uint32_t)found : (uint32_t)device->threads;
    found = packages != NULL ? hwloc_bitmap_weight(packages) : -1;
    *sockets = found > 0 ? (uint32_t)found : 1;
    hwloc_bitmap_free(cores);
    hwloc_bitmap_free(packages);
}

static int read_topology(struct pa_cpu_device *device, struct pa_error *error) {
    struct pa_device_identity *identity = &device->base.identity;
    const struct pa_cpu_facts *facts = &device->facts;
    hwloc_topology_t topology;
    uint32_t sockets;
    if (hwloc_topology_init(&topology) != 0)
        return pa_fail(error, PA_EDEVICE, "opening cpu:0: hwloc does not start");
    if (hwloc_topology_load(topology) != 0) {
        hwloc_topology_destroy(topology);
        return pa_fail(error, PA_EDEVICE, "opening cpu:0: hwloc cannot read this machine");
    }
    count_cores(topology, device, &sockets);
    const struct pa_cpu_kernels *kernels = pa_cpu_kernels(pa_cpu_level());
    snprintf(identity->details, sizeof identity->details,
             "family %u model %u; %s%s%s%s%s%s; %u cores, %d threads, %u sockets in use; caches "
             "%llu/%llu/%llu KiB; clock %.3f GHz (%s); petaudit's kernels: %s",
             facts->family, facts->model, facts->has_fma ? "FMA" : "no FMA",
             facts->has_avx512 ? " AVX-512" : "", facts->has_avx512_bf16 ? " AVX-512-BF16" : "",
             facts->has_vnni ? " VNNI" : "", facts->has_amx_bf16 ? " AMX-BF16" : "",
             facts->has_amx_int8 ? " AMX-INT8" : "", facts->cores, device->threads, sockets,
             (unsigned long long)cache_kib(topology, HWLOC_OBJ_L1CACHE),
             (unsigned long long)cache_kib(topology, HWLOC_OBJ_L2CACHE),
             (unsigned long long)cache_kib(topology, HWLOC_OBJ_L3CACHE), facts->clock_hz / 1e9,
             facts->clock_source, kernels->name);
    identity->memory_bytes = hwloc_get_root_obj(topology)->total_memory;
    hwloc_topology_destroy(topology);
    return PA_OK;
}

int pa_cpu_identify(struct pa_cpu_device *device, bool is_part, struct pa_error *error) {
    struct pa_device_identity *identity = &device->base.identity;
    char list[80];
    read_cpuid(device);
    find_clock(device);
    PA_TRY(read_topology(device, error));
    identity->units = device->facts.cores;
    if (gethostname(identity->host, sizeof identity->host) != 0)
        identity->host[0] = '\0';
    identity->host[sizeof identity->host - 1] = '\0';
    list_text(device->processors, device->threads, list, sizeof list);
    snprintf(identity->id, sizeof identity->id, is_part ? "cpu:0/%s" : "cpu:0", list);
    return PA_OK;
}
