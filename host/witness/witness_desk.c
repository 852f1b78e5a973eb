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
    MOST_OPEN =
        256, /* sessions whose evidence is open at a time: three files and some memory each */
    INTRODUCTION_BYTES = PA_WITNESS_REQUEST_HEADER_BYTES + PA_HASH_BYTES + PA_DECLARED_NAME_BYTES,
    SESSION_NAME_DIGITS = 16,
    TICKET_DRAWN_BYTES = PA_HASH_BYTES / 2, /* the rest is under the desk's seal */
};

/* Longer than any gap between two requests of an audit that is alive and has an epoch under work.
 */
static const uint64_t abandoned_ns = UINT64_C(1800000000000);

struct pa_witness_desk {
    struct pa_witness_desk_options options;
    char folder[PATH_MAX];
    struct pa_store_room store_room;
    struct pa_hash seal;            /* drawn at the start: which tickets are this desk's */
    pthread_mutex_t introduction;   /* one declaration at a time: it takes a serial number */
    pthread_mutex_t lock;           /* of everything below; taken under no seat's lock */
    struct pa_witness_seat **seats; /* owned; each declared session has one */
    uint32_t count, room, open;
    struct pa_witness_seat **crowd; /* owned; room for all that are open, for find_crowded */
    uint32_t crowd_count;
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
    free(seat->folder);
    free(seat);
}

/* Under the table's lock; false when memory is out. The seat is the table's from then on. */
static bool add_seat(struct pa_witness_desk *desk, struct pa_witness_seat *seat) {
    if (desk->count == desk->room) {
        uint32_t room = desk->room == 0 ? 64 : 2 * desk->room;
        struct pa_witness_seat **seats = realloc(desk->seats, room * sizeof(*seats));
        if (seats == NULL)
            return false;
        desk->seats = seats;
        desk->room = room;
    }
    desk->seats[desk->count++] = seat;
    return true;
}

static int read_ticket(struct pa_witness_seat *seat, struct pa_error *error) {
    char path[PATH_MAX], text[2 * PA_HASH_BYTES + 1];
    struct pa_buffer content = {0};
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
    return code;
}

/* A session of an earlier process: FOLDER/NAME with its ticket. */
static int remember(struct pa_witness_desk *desk, const char *name, struct pa_error *error) {
    char path[PATH_MAX];
    PA_TRY(pa_path_join(path, desk->folder, name, error));
    struct pa_witness_seat *seat = seat_new();
    if (seat == NULL || (seat->folder = strdup(path)) == NULL || !add_seat(desk, seat)) {
        seat_delete(seat);
        return pa_fail(error, PA_EMEMORY, "opening the witness's store: out of memory");
    }
    seat->is_declared = seat->must_resume = true;
    return read_ticket(seat, error);
}

/* A finished session as well: its site may have died before it had the result. A folder without a
 * ticket is a declaration that was never answered: whoever made it died first. */
static bool is_session(const char *folder, const char *name) {
    char path[PATH_MAX];
    return strlen(name) == SESSION_NAME_DIGITS && name[strspn(name, "0123456789abcdef")] == '\0' &&
           snprintf(path, sizeof path, "%s/%s/ticket", folder, name) < PATH_MAX &&
           access(path, F_OK) == 0;
}

