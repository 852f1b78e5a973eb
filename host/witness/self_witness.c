/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/fabric_side.h"
#include "witness/note_check.h"
#include "witness/opening_check.h"
#include "witness/sample_note.h"
#include "witness/session_ledger.h"
#include "witness/session_register.h"
#include "witness/suspend_note.h"
#include "witness/tail_list.h"
#include "witness/watermark_draw.h"
#include "witness/witness.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Openings, and notes of one device each, are appended in batches: one transaction each would cost
 * a disk flush per opening, and a large site notes something of each device in each epoch. Whatever
 * else is appended takes what waits along, in order. */
enum { BATCH_BYTES = 1 << 20 };

struct self_witness {
    struct pa_witness base;
    struct pa_store *store;
    const struct pa_key *key;
    char *register_path;
    struct pa_ledger ledger;
    struct pa_hash epoch_key;        /* of the challenged epoch: secret until its list is in */
    struct pa_instant challenged;    /* t0 of that epoch, */
    uint64_t t0_boot_ns, t1_boot_ns; /* and the BOOT clock at its t0 and t1 */
    uint64_t switched_raw_ns;        /* when this process told its last half-bit; 0 before */
    struct pa_root_record committed; /* its root, from commit to reveal */
    bool is_committed;
    struct pa_opening_check *check;
    struct pa_fabric_side fabric;
    struct pa_buffer batch; /* OPENING and NOTE records that are not written yet */
};

static struct self_witness *self_of(struct pa_witness *witness) {
    return (struct self_witness *)witness;
}

static int check_open(const struct self_witness *self, struct pa_error *error) {
    return self->ledger.is_finished
               ? pa_fail(error, PA_EWITNESS, "the session is finished: nothing can follow")
               : PA_OK;
}

/* Write what waits. After a failure it still waits: a disk may have room again. */
static int write_batch(struct self_witness *self, struct pa_error *error) {
    if (self->batch.size == 0 && !self->batch.failed)
        return PA_OK;
    if (self->batch.failed)
        return pa_fail(error, PA_EMEMORY, "writing evidence: out of memory");
    PA_TRY(check_open(self, error));
    PA_TRY(pa_store_append(self->store, self->batch.data, self->batch.size, error));
    pa_buffer_clear(&self->batch);
    return PA_OK;
}

/* Append records behind what waits, all in one transaction, on disk when it returns. */
static int append(struct self_witness *self, struct pa_buffer *records, struct pa_error *error) {
    size_t waiting = self->batch.size;
    int code = records->failed ? pa_fail(error, PA_EMEMORY, "writing evidence: out of memory")
                               : check_open(self, error);
    if (code == PA_OK) {
        pa_buffer_bytes(&self->batch, records->data, records->size);
        code = write_batch(self, error);
    }
    if (code != PA_OK && !self->batch.failed)
        self->batch.size = waiting;
    if (code == PA_OK)
        self->ledger.told_bytes += pa_allowance_told(records->data, records->size);
    pa_buffer_free(records);
    return code;
}

static int introduce(struct pa_witness *witness, const struct pa_hash *claim, const char *site,
                     uint8_t key[PA_PUBLIC_KEY_BYTES], uint32_t *serial, struct pa_error *error) {
    struct self_witness *self = self_of(witness);
    pa_key_public(self->key, key);
    *serial = 1;
    if (self->register_path == NULL)
        return PA_OK;
    return pa_session_register_next(self->register_path, claim, site, serial, error);
}

static int sign(const struct self_witness *self, const struct pa_hash *hash,
                struct pa_signature *out, struct pa_error *error) {
    size_t length = 0;
    PA_TRY(pa_key_sign(self->key, hash, out->bytes, &length, error));
    out->length = (uint16_t)length;
    return PA_OK;
}

/* What the prover was told when it was introduced must be what it declares: another serial number
 * would be another alpha. */
