/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/witness_seat.h"

#include "base/file.h"
#include "witness/device_register.h"
#include "witness/session_allowance.h"
#include "witness/tail_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MOST_REASON_BYTES = 512,
    MOST_RESULT_BYTES = 1 << 24,
    MOST_KEPT_ANSWER = 4096, /* by a sleeping seat; only pages and results are longer */
};

void pa_witness_ticket_hash(struct pa_hash *out, const struct pa_hash *ticket) {
    pa_hash_bytes(out, "ticket", ticket->bytes, PA_HASH_BYTES);
}

static int malformed(const struct pa_witness_request *request, struct pa_error *error) {
    return pa_fail(error, PA_EWITNESS, "the body of \"%s\" cannot be understood",
                   pa_witness_operation_name(request->operation));
}

static int open_witness(struct pa_witness_seat *seat, const struct pa_witness_desk_options *options,
                        struct pa_error *error) {
    char path[PATH_MAX];
    PA_TRY(pa_path_join(path, options->folder, "sessions", error));
    return pa_self_witness_open(seat->store, options->key, path, &seat->witness, error);
}

int pa_witness_seat_wake(struct pa_witness_seat *seat,
                         const struct pa_witness_desk_options *options, struct pa_error *error) {
    char path[PATH_MAX];
    if (seat->witness != NULL)
        return PA_OK;
    PA_TRY(pa_path_join(path, seat->folder, "evidence.db", error));
    if (seat->store == NULL)
        PA_TRY(pa_store_open(path, &seat->store, error));
    PA_TRY(open_witness(seat, options, error));
    pa_self_witness_limit(seat->witness, options->most_told_bytes);
    return PA_OK;
}

static void close_both(struct pa_witness_seat *seat) {
    if (seat->witness != NULL)
        seat->witness->kind->release(seat->witness);
    pa_store_close(seat->store);
    seat->witness = NULL;
    seat->store = NULL;
    seat->has_epoch = seat->has_half_bit = seat->has_fabric = false;
}

bool pa_witness_seat_is_amid(const struct pa_witness_seat *seat) {
    return seat->has_epoch || seat->has_half_bit || seat->has_fabric;
}

/* The chains of the epoch under work died with the process of before. With its root in, and no
 * list, it could be neither closed nor aborted. */
void pa_witness_seat_resume(struct pa_witness_seat *seat) {
    if (seat->has_epoch)
        pa_self_witness_forget_epoch(seat->witness);
    seat->has_epoch = false;
    seat->must_resume = false;
}

int pa_witness_seat_sleep(struct pa_witness_seat *seat, struct pa_error *error) {
    if (seat->witness != NULL)
        PA_TRY(seat->witness->kind->sync(seat->witness, error));
    close_both(seat);
    /* A request that is sent again because its answer was lost comes within seconds. */
    if (seat->answer.size > MOST_KEPT_ANSWER)
        pa_buffer_free(&seat->answer);
    return PA_OK;
}

void pa_witness_seat_free(struct pa_witness_seat *seat) {
    close_both(seat);
    pa_buffer_free(&seat->answer);
}

