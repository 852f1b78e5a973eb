/* SPDX-License-Identifier: Apache-2.0 */
#include "device/vendor_file.h"

#include "base/bytes.h"
#include "base/file.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_CACHE_BYTES = 16 << 20 };

static uint64_t le16(const uint8_t *p) {
    return p[0] | (uint64_t)p[1] << 8;
}

static bool is_beyond(uint64_t offset, uint64_t length, uint64_t file_size) {
    return offset > file_size || length > file_size - offset;
}

enum pa_elf pa_elf_look(const uint8_t *bytes, size_t size, uint64_t file_size) {
    if (size < sizeof(Elf64_Ehdr) || memcmp(bytes, ELFMAG, SELFMAG) != 0 ||
        bytes[EI_CLASS] != ELFCLASS64 || bytes[EI_DATA] != ELFDATA2LSB)
        return PA_ELF_OTHER;
    uint64_t table = pa_le64(bytes + offsetof(Elf64_Ehdr, e_phoff));
    uint64_t entry = le16(bytes + offsetof(Elf64_Ehdr, e_phentsize));
    uint64_t count = le16(bytes + offsetof(Elf64_Ehdr, e_phnum));
    if (entry != sizeof(Elf64_Phdr))
        return PA_ELF_OTHER;
    if (is_beyond(table, count * entry, file_size))
        return PA_ELF_CUT;
    if (is_beyond(table, count * entry, size))
        return PA_ELF_OTHER; /* farther on than any linker puts it */
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *header = bytes + table + i * entry;
        if (pa_le32(header) == PT_LOAD &&
            is_beyond(pa_le64(header + offsetof(Elf64_Phdr, p_offset)),
                      pa_le64(header + offsetof(Elf64_Phdr, p_filesz)), file_size))
            return PA_ELF_CUT;
    }
    return PA_ELF_WHOLE;
}

static enum pa_elf look_at(const char *path) {
    static const uint8_t nothing[1];
    enum pa_elf state = PA_ELF_OTHER;
    struct stat facts;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    uint8_t *bytes = malloc(PA_ELF_LOOK_BYTES);
    if (file >= 0 && bytes != NULL && fstat(file, &facts) == 0 && S_ISREG(facts.st_mode)) {
        ssize_t size = read(file, bytes, PA_ELF_LOOK_BYTES);
        state = pa_elf_look(size > 0 ? bytes : nothing, size > 0 ? (size_t)size : 0,
                            (uint64_t)facts.st_size);
    }
    free(bytes);
    if (file >= 0)
        close(file);
    return state;
}

/* The search ends at the first file that the loader would take. */
static bool ends_search(const char *folder, size_t length, const char *name, enum pa_elf *state,
                        char path[PATH_MAX]) {
    if (snprintf(path, PATH_MAX, "%.*s/%s", (int)length, folder, name) >= PATH_MAX)
        return false;
    *state = look_at(path);
    return *state != PA_ELF_OTHER;
}

/* The cache ends with its strings: the paths, each with a zero behind it. Its tables are the
 * loader's own affair. */
static bool ends_in_cache(const char *cache, const char *name, enum pa_elf *state,
                          char path[PATH_MAX]) {
    struct pa_buffer bytes = {0};
    char wanted[NAME_MAX + 2];
    bool is_found = false;
    size_t length = (size_t)snprintf(wanted, sizeof wanted, "/%s", name) + 1;
    if (length <= sizeof wanted && pa_file_read(cache, MOST_CACHE_BYTES, &bytes, NULL) == PA_OK) {
        const uint8_t *at = bytes.data, *end = bytes.data + bytes.size;
        while (!is_found && at != NULL && at < end &&
               (at = memmem(at, (size_t)(end - at), wanted, length)) != NULL) {
            const uint8_t *from = at;
            while (from > bytes.data && from[-1] != '\0')
                from--;
            is_found = *from == '/' &&
                       ends_search((const char *)from, (size_t)(at - from), name, state, path);
            at += length;
        }
    }
    pa_buffer_free(&bytes);
    return is_found;
}

static bool is_systems(const char *folder) {
    return strncmp(folder, "/lib", 4) == 0 || strncmp(folder, "/usr/lib", 8) == 0;
}

/* The folders that the loader goes through for this program. glibc names those of LD_LIBRARY_PATH
 * first and the system's own, which come behind its cache, last. */
static bool ends_in_folders(const char *name, const char *cache, enum pa_elf *state,
                            char path[PATH_MAX]) {
    void *self = dlopen(NULL, RTLD_LAZY);
    Dl_serinfo size = {0};
    bool is_found = false, has_looked = false;
    if (self == NULL || dlinfo(self, RTLD_DI_SERINFOSIZE, &size) != 0)
        return ends_in_cache(cache, name, state, path);
    Dl_serinfo *list = calloc(1, size.dls_size);
    if (list != NULL && dlinfo(self, RTLD_DI_SERINFOSIZE, list) == 0 &&
        dlinfo(self, RTLD_DI_SERINFO, list) == 0)
        for (unsigned i = 0; i < list->dls_cnt && !is_found; i++) {
            const char *folder = list->dls_serpath[i].dls_name;
            if (is_systems(folder) && !has_looked) {
                is_found = ends_in_cache(cache, name, state, path);
                has_looked = true;
            }
            if (!is_found)
                is_found = ends_search(folder, strlen(folder), name, state, path);
        }
    if (!is_found && !has_looked)
        is_found = ends_in_cache(cache, name, state, path);
    free(list);
    return is_found;
}

bool pa_vendor_file_is_cut(const char *name, const char *cache, char path[PATH_MAX]) {
    enum pa_elf state = PA_ELF_OTHER;
    if (strchr(name, '/') == NULL)
        return ends_in_folders(name, cache, &state, path) && state == PA_ELF_CUT;
    snprintf(path, PATH_MAX, "%s", name);
    return look_at(name) == PA_ELF_CUT;
}
