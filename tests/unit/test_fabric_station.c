/* SPDX-License-Identifier: Apache-2.0 */
/* Real devices, three parts of this processor, that run the fabric proof with each other: what they
 * fold is what the witness computes from the seeds, in every class; and a partner who leaves holds
 * nobody up. */
#include "cmocka_setup.h"

#include "base/clock.h"
#include "base/team.h"
#include "device/host_exchange.h"
#include "measure/fabric_station.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANKS = 3 };

static const uint64_t patience_ns = UINT64_C(100000000000);

struct rank {
    struct pa_device *device;
    struct pa_stand stand;
    struct pa_fabric_station station;
    struct pa_buffer request, answer;
    struct pa_error error;
    int code;
};

static struct rank ranks[RANKS];

static int open_ranks(void **state) {
    (void)state;
    const struct pa_backend *cpu = pa_backend_named("cpu");
    int processors[1024], count = pa_processors_allowed(processors, 1024);
    assert_true(count >= 1);
    for (int r = 0; r < RANKS; r++) {
        const struct pa_device_options options = {&processors[r % count], 1};
        assert_int_equal(cpu->open(0, &options, &ranks[r].device, NULL), PA_OK);
    }
    return 0;
}

static int close_ranks(void **state) {
    (void)state;
    for (int r = 0; r < RANKS; r++)
        ranks[r].device->backend->close(ranks[r].device);
    return 0;
}

static void *execute(void *context) {
    struct rank *rank = context;
    pa_buffer_clear(&rank->answer);
    rank->code = pa_fabric_execute(&rank->station, &rank->stand, rank->request.data,
                                   rank->request.size, &rank->answer, &rank->error);
    pa_buffer_clear(&rank->request);
    return NULL;
}

/* All at the same time, as a crew does it. */
static void execute_all(int expected) {
    pthread_t threads[RANKS];
    for (int r = 0; r < RANKS; r++)
        assert_int_equal(pa_thread_start(&threads[r], execute, &ranks[r], NULL), PA_OK);
    for (int r = 0; r < RANKS; r++) {
        pthread_join(threads[r], NULL);
        if (ranks[r].code != expected)
            fail_msg("rank %d: %d, not %d: %s", r, ranks[r].code, expected, ranks[r].error.text);
    }
}

struct hub {
    struct pa_declared_device declared[RANKS];
    struct pa_declaration declaration;
    struct pa_key *prover;
    struct pa_hash session, key, challenge, answers[PA_FABRIC_ROUNDS];
    struct pa_fabric_run run;
};

static void take(struct hub *hub, enum pa_fabric_stage stage, const void *bytes, size_t size) {
    struct pa_error error = {0};
    if (pa_fabric_run_take(&hub->run, stage, bytes, size, true, &error) != PA_OK)
        fail_msg("stage %d: %s", (int)stage, error.text);
}

static void begin(struct hub *hub, const struct pa_workload *work) {
    struct pa_hash nonce;
    memset(hub, 0, sizeof *hub);
    for (int d = 0; d < RANKS; d++)
        hub->declared[d] = (struct pa_declared_device){work->m, work->n, "part"};
    hub->declaration = (struct pa_declaration){.class_id = (enum pa_class)work->class_id,
                                               .k = work->k,
                                               .device_count = RANKS,
                                               .devices = hub->declared};
    assert_int_equal(pa_key_generate(&hub->prover, NULL), PA_OK);
    pa_key_public(hub->prover, hub->declaration.prover_key);
    pa_hash_bytes(&hub->key, "key", "k", 1);
    assert_int_equal(pa_fabric_run_begin(&hub->run, &hub->declaration, &hub->session, NULL), PA_OK);
    pa_epoch_nonce(&nonce, &hub->key);
    take(hub, PA_FABRIC_NONCE, nonce.bytes, PA_HASH_BYTES);
}

static void work_all(struct hub *hub) {
    struct pa_fabric_work work = {
        .ranks = RANKS, .words = hub->run.words, .patience_ns = patience_ns};
    struct pa_buffer list = {0};
    struct pa_hash root, message;
    struct pa_fabric_tail tails[RANKS];
    uint8_t signature[PA_DER_SIGNATURE_MOST_BYTES];
    size_t length = 0;
    assert_int_equal(pa_exchange_id(true, work.id, NULL), PA_OK);
    for (uint32_t r = 0; r < RANKS; r++) {
        work.rank = r;
        pa_fabric_run_start(&hub->run, r, &work.start);
        pa_fabric_ask_work(&ranks[r].request, &work);
    }
    execute_all(PA_OK);
    for (int r = 0; r < RANKS; r++) {
        struct pa_reader in = pa_reader_over(ranks[r].answer.data, ranks[r].answer.size);
        tails[r].tail.steps = pa_read_u64(&in);
        pa_read_bytes(&in, tails[r].tail.last.bytes, PA_HASH_BYTES);
        pa_read_bytes(&in, tails[r].tail.tree.bytes, PA_HASH_BYTES);
        pa_read_bytes(&in, tails[r].fabric.bytes, PA_HASH_BYTES);
        assert_true(pa_reader_done(&in));
    }
    pa_fabric_root(&root, &hub->run.nonce, tails, RANKS);
    pa_epoch_commit_hash(&message, &hub->session, PA_FABRIC_EPOCH, &root);
    assert_int_equal(pa_key_sign(hub->prover, &message, signature, &length, NULL), PA_OK);
    pa_fabric_put_tails(&list, tails, RANKS);
    pa_buffer_u16(&list, (uint16_t)length);
    pa_buffer_bytes(&list, signature, length);
    take(hub, PA_FABRIC_COMMIT, list.data, list.size);
    pa_buffer_free(&list);
    pa_hash_bytes(&hub->challenge, "challenge", "c", 1);
    take(hub, PA_FABRIC_CHALLENGE, hub->challenge.bytes, PA_HASH_BYTES);
}

