/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/remote_witness.h"

#include "base/file.h"
#include "link/link.h"
#include "witness/tail_list.h"
#include "witness/witness_wire.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Openings and notes are sent in batches of about this size. */
enum { BATCH_BYTES = 1 << 20, MOST_TICKET_FILE = 1024, FINGERPRINT_DIGITS = 2 * PA_HASH_BYTES };
enum { UNKNOWN_TICKET = 401 };

/* An answer may wait for a disk, or for openings that the witness computes again. PETAUDIT_PATIENCE
 * shortens it. */
static const uint64_t patience_ns = UINT64_C(120000000000);
/* The first call: an address that is wrong should be known soon. */
static const uint64_t greeting_ns = UINT64_C(20000000000);
/* A judgement takes what it takes, with a witness that can be reached. */
static const uint64_t judging_ns = UINT64_C(3600000000000);

struct remote_witness {
    struct pa_witness base;
    struct pa_link_client *client;
    char url[PA_LINK_URL_BYTES];
    char fingerprint[FINGERPRINT_DIGITS + 1];
    char *ticket_path;
    struct pa_hash ticket;
    uint64_t sequence;
    uint8_t key[PA_PUBLIC_KEY_BYTES];  /* the witness's, from its introduction */
    struct pa_buffer batch;            /* records that are not sent yet, all of */
    enum pa_witness_operation batched; /* one kind: PA_WITNESS_OPEN or PA_WITNESS_NOTES */
    struct pa_buffer answer;
};

static struct remote_witness *remote_of(struct pa_witness *witness) {
    return (struct remote_witness *)witness;
}

/* Send `request` and read the answer; `body` reads its body, which lives until the next call. The
 * request is released. */
static int exchange(struct remote_witness *remote, struct pa_buffer *request, uint64_t limit_ns,
                    struct pa_reader *body, struct pa_error *error) {
    struct pa_witness_answer answer;
    int code =
        request->failed ? pa_fail(error, PA_EMEMORY, "asking the witness: out of memory") : PA_OK;
    uint64_t wait_ns = limit_ns == judging_ns ? limit_ns : pa_clock_patience_ns(limit_ns);
    pa_buffer_clear(&remote->answer);
    if (code == PA_OK)
        code = pa_link_request(remote->client, "POST", PA_WITNESS_PATH, request->data,
                               request->size, PA_WITNESS_MOST_ANSWER, pa_clock_raw_ns() + wait_ns,
                               &remote->answer, error);
    pa_buffer_free(request);
    PA_TRY(code);
    PA_TRY(pa_witness_get_answer(remote->answer.data, remote->answer.size, &answer, error));
    if (answer.code != PA_OK)
        return pa_fail(error, PA_EWITNESS, "the witness: %s", answer.text);
    *body = pa_reader_over(answer.body, answer.size);
    return PA_OK;
}

static struct pa_buffer request_for(struct remote_witness *remote,
                                    enum pa_witness_operation operation) {
    struct pa_buffer request = {0};
    pa_witness_put_request(&request, operation, ++remote->sequence, &remote->ticket);
    return request;
}

static int strange(enum pa_witness_operation operation, struct pa_error *error) {
    return pa_fail(error, PA_EWITNESS, "the witness's answer to \"%s\" cannot be understood",
                   pa_witness_operation_name(operation));
}

/* Send a request whose answer has no body. */
static int tell(struct remote_witness *remote, enum pa_witness_operation operation,
                struct pa_buffer *request, uint64_t limit_ns, struct pa_error *error) {
    struct pa_reader body;
    PA_TRY(exchange(remote, request, limit_ns, &body, error));
    return pa_reader_done(&body) ? PA_OK : strange(operation, error);
}

static int send_batch(struct remote_witness *remote, struct pa_error *error) {
    if (remote->batch.size == 0 && !remote->batch.failed)
        return PA_OK;
    struct pa_buffer request = request_for(remote, remote->batched);
    pa_buffer_bytes(&request, remote->batch.data, remote->batch.size);
    request.failed |= remote->batch.failed;
    pa_buffer_clear(&remote->batch);
    return tell(remote, remote->batched, &request, patience_ns, error);
}

/* Records of another kind that wait go first: the transcript keeps the order of the calls. */
static int begin_batch(struct remote_witness *remote, enum pa_witness_operation operation,
                       struct pa_error *error) {
    if (remote->batched != operation)
        PA_TRY(send_batch(remote, error));
    remote->batched = operation;
    return PA_OK;
}

