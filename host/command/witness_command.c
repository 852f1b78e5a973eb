/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/number.h"
#include "command/command.h"
#include "command/options.h"
#include "command/outputs.h"
#include "command/passphrase.h"
#include "command/qr_text.h"
#include "command/stamps.h"
#include "command/terminal.h"
#include "command/witness_live.h"
#include "command/witness_register.h"
#include "link/link.h"
#include "witness/witness_desk.h"
#include "witness/witness_wire.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: petaudit witness --key K [--listen ADDRESS:PORT] [--live ADDRESS:PORT|off] [--store "
    "DIR] [--keep-free SIZE|off]\n"
    "       petaudit witness export SESSION|register --out DIR [--store DIR]\n"
    "       petaudit witness import FILE --trust KEY.pub [--store DIR]\n"
    "       petaudit witness register [--store DIR]\n\n"
    "Be the witness of audits, on the auditor's own machine: own the clock and the challenges, "
    "check "
    "every opening,\n"
    "keep the transcript, judge and sign. The site gets the address with the fingerprint of the "
    "witness's key, as this\n"
    "command prints it, and talks to nobody else:\n"
    "  petaudit audit claim.yaml --witness https://192.0.2.7:7411#FINGERPRINT\n\n"
    "  --key K         the witness's key (petaudit keygen): signs certificates and is the TLS key\n"
    "  --listen A      address and port (default 0.0.0.0:7411; port 0 takes a free one)\n"
    "  --live A        address and port of the page on which sessions are watched in a browser "
    "(default\n"
    "                  127.0.0.1:7412, this machine alone), or off. It only shows, and asks for "
    "the "
    "token that is\n"
    "                  in the printed address and in DIR/viewing (remove that file for a new one). "
    "Watched from\n"
    "                  elsewhere, it tells names, rates and power of every site here to who has "
    "the "
    "token\n"
    "  --store DIR     where sessions are kept (default ./witness)\n"
    "  --keep-free S   with less free on the disk of the store, as in 512MiB or 20GiB, no new "
    "session is taken, so that\n"
    "                  those that run can end (default 1GiB), or off\n"
    "  export SESSION  copy evidence and certificate of a session, named by its folder, to "
    "--out;\n"
    "                  \"register\": the register of devices, signed, for another witness\n"
    "  import FILE     keep another witness's register, signed by the key of --trust\n"
    "  register        how many devices are registered, and those seen at two sites too soon\n\n"
    "Every session stays in the store, also a failed one: it counts against the next of the same "
    "claim and site. Stop\n"
    "with Ctrl-C; sessions go on when the witness is started again with the same store.\n\n"
    "Examples:\n"
    "  petaudit keygen auditor && petaudit witness --key auditor\n"
    "  petaudit witness export 0123456789abcdef --out for-the-bank\n"
    "  petaudit verify for-the-bank/certificate.json --evidence for-the-bank/evidence.db --trust "
    "auditor.pub\n";

enum {
    DEFAULT_PORT = 7411,
    MOST_CONNECTIONS = 1024,
    MOST_FROM_ONE = 256, /* connections from one address: who takes these leaves others theirs */
    OTHER_FILES = 1024,  /* evidence of 256 sessions, three files each, and the rest */
    LEAST_CONNECTIONS = 64,
    IDLE_S = 600,
    MOST_PENDING_BYTES = 1 << 28,
    MOST_PENDING_FROM_ONE = 1 << 26, /* two of the longest requests */
};

static const uint64_t body_ns = UINT64_C(60000000000);
/* Some sessions of ordinary size: an audit of 100,000 devices leaves 0.2 GB. */
static const uint64_t default_keep_free = UINT64_C(1) << 30;

struct witness_options {
    const char *listen, *live, *key, *store, *out, *trust, *keep_free;
};

/* What conclude() needs to sign. */
struct witness_office {
    const struct pa_key *key;
    const char *key_path;
    struct pa_witness_desk *desk;
};

