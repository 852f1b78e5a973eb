/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/witness_desk.h"

#include "base/file.h"
#include "witness/session_register.h"
#include "witness/witness_seat.h"

#include <dirent.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MOST_SEATS = 256, /* sessions in work at a time; finished ones make room */
    INTRODUCTION_BYTES = PA_WITNESS_REQUEST_HEADER_BYTES + PA_HASH_BYTES + PA_DECLARED_NAME_BYTES,
    SESSION_NAME_DIGITS = 16,
};

struct pa_witness_desk {
    struct pa_witness_desk_options options;
    char folder[PATH_MAX];
    pthread_mutex_t lock;         /* of the table; never waited for under a seat's lock */
    pthread_mutex_t introduction; /* one declaration at a time: it takes a serial number */
    struct pa_witness_seat *seats[MOST_SEATS];
};

static struct pa_witness_seat *seat_new(void) {
    struct pa_witness_seat *seat = calloc(1, sizeof *seat);
    if (seat != NULL)
        pthread_mutex_init(&seat->lock, NULL);
    return seat;
}

static void seat_delete(struct pa_witness_seat *seat) {
    if (seat == NULL)
        return;
    pa_witness_seat_free(seat);
    pthread_mutex_destroy(&seat->lock);
    free(seat);
}

/* A session of an earlier process: FOLDER/NAME with its ticket. */
static int remember(struct pa_witness_desk *desk, const char *name, uint32_t at,
                    struct pa_error *error) {
    char path[PATH_MAX], text[2 * PA_HASH_BYTES + 1];
    struct pa_buffer content = {0};
    struct pa_witness_seat *seat = seat_new();
    if (seat == NULL)
        return pa_fail(error, PA_EMEMORY, "opening the witness's store: out of memory");
    desk->seats[at] = seat;
    PA_TRY(pa_path_join(seat->folder, desk->folder, name, error));
    PA_TRY(pa_path_join(path, seat->folder, "ticket", error));
    int code = pa_file_read(path, sizeof text, &content, error);
    if (code == PA_OK && content.size == sizeof text)
        memcpy(text, content.data, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    if (code == PA_OK &&
        (content.size != sizeof text || !pa_unhex(seat->ticket.bytes, PA_HASH_BYTES, text)))
        code = pa_fail(error, PA_EINPUT, "%s is damaged: expected the hash of a session's ticket",
                       path);
    pa_buffer_free(&content);
    seat->is_declared = seat->must_resume = true;
    return code;
}

/* Sessions that have no result yet may go on; the others are the past. */
static bool is_unfinished(const char *folder, const char *name) {
    static const char *const results[] = {"certificate.json", "test-result.json"};
    char path[PATH_MAX];
    if (strlen(name) != SESSION_NAME_DIGITS || name[strspn(name, "0123456789abcdef")] != '\0')
        return false;
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
        if (snprintf(path, sizeof path, "%s/%s/%s", folder, name, results[i]) >= PATH_MAX ||
            access(path, F_OK) == 0)
            return false;
    return true;
}

static int remember_all(struct pa_witness_desk *desk, struct pa_error *error) {
    int code = PA_OK;
    uint32_t count = 0;
    DIR *folder = opendir(desk->folder);
    if (folder == NULL)
        return pa_fail(error, PA_ENOINPUT, "opening the witness's store %s failed", desk->folder);
    for (struct dirent *entry; code == PA_OK && (entry = readdir(folder)) != NULL;)
        if (is_unfinished(desk->folder, entry->d_name) && count < MOST_SEATS / 2)
            code = remember(desk, entry->d_name, count++, error);
    closedir(folder);
    return code;
}

int pa_witness_desk_open(const struct pa_witness_desk_options *options,
                         struct pa_witness_desk **out, struct pa_error *error) {
    *out = NULL;
    PA_TRY(pa_directory_make(options->folder, error));
    struct pa_witness_desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL)
        return pa_fail(error, PA_EMEMORY, "opening the witness's store: out of memory");
    pthread_mutex_init(&desk->lock, NULL);
    pthread_mutex_init(&desk->introduction, NULL);
    desk->options = *options;
    int code = PA_OK;
    if ((size_t)snprintf(desk->folder, sizeof desk->folder, "%s", options->folder) >=
        sizeof desk->folder)
        code = pa_fail(error, PA_EUSAGE, "--store: the path is too long");
    desk->options.folder = desk->folder;
    if (code == PA_OK)
        code = remember_all(desk, error);
    if (code != PA_OK) {
        pa_witness_desk_close(desk);
        return code;
    }
    *out = desk;
    return PA_OK;
}