static int open_client(struct remote_witness *remote, struct pa_error *error) {
    char token[PA_LINK_TOKEN_BYTES];
    pa_hex(token, remote->ticket.bytes, PA_HASH_BYTES);
    struct pa_link_client_options options = {.url = remote->url,
                                             .token = token,
                                             .peer = "the witness",
                                             .failure = PA_EWITNESS,
                                             .reach_ns = pa_clock_patience_ns(patience_ns)};
    pa_unhex(options.pin.bytes, PA_HASH_BYTES, remote->fingerprint);
    pa_link_client_close(remote->client);
    remote->client = NULL;
    int code = pa_link_client_open(&options, &remote->client, error);
    OPENSSL_cleanse(token, sizeof token);
    return code;
}

static int introduce(struct pa_witness *witness, const struct pa_hash *claim, const char *site,
                     uint8_t key[PA_PUBLIC_KEY_BYTES], uint32_t *serial, struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    struct pa_buffer request = {0};
    struct pa_hash nobody = {{0}}, pin, expected;
    struct pa_reader body;
    pa_witness_put_request(&request, PA_WITNESS_INTRODUCE, 0, &nobody);
    pa_buffer_bytes(&request, claim->bytes, PA_HASH_BYTES);
    pa_buffer_text(&request, site);
    PA_TRY(exchange(remote, &request, greeting_ns, &body, error));
    pa_read_bytes(&body, key, PA_PUBLIC_KEY_BYTES);
    *serial = pa_read_u32(&body);
    pa_read_bytes(&body, remote->ticket.bytes, PA_HASH_BYTES);
    if (!pa_reader_done(&body))
        return strange(PA_WITNESS_INTRODUCE, error);
    /* The key that will sign must be the one that TLS was pinned to. */
    pa_link_pin(key, &pin);
    pa_unhex(expected.bytes, PA_HASH_BYTES, remote->fingerprint);
    if (!pa_hash_equal(&pin, &expected))
        return pa_fail(error, PA_EWITNESS,
                       "the witness introduced itself with another key than the pinned one");
    memcpy(remote->key, key, sizeof remote->key);
    remote->sequence = 0;
    return open_client(remote, error);
}

static int write_ticket(const struct remote_witness *remote, struct pa_error *error) {
    char ticket[FINGERPRINT_DIGITS + 1], text[MOST_TICKET_FILE];
    pa_hex(ticket, remote->ticket.bytes, PA_HASH_BYTES);
    int length =
        snprintf(text, sizeof text, "%s#%s %s\n", remote->url, remote->fingerprint, ticket);
    int code = pa_file_write(remote->ticket_path, text, (size_t)length, 0600, error);
    OPENSSL_cleanse(ticket, sizeof ticket);
    OPENSSL_cleanse(text, sizeof text);
    return code;
}

static int declare(struct pa_witness *witness, const void *declaration, size_t size,
                   const struct pa_signature *prover, struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    struct pa_reader body;
    struct pa_record record;
    struct pa_session_record signed_by_both;
    struct pa_hash session;
    /* Before the session begins: one whose ticket is lost could never be resumed. */
    PA_TRY(write_ticket(remote, error));
    struct pa_buffer request = request_for(remote, PA_WITNESS_DECLARE);
    pa_witness_put_signature(&request, prover);
    pa_buffer_bytes(&request, declaration, size);
    PA_TRY(exchange(remote, &request, patience_ns, &body, error));
    pa_declaration_session(&session, declaration, size);
    if (pa_record_next(&body, &record, error) != PA_OK || !pa_reader_done(&body) ||
        record.type != PA_RECORD_SESSION ||
        pa_record_session(&record, &signed_by_both, error) != PA_OK ||
        signed_by_both.declaration_bytes != size ||
        memcmp(signed_by_both.declaration, declaration, size) != 0 ||
        !pa_signature_is_valid(remote->key, &session, signed_by_both.witness.bytes,
                               signed_by_both.witness.length))
        return pa_fail(error, PA_EWITNESS,
                       "the witness has not signed the declaration that it was sent");
    return PA_OK;
}

/* One request for each of a hundred thousand notes would cost a round trip each. */
static int note_later(struct pa_witness *witness, uint64_t epoch, const char *json, size_t size,
                      struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    const struct pa_note_record record = {
        .at = pa_clock_now(), .json = json, .json_bytes = (uint32_t)size};
    if (size > PA_NOTE_MOST_BYTES)
        return pa_fail(error, PA_EWITNESS, "noting %zu bytes: at most %d are possible", size,
                       PA_NOTE_MOST_BYTES);
    PA_TRY(begin_batch(remote, PA_WITNESS_NOTES, error));
    pa_record_put_note(&remote->batch, epoch, &record);
    return remote->batch.size < BATCH_BYTES ? PA_OK : send_batch(remote, error);
}