static int conclude(void *context, const char *folder, struct pa_error *error) {
    const struct witness_office *office = context;
    struct pa_judged judged = {0};
    char evidence[PATH_MAX];
    PA_TRY(pa_path_join(evidence, folder, "evidence.db", error));
    int code = pa_judge_beside(evidence, PA_RECHECK_TILES, &judged, error);
    if (code == PA_OK)
        code =
            pa_outputs_write(&judged, office->key, office->key_path, PA_LANGUAGE_EN, folder, error);
    if (code == PA_OK)
        pa_say("%s: %s %s", folder, pa_verdict_name(judged.judgement.verdict),
               judged.judgement.reason);
    pa_judged_free(&judged);
    return code;
}

static unsigned answer(void *context, const void *body, size_t size, struct pa_buffer *reply) {
    struct witness_office *office = context;
    return pa_witness_desk_answer(office->desk, body, size, reply);
}

static size_t admit(void *context, const char *bearer) {
    struct witness_office *office = context;
    return pa_witness_desk_admits(office->desk, bearer);
}

static void peer(void *context, uint8_t out[PA_WITNESS_PEER_BYTES]) {
    (void)context;
    pa_link_server_peer(out);
}

static void say(void *context, const char *text) {
    (void)context;
    pa_say("petaudit witness: %s", text);
}

static int read_keep_free(const char *text, uint64_t *out, struct pa_error *error) {
    struct pa_error cause = {0};
    *out = text == NULL ? default_keep_free : 0;
    if (text != NULL && strcmp(text, "off") != 0 && pa_size_parse(text, out, &cause) != PA_OK)
        return pa_fail(error, PA_EUSAGE, "--keep-free: %.900s, or off", cause.text);
    return PA_OK;
}

/* As many connections as the system lets this process have files for, beside its sessions'. */
static unsigned connections(void) {
    const uint64_t wanted = MOST_CONNECTIONS + OTHER_FILES;
    uint64_t files = pa_files_allow(wanted);
    if (files >= wanted)
        return MOST_CONNECTIONS;
    return files < OTHER_FILES + LEAST_CONNECTIONS ? LEAST_CONNECTIONS
                                                   : (unsigned)(files - OTHER_FILES);
}

/* The host part that a site would type: the address given, or this machine's name. */
static void host_text(char out[256], const char *listen) {
    const char *colon = strrchr(listen, ':');
    size_t length = colon != NULL ? (size_t)(colon - listen) : 0;
    bool is_any = length == 0 || (length == 7 && memcmp(listen, "0.0.0.0", 7) == 0) ||
                  (length == 4 && memcmp(listen, "[::]", 4) == 0);
    if (!is_any && length < 256) {
        memcpy(out, listen, length);
        out[length] = '\0';
    } else if (gethostname(out, 256) != 0) {
        snprintf(out, 256, "THIS-MACHINE");
    }
    out[255] = '\0';
}

/* Address, fingerprint and QR code: what the site is to be told; and where the auditor can watch.
 */
static int announce(const struct pa_key *key, const char *listen, uint16_t port,
                    const struct pa_witness_live *page, struct pa_error *error) {
    uint8_t public_key[PA_PUBLIC_KEY_BYTES];
    struct pa_hash pin;
    char host[256], digits[2 * PA_HASH_BYTES + 1], url[512];
    struct pa_buffer out = {0};
    pa_key_public(key, public_key);
    pa_link_pin(public_key, &pin);
    pa_hex(digits, pin.bytes, PA_HASH_BYTES);
    host_text(host, listen);
    snprintf(url, sizeof url, "https://%s:%u#%s", host, port, digits);
    pa_buffer_format(&out, "fingerprint %s\nwitness     %s\n", digits, url);
    if (page->server != NULL) {
        host_text(host, page->listen);
        pa_buffer_format(&out, "live page   https://%s%s/#%s\n", host, strrchr(page->listen, ':'),
                         page->token);
    }
    int code = pa_qr_text(url, &out, error);
    if (code == PA_OK)
        code = pa_print_result(out.data, out.size, error);
    pa_buffer_free(&out);
    return code;
}