static void swap_all(struct hub *hub) {
    struct pa_hash nonce, before;
    pa_fabric_first_nonce(&nonce, &hub->run.challenge, &hub->run.root);
    for (uint32_t round = 0; round < PA_FABRIC_ROUNDS; round++) {
        uint32_t order[RANKS] = {0, 1, 2};
        pa_fabric_match(order, RANKS, &nonce);
        for (uint32_t i = 0; i < RANKS; i++) {
            uint32_t partner = order[i == 2 ? 2 : i ^ 1];
            struct pa_fabric_swap swap = {round,
                                          partner,
                                          i == 0,
                                          pa_fabric_weight_key(&nonce, order[i]),
                                          pa_fabric_weight_key(&nonce, partner),
                                          nonce,
                                          patience_ns};
            pa_fabric_ask_swap(&ranks[order[i]].request, &swap);
        }
        execute_all(PA_OK);
        assert_int_equal(ranks[order[0]].answer.size, PA_HASH_BYTES);
        assert_int_equal(ranks[order[1]].answer.size, 0);
        assert_int_equal(ranks[order[2]].answer.size, 0);
        memcpy(hub->answers[round].bytes, ranks[order[0]].answer.data, PA_HASH_BYTES);
        before = nonce;
        pa_fabric_next_nonce(&nonce, &before, &hub->answers[round], 1);
    }
    take(hub, PA_FABRIC_ANSWERS, hub->answers, sizeof hub->answers);
    take(hub, PA_FABRIC_KEY, hub->key.bytes, PA_HASH_BYTES);
}

static void put_part(struct pa_buffer *out, struct rank *rank, bool of_sums, uint32_t round,
                     uint32_t chunk) {
    const struct pa_fabric_wish wish = {of_sums, round, chunk};
    pa_fabric_ask_open(&rank->request, &wish, 1);
    execute(rank);
    assert_int_equal(rank->code, PA_OK);
    struct pa_reader in = pa_reader_over(rank->answer.data, rank->answer.size);
    uint32_t size = pa_read_u32(&in);
    assert_int_equal(size, in.left);
    pa_buffer_bytes(out, in.next, in.left);
}

static void open_all(struct hub *hub) {
    for (uint32_t j = 0; j < PA_FABRIC_SAMPLES; j++) {
        const struct pa_fabric_sample *sample = &hub->run.samples[j];
        struct pa_buffer opening = {0};
        struct pa_hash nonce;
        uint32_t order[RANKS];
        pa_fabric_run_match(&hub->run, sample->round, order, &nonce);
        struct pa_fabric_shuffle shuffle = pa_fabric_round_shuffle(&nonce, hub->run.chunks);
        pa_buffer_u32(&opening, j);
        put_part(&opening, &ranks[order[0]], false, sample->round, sample->chunk);
        put_part(&opening, &ranks[order[1]], false, sample->round,
                 pa_fabric_met_chunk(shuffle, sample->chunk));
        put_part(&opening, &ranks[order[0]], true, sample->round, sample->chunk);
        take(hub, PA_FABRIC_OPENING, opening.data, opening.size);
        pa_buffer_free(&opening);
        if (hub->run.failed > 0)
            fail_msg("opening %u: %s", j, hub->run.reason);
    }
}

static void free_all(struct hub *hub) {
    for (int r = 0; r < RANKS; r++) {
        pa_fabric_leave(&ranks[r].station);
        pa_stand_close(&ranks[r].stand);
        pa_buffer_free(&ranks[r].request);
        pa_buffer_free(&ranks[r].answer);
    }
    pa_fabric_run_free(&hub->run);
    pa_key_free(hub->prover);
}

static bool open_stands(const struct pa_workload *work) {
    struct pa_format_facts facts;
    ranks[0].device->backend->format(ranks[0].device, work->format, &facts);
    for (int r = 0; r < RANKS && facts.runs; r++)
        assert_int_equal(pa_stand_open(&ranks[r].stand, ranks[r].device, work, NULL, NULL), PA_OK);
    if (!facts.runs)
        printf("NOT TESTED: %s: %s\n", pa_format_name(work->format), facts.why_not);
    return facts.runs;
}

