/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/crew_devices.h"

#include "base/clock.h"
#include "device/processor_share.h"
#include "device/vendor_library.h"
#include "measure/crew_hello.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* On the heap, because a thread that does not come back keeps it. */
struct opening {
    struct pa_crew_options options;
    struct pa_crew_device *devices;
    uint32_t count;
    struct hwloc_topology *topology;
    int allowed[PA_MOST_PROCESSORS], share[PA_MOST_PROCESSORS], near[PA_MOST_PROCESSORS];
    int allowed_count, share_count;
    _Atomic(const char *) backend; /* being opened */
    struct pa_error error;
    int code;
};

/* Several processes on a host that all see its accelerators take a share each, side by side. Fewer
 * accelerators than processes: the launcher gave each process its own. */
static bool is_ours(int index, int count, const struct pa_crew_options *options) {
    if (options->local_size < 2 || count < options->local_size)
        return true;
    return (int)((int64_t)index * options->local_size / count) == options->local_rank;
}

/* The processors of this process: all that a launcher gave it, else its part of the host's. */
static void find_share(struct opening *opening) {
    int count = pa_processors_allowed(opening->allowed, PA_MOST_PROCESSORS);
    opening->allowed_count = count < PA_MOST_PROCESSORS ? count : PA_MOST_PROCESSORS;
    opening->topology = pa_topology_open();
    bool is_whole =
        opening->options.local_size < 2 ||
        pa_processors_are_bound(opening->topology, opening->allowed, opening->allowed_count);
    opening->share_count =
        pa_processors_divide(opening->topology, opening->allowed, opening->allowed_count,
                             is_whole ? 0 : opening->options.local_rank,
                             is_whole ? 1 : opening->options.local_size, opening->share);
}

/* The device's thread goes near it, onto the process's own processors there if it has any. */
static int place_near(struct opening *opening, struct pa_crew_device *entry,
                      struct pa_error *error) {
    struct pa_device_identity *identity = &entry->device->identity;
    int all[PA_MOST_PROCESSORS];
    int count = pa_processors_near(opening->topology, identity->bus, opening->allowed,
                                   opening->allowed_count, all);
    int own = pa_processors_common(opening->share, opening->share_count, all, count, opening->near);
    if (count == 0)
        return PA_OK;
    if (own == 0)
        memcpy(opening->near, all, (size_t)count * sizeof *all);
    entry->near_count = own > 0 ? own : count;
    size_t bytes = (size_t)entry->near_count * sizeof *entry->near;
    entry->near = malloc(bytes);
    if (entry->near == NULL)
        return pa_fail(error, PA_EMEMORY, "opening devices: out of memory");
    memcpy(entry->near, opening->near, bytes);
    size_t used = strlen(identity->details);
    snprintf(identity->details + used, sizeof identity->details - used,
             "; driven from %d of the %d processors near it", entry->near_count, count);
    return PA_OK;
}

static int open_backend(struct opening *opening, const struct pa_backend *backend,
                        struct pa_error *error) {
    struct pa_device_options options = {0};
    int count = 0;
    PA_TRY(backend->count(&count, error));
    if (opening->options.local_size > 1 && opening->share_count > 0) {
        options.processors = opening->share;
        options.processor_count = opening->share_count;
    }
    for (int i = 0; i < count; i++) {
        if (!is_ours(i, count, &opening->options))
            continue;
        struct pa_crew_device *grown =
            realloc(opening->devices, ((size_t)opening->count + 1) * sizeof *grown);
        if (grown == NULL)
            return pa_fail(error, PA_EMEMORY, "opening devices: out of memory");
        opening->devices = grown;
        struct pa_crew_device *entry = &grown[opening->count];
        *entry = (struct pa_crew_device){0};
        PA_TRY(backend->open(i, &options, &entry->device, error));
        opening->count++;
        PA_TRY(place_near(opening, entry, error));
    }
    return PA_OK;
}

static int open_devices(struct opening *opening, struct pa_error *error) {
    const char *wanted = opening->options.backend;
    char reasons[512] = "";
    size_t used = 0;
    for (const struct pa_backend *const *backend = pa_backends(); *backend != NULL; backend++) {
        struct pa_error cause = {0};
        bool is_any = wanted == NULL || strcmp(wanted, "all") == 0;
        if (!is_any && strcmp(wanted, (*backend)->name) != 0)
            continue;
        if (wanted == NULL && opening->count > 0)
            break;
        atomic_store(&opening->backend, (*backend)->name);
        int code = open_backend(opening, *backend, &cause);
        if (code != PA_OK && code != PA_EUNSUPPORTED)
            return pa_fail(error, code, "opening %s devices: %s", (*backend)->name, cause.text);
        if (code != PA_OK && used < sizeof reasons)
            used += (size_t)snprintf(reasons + used, sizeof reasons - used, "; %s: %.200s",
                                     (*backend)->name, cause.text);
    }
    if (opening->count == 0)
        return pa_fail(error, PA_EDEVICE, "looking for accelerators: none was found%s", reasons);
    return PA_OK;
}

static void open_all(void *context, int member, int size) {
    struct opening *opening = context;
    (void)member;
    (void)size;
    find_share(opening);
    opening->code = open_devices(opening, &opening->error);
    pa_topology_close(opening->topology);
}

static int say_stuck(struct opening *opening, double seconds, struct pa_error *error) {
    const char *call = pa_vendor_call(), *backend = atomic_load(&opening->backend);
    return pa_fail(error, PA_ETIMEOUT, "opening %s devices: %s has not come back for %.3g s",
                   backend != NULL ? backend : "the", call != NULL ? call : "a call into a library",
                   seconds);
}

/* Libraries are loaded and started here for the first time. */
int pa_crew_devices_open(const struct pa_crew_options *options, struct pa_crew_device **out,
                         uint32_t *count, struct pa_error *error) {
    const uint64_t patience_ns = pa_clock_patience_ns(PA_LIBRARY_PATIENCE_NS);
    struct opening *opening = calloc(1, sizeof *opening);
    *out = NULL;
    *count = 0;
    if (opening == NULL)
        return pa_fail(error, PA_EMEMORY, "opening devices: out of memory");
    opening->options = *options;
    if (!pa_team_try(open_all, opening, patience_ns))
        return say_stuck(opening, (double)patience_ns * 1e-9, error);
    int code = opening->code;
    *out = opening->devices;
    *count = opening->count;
    if (code != PA_OK)
        pa_fail(error, code, "%s", opening->error.text);
    free(opening);
    return code;
}