/* What a declaration that was refused, or never answered, leaves. */
static void remove_folder(struct pa_witness_seat *seat) {
    static const char *const names[] = {"evidence.db", "evidence.db-wal", "evidence.db-shm",
                                        "ticket"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (pa_path_join(path, seat->folder, names[i], NULL) == PA_OK)
            unlink(path);
    rmdir(seat->folder);
}

/* FOLDER/<first 16 digits of the session's hash>, new, with an empty store. One without a ticket is
 * what a witness left that died over this very declaration, before it had counted it. */
static int make_folder(struct pa_witness_seat *seat, const struct pa_witness_desk_options *options,
                       const struct pa_hash *session, struct pa_error *error) {
    char name[2 * PA_HASH_BYTES + 1], path[PATH_MAX];
    pa_hex(name, session->bytes, 8);
    PA_TRY(pa_path_join(path, options->folder, name, error));
    if ((seat->folder = strdup(path)) == NULL)
        return pa_fail(error, PA_EMEMORY, "declaring a session: out of memory");
    PA_TRY(pa_path_join(path, seat->folder, "ticket", error));
    if (access(path, F_OK) != 0)
        remove_folder(seat);
    PA_TRY(pa_directory_make(seat->folder, error));
    PA_TRY(pa_path_join(path, seat->folder, "evidence.db", error));
    return pa_store_create(path, &seat->store, error);
}

/* The last thing of a declaration: a session that has its ticket's hash can be gone on with. */
static int write_ticket(const struct pa_witness_seat *seat, struct pa_error *error) {
    char path[PATH_MAX], ticket[2 * PA_HASH_BYTES + 2];
    PA_TRY(pa_path_join(path, seat->folder, "ticket", error));
    pa_hex(ticket, seat->ticket.bytes, PA_HASH_BYTES);
    ticket[2 * PA_HASH_BYTES] = '\n';
    return pa_file_write(path, ticket, sizeof ticket - 1, 0600, error);
}

static int first_record(void *context, uint64_t index, const struct pa_record *record,
                        const uint8_t before[PA_RECORD_HASH_BYTES], struct pa_error *error) {
    struct pa_buffer *out = context;
    struct pa_session_record session;
    (void)before;
    (void)index;
    if (record->type == PA_RECORD_SESSION) {
        PA_TRY(pa_record_session(record, &session, error));
        pa_record_put_session(out, &session);
    }
    return 1; /* one is enough */
}

uint64_t pa_witness_seat_wants(const struct pa_witness_request *request) {
    struct pa_reader in = pa_reader_over(request->body, request->size);
    struct pa_declaration declaration;
    struct pa_signature prover;
    struct pa_allowance allowance;
    if (!pa_witness_get_signature(&in, &prover) ||
        pa_declaration_read(&declaration, in.next, in.left, NULL) != PA_OK)
        return 0;
    pa_allowance_begin(&allowance, &declaration);
    pa_declaration_free(&declaration);
    return request->size + allowance.proof_bytes;
}

static int declare(struct pa_witness_seat *seat, const struct pa_witness_desk_options *options,
                   const struct pa_witness_request *request, struct pa_buffer *body,
                   struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request->body, request->size);
    struct pa_signature prover;
    struct pa_hash session;
    if (seat->is_declared)
        return pa_fail(error, PA_EWITNESS, "declaring a session: this site has one already");
    if (!pa_witness_get_signature(&in, &prover))
        return malformed(request, error);
    pa_declaration_session(&session, in.next, in.left);
    int code = make_folder(seat, options, &session, error);
    if (code == PA_OK)
        code = open_witness(seat, options, error);
    if (code == PA_OK)
        code = seat->witness->kind->declare(seat->witness, in.next, in.left, &prover, error);
    if (code == PA_OK)
        code = write_ticket(seat, error);
    if (code == PA_OK) {
        struct pa_error ignored = {0};
        pa_self_witness_limit(seat->witness, options->most_told_bytes);
        seat->is_declared = true;
        pa_store_each(seat->store, first_record, body, &ignored);
        return PA_OK;
    }
    /* A folder that was there before belongs to another session. */
    bool is_ours = seat->store != NULL;
    pa_witness_seat_free(seat);
    if (is_ours)
        remove_folder(seat);
    else if (seat->folder != NULL)
        rmdir(seat->folder); /* an empty one is nobody's: the disk was full */
    free(seat->folder);
    seat->folder = NULL;
    return code;
}

static int note(struct pa_witness_seat *seat, const struct pa_witness_request *request,
                struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request->body, request->size);
    uint64_t epoch = pa_read_u64(&in);
    if (in.failed || (epoch >= PA_EPOCH_NUMBER_END && epoch != PA_NO_EPOCH))
        return malformed(request, error);
    return seat->witness->kind->note(seat->witness, epoch, (const char *)in.next, in.left, error);
}