/* Until SIGINT or SIGTERM, which every thread of the process has blocked. */
static void wait_for_end(const sigset_t *ends) {
    int number;
    while (sigwait(ends, &number) != 0)
        continue;
}

static int serve(const struct witness_options *options, struct pa_error *error) {
    char listen[256];
    struct pa_key *key = NULL;
    struct pa_link_server *server = NULL;
    struct pa_witness_live page = {0};
    sigset_t ends;
    if (options->key == NULL)
        return pa_fail(error, PA_EUSAGE,
                       "--key is missing: the witness signs with a key of its own "
                       "(petaudit keygen FILE makes one)");
    snprintf(listen, sizeof listen, "0.0.0.0:%d", DEFAULT_PORT);
    uint64_t keep_free = 0;
    PA_TRY(read_keep_free(options->keep_free, &keep_free, error));
    PA_TRY(pa_key_file_load(options->key, pa_passphrase_ask, &key, error));
    struct witness_office office = {.key = key, .key_path = options->key};
    struct pa_witness_desk_options desk = {.folder = options->store,
                                           .key = key,
                                           .conclude = conclude,
                                           .told = pa_session_stamp_request,
                                           .peer = peer,
                                           .say = say,
                                           .keep_free_bytes = keep_free,
                                           .context = &office};
    const struct pa_link_route route = {"POST", PA_WITNESS_PATH, PA_WITNESS_MOST_REQUEST, answer};
    struct pa_link_server_options link = {.listen =
                                              options->listen != NULL ? options->listen : listen,
                                          .key = key,
                                          .common_name = "petaudit witness",
                                          .admit = admit,
                                          .most_pending_bytes = MOST_PENDING_BYTES,
                                          .most_pending_from_one = MOST_PENDING_FROM_ONE,
                                          .routes = &route,
                                          .route_count = 1,
                                          .context = &office,
                                          .most_connections = connections(),
                                          .most_from_one = MOST_FROM_ONE,
                                          .idle_s = IDLE_S,
                                          .body_ns = body_ns};
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    int code = pa_witness_desk_open(&desk, &office.desk, error);
    if (code == PA_OK)
        code = pa_link_server_start(&link, &server, error);
    if (code == PA_OK)
        code = pa_witness_live_start(options->live, options->store, key, &page, error);
    if (code == PA_OK)
        code = announce(key, link.listen, pa_link_server_port(server), &page, error);
    if (code == PA_OK)
        wait_for_end(&ends);
    pa_witness_live_stop(&page);
    pa_link_server_stop(server);
    pa_witness_desk_close(office.desk);
    pa_key_free(key);
    return code;
}

/* Copy one file of a session; one that is not there is skipped. */
static int copy(const char *from, const char *to, const char *name, bool *is_there,
                struct pa_error *error) {
    enum { MOST_FILE_BYTES = 1 << 30 };
    char source[PATH_MAX], target[PATH_MAX];
    struct pa_buffer content = {0};
    PA_TRY(pa_path_join(source, from, name, error));
    PA_TRY(pa_path_join(target, to, name, error));
    *is_there = access(source, F_OK) == 0;
    if (!*is_there)
        return PA_OK;
    int code = pa_file_read(source, MOST_FILE_BYTES, &content, error);
    if (code == PA_OK)
        code = pa_file_write(target, content.data, content.size, 0644, error);
    pa_buffer_free(&content);
    return code;
}

/* A witness that runs may have it open, or write its log back into the file at any moment: who may
 * write in the folder takes part in their locks. Read-only media have no witness. */
static int open_source(const char *folder, const char *path, struct pa_store **out,
                       struct pa_error *error) {
    if (access(folder, W_OK) != 0)
        return pa_store_open_readonly(path, out, error);
    return pa_store_open_beside(path, out, error);
}

