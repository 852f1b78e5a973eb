/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/live_session.h"

#include "base/file.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_SUMMARY_BYTES = 1 << 26,
    PATIENT_TRIES =
        10, /* before it is told that a store cannot be opened: it may be in the making */
};

struct pa_live_session {
    char folder[PATH_MAX];
    pthread_rwlock_t lock; /* of everything below: written while evidence is read */
    struct pa_store *store;
    struct pa_live_state state;
    json_t *verdict; /* once the session is judged */
    uint32_t tries;
    bool is_broken; /* its evidence cannot be followed any further; `trouble` says why */
    char trouble[PA_ERROR_TEXT_BYTES];
};

struct pa_live_session *pa_live_session_new(const char *folder) {
    struct pa_live_session *session = calloc(1, sizeof *session);
    if (session == NULL || strlen(folder) >= sizeof session->folder) {
        free(session);
        return NULL;
    }
    strcpy(session->folder, folder);
    pthread_rwlock_init(&session->lock, NULL);
    return session;
}

void pa_live_session_close(struct pa_live_session *session) {
    if (session == NULL)
        return;
    pa_store_close(session->store);
    pa_live_state_free(&session->state);
    json_decref(session->verdict);
    pthread_rwlock_destroy(&session->lock);
    free(session);
}

static int take_record(void *context, uint64_t index, const struct pa_record *record,
                       const uint8_t before[PA_RECORD_HASH_BYTES], struct pa_error *error) {
    (void)index;
    (void)before;
    return pa_live_state_apply(context, record, error);
}

/* A store that is just being made is looked at again; one that does not hold is not. */
static int read_more(struct pa_live_session *session, struct pa_error *error) {
    char path[PATH_MAX];
    if (session->store == NULL) {
        PA_TRY(pa_path_join(path, session->folder, "evidence.db", error));
        PA_TRY(pa_store_open_beside(path, &session->store, error));
    }
    int code = pa_store_follow(session->store, take_record, &session->state, error);
    if (code == PA_OK)
        code = pa_live_state_compare(&session->state, error);
    session->is_broken = code != PA_OK && code != PA_EINPUT;
    session->tries = PATIENT_TRIES;
    return code;
}

/* What summary.json says, as far as a viewer wants to know it at once. */
static json_t *read_verdict(const struct pa_live_session *session) {
    static const char *const members[] = {"verdict", "reason", "verified", "entitlement"};
    char path[PATH_MAX];
    struct pa_buffer bytes = {0};
    json_t *summary = NULL, *out = NULL;
    if (pa_path_join(path, session->folder, "summary.json", NULL) == PA_OK &&
        pa_file_read(path, MOST_SUMMARY_BYTES, &bytes, NULL) == PA_OK)
        summary = json_loadb((const char *)bytes.data, bytes.size, 0, NULL);
    pa_buffer_free(&bytes);
    if (json_is_string(json_object_get(summary, "verdict"))) {
        out = json_object();
        for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
            json_object_set(out, members[i], json_object_get(summary, members[i]));
    }
    json_decref(summary);
    return out;
}

bool pa_live_session_follow(struct pa_live_session *session) {
    struct pa_error error = {0};
    pthread_rwlock_wrlock(&session->lock);
    uint64_t before = session->state.version;
    bool had_verdict = session->verdict != NULL, was_troubled = session->trouble[0] != '\0';
    if (!session->is_broken) {
        bool is_trouble = read_more(session, &error) != PA_OK && ++session->tries > PATIENT_TRIES;
        pa_printable(session->trouble, sizeof session->trouble, is_trouble ? error.text : "");
    }
    if (session->state.is_finished && session->verdict == NULL)
        session->verdict = read_verdict(session);
    bool has_changed = session->state.version != before ||
                       (session->verdict != NULL) != had_verdict ||
                       (session->trouble[0] != '\0') != was_troubled;
    pthread_rwlock_unlock(&session->lock);
    return has_changed;
}

json_t *pa_live_session_message(struct pa_live_session *session, uint64_t *since) {
    pthread_rwlock_rdlock(&session->lock);
    json_t *out = pa_live_state_message(&session->state, *since);
    if (session->verdict != NULL)
        json_object_set(out, "verdict", session->verdict);
    if (session->trouble[0] != '\0')
        json_object_set_new(out, "trouble", json_string(session->trouble));
    *since = session->state.version;
    pthread_rwlock_unlock(&session->lock);
    return out;
}