void pa_witness_desk_close(struct pa_witness_desk *desk) {
    if (desk == NULL)
        return;
    for (uint32_t i = 0; i < MOST_SEATS; i++)
        seat_delete(desk->seats[i]);
    pthread_mutex_destroy(&desk->introduction);
    pthread_mutex_destroy(&desk->lock);
    free(desk);
}

/* Under the table's lock. */
static struct pa_witness_seat *find(struct pa_witness_desk *desk, const struct pa_hash *ticket) {
    struct pa_hash hash;
    pa_witness_ticket_hash(&hash, ticket);
    for (uint32_t i = 0; i < MOST_SEATS; i++) {
        struct pa_witness_seat *seat = desk->seats[i];
        if (seat != NULL && pa_hash_equal(&seat->ticket, &hash))
            return seat;
    }
    return NULL;
}

size_t pa_witness_desk_admits(struct pa_witness_desk *desk, const char *bearer) {
    struct pa_hash ticket;
    if (bearer == NULL || !pa_unhex(ticket.bytes, PA_HASH_BYTES, bearer))
        return INTRODUCTION_BYTES;
    pthread_mutex_lock(&desk->lock);
    bool is_known = find(desk, &ticket) != NULL;
    pthread_mutex_unlock(&desk->lock);
    return is_known ? PA_WITNESS_MOST_REQUEST : INTRODUCTION_BYTES;
}

/* A seat for somebody new: a free one, or that of the oldest introduction that has come to nothing
 * yet. Under the table's lock, which must not wait for a seat at work. */
static struct pa_witness_seat *free_seat(struct pa_witness_desk *desk) {
    struct pa_witness_seat *oldest = NULL;
    for (uint32_t i = 0; i < MOST_SEATS; i++) {
        struct pa_witness_seat *seat = desk->seats[i];
        if (seat == NULL)
            return desk->seats[i] = seat_new();
        if (pthread_mutex_trylock(&seat->lock) != 0)
            continue;
        if (!seat->is_declared && (oldest == NULL || seat->introduced_ns < oldest->introduced_ns))
            oldest = seat;
        pthread_mutex_unlock(&seat->lock);
    }
    return oldest;
}

/* False when its introduction has just become a session. */
static bool take_seat(struct pa_witness_seat *seat, const struct pa_hash *ticket) {
    pthread_mutex_lock(&seat->lock);
    bool is_free = !seat->is_declared;
    if (is_free) {
        pa_witness_ticket_hash(&seat->ticket, ticket);
        seat->introduced_ns = pa_clock_raw_ns();
        seat->sequence = 0;
        pa_buffer_clear(&seat->answer);
    }
    pthread_mutex_unlock(&seat->lock);
    return is_free;
}

static int introduce(struct pa_witness_desk *desk, const struct pa_witness_request *request,
                     struct pa_buffer *body, struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request->body, request->size);
    struct pa_hash claim, ticket;
    char site[PA_DECLARED_NAME_BYTES] = "", path[PATH_MAX];
    uint8_t key[PA_PUBLIC_KEY_BYTES];
    uint32_t serial;
    pa_read_bytes(&in, claim.bytes, PA_HASH_BYTES);
    if (in.failed || in.left >= sizeof site)
        return pa_fail(error, PA_EWITNESS, "the body of \"introduce\" cannot be understood");
    pa_read_bytes(&in, site, in.left);
    if (RAND_priv_bytes(ticket.bytes, PA_HASH_BYTES) != 1)
        return pa_fail(error, PA_EINTERNAL,
                       "drawing a ticket: the system's random numbers are not available");
    PA_TRY(pa_path_join(path, desk->folder, "sessions", error));
    PA_TRY(pa_session_register_next(path, &claim, site, &serial, error));
    pthread_mutex_lock(&desk->lock);
    struct pa_witness_seat *seat = free_seat(desk);
    bool has_seat = seat != NULL && take_seat(seat, &ticket);
    pthread_mutex_unlock(&desk->lock);
    if (!has_seat)
        return pa_fail(error, PA_EWITNESS,
                       "this witness has %d sessions in work and no room for another", MOST_SEATS);
    pa_key_public(desk->options.key, key);
    pa_buffer_bytes(body, key, sizeof key);
    pa_buffer_u32(body, serial);
    pa_buffer_bytes(body, ticket.bytes, PA_HASH_BYTES);
    OPENSSL_cleanse(&ticket, sizeof ticket);
    return PA_OK;
}