/* Many notes at once: a large site has one for each device and epoch. The first that is refused
 * ends it; those before stay. They are on disk when it is answered. */
static int notes(struct pa_witness_seat *seat, const struct pa_witness_request *request,
                 struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request->body, request->size);
    struct pa_record record;
    struct pa_note_record found;
    while (!pa_reader_done(&in)) {
        if (in.failed || pa_record_next(&in, &record, error) != PA_OK ||
            record.type != PA_RECORD_NOTE || pa_record_note(&record, &found, error) != PA_OK)
            return malformed(request, error);
        PA_TRY(seat->witness->kind->note_later(seat->witness, record.epoch, found.json,
                                               found.json_bytes, error));
    }
    return seat->witness->kind->sync(seat->witness, error);
}

/* A live reading is dated by the site's clock. How old it was when it was sent is all that is taken
 * from that clock: the witness places it on its own. */
static bool place_readings(struct pa_instant sent, struct pa_power_sample *samples,
                           uint32_t count) {
    struct pa_instant now = pa_clock_now();
    for (uint32_t i = 0; i < count; i++) {
        uint64_t age_ns = sent.raw_ns - samples[i].at.raw_ns;
        if (samples[i].at.raw_ns == 0)
            continue;
        if (samples[i].at.raw_ns > sent.raw_ns || age_ns >= now.raw_ns || age_ns >= now.utc_ns)
            return false;
        samples[i].at = (struct pa_instant){now.raw_ns - age_ns, now.utc_ns - age_ns};
    }
    return true;
}

static int power(struct pa_witness_seat *seat, const struct pa_witness_request *request,
                 struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request->body, request->size);
    struct pa_record record;
    struct pa_power_record readings;
    if (pa_record_next(&in, &record, error) != PA_OK || !pa_reader_done(&in) ||
        record.type != PA_RECORD_POWER || pa_record_power(&record, &readings, error) != PA_OK)
        return malformed(request, error);
    struct pa_power_sample *samples = calloc(readings.count, sizeof *samples);
    if (samples == NULL)
        return pa_fail(error, PA_EMEMORY, "reading %u power samples: out of memory",
                       readings.count);
    for (uint32_t i = 0; i < readings.count; i++)
        samples[i] = pa_power_sample_at(&readings, i);
    int code = place_readings(readings.at, samples, readings.count)
                   ? seat->witness->kind->power(seat->witness, readings.meter, samples,
                                                readings.count, error)
                   : malformed(request, error);
    free(samples);
    return code;
}

static int watermark(struct pa_witness_seat *seat, const struct pa_witness_request *request,
                     struct pa_buffer *body, struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request->body, request->size);
    struct pa_watermark_plan plan = {.bits = pa_read_u32(&in)};
    struct pa_watermark_command command;
    plan.half_ns = pa_read_u64(&in);
    plan.settle_ns = pa_read_u64(&in);
    if (!pa_reader_done(&in))
        return malformed(request, error);
    PA_TRY(seat->witness->kind->watermark(seat->witness, &plan, &command, error));
    seat->has_half_bit = !command.is_over;
    pa_buffer_u32(body, command.half);
    pa_buffer_u16(body, command.is_over ? PA_WITNESS_LEVEL_OVER
                        : command.is_on ? PA_WITNESS_LEVEL_ON
                                        : PA_WITNESS_LEVEL_OFF);
    return PA_OK;
}

static int fabric(struct pa_witness_seat *seat, const struct pa_witness_request *request,
                  struct pa_buffer *body, struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request->body, request->size);
    struct pa_hash out;
    uint32_t stage = pa_read_u32(&in);
    if (in.failed || stage == 0 || stage >= PA_FABRIC_STAGES_END)
        return malformed(request, error);
    PA_TRY(seat->witness->kind->fabric(seat->witness, (enum pa_fabric_stage)stage, in.next, in.left,
                                       &out, error));
    seat->has_fabric = stage != PA_FABRIC_RESULT;
    pa_buffer_bytes(body, out.bytes, sizeof out.bytes);
    return PA_OK;
}