/* The evidence as a store of its own: the running one may have a write-ahead log beside it. */
static int copy_evidence(const char *from, const char *to, struct pa_error *error) {
    char source[PATH_MAX], target[PATH_MAX];
    struct pa_store *store = NULL, *copied = NULL;
    struct pa_buffer records = {0};
    PA_TRY(pa_path_join(source, from, "evidence.db", error));
    PA_TRY(pa_path_join(target, to, "evidence.db", error));
    PA_TRY(open_source(from, source, &store, error));
    int code = pa_store_export(store, &records, error);
    if (code == PA_OK)
        code = pa_store_create(target, &copied, error);
    if (code == PA_OK)
        code = pa_store_append(copied, records.data, records.size, error);
    pa_store_close(copied);
    pa_store_close(store);
    pa_buffer_free(&records);
    return code;
}

static int export_session(const struct witness_options *options, const char *session,
                          struct pa_error *error) {
    static const char *const names[] = {"certificate.json", "test-result.json", "summary.json",
                                        "report.html",      "first-nonce.tsq",  "first-nonce.tsr",
                                        "last-root.tsq",    "last-root.tsr"};
    enum { RESULTS = 2 }; /* the first of these names */
    char folder[PATH_MAX];
    if (options->out == NULL)
        return pa_fail(error, PA_EUSAGE, "witness export: --out DIR says where the copy goes");
    if (session[strspn(session, "0123456789abcdef")] != '\0')
        return pa_fail(error, PA_EUSAGE,
                       "witness export: a session is named by the 16 digits of its folder in %s",
                       options->store);
    PA_TRY(pa_path_join(folder, options->store, session, error));
    PA_TRY(pa_directory_make(options->out, error));
    PA_TRY(copy_evidence(folder, options->out, error));
    bool is_there, is_judged = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        PA_TRY(copy(folder, options->out, names[i], &is_there, error));
        is_judged |= is_there && i < RESULTS;
    }
    pa_say("exported %s to %s%s", session, options->out,
           is_judged ? "" : " (evidence only: the session has no result)");
    return PA_OK;
}

static int run(int argc, char **argv) {
    struct witness_options set = {.store = "witness"};
    const struct pa_option options[] = {{"--listen", NULL, &set.listen},
                                        {"--live", NULL, &set.live},
                                        {"--key", NULL, &set.key},
                                        {"--store", NULL, &set.store},
                                        {"--keep-free", NULL, &set.keep_free},
                                        {"--out", NULL, &set.out},
                                        {"--trust", NULL, &set.trust},
                                        {NULL, NULL, NULL}};
    struct pa_arguments arguments;
    struct pa_error error = {0};
    int code = pa_options_parse(argc, argv, options, &arguments, &error);
    if (code == PA_OK && arguments.wants_help)
        code = pa_print_result(help, sizeof help - 1, &error);
    else if (code == PA_OK && arguments.count == 0)
        code = serve(&set, &error);
    else if (code == PA_OK && arguments.count == 1 && strcmp(arguments.plain[0], "register") == 0)
        code = pa_witness_register_show(set.store, &error);
    else if (code == PA_OK && arguments.count == 2 && strcmp(arguments.plain[0], "import") == 0)
        code = pa_witness_register_import(set.store, arguments.plain[1], set.trust, &error);
    else if (code == PA_OK && arguments.count == 2 && strcmp(arguments.plain[0], "export") == 0 &&
             strcmp(arguments.plain[1], "register") == 0)
        code = pa_witness_register_export(set.store, set.out, &error);
    else if (code == PA_OK && arguments.count == 2 && strcmp(arguments.plain[0], "export") == 0)
        code = export_session(&set, arguments.plain[1], &error);
    else if (code == PA_OK)
        code = pa_fail(&error, PA_EUSAGE,
                       "petaudit witness knows \"export SESSION\", \"export register\", \"import "
                       "FILE\" and \"register\", not \"%.60s\"",
                       arguments.plain[0]);
    return code == PA_OK ? 0 : pa_report_error("witness", &error);
}

const struct pa_command pa_command_witness = {"witness", "be the auditor's side of audits", help,
                                              run};
