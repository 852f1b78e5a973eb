/* SPDX-License-Identifier: Apache-2.0 */
/* make_hall FOLDER DEVICES EPOCHS CLOSED [hostile|failing] - a session of an invented hall in a
 * witness's store, as the live page would find it after a restart. Prints its name. */
#include "base/file.h"
#include "evidence/evidence.h"
#include "live_hall.h"
#include "proof/proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *what) {
    fprintf(stderr, "make_hall: %s\n", what);
    return 1;
}

static int make_store(const char *folder, const struct pa_buffer *records) {
    char path[PATH_MAX], ticket[66];
    struct pa_store *store = NULL;
    struct pa_error error = {0};
    memset(ticket, 'a', 64);
    ticket[64] = '\n';
    if (pa_directory_make(folder, &error) != PA_OK ||
        pa_path_join(path, folder, "evidence.db", &error) != PA_OK ||
        pa_store_create(path, &store, &error) != PA_OK)
        return fail(error.text);
    int code = pa_store_append(store, records->data, records->size, &error);
    pa_store_close(store);
    if (code != PA_OK || pa_path_join(path, folder, "ticket", &error) != PA_OK ||
        pa_file_write(path, ticket, 65, 0600, &error) != PA_OK)
        return fail(error.text);
    return 0;
}

int main(int argc, char **argv) {
    char folder[PATH_MAX], name[17];
    struct pa_buffer records = {0};
    struct pa_hash session;
    if (argc < 5)
        return fail("make_hall FOLDER DEVICES EPOCHS CLOSED [hostile|failing]");
    struct live_hall hall = {.devices = (uint32_t)strtoul(argv[2], NULL, 10),
                             .epochs = (uint32_t)strtoul(argv[3], NULL, 10),
                             .closed = (uint32_t)strtoul(argv[4], NULL, 10),
                             .openings = 20,
                             .epoch_ns = UINT64_C(10000000000),
                             .end_utc_ns = pa_clock_utc_ns()};
    hall.is_hostile = argc > 5 && strcmp(argv[5], "hostile") == 0;
    hall.is_failing = argc > 5 && strcmp(argv[5], "failing") == 0;
    hall.is_opened = hall.is_failing || hall.closed >= hall.epochs;
    live_hall_put(&hall, &records);
    pa_hash_bytes(&session, "session", records.data, 64);
    pa_hex(name, session.bytes, 8);
    snprintf(folder, sizeof folder, "%s/%s", argv[1], name);
    int status = make_store(folder, &records);
    pa_buffer_free(&records);
    if (status == 0)
        printf("%s\n", name);
    return status;
}