static int remember_all(struct pa_witness_desk *desk, struct pa_error *error) {
    int code = PA_OK;
    DIR *folder = opendir(desk->folder);
    if (folder == NULL)
        return pa_fail(error, PA_ENOINPUT, "opening the witness's store %s failed", desk->folder);
    for (struct dirent *entry; code == PA_OK && (entry = readdir(folder)) != NULL;)
        if (is_session(desk->folder, entry->d_name))
            code = remember(desk, entry->d_name, error);
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
    if (desk->options.most_open == 0)
        desk->options.most_open = MOST_OPEN;
    if (desk->options.abandoned_ns == 0)
        desk->options.abandoned_ns = abandoned_ns;
    desk->crowd = calloc(desk->options.most_open, sizeof(*desk->crowd));
    int code = desk->crowd != NULL
                   ? PA_OK
                   : pa_fail(error, PA_EMEMORY, "opening the witness's store: out of memory");
    if ((size_t)snprintf(desk->folder, sizeof desk->folder, "%s", options->folder) >=
        sizeof desk->folder)
        code = pa_fail(error, PA_EUSAGE, "--store: the path is too long");
    desk->options.folder = desk->folder;
    desk->store_room = (struct pa_store_room){.folder = desk->folder,
                                              .keep_bytes = options->keep_free_bytes,
                                              .say = options->say,
                                              .context = options->context};
    if (code == PA_OK && RAND_priv_bytes(desk->seal.bytes, PA_HASH_BYTES) != 1)
        code = pa_fail(error, PA_EINTERNAL,
                       "opening the witness's desk: the system's random numbers are not available");
    if (code == PA_OK)
        code = remember_all(desk, error);
    if (code != PA_OK) {
        pa_witness_desk_close(desk);
        return code;
    }
    /* A store that is short of room already is told of now, not when the first site is refused. */
    struct pa_error ignored = {0};
    pa_store_room_check(&desk->store_room, 0, "opening the witness's store", &ignored);
    *out = desk;
    return PA_OK;
}

void pa_witness_desk_close(struct pa_witness_desk *desk) {
    if (desk == NULL)
        return;
    for (uint32_t i = 0; i < desk->count; i++)
        seat_delete(desk->seats[i]);
    free(desk->seats);
    free(desk->crowd);
    OPENSSL_cleanse(&desk->seal, sizeof desk->seal);
    pthread_mutex_destroy(&desk->introduction);
    pthread_mutex_destroy(&desk->lock);
    free(desk);
}

/* The second half of a ticket is a seal over the first. So a ticket is known again without having
 * been kept: whoever is only introduced, a million times if he likes, takes no room. */
static void seal_ticket(const struct pa_witness_desk *desk, struct pa_hash *ticket) {
    uint8_t sealed[PA_HASH_BYTES + TICKET_DRAWN_BYTES];
    struct pa_hash hash;
    memcpy(sealed, desk->seal.bytes, PA_HASH_BYTES);
    memcpy(sealed + PA_HASH_BYTES, ticket->bytes, TICKET_DRAWN_BYTES);
    pa_hash_bytes(&hash, "introduction", sealed, sizeof sealed);
    memcpy(ticket->bytes + TICKET_DRAWN_BYTES, hash.bytes, PA_HASH_BYTES - TICKET_DRAWN_BYTES);
    OPENSSL_cleanse(sealed, sizeof sealed);
}

static bool is_introduced(const struct pa_witness_desk *desk, const struct pa_hash *ticket) {
    struct pa_hash sealed = *ticket;
    seal_ticket(desk, &sealed);
    return CRYPTO_memcmp(sealed.bytes, ticket->bytes, PA_HASH_BYTES) == 0;
}

/* Under the table's lock. */
static struct pa_witness_seat *find(struct pa_witness_desk *desk, const struct pa_hash *ticket) {
    struct pa_hash hash;
    pa_witness_ticket_hash(&hash, ticket);
    for (uint32_t i = 0; i < desk->count; i++)
        if (pa_hash_equal(&desk->seats[i]->ticket, &hash))
            return desk->seats[i];
    return NULL;
}

size_t pa_witness_desk_admits(struct pa_witness_desk *desk, const char *bearer) {
    struct pa_hash ticket;
    if (bearer == NULL || !pa_unhex(ticket.bytes, PA_HASH_BYTES, bearer))
        return INTRODUCTION_BYTES;
    pthread_mutex_lock(&desk->lock);
    bool is_known = find(desk, &ticket) != NULL;
    pthread_mutex_unlock(&desk->lock);
    return is_known || is_introduced(desk, &ticket) ? PA_WITNESS_MOST_REQUEST : INTRODUCTION_BYTES;
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
    PA_TRY(pa_store_room_check(&desk->store_room, 0, "introducing a site", error));
    if (RAND_priv_bytes(ticket.bytes, TICKET_DRAWN_BYTES) != 1)
        return pa_fail(error, PA_EINTERNAL,
                       "drawing a ticket: the system's random numbers are not available");
    seal_ticket(desk, &ticket);
    PA_TRY(pa_path_join(path, desk->folder, "sessions", error));
    PA_TRY(pa_session_register_next(path, &claim, site, &serial, error));
    pa_key_public(desk->options.key, key);
    pa_buffer_bytes(body, key, sizeof key);
    pa_buffer_u32(body, serial);
    pa_buffer_bytes(body, ticket.bytes, PA_HASH_BYTES);
    OPENSSL_cleanse(&ticket, sizeof ticket);
    return PA_OK;
}