static void tell(const struct pa_witness_seat *seat, const struct pa_witness_desk_options *options,
                 enum pa_witness_moment moment, const struct pa_hash *value) {
    if (options->told != NULL)
        options->told(options->context, seat->folder, moment, value);
}

/* The epoch of a request whose body begins with it. */
static bool get_epoch(struct pa_reader *in, uint64_t *epoch) {
    *epoch = pa_read_u64(in);
    return !in->failed && *epoch < PA_EPOCH_NUMBER_END;
}

static int challenge(struct pa_witness_seat *seat, const struct pa_witness_desk_options *options,
                     const struct pa_witness_request *request, struct pa_buffer *body,
                     struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request->body, request->size);
    struct pa_hash nonce;
    uint64_t epoch;
    if (!get_epoch(&in, &epoch) || !pa_reader_done(&in))
        return malformed(request, error);
    PA_TRY(seat->witness->kind->challenge(seat->witness, epoch, &nonce, error));
    seat->has_epoch = true;
    tell(seat, options, PA_WITNESS_FIRST_NONCE, &nonce);
    pa_buffer_bytes(body, nonce.bytes, PA_HASH_BYTES);
    return PA_OK;
}

static int commit(struct pa_witness_seat *seat, const struct pa_witness_request *request,
                  struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request->body, request->size);
    struct pa_signature prover;
    struct pa_hash root;
    uint64_t epoch;
    bool has_epoch = get_epoch(&in, &epoch);
    pa_read_bytes(&in, root.bytes, PA_HASH_BYTES);
    if (!has_epoch || !pa_witness_get_signature(&in, &prover) || !pa_reader_done(&in))
        return malformed(request, error);
    PA_TRY(seat->witness->kind->commit(seat->witness, epoch, &root, &prover, error));
    seat->root = root;
    return PA_OK;
}

static int reveal(struct pa_witness_seat *seat, const struct pa_witness_desk_options *options,
                  const struct pa_witness_request *request, struct pa_buffer *body,
                  struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request->body, request->size);
    struct pa_record record;
    struct pa_list_record list;
    struct pa_hash key;
    if (pa_record_next(&in, &record, error) != PA_OK || !pa_reader_done(&in) ||
        record.type != PA_RECORD_LIST || pa_record_list(&record, &list, error) != PA_OK)
        return malformed(request, error);
    struct pa_tail *tails = calloc(list.count, sizeof *tails);
    if (tails == NULL)
        return pa_fail(error, PA_EMEMORY, "reading a list of %u devices: out of memory",
                       list.count);
    for (uint32_t d = 0; d < list.count; d++)
        tails[d] = pa_tail_list_at(&list, d);
    int code =
        seat->witness->kind->reveal(seat->witness, record.epoch, tails, list.count, &key, error);
    free(tails);
    PA_TRY(code);
    seat->has_epoch = false;
    tell(seat, options, PA_WITNESS_LAST_ROOT, &seat->root);
    pa_buffer_bytes(body, key.bytes, PA_HASH_BYTES);
    return PA_OK;
}

/* A reason that the site gives: printable and not longer than a line. */
static void get_reason(struct pa_reader *in, char out[MOST_REASON_BYTES]) {
    char raw[MOST_REASON_BYTES];
    size_t length = in->left < sizeof raw - 1 ? in->left : sizeof raw - 1;
    pa_read_bytes(in, raw, length);
    raw[length] = '\0';
    pa_printable(out, MOST_REASON_BYTES, raw);
}

static int abort_epoch(struct pa_witness_seat *seat, const struct pa_witness_request *request,
                       struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request->body, request->size);
    char reason[MOST_REASON_BYTES];
    uint64_t epoch;
    if (!get_epoch(&in, &epoch))
        return malformed(request, error);
    get_reason(&in, reason);
    PA_TRY(seat->witness->kind->abort(seat->witness, epoch, reason, error));
    seat->has_epoch = false;
    return PA_OK;
}

