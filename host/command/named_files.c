/* SPDX-License-Identifier: Apache-2.0 */
#include "command/named_files.h"

#include "base/base.h"
#include "certificate/certificate.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a path leads: the file, if it is there, and the folder that holds or would hold it. */
struct spot {
    bool is_there, has_folder;
    struct stat file, folder;
    const char *name;
};

static struct spot spot_of(const char *path) {
    struct spot out = {.name = path};
    char folder[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (slash != NULL) {
        size_t length = slash == path ? 1 : (size_t)(slash - path);
        out.name = slash + 1;
        if (length >= sizeof folder)
            return out;
        memcpy(folder, path, length);
        folder[length] = '\0';
    }
    out.has_folder = stat(folder, &out.folder) == 0;
    out.is_there = stat(path, &out.file) == 0;
    return out;
}

static bool is_same_node(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool is_same(const struct spot *a, const struct spot *b) {
    if (a->is_there && b->is_there && is_same_node(&a->file, &b->file))
        return true;
    return a->has_folder && b->has_folder && is_same_node(&a->folder, &b->folder) &&
           strcmp(a->name, b->name) == 0;
}

/* What must not be written over, whoever named it; NULL for anything else. */
static const char *find_treasure(const char *path) {
    static const struct {
        const char *first, *what;
    } marks[] = {{"-----BEGIN ", "a key or a key's certificate"}, {"SQLite format 3", "evidence"}};
    char first[16] = "";
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return NULL;
    ssize_t got = read(file, first, sizeof first);
    close(file);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        size_t length = strlen(marks[i].first);
        if (got >= (ssize_t)length && memcmp(first, marks[i].first, length) == 0)
            return marks[i].what;
    }
    return NULL;
}

static int check_kind(const struct pa_named_file *output, const struct spot *spot,
                      struct pa_error *error) {
    if (!spot->is_there || S_ISDIR(spot->file.st_mode))
        return PA_OK; /* a folder is told by who writes */
    if (!S_ISREG(spot->file.st_mode))
        return pa_fail(error, PA_EUSAGE,
                       "%s %.300s is a device or a pipe and would be replaced by a file; nothing "
                       "was written",
                       output->what, output->path);
    const char *treasure = find_treasure(output->path);
    if (treasure == NULL)
        return PA_OK;
    return pa_fail(error, PA_EUSAGE,
                   "%s %.300s holds %s and would be replaced; nothing was written", output->what,
                   output->path, treasure);
}

int pa_named_files_check(const struct pa_named_file *outputs, const struct pa_named_file *inputs,
                         struct pa_error *error) {
    for (const struct pa_named_file *output = outputs; output->what != NULL; output++) {
        if (output->path == NULL)
            continue;
        struct spot spot = spot_of(output->path);
        for (const struct pa_named_file *input = inputs; input->what != NULL; input++) {
            struct spot other = spot_of(input->path == NULL ? "" : input->path);
            if (input->path != NULL && is_same(&spot, &other))
                return pa_fail(error, PA_EUSAGE,
                               "%s %.300s is %s and would be replaced; nothing was written",
                               output->what, output->path, input->what);
        }
        for (const struct pa_named_file *before = outputs; before != output; before++) {
            struct spot other = spot_of(before->path == NULL ? "" : before->path);
            if (before->path != NULL && is_same(&spot, &other))
                return pa_fail(error, PA_EUSAGE,
                               "%s and %s are the same file, %.300s; nothing was written",
                               before->what, output->what, output->path);
        }
        PA_TRY(check_kind(output, &spot, error));
    }
    return PA_OK;
}

int pa_named_files_check_folder(const char *folder, const struct pa_named_file *more,
                                const struct pa_named_file *inputs, struct pa_error *error) {
    static const char *const names[] = {
        "certificate.json", "test-result.json", "certificate.json.tsq", "test-result.json.tsq",
        "summary.json",     "report.html",      "report.pdf",           PA_DEVICE_LIST_NAME};
    enum { NAMES = sizeof names / sizeof names[0], MOST_MORE = 8 };
    static const struct pa_named_file none[] = {{NULL, NULL}};
    char paths[NAMES][PATH_MAX];
    struct pa_named_file outputs[NAMES + MOST_MORE + 1] = {{NULL, NULL}};
    size_t count = 0;
    for (; count < NAMES; count++) {
        PA_TRY(pa_path_join(paths[count], folder, names[count], error));
        outputs[count] = (struct pa_named_file){"the result", paths[count]};
    }
    for (const struct pa_named_file *extra = more != NULL ? more : none;
         extra->what != NULL && count < NAMES + MOST_MORE; extra++)
        outputs[count++] = *extra;
    return pa_named_files_check(outputs, inputs, error);
}