static int check_introduction(const struct self_witness *self, struct pa_error *error) {
    const struct pa_declaration *declaration = &self->ledger.declaration;
    uint8_t key[PA_PUBLIC_KEY_BYTES];
    uint32_t serial = declaration->serial;
    pa_key_public(self->key, key);
    if (memcmp(key, declaration->witness_key, sizeof key) != 0)
        return pa_fail(error, PA_EWITNESS,
                       "declaring a session: it names the key of another witness");
    if (self->register_path != NULL)
        PA_TRY(pa_session_register_next(self->register_path, &declaration->claim, declaration->site,
                                        &serial, error));
    if (serial != declaration->serial)
        return pa_fail(error, PA_EWITNESS,
                       "declaring a session: it is number %u of this claim and site, not %u",
                       serial, declaration->serial);
    return PA_OK;
}

static int put_note(struct self_witness *self, uint64_t epoch, const char *json, size_t size,
                    struct pa_error *error) {
    struct pa_buffer bytes = {0};
    struct pa_note_record record = {
        .at = pa_clock_now(), .json = json, .json_bytes = (uint32_t)size};
    pa_record_put_note(&bytes, epoch, &record);
    return append(self, &bytes, error);
}

/* A note of the witness's own; `content` is released. */
static int put_own_note(struct self_witness *self, uint64_t epoch, json_t *content,
                        struct pa_error *error) {
    char *text = json_dumps(content, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(content);
    if (text == NULL)
        return pa_fail(error, PA_EMEMORY, "writing a note: out of memory");
    int code = put_note(self, epoch, text, strlen(text), error);
    free(text);
    return code;
}

/* Which boot of this machine the RAW times belong to. */
static int put_boot(struct self_witness *self, struct pa_error *error) {
    pa_boot_id(self->ledger.boot_id);
    return put_own_note(self, PA_NO_EPOCH,
                        json_pack("{s:s, s:s}", "kind", "witness", "boot_id", self->ledger.boot_id),
                        error);
}

static int sample(struct pa_witness *witness, struct pa_hash *key, struct pa_error *error) {
    struct self_witness *self = self_of(witness);
    struct pa_ledger *ledger = &self->ledger;
    if (!ledger->is_declared || ledger->declaration.sample_count == 0)
        return pa_fail(error, PA_EWITNESS, "choosing devices: the session declared no sample");
    if (!ledger->has_sample) {
        struct pa_hash drawn;
        if (RAND_priv_bytes(drawn.bytes, sizeof drawn.bytes) != 1)
            return pa_fail(error, PA_EINTERNAL,
                           "drawing a key: the system's random numbers are not available");
        json_t *note = pa_sample_note(&ledger->declaration, &ledger->session, &drawn, error);
        if (note == NULL)
            return error->code;
        PA_TRY(put_own_note(self, PA_NO_EPOCH, note, error));
        ledger->sample_key = drawn;
        ledger->has_sample = true;
    }
    *key = ledger->sample_key;
    return PA_OK;
}

static int begin_session(struct self_witness *self, const void *declaration, size_t size,
                         const struct pa_signature *prover, struct pa_error *error) {
    struct pa_ledger *ledger = &self->ledger;
    PA_TRY(pa_declaration_read(&ledger->declaration, declaration, size, error));
    pa_declaration_session(&ledger->session, declaration, size);
    pa_ledger_declared(ledger);
    if (!pa_signature_is_valid(ledger->declaration.prover_key, &ledger->session, prover->bytes,
                               prover->length))
        return pa_fail(error, PA_EWITNESS,
                       "declaring a session: the prover's signature is not valid");
    PA_TRY(check_introduction(self, error));
    struct pa_session_record record = {.at = pa_clock_now(),
                                       .declaration = declaration,
                                       .declaration_bytes = (uint32_t)size,
                                       .prover = *prover};
    PA_TRY(sign(self, &ledger->session, &record.witness, error));
    /* Counted before it begins: whoever is killed in between has one session more, never one that
     * does not count. */
    if (self->register_path != NULL)
        PA_TRY(pa_session_register_add(self->register_path, &ledger->declaration.claim,
                                       ledger->declaration.site, &ledger->session, error));
    struct pa_buffer bytes = {0};
    pa_record_put_session(&bytes, &record);
    PA_TRY(append(self, &bytes, error));
    ledger->is_declared = true;
    return put_boot(self, error);
}

static int declare(struct pa_witness *witness, const void *declaration, size_t size,
                   const struct pa_signature *prover, struct pa_error *error) {
    struct self_witness *self = self_of(witness);
    if (self->ledger.is_declared)
        return pa_fail(error, PA_EWITNESS, "declaring a session: this witness already has one");
    int code = begin_session(self, declaration, size, prover, error);
    if (code != PA_OK && !self->ledger.is_declared)
        pa_ledger_free(&self->ledger);
    return code;
}

/* Whether what a site wants to tell may still be stored. What the witness itself notes counts along
 * and is never refused. */
static int check_told(const struct self_witness *self, uint64_t bytes, const char *doing,
                      struct pa_error *error) {
    return pa_allowance_check_told(&self->ledger.allowance, self->ledger.told_bytes, bytes, doing,
                                   error);
}

static int note(struct pa_witness *witness, uint64_t epoch, const char *json, size_t size,
                struct pa_error *error) {
    struct self_witness *self = self_of(witness);
    PA_TRY(pa_note_check(json, size, error));
    PA_TRY(check_told(self, pa_allowance_note(size), "noting", error));
    return put_note(self, epoch, json, size, error);
}

static int note_later(struct pa_witness *witness, uint64_t epoch, const char *json, size_t size,
                      struct pa_error *error) {
    struct self_witness *self = self_of(witness);
    struct pa_note_record record = {
        .at = pa_clock_now(), .json = json, .json_bytes = (uint32_t)size};
    PA_TRY(pa_note_check(json, size, error));
    PA_TRY(check_open(self, error));
    PA_TRY(check_told(self, pa_allowance_note(size), "noting", error));
    pa_record_put_note(&self->batch, epoch, &record);
    self->ledger.told_bytes += pa_allowance_note(size);
    return self->batch.size < BATCH_BYTES ? PA_OK : write_batch(self, error);
}

int pa_self_witness_note(struct pa_witness *witness, const char *json, size_t size,
                         struct pa_error *error) {
    return put_note(self_of(witness), PA_NO_EPOCH, json, size, error);
}

static int power(struct pa_witness *witness, uint32_t meter, const struct pa_power_sample *samples,
                 uint32_t count, struct pa_error *error) {
    struct self_witness *self = self_of(witness);
    struct pa_buffer bytes = {0};
    PA_TRY(check_told(self, pa_allowance_power(count), "taking power readings", error));
    pa_record_put_power(&bytes, pa_clock_now(), meter, samples, count);
    return append(self, &bytes, error);
}

static int watermark(struct pa_witness *witness, const struct pa_watermark_plan *plan,
                     struct pa_watermark_command *out, struct pa_error *error) {
    struct self_witness *self = self_of(witness);
    struct pa_ledger *ledger = &self->ledger;
    PA_TRY(pa_watermark_check(ledger, plan, self->switched_raw_ns, error));
    *out = (struct pa_watermark_command){.half = ledger->watermark_told};
    out->is_over = ledger->watermark_told >= 2 * plan->bits;
    if (out->is_over)
        return PA_OK;
    PA_TRY(pa_watermark_draw(ledger, &out->is_on, error));
    self->switched_raw_ns = pa_clock_raw_ns();
    PA_TRY(put_own_note(self, PA_NO_EPOCH,
                        json_pack("{s:s, s:I, s:s, s:I, s:I, s:I}", "kind", "watermark", "half",
                                  (json_int_t)out->half, "level", out->is_on ? "on" : "off", "bits",
                                  (json_int_t)plan->bits, "half_ns", (json_int_t)plan->half_ns,
                                  "settle_ns", (json_int_t)plan->settle_ns),
                        error));
    ledger->watermark_bits = plan->bits;
    ledger->watermark_half_ns = plan->half_ns;
    ledger->watermark_settle_ns = plan->settle_ns;
    ledger->watermark_was_on = out->is_on;
    ledger->watermark_told++;
    return PA_OK;
}

static int fabric(struct pa_witness *witness, enum pa_fabric_stage stage, const void *bytes,
                  size_t size, struct pa_hash *out, struct pa_error *error) {
    struct self_witness *self = self_of(witness);
    struct pa_ledger *ledger = &self->ledger;
    struct pa_buffer records = {0};
    if (!ledger->is_declared || ledger->is_challenged)
        return pa_fail(error, PA_EWITNESS, "fabric proof: not before or during an epoch");
    PA_TRY(write_batch(self, error));
    int code = pa_fabric_side_take(&self->fabric, &ledger->declaration, &ledger->session, stage,
                                   bytes, size, &records, out, error);
    if (code != PA_OK) {
        pa_buffer_free(&records);
        return code;
    }
    return append(self, &records, error);
}

static int challenge(struct pa_witness *witness, uint64_t epoch, struct pa_hash *nonce,
                     struct pa_error *error) {
    struct self_witness *self = self_of(witness);
    struct pa_ledger *ledger = &self->ledger;
    if (ledger->declaration.sample_count > 0 && !ledger->has_sample)
        return pa_fail(error, PA_EWITNESS, "challenging epoch %llu: the devices are chosen first",
                       (unsigned long long)epoch);
    if (ledger->is_challenged || epoch < ledger->next_epoch)
        return pa_fail(error, PA_EWITNESS, "challenging epoch %llu: epoch %llu comes first",
                       (unsigned long long)epoch,
                       (unsigned long long)ledger->next_epoch - (ledger->is_challenged ? 1 : 0));
    PA_TRY(pa_allowance_check_nonce(&ledger->allowance, ledger->drawn, epoch, error));
    if (RAND_priv_bytes(self->epoch_key.bytes, sizeof self->epoch_key.bytes) != 1)
        return pa_fail(error, PA_EINTERNAL,
                       "drawing a key: the system's random numbers are not available");
    /* What waits is written before t0: the site's time has not begun. */
    PA_TRY(write_batch(self, error));
    pa_epoch_nonce(nonce, &self->epoch_key);
    struct pa_nonce_record record;
    memcpy(record.nonce, nonce->bytes, sizeof record.nonce);
    /* t0 before the first byte of the nonce leaves; the disk flush that follows counts as the
     * site's time. */
    record.at = pa_clock_now();
    uint64_t boot_ns = pa_clock_boot_ns();
    struct pa_buffer bytes = {0};
    pa_record_put_nonce(&bytes, epoch, &record);
    PA_TRY(append(self, &bytes, error));
    self->challenged = record.at;
    self->t0_boot_ns = boot_ns;
    self->is_committed = false;
    pa_ledger_challenge(ledger, epoch, nonce);
    return PA_OK;
}

static int check_challenged(const struct self_witness *self, uint64_t epoch, const char *doing,
                            struct pa_error *error) {
    struct pa_hash nonce;
    if (!self->ledger.is_challenged || epoch + 1 != self->ledger.next_epoch)
        return pa_fail(error, PA_EWITNESS, "%s epoch %llu: it is not the challenged one", doing,
                       (unsigned long long)epoch);
    /* The key of an epoch that an earlier process challenged died with it: that epoch can only be
     * aborted. */
    pa_epoch_nonce(&nonce, &self->epoch_key);
    if (!pa_hash_equal(&nonce, &self->ledger.nonce))
        return pa_fail(error, PA_EWITNESS,
                       "%s epoch %llu: this witness has no key for it any more: it was started "
                       "anew, or gave the epoch up when nothing was heard of the site",
                       doing, (unsigned long long)epoch);
    return PA_OK;
}

static int commit(struct pa_witness *witness, uint64_t epoch, const struct pa_hash *root,
                  const struct pa_signature *prover, struct pa_error *error) {
    struct self_witness *self = self_of(witness);
    struct pa_root_record record = {.at = pa_clock_now(), .prover = *prover};
    uint64_t boot_ns = pa_clock_boot_ns();
    struct pa_hash message;
    PA_TRY(check_challenged(self, epoch, "committing to", error));
    pa_epoch_commit_hash(&message, &self->ledger.session, epoch, root);
    if (!pa_signature_is_valid(self->ledger.declaration.prover_key, &message, prover->bytes,
                               prover->length))
        return pa_fail(error, PA_EWITNESS,
                       "committing to epoch %llu: the prover's signature is not valid",
                       (unsigned long long)epoch);
    if (self->is_committed)
        return pa_fail(error, PA_EWITNESS, "committing to epoch %llu: its root is in already",
                       (unsigned long long)epoch);
    memcpy(record.root, root->bytes, sizeof record.root);
    self->committed = record;
    self->t1_boot_ns = boot_ns;
    self->is_committed = true;
    return PA_OK;
}

static int check_list(const struct self_witness *self, uint64_t epoch, const struct pa_tail *tails,
                      uint32_t devices, struct pa_error *error) {
    const struct pa_ledger *ledger = &self->ledger;
    struct pa_hash expected;
    unsigned long long number = epoch;
    PA_TRY(check_challenged(self, epoch, "closing", error));
    if (!self->is_committed)
        return pa_fail(error, PA_EWITNESS, "closing epoch %llu: its root comes first", number);
    if (devices != ledger->declaration.device_count)
        return pa_fail(error, PA_EWITNESS,
                       "closing epoch %llu: the list has %u devices, %u were declared", number,
                       devices, ledger->declaration.device_count);
    pa_epoch_root(&expected, &ledger->nonce, tails, devices);
    if (memcmp(expected.bytes, self->committed.root, PA_HASH_BYTES) != 0)
        return pa_fail(error, PA_EWITNESS, "closing epoch %llu: the list does not hash to the root",
                       number);
    return PA_OK;
}

static int note_suspend(struct self_witness *self, uint64_t epoch, struct pa_error *error) {
    uint64_t slept_ns = pa_suspended_ns(self->committed.at.raw_ns - self->challenged.raw_ns,
                                        self->t1_boot_ns - self->t0_boot_ns);
    return slept_ns == 0 ? PA_OK : put_own_note(self, epoch, pa_suspend_note(slept_ns), error);
}

/* ROOT, LIST and KEY in one transaction: a crash leaves the epoch without its root, or closed with
 * the key on disk. A root without its key could never be opened. */
static int write_closed(struct self_witness *self, uint64_t epoch, const struct pa_tail *tails,
                        uint32_t devices, struct pa_error *error) {
    struct pa_key_record revealed;
    memcpy(revealed.key, self->epoch_key.bytes, sizeof revealed.key);
    struct pa_buffer bytes = {0};
    pa_record_put_root(&bytes, epoch, &self->committed);
    pa_tail_list_put(&bytes, epoch, tails, devices);
    pa_record_put_key(&bytes, epoch, &revealed);
    pa_boottime_note(&bytes, epoch, self->t0_boot_ns, self->t1_boot_ns);
    return append(self, &bytes, error);
}

static int reveal(struct pa_witness *witness, uint64_t epoch, const struct pa_tail *tails,
                  uint32_t devices, struct pa_hash *key, struct pa_error *error) {
    struct self_witness *self = self_of(witness);
    struct pa_hash root;
    PA_TRY(check_list(self, epoch, tails, devices, error));
    PA_TRY(note_suspend(self, epoch, error));
    PA_TRY(write_closed(self, epoch, tails, devices, error));
    memcpy(root.bytes, self->committed.root, sizeof root.bytes);
    PA_TRY(pa_ledger_close(&self->ledger, epoch, &self->ledger.nonce, &self->epoch_key, &root,
                           tails, error));
    self->ledger.last_close = self->committed.at;
    self->is_committed = false;
    *key = self->epoch_key;
    return PA_OK;
}

static int abort_epoch(struct pa_witness *witness, uint64_t epoch, const char *reason,
                       struct pa_error *error) {
    struct self_witness *self = self_of(witness);
    if (!self->ledger.is_challenged || epoch + 1 != self->ledger.next_epoch)
        return pa_fail(error, PA_EWITNESS, "aborting epoch %llu: it is not the challenged one",
                       (unsigned long long)epoch);
    if (self->is_committed)
        return pa_fail(error, PA_EWITNESS, "aborting epoch %llu: its root is in already",
                       (unsigned long long)epoch);
    OPENSSL_cleanse(&self->epoch_key, sizeof self->epoch_key);
    int code = put_own_note(self, epoch, json_pack("{s:s, s:s}", "kind", "abort", "reason", reason),
                            error);
    if (code == PA_OK)
        self->ledger.is_challenged = false;
    return code;
}

void pa_self_witness_limit(struct pa_witness *witness, uint64_t most_told_bytes) {
    struct pa_allowance *allowance = &self_of(witness)->ledger.allowance;
    if (most_told_bytes > 0 && most_told_bytes < allowance->told_bytes)
        allowance->told_bytes = most_told_bytes;
}

void pa_self_witness_forget_epoch(struct pa_witness *witness) {
    struct self_witness *self = self_of(witness);
    OPENSSL_cleanse(&self->epoch_key, sizeof self->epoch_key);
    self->is_committed = false;
}

static int gap(struct pa_witness *witness, uint64_t *gap_ns, struct pa_error *error) {
    char boot_id[PA_BOOT_ID_BYTES];
    struct pa_instant now = pa_clock_now();
    (void)error;
    pa_boot_id(boot_id);
    *gap_ns = pa_ledger_gap(&self_of(witness)->ledger, &now, boot_id);
    return PA_OK;
}

static int interrupt(struct pa_witness *witness, const char *reason, struct pa_error *error) {
    struct self_witness *self = self_of(witness);
    uint64_t gap_ns;
    if (self->ledger.is_challenged)
        return pa_fail(error, PA_EWITNESS, "interrupting: epoch %llu is under work",
                       (unsigned long long)self->ledger.next_epoch - 1);
    PA_TRY(check_told(self, pa_allowance_note(strlen(reason)), "interrupting", error));
    PA_TRY(gap(witness, &gap_ns, error));
    PA_TRY(put_own_note(self, PA_NO_EPOCH,
                        json_pack("{s:s, s:I, s:s}", "kind", "interruption", "gap_ns",
                                  (json_int_t)gap_ns, "reason", reason),
                        error));
    self->ledger.interruptions++;
    return put_boot(self, error);
}

/* The check of one epoch at a time; another epoch's opening starts another check. */
static int check_of(struct self_witness *self, uint64_t epoch, struct pa_ledger_epoch **out,
                    struct pa_error *error) {
    *out = pa_ledger_find(&self->ledger, epoch);
    if (*out == NULL || (*out)->is_settled)
        return pa_fail(error, PA_EWITNESS, "opening epoch %llu: it is %s",
                       (unsigned long long)epoch, *out == NULL ? "not closed" : "settled already");
    if (self->check != NULL && pa_opening_check_epoch(self->check) == epoch)
        return PA_OK;
    pa_opening_check_free(self->check);
    self->check = NULL;
    return pa_opening_check_begin(&self->ledger.declaration, &self->ledger.session, *out,
                                  &self->check, error);
}

static int open_tile(struct pa_witness *witness, uint64_t epoch, uint32_t j, const void *opening,
                     size_t size, struct pa_error *error) {
    struct self_witness *self = self_of(witness);
    struct pa_ledger_epoch *entry;
    PA_TRY(check_of(self, epoch, &entry, error));
    if (j != entry->opened || j >= pa_declared_openings(&self->ledger.declaration, entry->kind))
        return pa_fail(error, PA_EWITNESS, "opening epoch %llu: opening %u came where %u was due",
                       (unsigned long long)epoch, j, entry->opened);
    PA_TRY(pa_allowance_check_opening(&self->ledger.allowance, epoch, j, size, error));
    PA_TRY(pa_opening_check_one(self->check, j, opening, size, error));
    struct pa_opening_record record = {.j = j, .opening = opening, .opening_bytes = (uint32_t)size};
    pa_record_put_opening(&self->batch, epoch, &record);
    entry->opened++;
    return self->batch.size < BATCH_BYTES ? PA_OK : write_batch(self, error);
}

static int settle(struct pa_witness *witness, uint64_t epoch, uint32_t *failed,
                  struct pa_error *error) {
    struct self_witness *self = self_of(witness);
    struct pa_ledger_epoch *entry;
    struct pa_result_record result;
    PA_TRY(check_of(self, epoch, &entry, error));
    PA_TRY(pa_opening_check_recheck(self->check, self->store, entry, error));
    pa_opening_check_result(self->check, entry->opened, &result);
    pa_record_put_result(&self->batch, epoch, &result);
    PA_TRY(write_batch(self, error));
    entry->is_settled = true;
    *failed = result.failed;
    return PA_OK;
}

static int sync_notes(struct pa_witness *witness, struct pa_error *error) {
    return write_batch(self_of(witness), error);
}

static int finish(struct pa_witness *witness, struct pa_error *error) {
    struct self_witness *self = self_of(witness);
    struct pa_signature_record record = {.at = pa_clock_now()};
    struct pa_hash head, message;
    PA_TRY(write_batch(self, error));
    pa_store_head(self->store, head.bytes);
    pa_hash_bytes(&message, "transcript", head.bytes, PA_HASH_BYTES);
    PA_TRY(sign(self, &message, &record.witness, error));
    struct pa_buffer bytes = {0};
    pa_record_put_signature(&bytes, &record);
    PA_TRY(append(self, &bytes, error));
    self->ledger.is_finished = true;
    return PA_OK;
}

static void release(struct pa_witness *witness) {
    struct self_witness *self = self_of(witness);
    struct pa_error ignored = {0};
    /* Of a session that is stopped here; the next process goes on behind it. */
    write_batch(self, &ignored);
    OPENSSL_cleanse(&self->epoch_key, sizeof self->epoch_key);
    pa_opening_check_free(self->check);
    pa_fabric_side_free(&self->fabric);
    pa_ledger_free(&self->ledger);
    pa_buffer_free(&self->batch);
    free(self->register_path);
    free(self);
}

static const struct pa_witness_kind self_kind = {
    .assurance = "self",
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

int pa_self_witness_open(struct pa_store *store, const struct pa_key *key,
                         const char *register_path, struct pa_witness **out,
                         struct pa_error *error) {
    struct self_witness *self = calloc(1, sizeof *self);
    if (self == NULL)
        return pa_fail(error, PA_EMEMORY, "starting the witness: out of memory");
    *self = (struct self_witness){.base = {&self_kind}, .store = store, .key = key};
    int code = PA_OK;
    if (register_path != NULL && (self->register_path = strdup(register_path)) == NULL)
        code = pa_fail(error, PA_EMEMORY, "starting the witness: out of memory");
    if (code == PA_OK && pa_store_count(store) > 0)
        code = pa_ledger_read(store, &self->ledger, error);
    self->fabric.is_begun = self->ledger.has_fabric;
    if (code != PA_OK) {
        release(&self->base);
        return code;
    }
    *out = &self->base;
    return PA_OK;
}
