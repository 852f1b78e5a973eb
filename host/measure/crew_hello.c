/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/crew_hello.h"

#include "base/clock.h"
#include "device/vendor_library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* On the heap, because a thread that does not come back keeps it. */
struct introduction {
    struct pa_device *const *devices;
    struct pa_vitals_watch *watches;
    struct pa_hello hello;
};

/* What a device tells beside its identity: whether it tells how it fares, and who else is on it.
 * The watch learns the error counts from here on, so that all of the audit's are seen. */
static void describe_company(struct pa_device *device, struct pa_vitals_watch *watch,
                             struct pa_device_facts *out) {
    const struct pa_backend *backend = device->backend;
    struct pa_telemetry now;
    struct pa_error cause = {0};
    if (backend->telemetry != NULL) {
        if (backend->telemetry(device, &now, &cause) == PA_OK)
            pa_vitals_add(watch, &now, pa_clock_raw_ns());
        else
            pa_printable(out->no_telemetry, sizeof out->no_telemetry, cause.text);
    }
    if (backend->occupants != NULL)
        out->occupant_count = backend->occupants(device, out->occupants, PA_MOST_OCCUPANTS);
}

/* The SHA-256 of a library's file, read piece by piece: NVIDIA's are larger than half a gigabyte.
 */
static void library_sha256(const char *path, char out[2 * PA_HASH_BYTES + 1]) {
    enum { PIECE_BYTES = 1 << 20 };
    uint8_t *piece = malloc(PIECE_BYTES);
    FILE *file = fopen(path, "rbe");
    struct pa_hasher hasher;
    struct pa_hash hash;
    size_t got = 0;
    out[0] = '\0';
    pa_hasher_begin(&hasher, NULL);
    while (file != NULL && piece != NULL && (got = fread(piece, 1, PIECE_BYTES, file)) > 0)
        pa_hasher_add(&hasher, piece, got);
    if (file != NULL && piece != NULL && !ferror(file)) {
        pa_hasher_end(&hasher, &hash);
        pa_hex(out, hash.bytes, PA_HASH_BYTES);
    }
    if (file != NULL)
        fclose(file);
    free(piece);
}

static int say_libraries(struct pa_hello *hello, struct pa_error *error) {
    struct pa_vendor_library *loaded = calloc(PA_MOST_VENDOR_LIBRARIES, sizeof *loaded);
    if (loaded == NULL)
        return pa_fail(error, PA_EMEMORY, "describing libraries: out of memory");
    int count = pa_vendor_libraries(loaded, PA_MOST_VENDOR_LIBRARIES);
    for (int i = 0; i < count; i++) {
        struct pa_library_facts *facts = &hello->libraries[hello->library_count++];
        snprintf(facts->name, sizeof facts->name, "%s", loaded[i].name);
        snprintf(facts->path, sizeof facts->path, "%.1000s", loaded[i].path);
        library_sha256(loaded[i].path, facts->sha256);
    }
    free(loaded);
    return PA_OK;
}

static void describe_devices(void *context, int member, int size) {
    struct introduction *introduction = context;
    (void)member;
    (void)size;
    for (uint32_t i = 0; i < introduction->hello.device_count; i++) {
        struct pa_device *device = introduction->devices[i];
        struct pa_device_facts *facts = &introduction->hello.devices[i];
        facts->identity = device->identity;
        snprintf(facts->backend, sizeof facts->backend, "%s", device->backend->name);
        for (int f = 1; f < PA_FORMATS_END; f++)
            device->backend->format(device, (enum pa_format)f, &facts->formats[f]);
        describe_company(device, &introduction->watches[i], facts);
    }
}

int pa_crew_hello(struct pa_device *const *devices, struct pa_vitals_watch *watches, uint32_t count,
                  struct pa_buffer *part, struct pa_error *error) {
    const uint64_t patience_ns = pa_clock_patience_ns(PA_LIBRARY_PATIENCE_NS);
    struct introduction *introduction = calloc(1, sizeof *introduction);
    struct pa_device_facts *facts = calloc(count, sizeof *facts);
    if (introduction == NULL || facts == NULL) {
        free(introduction);
        free(facts);
        return pa_fail(error, PA_EMEMORY, "describing devices: out of memory");
    }
    *introduction = (struct introduction){
        .devices = devices, .watches = watches, .hello = {.device_count = count, .devices = facts}};
    if (!pa_team_try(describe_devices, introduction, patience_ns))
        return pa_fail(error, PA_ETIMEOUT, "describing devices: %s has not come back for %.3g s",
                       pa_vendor_call() != NULL ? pa_vendor_call() : "a call into a library",
                       (double)patience_ns * 1e-9);
    int code = say_libraries(&introduction->hello, error);
    introduction->hello.utc_ns = pa_clock_utc_ns();
    if (code == PA_OK)
        pa_put_hello(part, &introduction->hello);
    pa_hello_free(&introduction->hello);
    free(introduction);
    return code;
}
