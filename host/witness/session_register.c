/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/session_register.h"

#include "base/bytes.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { KEY_CHARACTERS = 2 * 64 + 1, LINE_CHARACTERS = 3 * 64 + 3, MOST_REGISTER_BYTES = 1 << 26 };

/* "<claim> <site hash>": what sessions are counted by. Either is enough: a claim's bytes change
 * with a comment in it, and a site that could begin to count anew would try until it is lucky. */
static void register_key(char out[KEY_CHARACTERS + 1], const struct pa_hash *claim,
                         const char *site) {
    struct pa_hash site_hash;
    pa_sha256(&site_hash, site, strlen(site));
    pa_hex(out, claim->bytes, PA_HASH_BYTES);
    out[64] = ' ';
    pa_hex(out + 65, site_hash.bytes, PA_HASH_BYTES);
}

int pa_session_register_next(const char *path, const struct pa_hash *claim, const char *site,
                             uint32_t *serial, struct pa_error *error) {
    struct pa_buffer content = {0};
    char key[KEY_CHARACTERS + 1];
    *serial = 1;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return PA_OK;
    int code = pa_file_read(path, MOST_REGISTER_BYTES, &content, error);
    if (code != PA_OK) {
        pa_buffer_free(&content);
        return pa_fail_in(error, "counting earlier sessions");
    }
    register_key(key, claim, site);
    for (size_t at = 0; at + LINE_CHARACTERS <= content.size; at += LINE_CHARACTERS)
        if (memcmp(content.data + at, key, 64) == 0 ||
            memcmp(content.data + at + 65, key + 65, 64) == 0)
            (*serial)++;
    if (content.size % LINE_CHARACTERS != 0)
        code = pa_fail(error, PA_EINPUT,
                       "counting earlier sessions: %s is damaged (its last line is cut). When the "
                       "power failed while a session was declared, remove what is left of that "
                       "line: the session never began",
                       path);
    pa_buffer_free(&content);
    return code;
}

int pa_session_register_add(const char *path, const struct pa_hash *claim, const char *site,
                            const struct pa_hash *session, struct pa_error *error) {
    char line[LINE_CHARACTERS + 1];
    register_key(line, claim, site);
    line[KEY_CHARACTERS] = ' ';
    pa_hex(line + KEY_CHARACTERS + 1, session->bytes, PA_HASH_BYTES);
    line[LINE_CHARACTERS - 1] = '\n';
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0)
        return pa_fail(error, PA_EWRITE, "registering the session in %s: %s", path,
                       strerror(errno));
    /* One write of one line under a lock: two audits at once cannot tear each other's lines. A full
     * disk can: it takes a part of a line, which goes away again. */
    off_t end = flock(file, LOCK_EX) == 0 ? lseek(file, 0, SEEK_END) : -1;
    ssize_t taken = end < 0 ? -1 : write(file, line, LINE_CHARACTERS);
    bool written = taken == LINE_CHARACTERS && fsync(file) == 0;
    int cause = taken >= 0 && taken < LINE_CHARACTERS ? ENOSPC : errno;
    if (!written && end >= 0 && ftruncate(file, end) != 0)
        cause = errno;
    close(file);
    return written ? PA_OK
                   : pa_fail(error, PA_EWRITE, "registering the session in %s: %s", path,
                             strerror(cause));
}
