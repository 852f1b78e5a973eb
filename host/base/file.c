/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int file, const char *path, size_t most_bytes, struct pa_buffer *out,
                    struct pa_error *error) {
    uint8_t chunk[65536];
    size_t total = 0;
    for (;;) {
        ssize_t got = read(file, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return pa_fail(error, PA_ENOINPUT, "reading %s: %s", path, strerror(errno));
        if (got == 0)
            return out->failed ? pa_fail(error, PA_EMEMORY, "reading %s: out of memory", path)
                               : PA_OK;
        total += (size_t)got;
        if (total > most_bytes)
            return pa_fail(error, PA_EINPUT,
                           "reading %s: it is larger than the %zu bytes allowed for such a file",
                           path, most_bytes);
        pa_buffer_bytes(out, chunk, (size_t)got);
    }
}

int pa_file_read(const char *path, size_t most_bytes, struct pa_buffer *out,
                 struct pa_error *error) {
    /* O_NONBLOCK: a named pipe must not hang us; it is refused as "not a regular file" below. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return pa_fail(error, PA_ENOINPUT, "opening %s: %s", path, strerror(errno));
    struct stat facts;
    int code;
    if (fstat(file, &facts) != 0)
        code = pa_fail(error, PA_ENOINPUT, "reading %s: %s", path, strerror(errno));
    else if (!S_ISREG(facts.st_mode))
        code = pa_fail(error, PA_EINPUT, "reading %s: it is not a regular file", path);
    else
        code = read_all(file, path, most_bytes, out, error);
    close(file);
    return code;
}

static int write_all(int file, const uint8_t *data, size_t size) {
    while (size > 0) {
        ssize_t put = write(file, data, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        data += put;
        size -= (size_t)put;
    }
    return 0;
}

/* The rename is durable only once its directory is synced. */
static void sync_directory_of(const char *path) {
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);
    if (length >= sizeof directory)
        return;
    memcpy(directory, path, length);
    directory[length] = '\0';
    const char *name = slash == NULL ? "." : length == 0 ? "/" : directory;
    int handle = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0)
        return;
    fsync(handle);
    close(handle);
}

static int refuse_write(const char *path, int cause, struct pa_error *error) {
    return pa_fail(error, PA_EWRITE, "writing %s: %s; nothing was changed", path, strerror(cause));
}

int pa_file_stage(const char *path, const void *data, size_t size, mode_t mode,
                  char temporary[PATH_MAX], struct pa_error *error) {
    int length = snprintf(temporary, PATH_MAX, "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= PATH_MAX)
        return pa_fail(error, PA_EWRITE, "writing %.200s...: the path is too long", path);
    int file = mkostemp(temporary, O_CLOEXEC);
    if (file < 0)
        return pa_fail(error, PA_EWRITE, "writing %s: %s", path, strerror(errno));
    bool written = fchmod(file, mode) == 0 && write_all(file, data, size) == 0 && fsync(file) == 0;
    int cause = errno;
    if (close(file) != 0 && written) {
        written = false;
        cause = errno;
    }
    if (!written) {
        unlink(temporary);
        return refuse_write(path, cause, error);
    }
    return PA_OK;
}

int pa_file_settle(const char *temporary, const char *path, struct pa_error *error) {
    if (rename(temporary, path) != 0) {
        int cause = errno;
        unlink(temporary);
        return refuse_write(path, cause, error);
    }
    sync_directory_of(path);
    return PA_OK;
}

int pa_file_write(const char *path, const void *data, size_t size, mode_t mode,
                  struct pa_error *error) {
    char temporary[PATH_MAX];
    PA_TRY(pa_file_stage(path, data, size, mode, temporary, error));
    return pa_file_settle(temporary, path, error);
}

int pa_directory_make(const char *path, struct pa_error *error) {
    struct stat facts;
    if (mkdir(path, 0777) == 0)
        return PA_OK;
    int cause = errno;
    if (cause == EEXIST && stat(path, &facts) == 0 && S_ISDIR(facts.st_mode))
        return PA_OK;
    return pa_fail(error, PA_EWRITE, "making the directory %s: %s", path, strerror(cause));
}

/* Length of the well-formed UTF-8 sequence at `text` (RFC 3629: shortest form, no surrogates), 0
 * when there is none. */
static size_t utf8_length(const unsigned char *text) {
    static const struct {
        unsigned char first, last, second_least, second_most, length;
    } forms[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    if (text[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (text[0] < forms[i].first || text[0] > forms[i].last)
            continue;
        if (text[1] < forms[i].second_least || text[1] > forms[i].second_most)
            return 0;
        for (size_t k = 2; k < forms[i].length; k++)
            if ((text[k] & 0xC0) != 0x80)
                return 0;
        return forms[i].length;
    }
    return 0;
}

int pa_path_join(char out[PATH_MAX], const char *folder, const char *name, struct pa_error *error) {
    if ((size_t)snprintf(out, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
        return pa_fail(error, PA_EWRITE, "the path %.100s.../%.100s is too long", folder, name);
    return PA_OK;
}

void pa_printable(char *out, size_t size, const char *text) {
    size_t used = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
        size_t length = utf8_length(p);
        /* C0, DEL, and C1 (U+0080..U+009F, which terminals obey too) */
        bool control = length == 0 || p[0] < 0x20 || p[0] == 0x7F || (p[0] == 0xC2 && p[1] < 0xA0);
        size_t wanted = control ? 1 : length;
        if (used + wanted >= size)
            break;
        if (control)
            out[used] = '?';
        else
            memcpy(out + used, p, wanted);
        used += wanted;
        p += length == 0 ? 1 : length;
    }
    if (size > 0)
        out[used] = '\0';
}

uint64_t pa_files_allow(uint64_t wanted) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return 0;
    if (files.rlim_cur < wanted) {
        struct rlimit more = {.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted,
                              .rlim_max = files.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &more) == 0)
            files = more;
    }
    return files.rlim_cur;
}