static int sync_notes(struct pa_witness *witness, struct pa_error *error) {
    return send_batch(remote_of(witness), error);
}

static int sample(struct pa_witness *witness, struct pa_hash *key, struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    struct pa_reader body;
    struct pa_buffer request = request_for(remote, PA_WITNESS_SAMPLE);
    PA_TRY(exchange(remote, &request, patience_ns, &body, error));
    pa_read_bytes(&body, key->bytes, PA_HASH_BYTES);
    return pa_reader_done(&body) ? PA_OK : strange(PA_WITNESS_SAMPLE, error);
}

static int note(struct pa_witness *witness, uint64_t epoch, const char *json, size_t size,
                struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    PA_TRY(send_batch(remote, error));
    struct pa_buffer request = request_for(remote, PA_WITNESS_NOTE);
    pa_buffer_u64(&request, epoch);
    pa_buffer_bytes(&request, json, size);
    return tell(remote, PA_WITNESS_NOTE, &request, patience_ns, error);
}

static int power(struct pa_witness *witness, uint32_t meter, const struct pa_power_sample *samples,
                 uint32_t count, struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    PA_TRY(send_batch(remote, error));
    struct pa_buffer request = request_for(remote, PA_WITNESS_POWER);
    pa_record_put_power(&request, pa_clock_now(), meter, samples, count);
    return tell(remote, PA_WITNESS_POWER, &request, patience_ns, error);
}

static int watermark(struct pa_witness *witness, const struct pa_watermark_plan *plan,
                     struct pa_watermark_command *out, struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    struct pa_reader body;
    PA_TRY(send_batch(remote, error));
    struct pa_buffer request = request_for(remote, PA_WITNESS_WATERMARK);
    pa_buffer_u32(&request, plan->bits);
    pa_buffer_u64(&request, plan->half_ns);
    pa_buffer_u64(&request, plan->settle_ns);
    PA_TRY(exchange(remote, &request, patience_ns, &body, error));
    out->half = pa_read_u32(&body);
    uint16_t level = pa_read_u16(&body);
    out->is_on = level == PA_WITNESS_LEVEL_ON;
    out->is_over = level == PA_WITNESS_LEVEL_OVER;
    return pa_reader_done(&body) && level <= PA_WITNESS_LEVEL_OVER
               ? PA_OK
               : strange(PA_WITNESS_WATERMARK, error);
}

static int fabric(struct pa_witness *witness, enum pa_fabric_stage stage, const void *bytes,
                  size_t size, struct pa_hash *out, struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    struct pa_reader body;
    PA_TRY(send_batch(remote, error));
    struct pa_buffer request = request_for(remote, PA_WITNESS_FABRIC);
    pa_buffer_u32(&request, (uint32_t)stage);
    pa_buffer_bytes(&request, bytes, size);
    PA_TRY(exchange(remote, &request, patience_ns, &body, error));
    pa_read_bytes(&body, out->bytes, PA_HASH_BYTES);
    return pa_reader_done(&body) ? PA_OK : strange(PA_WITNESS_FABRIC, error);
}

static int challenge(struct pa_witness *witness, uint64_t epoch, struct pa_hash *nonce,
                     struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    struct pa_reader body;
    PA_TRY(send_batch(remote, error));
    struct pa_buffer request = request_for(remote, PA_WITNESS_CHALLENGE);
    pa_buffer_u64(&request, epoch);
    PA_TRY(exchange(remote, &request, patience_ns, &body, error));
    pa_read_bytes(&body, nonce->bytes, PA_HASH_BYTES);
    return pa_reader_done(&body) ? PA_OK : strange(PA_WITNESS_CHALLENGE, error);
}

static int commit(struct pa_witness *witness, uint64_t epoch, const struct pa_hash *root,
                  const struct pa_signature *prover, struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    PA_TRY(send_batch(remote, error));
    struct pa_buffer request = request_for(remote, PA_WITNESS_COMMIT);
    pa_buffer_u64(&request, epoch);
    pa_buffer_bytes(&request, root->bytes, PA_HASH_BYTES);
    pa_witness_put_signature(&request, prover);
    return tell(remote, PA_WITNESS_COMMIT, &request, patience_ns, error);
}

