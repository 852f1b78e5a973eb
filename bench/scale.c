/* SPDX-License-Identifier: Apache-2.0 */
/* scale.c - the real protocol with very many devices, and what each part of it costs.
 *
 *     build/release/bench/scale prove DEVICES FOLDER [EPOCHS STEPS OPENINGS [REQUESTS]]
 *     build/release/bench/scale judge FOLDER [once]
 *
 * `prove` starts a witness in a process of its own (HTTPS on the loopback, as `petaudit witness`)
 * and a site of DEVICES provers that compute every tile they commit to, at K = 128: a TEST result.
 * It leaves FOLDER/evidence.db. `judge` does with it what `petaudit judge`, `verify` and `report`
 * do, in one process. Both print one JSON object; bench/scale.py runs them at several sizes and
 * makes results/scale.json and results/scale.svg. With `once` the judge collects and judges only
 * once and lays nothing out as PDF: what a test counts.
 */
#include "scale_site.h"

#include "base/file.h"
#include "certificate/certificate.h"
#include "judge/judge.h"
#include "link/link.h"
#include "report/report.h"
#include "witness/remote_witness.h"
#include "witness/witness_desk.h"
#include "witness/witness_wire.h"

#include <limits.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void must(int code, const struct pa_error *error) {
    if (code == PA_OK)
        return;
    fprintf(stderr, "scale: %s\n", error->text);
    exit(1);
}

static void put(json_t *out, const char *name, uint64_t value) {
    json_object_set_new(out, name, json_integer((json_int_t)value));
}

static void print(json_t *out) {
    json_dumpf(out, stdout, JSON_COMPACT | JSON_SORT_KEYS);
    putchar('\n');
    json_decref(out);
}

static uint64_t most_resident_bytes(int who) {
    struct rusage usage;
    getrusage(who, &usage);
    return (uint64_t)usage.ru_maxrss * 1024;
}

/* The witness's process. */

static int conclude_nothing(void *context, const char *folder, struct pa_error *error) {
    (void)context;
    (void)folder;
    (void)error;
    return PA_OK;
}

static unsigned answer(void *context, const void *body, size_t size, struct pa_buffer *reply) {
    return pa_witness_desk_answer(context, body, size, reply);
}

static size_t admit(void *context, const char *bearer) {
    return pa_witness_desk_admits(context, bearer);
}

/* Serves until `until` is closed at its other end. */
static void be_witness(const char *folder, const struct pa_key *key, int ready, int until) {
    struct pa_error error = {0};
    struct pa_witness_desk *desk;
    struct pa_link_server *server;
    char path[PATH_MAX], byte;
    snprintf(path, sizeof path, "%s/witness", folder);
    const struct pa_witness_desk_options options = {
        .folder = path, .key = key, .conclude = conclude_nothing};
    must(pa_witness_desk_open(&options, &desk, &error), &error);
    const struct pa_link_route route = {"POST", PA_WITNESS_PATH, PA_WITNESS_MOST_REQUEST, answer};
    const struct pa_link_server_options link = {.listen = "127.0.0.1:0",
                                                .key = key,
                                                .common_name = "petaudit witness",
                                                .admit = admit,
                                                .routes = &route,
                                                .route_count = 1,
                                                .context = desk,
                                                .most_connections = 16,
                                                .idle_s = 600,
                                                .body_ns = UINT64_C(60000000000)};
    must(pa_link_server_start(&link, &server, &error), &error);
    uint16_t port = pa_link_server_port(server);
    if (write(ready, &port, sizeof port) != sizeof port)
        exit(1);
    while (read(until, &byte, 1) > 0)
        continue;
    pa_link_server_stop(server);
    pa_witness_desk_close(desk);
}