static int interrupt(struct pa_witness_seat *seat, const struct pa_witness_request *request,
                     struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request->body, request->size);
    char reason[MOST_REASON_BYTES];
    get_reason(&in, reason);
    return seat->witness->kind->interrupt(seat->witness, reason, error);
}

static int open_tiles(struct pa_witness_seat *seat, const struct pa_witness_request *request,
                      struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request->body, request->size);
    while (in.left > 0) {
        struct pa_record record;
        struct pa_opening_record opening;
        if (pa_record_next(&in, &record, error) != PA_OK || record.type != PA_RECORD_OPENING ||
            pa_record_opening(&record, &opening, error) != PA_OK)
            return malformed(request, error);
        PA_TRY(seat->witness->kind->open(seat->witness, record.epoch, opening.j, opening.opening,
                                         opening.opening_bytes, error));
    }
    return PA_OK;
}

static int settle(struct pa_witness_seat *seat, const struct pa_witness_request *request,
                  struct pa_buffer *body, struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request->body, request->size);
    uint64_t epoch;
    uint32_t failed;
    if (!get_epoch(&in, &epoch) || !pa_reader_done(&in))
        return malformed(request, error);
    PA_TRY(seat->witness->kind->settle(seat->witness, epoch, &failed, error));
    pa_buffer_u32(body, failed);
    return PA_OK;
}

struct page {
    struct pa_buffer *out;
    uint64_t from;
    size_t begin;
};

static int put_page(void *context, uint64_t index, const struct pa_record *record,
                    const uint8_t before[PA_RECORD_HASH_BYTES], struct pa_error *error) {
    struct page *page = context;
    (void)before;
    (void)error;
    if (index < page->from)
        return PA_OK;
    if (page->out->size > page->begin &&
        page->out->size - page->begin + record->length > PA_WITNESS_PAGE_BYTES)
        return 1;
    pa_buffer_u32(page->out, (uint32_t)record->type);
    pa_buffer_u32(page->out, record->length);
    pa_buffer_bytes(page->out, record->payload, record->length);
    return PA_OK;
}

static int sample(struct pa_witness_seat *seat, const struct pa_witness_request *request,
                  struct pa_buffer *body, struct pa_error *error) {
    struct pa_hash key;
    if (request->size != 0)
        return malformed(request, error);
    PA_TRY(seat->witness->kind->sample(seat->witness, &key, error));
    pa_buffer_bytes(body, key.bytes, PA_HASH_BYTES);
    return PA_OK;
}

static int transcript(struct pa_witness_seat *seat, const struct pa_witness_request *request,
                      struct pa_buffer *body, struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request->body, request->size);
    struct page page = {.out = body, .from = pa_read_u64(&in), .begin = body->size};
    if (!pa_reader_done(&in) || page.from == 0)
        return malformed(request, error);
    /* Also what waits to be written: a site that resumes must find all that the witness counts. */
    PA_TRY(seat->witness->kind->sync(seat->witness, error));
    int code = pa_store_each(seat->store, put_page, &page, error);
    return code == 1 ? PA_OK : code;
}

/* The certificate, or the result of a TEST; judged now where a crash came between signature and
 * judgement. */
static int read_result(struct pa_witness_seat *seat, struct pa_buffer *body,
                       struct pa_error *error) {
    static const char *const names[] = {"certificate.json", "test-result.json"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        PA_TRY(pa_path_join(path, seat->folder, names[i], error));
        if (access(path, F_OK) != 0)
            continue;
        pa_buffer_u16(body, (uint16_t)strlen(names[i]));
        pa_buffer_text(body, names[i]);
        return pa_file_read(path, MOST_RESULT_BYTES, body, error);
    }
    return PA_ENOINPUT;
}

