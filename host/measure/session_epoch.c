/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/session_epoch.h"

#include "measure/exposition.h"
#include "measure/session_notes.h"
#include "measure/session_vitals.h"
#include "measure/sustain.h"

#include <stdlib.h>

/* A process that has not answered this long after it gave up its slowest device is lost. */
static const uint64_t grace_ns = UINT64_C(30000000000);

struct proving {
    struct pa_epoch_request request;
    struct pa_tail *tails;    /* by device; those that nobody answers for say T_d = 0 */
    struct pa_vitals *vitals; /* by device */
};

struct pa_epoch_parameters pa_session_parameters(const struct pa_ledger *ledger, uint64_t epoch) {
    const struct pa_declaration *declaration = &ledger->declaration;
    return (struct pa_epoch_parameters){.class_id = declaration->class_id,
                                        .k = declaration->k,
                                        .devices = declaration->device_count,
                                        .session = ledger->session,
                                        .epoch = epoch};
}

static void build_epoch(void *context, const struct pa_site *site, int rank, uint32_t first,
                        uint32_t count, struct pa_buffer *out) {
    struct proving *proving = context;
    (void)site;
    (void)rank;
    (void)count;
    proving->request.first_device = first;
    pa_buffer_u32(out, PA_ASK_EPOCH);
    pa_put_epoch_request(out, &proving->request);
}

static int take_tail(void *context, struct pa_site *site, uint32_t device, struct pa_reader *in,
                     struct pa_error *error) {
    struct proving *proving = context;
    struct pa_tail tail;
    (void)site;
    pa_get_tail(in, &tail);
    pa_get_vitals(in, &proving->vitals[device]);
    if (in->failed)
        return pa_fail(error, PA_EINPUT, "closing the epoch: the device's answer is no chain end");
    proving->tails[device] = tail;
    return PA_OK;
}

/* T_d = 0 with h_T = s_d: what the list says of a device that did nothing. */
static void start_tails(const struct pa_ledger *ledger, struct proving *proving) {
    for (uint32_t d = 0; d < ledger->declaration.device_count; d++) {
        struct pa_shape shape = pa_declared_shape(&ledger->declaration, ledger->kind, d);
        proving->tails[d] = (struct pa_tail){0};
        pa_epoch_device_start(&proving->tails[d].last, &proving->request.nonce,
                              &proving->request.parameters, d, shape.m, shape.n);
    }
}

/* Sign the root, hand over root and list, and remember the closed epoch. */
static int commit(const struct pa_session_terms *terms, struct pa_ledger *ledger, uint64_t epoch,
                  const struct proving *proving, struct pa_error *error) {
    uint32_t devices = ledger->declaration.device_count;
    struct pa_hash root, message, key;
    struct pa_signature signature = {0};
    size_t length = 0;
    pa_epoch_root(&root, &proving->request.nonce, proving->tails, devices);
    pa_epoch_commit_hash(&message, &ledger->session, epoch, &root);
    PA_TRY(pa_key_sign(terms->prover, &message, signature.bytes, &length, error));
    signature.length = (uint16_t)length;
    PA_TRY(terms->witness->kind->commit(terms->witness, epoch, &root, &signature, error));
    PA_TRY(
        terms->witness->kind->reveal(terms->witness, epoch, proving->tails, devices, &key, error));
    return pa_ledger_close(ledger, epoch, &proving->request.nonce, &key, &root, proving->tails,
                           error);
}

/* How long a process waits for a step of its slowest device before it says that the device does not
 * answer: the hub must have more patience, or it loses the whole process. */
static uint64_t slowest_step_ns(const struct pa_session_terms *terms,
                                const struct pa_ledger *ledger) {
    uint64_t longest = 0;
    for (uint32_t d = 0; d < ledger->declaration.device_count; d++) {
        const struct pa_site_device *device = &terms->site->devices[d];
        double operations =
            (double)pa_shape_operations(pa_declared_shape(&ledger->declaration, ledger->kind, d));
        double rate = device->warmup.rate;
        uint64_t ns = pa_sustain_patience_ns(rate > 0 ? 1e9 * operations / rate : 0);
        longest = ns > longest ? ns : longest;
    }
    return longest;
}

static int prove(const struct pa_session_terms *terms, struct pa_ledger *ledger, uint64_t epoch,
                 struct proving *proving, struct pa_error *error) {
    PA_TRY(terms->witness->kind->challenge(terms->witness, epoch, &proving->request.nonce, error));
    pa_ledger_challenge(ledger, epoch, &proving->request.nonce);
    proving->request.kind = ledger->kind;
    proving->request.length_ns = pa_declared_length_ns(&ledger->declaration, ledger->kind);
    start_tails(ledger, proving);
    uint64_t deadline =
        pa_clock_raw_ns() + proving->request.length_ns + slowest_step_ns(terms, ledger) + grace_ns;
    int code = pa_site_ask(terms->site, build_epoch, take_tail, proving, deadline, error);
    if (code == PA_OK)
        return commit(terms, ledger, epoch, proving, error);
    struct pa_error ignored = {0};
    terms->witness->kind->abort(terms->witness, epoch, error->text, &ignored);
    pa_note_losses(terms, epoch, &ignored);
    return code;
}

int pa_session_epoch(const struct pa_session_terms *terms, struct pa_ledger *ledger, double *rate,
                     struct pa_error *error) {
    uint32_t devices = ledger->declaration.device_count;
    uint64_t epoch = ledger->next_epoch, begun = pa_clock_raw_ns();
    struct proving proving = {.request = {.parameters = pa_session_parameters(ledger, epoch)}};
    proving.tails = calloc(devices, sizeof *proving.tails);
    proving.vitals = calloc(devices, sizeof *proving.vitals);
    int code = PA_OK;
    if (proving.tails == NULL || proving.vitals == NULL)
        code = pa_fail(error, PA_EMEMORY, "running epoch %llu: out of memory",
                       (unsigned long long)epoch);
    if (code == PA_OK)
        code = prove(terms, ledger, epoch, &proving, error);
    if (code == PA_OK)
        pa_exposition_epoch(terms->exposition, terms->site, &ledger->declaration, epoch,
                            proving.tails, proving.vitals,
                            (double)(pa_clock_raw_ns() - begun) * 1e-9);
    if (code == PA_OK)
        code = pa_note_vitals(terms, epoch, proving.vitals, error);
    double operations = 0;
    for (uint32_t d = 0; d < devices && proving.tails != NULL; d++)
        operations +=
            (double)proving.tails[d].steps *
            (double)pa_shape_operations(pa_declared_shape(&ledger->declaration, ledger->kind, d));
    *rate = operations / ((double)(pa_clock_raw_ns() - begun) * 1e-9);
    free(proving.tails);
    free(proving.vitals);
    return code == PA_OK ? pa_note_losses(terms, epoch, error) : code;
}