static void devices_fold_and_exchange_what_the_seeds_give(void **state) {
    (void)state;
    static const struct pa_workload works[] = {
        {PA_DENSE16, PA_FP32, 256, 256, 64, 0}, {PA_DENSE16, PA_BF16, 256, 128, 64, 0},
        {PA_DENSE8, PA_INT8, 128, 256, 64, 0},  {PA_CLASS_FP8, PA_FP32, 128, 128, 64, 0},
        {PA_DENSE64, PA_FP64, 256, 128, 64, 0}, {PA_DENSE16, PA_FP32, 1152, 128, 16, 0},
    };
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        struct hub hub;
        if (!open_stands(&works[i]))
            continue;
        begin(&hub, &works[i]);
        work_all(&hub);
        swap_all(&hub);
        open_all(&hub);
        assert_int_equal(hub.run.opened, PA_FABRIC_SAMPLES);
        free_all(&hub);
    }
}

static const struct pa_workload small = {PA_DENSE16, PA_FP32, 128, 128, 16, 0};

static void a_partner_who_leaves_holds_nobody_up(void **state) {
    (void)state;
    struct hub hub;
    assert_true(open_stands(&small));
    begin(&hub, &small);
    work_all(&hub);
    const struct pa_fabric_swap swap = {0, 1, true, 1, 2, {{0}}, patience_ns};
    uint64_t begun = pa_clock_raw_ns();
    pa_fabric_leave(&ranks[1].station);
    pa_fabric_ask_swap(&ranks[0].request, &swap);
    execute(&ranks[0]);
    assert_int_equal(ranks[0].code, PA_EDEVICE);
    assert_non_null(strstr(ranks[0].error.text, "rank 1"));
    assert_true(pa_clock_raw_ns() - begun < patience_ns / 2);
    free_all(&hub);
}

static void requests_that_make_no_sense_are_refused(void **state) {
    (void)state;
    struct hub hub;
    struct pa_fabric_swap swap = {PA_FABRIC_ROUNDS, 1, true, 1, 2, {{0}}, patience_ns};
    const struct pa_fabric_wish wish = {true, 0, 128};
    assert_true(open_stands(&small));
    begin(&hub, &small);
    pa_fabric_ask_swap(&ranks[0].request, &swap); /* of a station that has no state */
    execute(&ranks[0]);
    assert_int_equal(ranks[0].code, PA_EINPUT);
    pa_fabric_ask_open(&ranks[0].request, &wish, 1);
    execute(&ranks[0]);
    assert_int_equal(ranks[0].code, PA_EINPUT);
    work_all(&hub);
    pa_fabric_ask_swap(&ranks[0].request, &swap); /* a round that there is not */
    execute(&ranks[0]);
    assert_int_equal(ranks[0].code, PA_EINPUT);
    pa_fabric_ask_open(&ranks[1].request, &wish, 1); /* a chunk that there is not */
    execute(&ranks[1]);
    assert_int_equal(ranks[1].code, PA_EINPUT);
    pa_buffer_u32(&ranks[2].request, 77);
    execute(&ranks[2]);
    assert_int_equal(ranks[2].code, PA_EINPUT);
    free_all(&hub);
}

/* A state belongs to the steps behind its opening, and to as many words as C has. */
static void a_state_is_opened_and_read_in_order(void **state) {
    (void)state;
    const struct pa_backend *cpu = ranks[0].device->backend;
    struct pa_error error = {0};
    uint32_t word[128];
    assert_true(open_stands(&small));
    struct pa_workbench *bench = ranks[0].stand.bench;
    assert_int_equal(cpu->fold_read(bench, word, 0, &error), PA_EINTERNAL);
    assert_int_equal(cpu->fold_open(bench, 128 * 128 + 128, 1, &error), PA_EINTERNAL);
    assert_int_equal(cpu->fold_open(bench, 100, 1, &error), PA_EINTERNAL);
    assert_int_equal(cpu->fold_open(bench, 128, 1, &error), PA_OK);
    assert_int_equal(cpu->fold_open(bench, 128, 1, &error), PA_EINTERNAL);
    assert_int_equal(cpu->fold_read(bench, word, 0, &error), PA_EINTERNAL);
    cpu->fold_close(bench);
    cpu->fold_close(bench);
    for (int r = 0; r < RANKS; r++)
        pa_stand_close(&ranks[r].stand);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_fold_and_exchange_what_the_seeds_give),
        cmocka_unit_test(a_partner_who_leaves_holds_nobody_up),
        cmocka_unit_test(requests_that_make_no_sense_are_refused),
        cmocka_unit_test(a_state_is_opened_and_read_in_order),
    };
    return cmocka_run_group_tests(tests, open_ranks, close_ranks);
}
