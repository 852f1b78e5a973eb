/* SPDX-License-Identifier: Apache-2.0 */
#include "command/stamps.h"

#include "command/terminal.h"
#include "evidence/record.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const pa_session_stamp_names[PA_SESSION_STAMPS] = {
    [PA_WITNESS_FIRST_NONCE] = "first-nonce", [PA_WITNESS_LAST_ROOT] = "last-root"};

void pa_stamp_find(const char *path, const void *bytes, size_t size, struct pa_stamp_found *out) {
    struct pa_buffer answer = {0};
    struct pa_error why = {0};
    char name[PATH_MAX];
    *out = (struct pa_stamp_found){.state = PA_STAMP_NONE};
    if ((size_t)snprintf(name, sizeof name, "%s.tsr", path) >= sizeof name ||
        access(name, F_OK) != 0)
        return;
    int code = pa_file_read(name, PA_TIME_STAMP_MOST_BYTES, &answer, &why);
    if (code == PA_OK)
        code = pa_time_stamp_check(bytes, size, answer.data, answer.size, &out->stamp, &why);
    out->state = code == PA_OK ? PA_STAMP_HOLDS : PA_STAMP_BROKEN;
    if (code != PA_OK)
        pa_printable(out->failure, sizeof out->failure, why.text);
    pa_buffer_free(&answer);
}

json_t *pa_stamp_object(const struct pa_stamp_found *found) {
    static const char *const states[] = {"none", "holds", "broken"};
    json_t *out = json_pack("{s:s, s:s, s:s, s:b, s:s}", "state", states[found->state], "utc",
                            found->stamp.utc, "authority", found->stamp.authority, "known",
                            found->stamp.is_known ? 1 : 0, "failure", found->failure);
    if (found->witness_utc[0] != '\0')
        json_object_set_new(out, "witness_utc", json_string(found->witness_utc));
    return out;
}

static int write_request(const char *folder, const char *name, const struct pa_hash *value,
                         struct pa_error *error) {
    struct pa_buffer request = {0};
    char path[PATH_MAX];
    PA_TRY(pa_path_join(path, folder, name, error));
    int code = pa_time_stamp_request(value->bytes, PA_HASH_BYTES, &request, error);
    if (code == PA_OK)
        code = pa_file_write(path, request.data, request.size, 0644, error);
    pa_buffer_free(&request);
    return code;
}

void pa_session_stamp_request(void *context, const char *folder, enum pa_witness_moment moment,
                              const struct pa_hash *value) {
    (void)context;
    struct pa_error error = {0};
    char name[64], path[PATH_MAX];
    snprintf(name, sizeof name, "%s.tsq", pa_session_stamp_names[moment]);
    if (pa_path_join(path, folder, name, &error) == PA_OK && moment == PA_WITNESS_FIRST_NONCE &&
        access(path, F_OK) == 0)
        return;
    if (write_request(folder, name, value, &error) != PA_OK)
        pa_say("no time stamp can be asked for: %s", error.text);
}

/* What the stamps of a session must be of. */
struct moments {
    bool is_there[PA_SESSION_STAMPS];
    uint8_t value[PA_SESSION_STAMPS][PA_HASH_BYTES];
    uint64_t utc_ns[PA_SESSION_STAMPS];
};

static void take(struct moments *moments, enum pa_witness_moment moment, const uint8_t *value,
                 uint64_t utc_ns) {
    moments->is_there[moment] = true;
    memcpy(moments->value[moment], value, PA_HASH_BYTES);
    moments->utc_ns[moment] = utc_ns;
}

static int look(void *context, uint64_t index, const struct pa_record *record,
                const uint8_t before[PA_RECORD_HASH_BYTES], struct pa_error *error) {
    (void)index, (void)before;
    struct moments *moments = context;
    struct pa_nonce_record nonce;
    struct pa_root_record root;
    if (record->type == PA_RECORD_NONCE && !moments->is_there[PA_WITNESS_FIRST_NONCE]) {
        PA_TRY(pa_record_nonce(record, &nonce, error));
        take(moments, PA_WITNESS_FIRST_NONCE, nonce.nonce, nonce.at.utc_ns);
    } else if (record->type == PA_RECORD_ROOT) {
        PA_TRY(pa_record_root(record, &root, error));
        take(moments, PA_WITNESS_LAST_ROOT, root.root, root.at.utc_ns);
    }
    return PA_OK;
}

int pa_session_stamps_find(const char *evidence_path, struct pa_store *store,
                           struct pa_stamp_found out[PA_SESSION_STAMPS], struct pa_error *error) {
    struct moments moments = {0};
    const char *slash = strrchr(evidence_path, '/');
    int folder_size = slash == NULL ? 0 : (int)(slash + 1 - evidence_path);
    PA_TRY(pa_store_each(store, look, &moments, error));
    for (int i = 0; i < PA_SESSION_STAMPS; i++) {
        char path[PATH_MAX];
        if (!moments.is_there[i] || folder_size >= PATH_MAX / 2)
            continue;
        snprintf(path, sizeof path, "%.*s%s", folder_size, evidence_path,
                 pa_session_stamp_names[i]);
        pa_stamp_find(path, moments.value[i], PA_HASH_BYTES, &out[i]);
        pa_utc_text(out[i].witness_utc, moments.utc_ns[i]);
    }
    return PA_OK;
}
