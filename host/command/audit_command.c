/* SPDX-License-Identifier: Apache-2.0 */
#include "command/audit_options.h"
#include "command/audit_plan.h"
#include "command/audit_witness.h"
#include "command/command.h"
#include "command/outputs.h"
#include "command/telemetry_outlet.h"
#include "command/terminal.h"
#include "command/tool_identity.h"
#include "measure/measure.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Set by the first SIGINT or SIGTERM: the running epoch is brought to its end and closed, then the
 * audit stops. */
static atomic_bool stop_requested;

static void request_stop(int signal_number) {
    static const char text[] = "\nstopping when this epoch is closed; once more to stop at once\n";
    (void)signal_number;
    atomic_store(&stop_requested, true);
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        return;
}

/* SA_RESETHAND: a second signal ends the process at once; what is closed is on disk. */
static void listen_to_signals(void) {
    struct sigaction action = {.sa_handler = request_stop, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static const uint64_t usual_gather_ns = UINT64_C(60000000000);
static const uint64_t hello_ns = UINT64_C(60000000000);

/* How long processes wait for each other at the start: PETAUDIT_GATHER, or a minute. */
static int find_gather_time(uint64_t *out, struct pa_error *error) {
    const char *text = getenv("PETAUDIT_GATHER");
    *out = usual_gather_ns;
    if (text == NULL || pa_duration_parse(text, out, error) == PA_OK)
        return PA_OK;
    pa_fail_in(error, "the environment variable PETAUDIT_GATHER");
    error->code = PA_EUSAGE;
    return PA_EUSAGE;
}

/* Everything that an audit holds while it runs. */
struct audit {
    struct pa_audit_options options;
    struct pa_place place;
    struct pa_claim claim;
    struct pa_policy policy;
    struct pa_key *key;
    struct pa_crew *crew;
    struct pa_fleet *fleet;
    struct pa_site site;
    struct pa_plan plan;
    struct pa_meter *meters[PA_AUDIT_MOST_METERS];
    uint32_t meter_count;
    bool wants_nvml; /* --meter nvml: devices must tell their power */
    struct pa_display display;
    struct pa_observer observer;
    struct pa_telemetry_outlet *outlet; /* NULL without --telemetry, as is */
    struct pa_exposition *exposition;
    struct pa_witness *remote; /* NULL: the witness is in this process */
    char evidence[PATH_MAX + 16];
    char policy_file[PATH_MAX]; /* of a policy that is a file; else its name */
    char *tool_note;
};

/* A policy named in a claim file is looked for beside that file unless it is a built-in name or an
 * absolute path. */
static int find_policy(struct audit *audit, struct pa_error *error) {
    const char *named = audit->options.policy != NULL ? audit->options.policy : audit->claim.policy;
    const char *slash = strrchr(audit->options.claim, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - audit->options.claim) + 1;
    if (named[0] == '\0')
        return pa_fail(error, PA_EINPUT,
                       "%s names no policy; name one with --policy (petaudit policy list)",
                       audit->options.claim);
    if (audit->options.policy != NULL || strpbrk(named, "/.") == NULL || named[0] == '/')
        length = 0;
    if ((size_t)snprintf(audit->policy_file, sizeof audit->policy_file, "%.*s%s", (int)length,
                         audit->options.claim, named) >= sizeof audit->policy_file)
        return pa_fail(error, PA_EINPUT, "the path of policy %.60s is too long", named);
    return PA_OK;
}

static int load_terms(struct audit *audit, struct pa_error *error) {
    PA_TRY(pa_claim_load(audit->options.claim, &audit->claim, error));
    PA_TRY(find_policy(audit, error));
    return pa_policy_load(audit->policy_file, &audit->policy, error);
}

/* Claim and policy as the session was declared with; a claim that is named again must be the same.
 */
static int load_past_terms(struct audit *audit, struct pa_error *error) {
    struct pa_judged past = {0};
    int code = pa_judge_evidence(audit->evidence, NULL, NULL, PA_RECHECK_PATHS, &past, error);
    if (code == PA_EINPUT && (past.facts.claim_text == NULL || past.facts.policy_text == NULL))
        code = pa_fail(error, PA_EINVALID,
                       "resuming %s: the session was cut off before its claim and policy were "
                       "noted, and nothing was measured; start a new audit",
                       audit->options.folder);
    if (code == PA_OK) {
        audit->claim = past.claim;
        audit->policy = past.policy;
        past.claim = (struct pa_claim){0};
        past.policy = (struct pa_policy){0};
    }
    pa_judged_free(&past);
    struct pa_claim named = {0};
    if (code == PA_OK && audit->options.claim != NULL) {
        code = pa_claim_load(audit->options.claim, &named, error);
        if (code == PA_OK && memcmp(named.sha256, audit->claim.sha256, sizeof named.sha256) != 0)
            code = pa_fail(error, PA_EINPUT,
                           "resuming %s: %s is not the claim that the session was declared with",
                           audit->options.folder, audit->options.claim);
    }
    pa_claim_free(&named);
    return code;
}

static int open_crew(struct audit *audit, struct pa_error *error) {
    struct pa_crew_options options = {.backend = audit->options.devices,
                                      .local_rank = audit->place.local_rank,
                                      .local_size = audit->place.local_size,
                                      .stop = &stop_requested};
    return pa_crew_open(&options, &audit->crew, error);
}

/* A worker needs no claim; one that it was given and can read must be the hub's. */
static int name_claim(struct audit *audit, struct pa_error *error) {
    struct pa_error missing = {0};
    if (audit->options.claim == NULL)
        return PA_OK;
    int code = pa_claim_load(audit->options.claim, &audit->claim, &missing);
    if (code == PA_OK)
        memcpy(audit->place.work, audit->claim.sha256, sizeof audit->place.work);
    return code == PA_OK || code == PA_ENOINPUT ? PA_OK : pa_fail(error, code, "%s", missing.text);
}

/* A worker does what the hub asks until the hub is done. */
static int work(struct audit *audit, struct pa_error *error) {
    uint64_t gather_ns;
    PA_TRY(name_claim(audit, error));
    PA_TRY(find_gather_time(&gather_ns, error));
    PA_TRY(open_crew(audit, error));
    PA_TRY(pa_fleet_join(&audit->place, audit->options.hub, audit->options.folder,
                         pa_clock_raw_ns() + gather_ns, &audit->fleet, error));
    return pa_fleet_serve(audit->fleet, pa_crew_execute, audit->crew, error);
}

/* Who does not come in time is left behind and noted; the audit is of those who came. */
static int lead(struct audit *audit, struct pa_error *error) {
    struct pa_error late = {0};
    uint64_t gather_ns;
    char text[PA_ERROR_TEXT_BYTES + 40];
    PA_TRY(find_gather_time(&gather_ns, error));
    memcpy(audit->place.work, audit->claim.sha256, sizeof audit->place.work);
    if (audit->place.size > 1)
        PA_TRY(pa_directory_make(audit->options.folder, error));
    int code = pa_fleet_lead(&audit->place, audit->options.hub, audit->options.folder,
                             pa_clock_raw_ns() + gather_ns, &audit->fleet, &late);
    if (code != PA_ETIMEOUT || audit->fleet == NULL)
        return code == PA_OK ? PA_OK : pa_fail(error, code, "%s", late.text);
    snprintf(text, sizeof text, "%s; going on without", late.text);
    pa_observe(&audit->observer, (struct pa_progress){.phase = PA_PHASE_NOTICE, .text = text});
    return PA_OK;
}

static int gather(struct audit *audit, struct pa_error *error) {
    PA_TRY(open_crew(audit, error));
    PA_TRY(lead(audit, error));
    PA_TRY(pa_site_gather(&audit->site, &audit->place, audit->crew, audit->fleet,
                          pa_clock_raw_ns() + hello_ns, error));
    return pa_site_check_alone(&audit->site, audit->options.is_shared, error);
}

/* Before anything is measured: a meter that cannot work should be known now. */
static int open_meters(struct audit *audit, struct pa_error *error) {
    for (int i = 0; i < PA_AUDIT_MOST_METERS && audit->options.meters[i] != NULL; i++) {
        const char *named = audit->options.meters[i];
        if (strcmp(named, "nvml") == 0 || strcmp(named, "it=nvml") == 0)
            audit->wants_nvml = true;
        else {
            PA_TRY(pa_meter_open(named, &audit->meters[audit->meter_count], error));
            audit->meter_count++;
        }
    }
    return pa_meters_check(audit->meters, audit->meter_count, error);
}

/* NVML's readings come with each device's telemetry, named or not; who names it wants to know now
 * when there will be none. */
static int check_nvml(const struct audit *audit, struct pa_error *error) {
    const char *why = "no device here is NVIDIA's";
    if (!audit->wants_nvml)
        return PA_OK;
    for (uint32_t d = 0; d < audit->site.device_count; d++) {
        const struct pa_device_facts *facts = &audit->site.devices[d].facts;
        if (strcmp(facts->backend, "cuda") != 0)
            continue;
        if (facts->no_telemetry[0] == '\0')
            return PA_OK;
        why = facts->no_telemetry;
    }
    return pa_fail(error, PA_EDEVICE, "--meter nvml: %.160s", why);
}

static struct pa_session_terms terms_of(struct audit *audit, struct pa_witness *witness) {
    return (struct pa_session_terms){.claim = &audit->claim,
                                     .policy = &audit->policy,
                                     .prover = audit->key,
                                     .witness = witness,
                                     .site = &audit->site,
                                     .plan = &audit->plan,
                                     .observer = &audit->observer,
                                     .exposition = audit->exposition,
                                     .stop = &stop_requested,
                                     .is_shared = audit->options.is_shared,
                                     .tool_note = audit->tool_note,
                                     .meters = audit->meters,
                                     .meter_count = audit->meter_count};
}

static int run_before(struct audit *audit, struct pa_witness *witness,
                      const struct pa_session_past *past, struct pa_error *error) {
    struct pa_session_terms terms = terms_of(audit, witness);
    return past != NULL ? pa_session_resume(&terms, past, error) : pa_session_run(&terms, error);
}

/* With the witness in this process, which writes to `store`, or the remote one. */
static int run_session(struct audit *audit, struct pa_store *store,
                       const struct pa_session_past *past, struct pa_error *error) {
    char register_path[PATH_MAX];
    struct pa_witness *witness = NULL;
    if (audit->remote != NULL)
        return run_before(audit, audit->remote, past, error);
    PA_TRY(pa_config_path(register_path, sizeof register_path, "sessions", error));
    PA_TRY(pa_self_witness_open(store, audit->key, register_path, &witness, error));
    int code = run_before(audit, witness, past, error);
    witness->kind->release(witness);
    return code;
}

static int measure_anew(struct audit *audit, struct pa_error *error) {
    struct pa_store *store = NULL;
    bool is_plan_only = audit->options.is_plan_only;
    PA_TRY(
        pa_plan_make(&audit->claim, &audit->policy, &audit->options.wishes, &audit->plan, error));
    PA_TRY(open_meters(audit, error));
    /* A plan is signed by nobody: no key is made for it. */
    if (!is_plan_only || audit->options.key != NULL)
        PA_TRY(pa_default_key(audit->options.key, &audit->key, error));
    if (audit->options.witness != NULL)
        PA_TRY(pa_audit_witness_begin(audit->options.witness, audit->options.folder, &audit->remote,
                                      error));
    PA_TRY(gather(audit, error));
    PA_TRY(check_nvml(audit, error));
    PA_TRY(pa_ramp_plan(&audit->claim, &audit->site, &audit->plan.ramp, error));
    PA_TRY(pa_plan_calibrate(&audit->plan, &audit->site, &audit->options.wishes, &audit->observer,
                             error));
    if (atomic_load(&stop_requested))
        return pa_fail(error, PA_EINTERRUPTED, "stopped by the user before anything was declared");
    if (is_plan_only) {
        pa_display_end(&audit->display);
        return pa_audit_plan_print(&audit->plan, &audit->site, audit->options.is_json, error);
    }
    PA_TRY(pa_directory_make(audit->options.folder, error));
    if (audit->remote != NULL)
        return run_session(audit, NULL, NULL, error);
    PA_TRY(pa_store_create(audit->evidence, &store, error));
    int code = run_session(audit, store, NULL, error);
    pa_store_close(store);
    return code;
}

static int measure_on(struct audit *audit, struct pa_error *error) {
    struct pa_store *store = NULL;
    struct pa_session_past past = {0};
    PA_TRY(pa_audit_witness_resume(audit->options.folder, audit->evidence, &audit->remote, error));
    PA_TRY(load_past_terms(audit, error));
    PA_TRY(open_meters(audit, error));
    PA_TRY(pa_default_key(audit->options.key, &audit->key, error));
    PA_TRY(gather(audit, error));
    PA_TRY(check_nvml(audit, error));
    PA_TRY(pa_store_open(audit->evidence, &store, error));
    int code = pa_session_past_read(store, &past, error);
    if (code == PA_OK) {
        pa_plan_of(&past.ledger.declaration, &audit->plan);
        code = pa_ramp_plan(&audit->claim, &audit->site, &audit->plan.ramp, error);
    }
    if (code == PA_OK)
        code = run_session(audit, store, &past, error);
    pa_session_past_free(&past);
    pa_store_close(store);
    return code;
}

/* Evidence is whole when there was no room for what follows from it. */
static int say_how_to_finish(const struct audit *audit, struct pa_error *error) {
    char cause[PA_ERROR_TEXT_BYTES];
    const char *key = audit->options.key;
    memcpy(cause, error->text, sizeof cause);
    return pa_fail(error, error->code,
                   "%.400s. The evidence is whole; when there is room, finish with: petaudit judge "
                   "%.200s --out %.150s%s%.150s",
                   cause, audit->evidence, audit->options.folder, key != NULL ? " --key " : "",
                   key != NULL ? key : "");
}

static int conclude(struct audit *audit, int *status, struct pa_error *error) {
    struct pa_judged judged = {0};
    int code = PA_OK;
    if (audit->remote != NULL)
        code = pa_audit_witness_conclude(audit->remote, audit->options.folder, audit->evidence,
                                         audit->options.language, &judged, error);
    else
        code = pa_judge_evidence(audit->evidence, NULL, NULL, PA_RECHECK_TILES, &judged, error);
    if (code == PA_OK && audit->remote == NULL)
        code = pa_outputs_write(&judged, audit->key, audit->options.key, audit->options.language,
                                audit->options.folder, error);
    if (code == PA_EWRITE && audit->remote == NULL)
        code = say_how_to_finish(audit, error);
    if (code == PA_OK)
        code = pa_outputs_print(&judged, audit->key, audit->options.folder, audit->options.is_json,
                                error);
    *status = (int)judged.judgement.verdict;
    pa_judged_free(&judged);
    return code;
}

/* What a run tells goes to the terminal and, where that is wanted, to whoever scrapes it. */
static void see(void *context, const struct pa_progress *progress) {
    struct audit *audit = context;
    pa_display_see(&audit->display, progress);
    if (audit->exposition != NULL)
        pa_exposition_progress(audit->exposition, progress);
}

/* Only rank 0 knows of all devices. */
static int open_telemetry(struct audit *audit, struct pa_error *error) {
    if (audit->options.telemetry == NULL)
        return PA_OK;
    PA_TRY(pa_telemetry_outlet_open(audit->options.telemetry, &audit->outlet, error));
    return pa_exposition_create(pa_telemetry_outlet_publish, audit->outlet, &audit->exposition,
                                error);
}

static int audit_site(struct audit *audit, int *status, struct pa_error *error) {
    PA_TRY(pa_place_find(&audit->place, error));
    pa_audit_options_folder(&audit->options, &audit->place);
    snprintf(audit->evidence, sizeof audit->evidence, "%s/evidence.db", audit->options.folder);
    if (audit->place.rank > 0)
        return work(audit, error);
    if (audit->options.resume == NULL)
        PA_TRY(load_terms(audit, error));
    PA_TRY(
        pa_audit_options_check_files(&audit->options, audit->policy_file, audit->evidence, error));
    PA_TRY(open_telemetry(audit, error));
    audit->tool_note = pa_tool_identity();
    if (audit->tool_note == NULL)
        return pa_fail(error, PA_EMEMORY, "describing this program: out of memory");
    int code =
        audit->options.resume != NULL ? measure_on(audit, error) : measure_anew(audit, error);
    pa_display_end(&audit->display);
    if (code == PA_EINTERRUPTED && !audit->options.is_plan_only)
        pa_say("the evidence is in %s; go on with: petaudit audit --resume %s",
               audit->options.folder, audit->options.folder);
    if (code == PA_OK && !audit->options.is_plan_only)
        code = conclude(audit, status, error);
    return code;
}

static bool release(struct audit *audit) {
    for (uint32_t i = 0; i < audit->meter_count; i++)
        pa_meter_close(audit->meters[i]);
    if (audit->remote != NULL)
        audit->remote->kind->release(audit->remote);
    pa_exposition_free(audit->exposition);
    pa_telemetry_outlet_close(audit->outlet);
    pa_fleet_close(audit->fleet);
    pa_site_free(&audit->site);
    bool is_whole = pa_crew_close(audit->crew);
    pa_key_free(audit->key);
    pa_policy_free(&audit->policy);
    pa_claim_free(&audit->claim);
    free(audit->tool_note);
    return is_whole;
}

static int run(int argc, char **argv) {
    struct audit audit = {0};
    struct pa_error error = {0};
    int status = 0;
    int code = pa_audit_options_parse(argc, argv, &audit.options, &error);
    if (code == PA_OK && audit.options.wants_help)
        code = pa_print_result(pa_audit_help, strlen(pa_audit_help), &error);
    else if (code == PA_OK) {
        listen_to_signals();
        pa_display_begin(&audit.display);
        audit.observer = (struct pa_observer){.see = see, .context = &audit};
        code = audit_site(&audit, &status, &error);
        pa_display_end(&audit.display);
    }
    bool is_whole = release(&audit);
    if (code != PA_OK)
        status = pa_report_error("audit", &error);
    if (!is_whole) {
        fflush(NULL);
        _exit(status);
    }
    return status;
}

const struct pa_command pa_command_audit = {
    "audit", "measure, prove, judge and certify: the main job", pa_audit_help, run};
