/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/store_room.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/statvfs.h>

enum {
    MIB_BITS = 20,
    /* Files run out as well: a small session is three and hardly more bytes than they stand for.
     * Enough for the logs and results of all sessions that can be open. */
    LEAST_FILES = 4096,
    /* Short of room is left behind only with this part of the reserve more, so that a store at the
     * very edge does not tell its operator of each request. */
    MARGIN_PART = 16,
};

struct free_room {
    uint64_t bytes;
    bool has_files;
};

static bool look(const char *folder, struct free_room *out) {
    struct statvfs facts;
    if (statvfs(folder, &facts) != 0 || facts.f_blocks == 0)
        return false;
    unsigned long unit = facts.f_frsize != 0 ? facts.f_frsize : facts.f_bsize;
    if (__builtin_mul_overflow((uint64_t)facts.f_bavail, (uint64_t)unit, &out->bytes))
        out->bytes = UINT64_MAX;
    /* Some file systems make files as they are needed, and say 0. */
    out->has_files = facts.f_files == 0 || facts.f_favail >= LEAST_FILES;
    return true;
}

static void tell(struct pa_store_room *room, bool is_short, const struct free_room *left) {
    char text[512];
    if (atomic_exchange(&room->is_short, is_short) == is_short || room->say == NULL)
        return;
    if (is_short && !left->has_files)
        snprintf(text, sizeof text,
                 "%.300s: hardly any files can be made there: new sessions are refused, those that "
                 "run go on. Make room, or give --keep-free off if it tells no number of files",
                 room->folder);
    else if (is_short)
        snprintf(text, sizeof text,
                 "%.300s: %llu MiB are free, less than the %llu MiB of --keep-free: new sessions "
                 "are refused, those that run go on. Make room",
                 room->folder, (unsigned long long)(left->bytes >> MIB_BITS),
                 (unsigned long long)(room->keep_bytes >> MIB_BITS));
    else
        snprintf(text, sizeof text, "%.300s: there is room again: new sessions are taken",
                 room->folder);
    room->say(room->context, text);
}

int pa_store_room_check(struct pa_store_room *room, uint64_t wanted_bytes, const char *doing,
                        struct pa_error *error) {
    struct free_room left;
    if (room->keep_bytes == 0 || !look(room->folder, &left))
        return PA_OK;
    uint64_t margin = atomic_load(&room->is_short) ? room->keep_bytes / MARGIN_PART : 0;
    bool is_short =
        !left.has_files || left.bytes < room->keep_bytes || left.bytes - room->keep_bytes < margin;
    tell(room, is_short, &left);
    if (is_short)
        return pa_fail(error, PA_EWITNESS,
                       "%s: this witness has no room for a new session; those that run go on. Ask "
                       "the auditor to make room, then start the audit again",
                       doing);
    /* The site's own doing, not a store that is short of room: nothing for the operator. */
    if (wanted_bytes > left.bytes - room->keep_bytes)
        return pa_fail(error, PA_EWITNESS,
                       "%s: its lists and openings take up to %llu MiB, for which this witness has "
                       "no room. Declare fewer epochs or openings, or ask the auditor to make room",
                       doing, (unsigned long long)(wanted_bytes >> MIB_BITS));
    return PA_OK;
}