static int reveal(struct pa_witness *witness, uint64_t epoch, const struct pa_tail *tails,
                  uint32_t devices, struct pa_hash *key, struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    struct pa_reader body;
    PA_TRY(send_batch(remote, error));
    struct pa_buffer request = request_for(remote, PA_WITNESS_REVEAL);
    pa_tail_list_put(&request, epoch, tails, devices);
    PA_TRY(exchange(remote, &request, patience_ns, &body, error));
    pa_read_bytes(&body, key->bytes, PA_HASH_BYTES);
    return pa_reader_done(&body) ? PA_OK : strange(PA_WITNESS_REVEAL, error);
}

static int abort_epoch(struct pa_witness *witness, uint64_t epoch, const char *reason,
                       struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    PA_TRY(send_batch(remote, error));
    struct pa_buffer request = request_for(remote, PA_WITNESS_ABORT);
    pa_buffer_u64(&request, epoch);
    pa_buffer_text(&request, reason);
    return tell(remote, PA_WITNESS_ABORT, &request, patience_ns, error);
}

static int open_tile(struct pa_witness *witness, uint64_t epoch, uint32_t j, const void *opening,
                     size_t size, struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    struct pa_opening_record record = {.j = j, .opening = opening, .opening_bytes = (uint32_t)size};
    PA_TRY(begin_batch(remote, PA_WITNESS_OPEN, error));
    pa_record_put_opening(&remote->batch, epoch, &record);
    return remote->batch.size < BATCH_BYTES ? PA_OK : send_batch(remote, error);
}

static int settle(struct pa_witness *witness, uint64_t epoch, uint32_t *failed,
                  struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    struct pa_reader body;
    PA_TRY(send_batch(remote, error));
    struct pa_buffer request = request_for(remote, PA_WITNESS_SETTLE);
    pa_buffer_u64(&request, epoch);
    PA_TRY(exchange(remote, &request, patience_ns, &body, error));
    *failed = pa_read_u32(&body);
    return pa_reader_done(&body) ? PA_OK : strange(PA_WITNESS_SETTLE, error);
}

static int gap(struct pa_witness *witness, uint64_t *gap_ns, struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    struct pa_reader body;
    PA_TRY(send_batch(remote, error));
    struct pa_buffer request = request_for(remote, PA_WITNESS_GAP);
    PA_TRY(exchange(remote, &request, patience_ns, &body, error));
    *gap_ns = pa_read_u64(&body);
    return pa_reader_done(&body) ? PA_OK : strange(PA_WITNESS_GAP, error);
}

static int interrupt(struct pa_witness *witness, const char *reason, struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    PA_TRY(send_batch(remote, error));
    struct pa_buffer request = request_for(remote, PA_WITNESS_INTERRUPT);
    pa_buffer_text(&request, reason);
    return tell(remote, PA_WITNESS_INTERRUPT, &request, patience_ns, error);
}

static int finish(struct pa_witness *witness, struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    PA_TRY(send_batch(remote, error));
    struct pa_buffer request = request_for(remote, PA_WITNESS_FINISH);
    return tell(remote, PA_WITNESS_FINISH, &request, judging_ns, error);
}

static void release(struct pa_witness *witness) {
    struct remote_witness *remote = remote_of(witness);
    pa_link_client_close(remote->client);
    pa_buffer_free(&remote->batch);
    pa_buffer_free(&remote->answer);
    OPENSSL_cleanse(&remote->ticket, sizeof remote->ticket);
    free(remote->ticket_path);
    free(remote);
}

static const struct pa_witness_kind remote_kind = {
    .assurance = "witnessed",
    .introduce = introduce,
    .declare = declare,
    .sample = sample,
    .note = note,
    .note_later = note_later,
    .sync = sync_notes,
    .power = power,
    .watermark = watermark,
    .fabric = fabric,
    .challenge = challenge,
    .commit = commit,
    .reveal = reveal,
    .abort = abort_epoch,
    .open = open_tile,
    .settle = settle,
    .gap = gap,
    .interrupt = interrupt,
    .finish = finish,
    .release = release,
};

