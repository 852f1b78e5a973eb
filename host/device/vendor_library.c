/* SPDX-License-Identifier: Apache-2.0 */
#include "device/vendor_library.h"

#include "device/vendor_file.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was loaded; several backends' threads may load at once. */
static struct {
    pthread_mutex_t lock;
    int count;
    struct pa_vendor_library libraries[PA_MOST_VENDOR_LIBRARIES];
    void *handles[PA_MOST_VENDOR_LIBRARIES];
} loaded = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Atomic(const char *) current_call;

void pa_vendor_calling(const char *call) {
    atomic_store(&current_call, call);
}

int pa_vendor_returned(int result) {
    atomic_store(&current_call, NULL);
    return result;
}

const char *pa_vendor_call(void) {
    return atomic_load(&current_call);
}

/* The file behind a handle, symbolic links resolved; empty where the loader does not tell. */
static void path_of(void *handle, char out[PATH_MAX]) {
    struct link_map *map = NULL;
    bool has_path = dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map->l_name != NULL;
    const char *path = has_path ? map->l_name : "";
    if (realpath(path, out) == NULL)
        snprintf(out, PATH_MAX, "%s", path);
}

static void note(const char *name, void *handle) {
    pthread_mutex_lock(&loaded.lock);
    if (loaded.count < PA_MOST_VENDOR_LIBRARIES) {
        struct pa_vendor_library *library = &loaded.libraries[loaded.count];
        snprintf(library->name, sizeof library->name, "%s", name);
        path_of(handle, library->path);
        loaded.handles[loaded.count++] = handle;
    }
    pthread_mutex_unlock(&loaded.lock);
}

/* The handle of the first name that loads; `why` has the loader's words for the first that does
 * not, which is the name that a reader should look for. */
static void *load(const char *const *names, const char **name, char *why, size_t why_size) {
    char path[PATH_MAX];
    why[0] = '\0';
    for (; *names != NULL; names++) {
        bool is_cut = pa_vendor_file_is_cut(*names, "/etc/ld.so.cache", path);
        pa_vendor_calling(*names); /* a library may run code as it is loaded */
        void *handle = is_cut ? NULL : dlopen(*names, RTLD_NOW | RTLD_LOCAL);
        pa_vendor_returned(0);
        *name = *names;
        if (handle != NULL)
            return handle;
        const char *words = is_cut ? NULL : dlerror();
        if (why[0] != '\0')
            continue;
        if (is_cut)
            snprintf(why, why_size,
                     "%.180s is cut short: the file ends before what its headers name", path);
        else
            snprintf(why, why_size, "%s", words != NULL ? words : *names);
    }
    return NULL;
}

int pa_vendor_library_open(const char *const *names, const struct pa_vendor_row *rows,
                           size_t row_count, void *table, struct pa_error *error) {
    char why[256], path[PATH_MAX];
    const char *name = "";
    void *handle = load(names, &name, why, sizeof why);
    if (handle == NULL)
        return pa_fail(error, PA_EUNSUPPORTED, "%s", why);
    for (size_t i = 0; i < row_count; i++) {
        void *symbol = dlsym(handle, rows[i].symbol);
        if (symbol == NULL && rows[i].is_required) {
            path_of(handle, path);
            dlclose(handle);
            return pa_fail(error, PA_EUNSUPPORTED,
                           "%s has no function %s: too old, or another library (%.600s)", name,
                           rows[i].symbol, path);
        }
        /* POSIX's way around C's wall between pointers to objects and to functions. */
        memcpy((char *)table + rows[i].offset, &symbol, sizeof symbol);
    }
    note(name, handle);
    return PA_OK;
}

void *pa_vendor_symbol(const char *symbol) {
    void *found = NULL;
    pthread_mutex_lock(&loaded.lock);
    for (int i = 0; found == NULL && i < loaded.count; i++)
        found = dlsym(loaded.handles[i], symbol);
    pthread_mutex_unlock(&loaded.lock);
    return found;
}

int pa_vendor_libraries(struct pa_vendor_library *out, int most) {
    pthread_mutex_lock(&loaded.lock);
    int count = loaded.count < most ? loaded.count : most;
    for (int i = 0; i < count; i++)
        out[i] = loaded.libraries[i];
    pthread_mutex_unlock(&loaded.lock);
    return count;
}
