/* SPDX-License-Identifier: Apache-2.0 */
#include "command/passphrase.h"

#include "base/base.h"
#include "certificate/key_lock.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char variable[] = "PETAUDIT_PASSPHRASE_FILE";

void pa_passphrase_wipe(struct pa_buffer *passphrase) {
    if (passphrase->data != NULL)
        OPENSSL_cleanse(passphrase->data, passphrase->capacity);
    pa_buffer_free(passphrase);
}

static int read_first_line(const char *path, struct pa_buffer *out, struct pa_error *error) {
    struct stat facts;
    struct pa_buffer file = {0};
    if (stat(path, &facts) == 0 && S_ISREG(facts.st_mode) && (facts.st_mode & 077) != 0)
        return pa_fail(error, PA_EINPUT,
                       "reading the passphrase in %s (%s): others than its owner may read it; run "
                       "\"chmod 600\" on it",
                       path, variable);
    int code = pa_file_read(path, PA_PASSPHRASE_MOST_BYTES, &file, error);
    if (code == PA_OK) {
        size_t length = 0;
        while (length < file.size && strchr("\r\n", file.data[length]) == NULL)
            length++; /* strchr finds a zero byte as well: the passphrase ends there */
        pa_buffer_bytes(out, file.data, length);
        pa_buffer_bytes(out, "", 1);
        if (length == 0)
            code = pa_fail(error, PA_EINPUT,
                           "reading the passphrase in %s (%s): its first line is empty", path,
                           variable);
        else if (out->failed)
            code = pa_fail(error, PA_EMEMORY, "reading the passphrase in %s: out of memory", path);
    }
    pa_passphrase_wipe(&file);
    return code;
}

int pa_passphrase_ask(const char *path, struct pa_buffer *out, struct pa_error *error) {
    const char *file = getenv(variable);
    if (file != NULL)
        return read_first_line(file, out, error);
    if (!isatty(STDIN_FILENO))
        return pa_fail(error, PA_EINPUT,
                       "unlocking key %s: it has a passphrase and there is no terminal to ask for "
                       "it; name a file that holds it in %s",
                       path, variable);
    char typed[PA_PASSPHRASE_MOST_BYTES + 1], prompt[256];
    snprintf(prompt, sizeof prompt, "Passphrase of %.200s: ", path);
    int status = EVP_read_pw_string(typed, sizeof typed, prompt, 0);
    if (status == 0)
        pa_buffer_bytes(out, typed, strlen(typed) + 1);
    OPENSSL_cleanse(typed, sizeof typed);
    if (status != 0)
        return pa_fail(error, PA_EINPUT, "unlocking key %s: no passphrase was given", path);
    return out->failed ? pa_fail(error, PA_EMEMORY, "unlocking key %s: out of memory", path)
                       : PA_OK;
}

int pa_passphrase_for_new(struct pa_buffer *out, struct pa_error *error) {
    const char *file = getenv(variable);
    return file == NULL ? PA_OK : read_first_line(file, out, error);
}