static uint64_t processor_time(void *context) {
    struct timespec time = {0};
    clock_gettime(*(clockid_t *)context, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* The desk names the session's folder after the session; the evidence is all of it that we keep. */
static void take_evidence(const char *folder) {
    char command[3 * PATH_MAX];
    snprintf(command, sizeof command,
             "mv '%s'/witness/*/evidence.db '%s'/evidence.db && rm -r '%s'/witness '%s'/ticket",
             folder, folder, folder, folder);
    if (system(command) != 0)
        exit(1);
}

static void tell_site(const struct scale_recipe *recipe, const struct scale_figures *figures,
                      const struct rusage *witness, const char *evidence) {
    json_t *out = json_object();
    struct stat facts;
    if (stat(evidence, &facts) != 0)
        exit(1);
    put(out, "devices", recipe->devices);
    put(out, "epochs", recipe->epochs);
    put(out, "declaration_bytes", figures->declaration_bytes);
    put(out, "declare_ns", figures->declare_ns);
    put(out, "requests", recipe->requests);
    put(out, "witness_request_ns", figures->witness_request_ns);
    put(out, "notes", figures->notes);
    put(out, "notes_ns", figures->notes_ns);
    put(out, "witness_notes_ns", figures->witness_notes_ns);
    put(out, "prove_ns", figures->prove_ns);
    put(out, "exchange_messages", figures->exchange_messages);
    put(out, "exchange_bytes", figures->exchange_bytes);
    put(out, "exchange_ns", figures->exchange_ns);
    put(out, "exchange_most_ns", figures->exchange_most_ns);
    put(out, "witness_exchange_ns", figures->witness_exchange_ns);
    put(out, "openings", figures->openings);
    put(out, "opening_bytes", figures->opening_bytes);
    put(out, "openings_ns", figures->openings_ns);
    put(out, "witness_openings_ns", figures->witness_openings_ns);
    put(out, "witness_memory_bytes", (uint64_t)witness->ru_maxrss * 1024);
    put(out, "witness_cpu_ns",
        (uint64_t)(witness->ru_utime.tv_sec + witness->ru_stime.tv_sec) * 1000000000 +
            (uint64_t)(witness->ru_utime.tv_usec + witness->ru_stime.tv_usec) * 1000);
    put(out, "site_memory_bytes", most_resident_bytes(RUSAGE_SELF));
    put(out, "evidence_bytes", (uint64_t)facts.st_size);
    print(out);
}

static void prove(const struct scale_recipe *recipe, const char *folder) {
    struct pa_error error = {0};
    struct pa_key *key, *prover;
    struct pa_witness *witness;
    struct scale_figures figures;
    struct rusage usage;
    struct pa_hash pin;
    uint8_t public_key[PA_PUBLIC_KEY_BYTES];
    uint16_t port;
    clockid_t clock;
    int ready[2], until[2], status;
    char url[160], digits[65], ticket[PATH_MAX], evidence[PATH_MAX];
    must(pa_directory_make(folder, &error), &error);
    must(pa_key_generate(&key, &error), &error);
    must(pa_key_generate(&prover, &error), &error);
    if (pipe(ready) != 0 || pipe(until) != 0)
        exit(1);
    pid_t pid = fork();
    if (pid == 0) {
        close(until[1]);
        be_witness(folder, key, ready[1], until[0]);
        _exit(0);
    }
    close(until[0]);
    if (pid < 0 || read(ready[0], &port, sizeof port) != sizeof port ||
        clock_getcpuclockid(pid, &clock) != 0)
        exit(1);
    pa_key_public(key, public_key);
    pa_link_pin(public_key, &pin);
    pa_hex(digits, pin.bytes, PA_HASH_BYTES);
    snprintf(url, sizeof url, "https://127.0.0.1:%u#%s", port, digits);
    snprintf(ticket, sizeof ticket, "%s/ticket", folder);
    snprintf(evidence, sizeof evidence, "%s/evidence.db", folder);
    const struct pa_remote_witness_options options = {.url = url, .ticket_path = ticket};
    must(pa_remote_witness_open(&options, &witness, &error), &error);
    must(scale_site_run(recipe, witness, prover, processor_time, &clock, &figures, &error), &error);
    witness->kind->release(witness);
    close(until[1]);
    if (wait4(pid, &status, 0, &usage) != pid || status != 0)
        exit(1);
    take_evidence(folder);
    tell_site(recipe, &figures, &usage, evidence);
    pa_key_free(prover);
    pa_key_free(key);
}

/* Judging. */

struct judging {
    struct pa_facts facts;
    struct pa_claim claim;
    struct pa_policy policy;
    struct pa_judgement judgement;
    json_t *statement;
    struct pa_buffer certificate, devices, summary, html, pdf;
    json_t *out;
    uint64_t since_ns, since_cpu_ns, begun_ns;
};

/* Wall time, and the processor time of all threads, since the last lap. */
static void lap(struct judging *j, const char *name) {
    clockid_t own = CLOCK_PROCESS_CPUTIME_ID;
    char text[64];
    uint64_t now = pa_clock_raw_ns(), now_cpu = processor_time(&own);
    snprintf(text, sizeof text, "%s_ns", name);
    put(j->out, text, now - j->since_ns);
    snprintf(text, sizeof text, "%s_cpu_ns", name);
    put(j->out, text, now_cpu - j->since_cpu_ns);
    j->since_ns = now;
    j->since_cpu_ns = now_cpu;
}

static void judge_once(struct judging *j, const char *evidence) {
    struct pa_error error = {0};
    struct pa_store *store;
    must(pa_store_open_readonly(evidence, &store, &error), &error);
    lap(j, "open");
    must(pa_facts_collect(store, PA_RECHECK_TILES, &j->facts, &error), &error);
    pa_store_close(store);
    lap(j, "facts");
    must(pa_claim_parse("claim", j->facts.claim_text, j->facts.claim_bytes, &j->claim, &error),
         &error);
    must(pa_policy_parse("policy", j->facts.policy_text, j->facts.policy_bytes, &j->policy, &error),
         &error);
    must(pa_judge(&j->facts, &j->claim, &j->policy, &j->judgement, &error), &error);
    lap(j, "judge");
    put(j->out, "devices", j->facts.device_count);
    put(j->out, "findings", j->judgement.finding_count);
    put(j->out, "verdict", j->judgement.verdict);
}

static void certify(struct judging *j) {
    struct pa_error error = {0};
    struct pa_issue issue = {0};
    struct pa_key *key;
    must(pa_key_generate(&key, &error), &error);
    pa_key_public(key, issue.signer);
    must(pa_statement_build(&j->facts, &j->claim, &j->policy, &j->judgement, &issue, &j->statement,
                            &error),
         &error);
    must(pa_envelope_sign(j->statement, key, &j->certificate, &error), &error);
    must(pa_device_list_write(&j->facts, &j->claim, &j->devices, &error), &error);
    must(pa_summary_write(j->statement, &j->summary, &error), &error);
    pa_key_free(key);
    put(j->out, "certificate_bytes", j->certificate.size);
    put(j->out, "device_list_bytes", j->devices.size);
    put(j->out, "summary_bytes", j->summary.size);
    lap(j, "certify");
    pa_judgement_free(&j->judgement);
    pa_policy_free(&j->policy);
    pa_claim_free(&j->claim);
    pa_facts_free(&j->facts);
}

static void report(struct judging *j, bool is_once) {
    const struct pa_report_form form = {PA_PAPER_A4, PA_LANGUAGE_EN};
    struct pa_error error = {0};
    must(pa_report_html(j->statement, form, &j->html, &error), &error);
    if (!is_once)
        must(pa_report_pdf(j->statement, form, &j->certificate, NULL, &j->pdf, &error), &error);
    json_decref(j->statement);
    put(j->out, "html_bytes", j->html.size);
    put(j->out, "pdf_bytes", j->pdf.size);
    lap(j, "report");
}

static void verify(struct judging *j, const char *evidence, bool is_once) {
    struct pa_error error = {0};
    struct pa_verification verification;
    struct pa_store *store;
    must(pa_certificate_verify(j->certificate.data, j->certificate.size, &verification, &error),
         &error);
    lap(j, "verify");
    if (!is_once) {
        must(pa_store_open_readonly(evidence, &store, &error), &error);
        must(pa_verification_evidence(&verification, store, PA_RECHECK_TILES, &error), &error);
        pa_store_close(store);
        lap(j, "verify_evidence");
    }
    pa_verification_free(&verification);
}

/* Instructions of this process and its threads from here on; -1 where the kernel does not let us
 * count them. */
static int count_instructions(void) {
    struct perf_event_attr attributes = {.type = PERF_TYPE_HARDWARE,
                                         .size = sizeof attributes,
                                         .config = PERF_COUNT_HW_INSTRUCTIONS,
                                         .inherit = 1,
                                         .exclude_kernel = 1,
                                         .exclude_hv = 1};
    return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}

static void put_instructions(json_t *out, int counter) {
    uint64_t count = 0;
    if (counter >= 0 && read(counter, &count, sizeof count) == sizeof count && count > 0)
        put(out, "instructions", count);
    else
        json_object_set_new(out, "instructions", json_null());
    if (counter >= 0)
        close(counter);
}

static void judge(const char *folder, bool is_once) {
    int counter = count_instructions();
    struct judging j = {.out = json_object()};
    char evidence[PATH_MAX];
    snprintf(evidence, sizeof evidence, "%s/evidence.db", folder);
    j.begun_ns = j.since_ns = pa_clock_raw_ns();
    judge_once(&j, evidence);
    certify(&j);
    report(&j, is_once);
    verify(&j, evidence, is_once);
    clockid_t own = CLOCK_PROCESS_CPUTIME_ID;
    put(j.out, "all_ns", pa_clock_raw_ns() - j.begun_ns);
    put(j.out, "all_cpu_ns", processor_time(&own));
    put_instructions(j.out, counter);
    put(j.out, "judge_memory_bytes", most_resident_bytes(RUSAGE_SELF));
    pa_buffer_free(&j.certificate);
    pa_buffer_free(&j.devices);
    pa_buffer_free(&j.summary);
    pa_buffer_free(&j.html);
    pa_buffer_free(&j.pdf);
    print(j.out);
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    if (argc >= 3 && strcmp(argv[1], "judge") == 0) {
        judge(argv[2], argc > 3 && strcmp(argv[3], "once") == 0);
        return 0;
    }
    if (argc != 4 && argc != 7 && argc != 8) {
        fprintf(stderr, "usage: scale prove DEVICES FOLDER [EPOCHS STEPS OPENINGS [REQUESTS]]\n"
                        "       scale judge FOLDER [once]\n");
        return 64;
    }
    struct scale_recipe recipe = {(uint32_t)strtoul(argv[2], NULL, 10), 3, 3, 334, 0};
    if (argc >= 7) {
        recipe.epochs = (uint32_t)strtoul(argv[4], NULL, 10);
        recipe.steps = (uint32_t)strtoul(argv[5], NULL, 10);
        recipe.openings = (uint32_t)strtoul(argv[6], NULL, 10);
        recipe.requests = argc == 8 ? (uint32_t)strtoul(argv[7], NULL, 10) : 0;
    }
    prove(&recipe, argv[3]);
    return 0;
}