static int result(struct pa_witness_seat *seat, const struct pa_witness_desk_options *options,
                  struct pa_buffer *body, struct pa_error *error) {
    int code = read_result(seat, body, error);
    if (code != PA_ENOINPUT)
        return code;
    PA_TRY(options->conclude(options->context, seat->folder, error));
    code = read_result(seat, body, error);
    return code == PA_ENOINPUT ? pa_fail(error, PA_EINTERNAL,
                                         "the session was judged and left "
                                         "no result")
                               : code;
}

/* Where its devices were before, then the end: what the register says is in the transcript that is
 * signed. */
static int finish(struct pa_witness_seat *seat, const struct pa_witness_desk_options *options,
                  struct pa_error *error) {
    struct pa_buffer notes = {0};
    PA_TRY(seat->witness->kind->sync(seat->witness, error));
    int code = pa_register_enter(options->folder, options->key, seat->store, &notes, error);
    if (code == PA_OK && notes.failed)
        code = pa_fail(error, PA_EMEMORY, "looking into the register of devices: out of memory");
    const char *at = (const char *)notes.data;
    const char *end = at == NULL ? NULL : at + notes.size;
    while (code == PA_OK && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        code = pa_self_witness_note(seat->witness, at, (size_t)(stop - at), error);
        at = stop + 1;
    }
    pa_buffer_free(&notes);
    PA_TRY(code);
    PA_TRY(seat->witness->kind->finish(seat->witness, error));
    seat->has_epoch = seat->has_half_bit = seat->has_fabric = false;
    return options->conclude(options->context, seat->folder, error);
}

int pa_witness_seat_execute(struct pa_witness_seat *seat,
                            const struct pa_witness_desk_options *options,
                            const struct pa_witness_request *request, struct pa_buffer *body,
                            struct pa_error *error) {
    uint64_t gap_ns = 0;
    if (request->operation == PA_WITNESS_DECLARE)
        return declare(seat, options, request, body, error);
    if (!seat->is_declared)
        return pa_fail(error, PA_EWITNESS, "\"%s\": the session is not declared yet",
                       pa_witness_operation_name(request->operation));
    PA_TRY(pa_witness_seat_wake(seat, options, error));
    switch (request->operation) {
    case PA_WITNESS_NOTE:
        return note(seat, request, error);
    case PA_WITNESS_NOTES:
        return notes(seat, request, error);
    case PA_WITNESS_POWER:
        return power(seat, request, error);
    case PA_WITNESS_WATERMARK:
        return watermark(seat, request, body, error);
    case PA_WITNESS_SAMPLE:
        return sample(seat, request, body, error);
    case PA_WITNESS_FABRIC:
        return fabric(seat, request, body, error);
    case PA_WITNESS_CHALLENGE:
        return challenge(seat, options, request, body, error);
    case PA_WITNESS_COMMIT:
        return commit(seat, request, error);
    case PA_WITNESS_REVEAL:
        return reveal(seat, options, request, body, error);
    case PA_WITNESS_ABORT:
        return abort_epoch(seat, request, error);
    case PA_WITNESS_OPEN:
        return open_tiles(seat, request, error);
    case PA_WITNESS_SETTLE:
        return settle(seat, request, body, error);
    case PA_WITNESS_GAP:
        PA_TRY(seat->witness->kind->gap(seat->witness, &gap_ns, error));
        pa_buffer_u64(body, gap_ns);
        return PA_OK;
    case PA_WITNESS_INTERRUPT:
        return interrupt(seat, request, error);
    case PA_WITNESS_FINISH:
        return finish(seat, options, error);
    case PA_WITNESS_TRANSCRIPT:
        return transcript(seat, request, body, error);
    case PA_WITNESS_RESULT:
        return result(seat, options, body, error);
    default:
        return pa_fail(error, PA_EWITNESS, "\"%s\" comes out of turn",
                       pa_witness_operation_name(request->operation));
    }
}