/* Whose evidence can be closed for another's: of the sessions that nobody is asking for, the one
 * asked for longest ago that loses nothing by it, or that has been given up. Under the table's
 * lock, by which also whoever asked last has let go of the seat's own. */
static struct pa_witness_seat *find_idle(const struct pa_witness_desk *desk) {
    struct pa_witness_seat *found = NULL;
    uint64_t now = pa_clock_raw_ns();
    for (uint32_t i = 0; i < desk->count; i++) {
        struct pa_witness_seat *seat = desk->seats[i];
        bool is_idle =
            seat->is_open && seat->users == 0 &&
            (!pa_witness_seat_is_amid(seat) || now - seat->asked_ns > desk->options.abandoned_ns);
        if (is_idle && (found == NULL || seat->asked_ns < found->asked_ns))
            found = seat;
    }
    return found;
}

/* How many of the sessions that are open are from where this one is, itself left out. Only those
 * are looked at: strangers can fill the table. */
static uint32_t neighbours(const struct pa_witness_desk *desk, const struct pa_witness_seat *seat) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < desk->crowd_count; i++)
        count += desk->crowd[i] != seat &&
                 memcmp(desk->crowd[i]->peer, seat->peer, sizeof seat->peer) == 0;
    return count;
}

/* Everybody is in the middle of something. The most crowded address loses an epoch to `newcomer`,
 * the one asked for longest ago, if it has no fewer than the newcomer's address even then. Under
 * the table's lock. */
static struct pa_witness_seat *find_crowded(struct pa_witness_desk *desk,
                                            const struct pa_witness_seat *newcomer) {
    struct pa_witness_seat *found = NULL;
    desk->crowd_count = 0;
    for (uint32_t i = 0; i < desk->count && desk->crowd_count < desk->options.most_open; i++)
        if (desk->seats[i]->is_open)
            desk->crowd[desk->crowd_count++] = desk->seats[i];
    uint32_t most = neighbours(desk, newcomer);
    for (uint32_t i = 0; i < desk->crowd_count; i++) {
        struct pa_witness_seat *seat = desk->crowd[i];
        uint32_t crowd = neighbours(desk, seat);
        if (seat->users == 0 && (crowd > most || (found != NULL && crowd == most &&
                                                  seat->asked_ns < found->asked_ns))) {
            found = seat;
            most = crowd;
        }
    }
    return found;
}

/* The request's seat, which stays in the table until leave(); whoever declares a session gets a new
 * one. NULL for a ticket without a session. */
static struct pa_witness_seat *come(struct pa_witness_desk *desk,
                                    const struct pa_witness_request *request, bool may_declare) {
    pthread_mutex_lock(&desk->lock);
    struct pa_witness_seat *seat = find(desk, &request->ticket);
    if (seat == NULL && may_declare && request->operation == PA_WITNESS_DECLARE &&
        (seat = seat_new()) != NULL) {
        pa_witness_ticket_hash(&seat->ticket, &request->ticket);
        seat->sequence = request->sequence - 1;
        if (!add_seat(desk, seat)) {
            seat_delete(seat);
            seat = NULL;
        }
    }
    if (seat != NULL) {
        seat->users++;
        seat->asked_ns = pa_clock_raw_ns();
        if (desk->options.peer != NULL)
            desk->options.peer(desk->options.context, seat->peer);
    }
    pthread_mutex_unlock(&desk->lock);
    return seat;
}

