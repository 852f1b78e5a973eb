/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/key_file.h"

#include "base/base.h"
#include "certificate/key_lock.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CERTIFICATE_DAYS = 3650 };

static const char *const endings[] = {"", ".pub", ".crt"};

static void wipe(struct pa_buffer *buffer) {
    if (buffer->data != NULL)
        OPENSSL_cleanse(buffer->data, buffer->capacity);
    pa_buffer_free(buffer);
}

static int names_make(char names[3][PATH_MAX], const char *path, struct pa_error *error) {
    for (int i = 0; i < 3; i++) {
        int length = snprintf(names[i], PATH_MAX, "%s%s", path, endings[i]);
        if (length <= 0 || length >= PATH_MAX)
            return pa_fail(error, PA_EWRITE, "making a key: the name %.40s... is too long", path);
        struct stat facts;
        if (lstat(names[i], &facts) == 0)
            return pa_fail(error, PA_EWRITE,
                           "making a key: %s is there already and keys are never overwritten; "
                           "choose another name or move it away",
                           names[i]);
        if (errno != ENOENT)
            return pa_fail(error, PA_EWRITE, "making a key at %s: %s", names[i], strerror(errno));
    }
    return PA_OK;
}

static int write_files(char names[3][PATH_MAX], const struct pa_buffer contents[3],
                       struct pa_error *error) {
    static const mode_t modes[] = {0600, 0644, 0644};
    for (int i = 0; i < 3; i++) {
        int code = pa_file_write(names[i], contents[i].data, contents[i].size, modes[i], error);
        if (code != PA_OK) {
            while (i-- > 0)
                unlink(names[i]);
            return code;
        }
    }
    return PA_OK;
}

static int private_pem(const struct pa_key *key, const char *passphrase, struct pa_buffer *out,
                       struct pa_error *error) {
    if (passphrase == NULL)
        return pa_key_to_pem(key, out, error);
    struct pa_buffer plain = {0};
    int code = pa_key_to_pem(key, &plain, error);
    if (code == PA_OK)
        code = pa_key_lock(plain.data, plain.size, passphrase, out, error);
    wipe(&plain);
    return code;
}

int pa_key_file_make(const char *path, const char *passphrase, struct pa_error *error) {
    char names[3][PATH_MAX];
    PA_TRY(names_make(names, path, error));
    struct pa_key *key = NULL;
    struct pa_buffer contents[3] = {{0}};
    uint8_t point[PA_PUBLIC_KEY_BYTES];
    PA_TRY(pa_key_generate(&key, error));
    pa_key_public(key, point);
    int code = private_pem(key, passphrase, &contents[0], error);
    if (code == PA_OK)
        code = pa_public_key_to_pem(point, &contents[1], error);
    if (code == PA_OK)
        code = pa_key_certificate_pem(key, "petaudit", CERTIFICATE_DAYS, &contents[2], error);
    if (code == PA_OK)
        code = write_files(names, contents, error);
    for (int i = 0; i < 3; i++)
        wipe(&contents[i]);
    pa_key_free(key);
    return code;
}

static int load_locked(const char *path, const struct pa_buffer *pem, pa_ask_passphrase *ask,
                       struct pa_key **out, struct pa_error *error) {
    struct pa_buffer passphrase = {0}, plain = {0};
    if (ask == NULL)
        return pa_fail(error, PA_EINPUT, "loading key %s: it is locked with a passphrase", path);
    int code = ask(path, &passphrase, error);
    if (code == PA_OK)
        code =
            pa_key_unlock(path, pem->data, pem->size, (const char *)passphrase.data, &plain, error);
    if (code == PA_OK)
        code = pa_key_from_pem(path, plain.data, plain.size, out, error);
    wipe(&passphrase);
    wipe(&plain);
    return code;
}

int pa_key_file_load(const char *path, pa_ask_passphrase *ask, struct pa_key **out,
                     struct pa_error *error) {
    struct stat facts;
    if (stat(path, &facts) == 0 && S_ISREG(facts.st_mode) && (facts.st_mode & 077) != 0)
        return pa_fail(error, PA_EINPUT,
                       "loading key %s: others than its owner may use it (mode %03o); run \"chmod "
                       "600\" on it, or make a new key if somebody may have copied it",
                       path, (unsigned)(facts.st_mode & 0777));
    struct pa_buffer pem = {0};
    int code = pa_file_read(path, PA_KEY_FILE_MOST_BYTES, &pem, error);
    if (code == PA_OK)
        code = pa_key_is_locked(pem.data, pem.size)
                   ? load_locked(path, &pem, ask, out, error)
                   : pa_key_from_pem(path, pem.data, pem.size, out, error);
    wipe(&pem);
    return code;
}

int pa_key_file_load_public(const char *path, uint8_t out[PA_PUBLIC_KEY_BYTES],
                            struct pa_error *error) {
    struct pa_buffer pem = {0};
    int code = pa_file_read(path, PA_KEY_FILE_MOST_BYTES, &pem, error);
    if (code == PA_OK)
        code = pa_public_key_from_pem(path, pem.data, pem.size, out, error);
    pa_buffer_free(&pem);
    return code;
}
