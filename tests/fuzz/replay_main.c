/* SPDX-License-Identifier: Apache-2.0 */
/* replay_main.c - runs a fuzz target over files and folders of inputs, without libFuzzer: each
 * input once as it is, once cut in half and once with a flipped bit in its middle, so that a corpus
 * also guards builds that have no fuzzer. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_INPUT_BYTES = 1 << 24 };

/* The target sees a copy of exactly this size, so that a sanitizer notices one byte too many. */
static void run_on(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static bool replay_file(const char *path) {
    struct pa_buffer input = {0};
    struct pa_error error = {0};
    if (pa_file_read(path, MOST_INPUT_BYTES, &input, &error) != PA_OK) {
        fprintf(stderr, "%s\n", error.text);
        return false;
    }
    run_on(input.data, input.size);
    run_on(input.data, input.size / 2);
    if (input.size > 0) {
        input.data[input.size / 2] ^= 0x10;
        run_on(input.data, input.size);
    }
    pa_buffer_free(&input);
    return true;
}

static int replay_folder(const char *path) {
    DIR *folder = opendir(path);
    if (folder == NULL) {
        fprintf(stderr, "cannot read the corpus %s: %s\n", path, strerror(errno));
        return -1;
    }
    int replayed = 0;
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        struct pa_buffer name = {0};
        pa_buffer_format(&name, "%s/%s", path, entry->d_name);
        pa_buffer_bytes(&name, "", 1);
        if (name.failed || !replay_file((const char *)name.data)) {
            pa_buffer_free(&name);
            closedir(folder);
            return -1;
        }
        pa_buffer_free(&name);
        replayed++;
    }
    closedir(folder);
    return replayed;
}

int main(int argc, char **argv) {
    run_on(NULL, 0);
    int replayed = 0;
    for (int i = 1; i < argc; i++) {
        int count = replay_folder(argv[i]);
        if (count < 0)
            return 1;
        replayed += count;
    }
    printf("%d inputs replayed\n", replayed);
    return replayed > 0 ? 0 : 1; /* an empty corpus guards nothing */
}