/* Execute, and keep the answer for the case that it is lost on the way. Under the seat's lock. */
static void carry_out(struct pa_witness_desk *desk, struct pa_witness_seat *seat,
                      const struct pa_witness_request *request, const struct pa_hash *hash) {
    struct pa_buffer body = {0};
    struct pa_error error = {0};
    bool takes_serial = request->operation == PA_WITNESS_DECLARE;
    if (takes_serial)
        pthread_mutex_lock(&desk->introduction);
    int code = pa_witness_seat_execute(seat, &desk->options, request, &body, &error);
    if (takes_serial)
        pthread_mutex_unlock(&desk->introduction);
    if (code == PA_OK && body.failed)
        code = pa_fail(&error, PA_EMEMORY, "answering: out of memory");
    pa_buffer_clear(&seat->answer);
    pa_witness_put_answer(&seat->answer, code, &error);
    if (code == PA_OK)
        pa_buffer_bytes(&seat->answer, body.data, body.size);
    pa_buffer_free(&body);
    seat->sequence = request->sequence;
    seat->request = *hash;
}

/* A number that was answered is answered again; the next one is carried out; any other is a site
 * that has lost count. */
static void answer_seat(struct pa_witness_desk *desk, struct pa_witness_seat *seat,
                        const struct pa_witness_request *request, const struct pa_hash *hash,
                        struct pa_buffer *answer) {
    struct pa_error error = {0};
    pthread_mutex_lock(&seat->lock);
    if (request->operation == PA_WITNESS_RESUME) {
        int code = seat->is_declared ? pa_witness_seat_wake(seat, &desk->options, &error)
                                     : pa_fail(&error, PA_EWITNESS, "no session was declared");
        if (code == PA_OK) {
            seat->must_resume = false;
            seat->sequence = request->sequence;
        }
        pa_buffer_clear(&seat->answer);
        pa_witness_put_answer(answer, code, &error);
    } else if (seat->must_resume) {
        pa_fail(&error, PA_EWITNESS,
                "the witness was started anew since: resume the session (petaudit audit --resume)");
        pa_witness_put_answer(answer, PA_EWITNESS, &error);
    } else if (request->sequence == seat->sequence && seat->answer.size > 0 &&
               pa_hash_equal(hash, &seat->request)) {
        pa_buffer_bytes(answer, seat->answer.data, seat->answer.size);
    } else if (request->sequence == seat->sequence + 1) {
        carry_out(desk, seat, request, hash);
        pa_buffer_bytes(answer, seat->answer.data, seat->answer.size);
    } else {
        pa_fail(&error, PA_EWITNESS, "request %llu came where %llu was due",
                (unsigned long long)request->sequence, (unsigned long long)seat->sequence + 1);
        pa_witness_put_answer(answer, PA_EWITNESS, &error);
    }
    pthread_mutex_unlock(&seat->lock);
}

unsigned pa_witness_desk_answer(struct pa_witness_desk *desk, const void *body, size_t size,
                                struct pa_buffer *answer) {
    struct pa_witness_request request;
    struct pa_error error = {0};
    if (pa_witness_get_request(body, size, &request, &error) != PA_OK) {
        pa_buffer_text(answer, error.text);
        return 400;
    }
    if (request.operation == PA_WITNESS_INTRODUCE) {
        struct pa_buffer content = {0};
        int code = introduce(desk, &request, &content, &error);
        pa_witness_put_answer(answer, code, &error);
        pa_buffer_bytes(answer, content.data, code == PA_OK ? content.size : 0);
        pa_buffer_free(&content);
        return 200;
    }
    pthread_mutex_lock(&desk->lock);
    struct pa_witness_seat *seat = find(desk, &request.ticket);
    pthread_mutex_unlock(&desk->lock);
    if (seat == NULL) {
        pa_buffer_text(answer, "the ticket is not known to this witness");
        return 401;
    }
    struct pa_hash hash;
    pa_sha256(&hash, body, size);
    answer_seat(desk, seat, &request, &hash, answer);
    return 200;
}