/* `idle` could not be closed: it has its place again, which `seat` does not take. */
static void give_back_room(struct pa_witness_desk *desk, struct pa_witness_seat *idle,
                           struct pa_witness_seat *seat) {
    pthread_mutex_lock(&desk->lock);
    if (!idle->is_open)
        desk->open++;
    idle->is_open = true;
    if (seat->users == 1) {
        seat->is_open = false;
        desk->open--;
    }
    pthread_mutex_unlock(&desk->lock);
}

/* See that this seat's evidence may be open: there is room, or another's is closed for it. */
static int make_room(struct pa_witness_desk *desk, struct pa_witness_seat *seat,
                     struct pa_error *error) {
    struct pa_witness_seat *idle = NULL;
    int code = PA_OK;
    pthread_mutex_lock(&desk->lock);
    if (!seat->is_open && desk->open < desk->options.most_open)
        desk->open++;
    else if (!seat->is_open && (idle = find_idle(desk)) == NULL &&
             (idle = find_crowded(desk, seat)) == NULL)
        code = pa_fail(error, PA_EWITNESS,
                       "this witness has %u sessions in work and no room for another",
                       desk->options.most_open);
    if (code == PA_OK)
        seat->is_open = true;
    if (idle != NULL) {
        /* Nobody has it, so this does not wait; who asks for that session now waits for us. */
        pthread_mutex_lock(&idle->lock);
        idle->is_open = false;
    }
    pthread_mutex_unlock(&desk->lock);
    if (idle != NULL) {
        code = pa_witness_seat_sleep(idle, error);
        pthread_mutex_unlock(&idle->lock);
    }
    if (idle != NULL && code != PA_OK)
        give_back_room(desk, idle, seat);
    return code;
}

/* The other end of come(). A seat without a session is gone with the last who used it. */
static void leave(struct pa_witness_desk *desk, struct pa_witness_seat *seat) {
    bool is_over = false;
    pthread_mutex_lock(&desk->lock);
    if (--seat->users == 0 && !seat->is_declared) {
        uint32_t i = 0;
        while (desk->seats[i] != seat)
            i++;
        desk->seats[i] = desk->seats[--desk->count];
        desk->open -= seat->is_open ? 1 : 0;
        is_over = true;
    }
    pthread_mutex_unlock(&desk->lock);
    if (is_over)
        seat_delete(seat);
}

/* Execute, and keep the answer for the case that it is lost on the way. Under the seat's lock. */
static void carry_out(struct pa_witness_desk *desk, struct pa_witness_seat *seat,
                      const struct pa_witness_request *request, const struct pa_hash *hash) {
    struct pa_buffer body = {0};
    struct pa_error error = {0};
    bool takes_serial = request->operation == PA_WITNESS_DECLARE;
    int code = PA_OK;
    if (takes_serial) {
        pthread_mutex_lock(&desk->introduction);
        code = pa_store_room_check(&desk->store_room, pa_witness_seat_wants(request),
                                   "declaring a session", &error);
    }
    if (code == PA_OK)
        code = pa_witness_seat_execute(seat, &desk->options, request, &body, &error);
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
            pa_witness_seat_resume(seat);
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
    bool may_declare = is_introduced(desk, &request.ticket);
    struct pa_witness_seat *seat = come(desk, &request, may_declare);
    /* Who goes on with a session that was never declared must learn that he begins anew. */
    if (seat == NULL && (!may_declare || request.operation == PA_WITNESS_RESUME)) {
        pa_buffer_text(answer, "the ticket is not known to this witness");
        return 401;
    }
    unsigned status = 200;
    int code = PA_OK;
    if (seat != NULL) {
        code = make_room(desk, seat, &error);
        status = code == PA_EWITNESS ? 503 : 200;
    } else {
        code = pa_fail(&error, PA_EWITNESS, "\"%s\": the session is not declared yet",
                       pa_witness_operation_name(request.operation));
    }
    if (code == PA_OK) {
        struct pa_hash hash;
        pa_sha256(&hash, body, size);
        answer_seat(desk, seat, &request, &hash, answer);
    } else if (status == 200) {
        pa_witness_put_answer(answer, code, &error);
    } else {
        pa_buffer_text(answer, error.text);
    }
    if (seat != NULL)
        leave(desk, seat);
    return status;
}
