/* SPDX-License-Identifier: Apache-2.0 */
#include "command/tool_identity.h"

#include "base/base.h"
#include "proof/hash.h"

#include <jansson.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BINARY_BYTES = 1 << 29 };

static void file_sha256(const char *path, char out[2 * PA_HASH_BYTES + 1]) {
    struct pa_buffer content = {0};
    struct pa_hash hash;
    out[0] = '\0';
    if (pa_file_read(path, MOST_BINARY_BYTES, &content, NULL) == PA_OK) {
        pa_sha256(&hash, content.data, content.size);
        pa_hex(out, hash.bytes, PA_HASH_BYTES);
    }
    pa_buffer_free(&content);
}

/* "libdnnl.so.2" of a path that ends so, when it is one of those that matter. */
static const char *library_name(const char *path) {
    static const char *const wanted[] = {"libdnnl.", "libopenblas", "libgomp.", "libcrypto.",
                                         "libsqlite3."};
    const char *name = strrchr(path, '/');
    if (name == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (strncmp(name + 1, wanted[i], strlen(wanted[i])) == 0)
            return name + 1;
    return NULL;
}

static int add_library(struct dl_phdr_info *info, size_t size, void *context) {
    json_t *libraries = context;
    char sha256[2 * PA_HASH_BYTES + 1];
    const char *name = info->dlpi_name != NULL ? library_name(info->dlpi_name) : NULL;
    (void)size;
    if (name == NULL)
        return 0;
    const char *version = strstr(name, ".so.");
    file_sha256(info->dlpi_name, sha256);
    json_array_append_new(libraries, json_pack("{s:s, s:s, s:s, s:s}", "name", name, "version",
                                               version != NULL ? version + 4 : "", "path",
                                               info->dlpi_name, "sha256", sha256));
    return 0;
}

char *pa_tool_identity(void) {
    char sha256[2 * PA_HASH_BYTES + 1];
    json_t *libraries = json_array();
    file_sha256("/proc/self/exe", sha256);
    dl_iterate_phdr(add_library, libraries);
    json_t *note =
        json_pack("{s:s, s:s, s:s, s:s, s:o}", "kind", "tool", "version", PETAUDIT_VERSION,
                  "commit", PETAUDIT_COMMIT, "binary_sha256", sha256, "libraries", libraries);
    char *text = json_dumps(note, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(note);
    return text;
}