/* "https://HOST:PORT#FINGERPRINT" into its two parts. */
static int split_url(struct remote_witness *remote, const char *url, struct pa_error *error) {
    uint8_t pin[PA_HASH_BYTES];
    const char *mark = strchr(url, '#');
    if (mark == NULL || (size_t)(mark - url) >= sizeof remote->url ||
        strncmp(url, "https://", 8) != 0 || !pa_unhex(pin, sizeof pin, mark + 1))
        return pa_fail(
            error, PA_EUSAGE,
            "--witness %.200s: expected https://HOST:PORT#FINGERPRINT with the 64 digits "
            "that `petaudit witness` prints on the auditor's machine",
            url);
    memcpy(remote->url, url, (size_t)(mark - url));
    remote->url[mark - url] = '\0';
    /* One trailing slash is what people type. */
    size_t length = strlen(remote->url);
    if (remote->url[length - 1] == '/')
        remote->url[length - 1] = '\0';
    pa_hex(remote->fingerprint, pin, sizeof pin);
    return PA_OK;
}

static int read_ticket(struct remote_witness *remote, struct pa_error *error) {
    struct pa_buffer content = {0};
    int code = pa_file_read(remote->ticket_path, MOST_TICKET_FILE, &content, error);
    pa_buffer_bytes(&content, "", 1);
    char *text = (char *)content.data, *space = NULL;
    if (code == PA_OK && !content.failed) {
        text[strcspn(text, "\n")] = '\0';
        space = strchr(text, ' ');
        if (space == NULL || !pa_unhex(remote->ticket.bytes, PA_HASH_BYTES, space + 1))
            code = pa_fail(error, PA_EINPUT,
                           "%s is damaged: expected the witness's address and "
                           "the ticket of the session",
                           remote->ticket_path);
    }
    if (code == PA_OK && space != NULL) {
        *space = '\0';
        code = split_url(remote, text, error);
    }
    if (content.data != NULL)
        OPENSSL_cleanse(content.data, content.size);
    pa_buffer_free(&content);
    return code;
}

int pa_remote_witness_open(const struct pa_remote_witness_options *options, struct pa_witness **out,
                           struct pa_error *error) {
    *out = NULL;
    struct remote_witness *remote = calloc(1, sizeof *remote);
    if (remote == NULL || (remote->ticket_path = strdup(options->ticket_path)) == NULL) {
        free(remote);
        return pa_fail(error, PA_EMEMORY, "preparing to talk to the witness: out of memory");
    }
    remote->base.kind = &remote_kind;
    int code =
        options->url != NULL ? split_url(remote, options->url, error) : read_ticket(remote, error);
    if (code == PA_OK)
        code = open_client(remote, error);
    if (code != PA_OK) {
        release(&remote->base);
        return code;
    }
    *out = &remote->base;
    return PA_OK;
}

int pa_remote_witness_resume(struct pa_witness *witness, struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    struct pa_buffer request = request_for(remote, PA_WITNESS_RESUME);
    int code = tell(remote, PA_WITNESS_RESUME, &request, patience_ns, error);
    if (code == PA_EWITNESS && pa_link_client_status(remote->client) == UNKNOWN_TICKET)
        return pa_fail(error, PA_EINVALID,
                       "resuming: the witness at %s does not know the session. It ended before it "
                       "had the declaration, or refused it, and then nothing was measured, or its "
                       "store is another one; start a new audit",
                       remote->url);
    return code;
}

int pa_remote_witness_fetch(struct pa_witness *witness, struct pa_store *store,
                            struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    for (;;) {
        struct pa_reader body;
        PA_TRY(send_batch(remote, error));
        struct pa_buffer request = request_for(remote, PA_WITNESS_TRANSCRIPT);
        pa_buffer_u64(&request, pa_store_count(store) + 1);
        PA_TRY(exchange(remote, &request, patience_ns, &body, error));
        if (body.left == 0)
            return PA_OK;
        PA_TRY(pa_store_append(store, body.next, body.left, error));
    }
}

int pa_remote_witness_result(struct pa_witness *witness, char name[32], struct pa_buffer *out,
                             struct pa_error *error) {
    struct remote_witness *remote = remote_of(witness);
    struct pa_reader body;
    PA_TRY(send_batch(remote, error));
    struct pa_buffer request = request_for(remote, PA_WITNESS_RESULT);
    PA_TRY(exchange(remote, &request, judging_ns, &body, error));
    uint16_t length = pa_read_u16(&body);
    const uint8_t *view = pa_read_view(&body, length);
    if (view == NULL || length >= 32)
        return strange(PA_WITNESS_RESULT, error);
    memcpy(name, view, length);
    name[length] = '\0';
    if (strcmp(name, "certificate.json") != 0 && strcmp(name, "test-result.json") != 0)
        return strange(PA_WITNESS_RESULT, error);
    pa_buffer_bytes(out, body.next, body.left);
    return out->failed ? pa_fail(error, PA_EMEMORY, "receiving the result: out of memory") : PA_OK;
}
