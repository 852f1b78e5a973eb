/* SPDX-License-Identifier: Apache-2.0 */
#include "command/audit_options.h"

#include "command/named_files.h"
#include "command/options.h"
#include "device/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char pa_audit_help[] =
    "Usage: petaudit audit CLAIM.yaml [OPTIONS]\n"
    "       petaudit audit --resume DIR [OPTIONS]\n\n"
    "Measure what the devices sustain, prove it, judge it against the claim and leave evidence.db, "
    "certificate.json,\n"
    "summary.json, report.html and report.pdf in one folder. Several processes started together "
    "(mpirun, srun, "
    "or PETAUDIT_RANK and\n"
    "PETAUDIT_SIZE) are one audit.\n\n"
    "  --policy P        built-in policy or file (default: the claim's)\n"
    "  --precision p     fp64 fp32 tf32 bf16 fp16 fp8 int8 (default: the claim's)\n"
    "  --duration 60s    how long to prove (default: the policy's window; less can never PASS)\n"
    "  --devices D       cpu, cuda or all (default: the accelerators, or the processor where there "
    "are none)\n"
    "  --witness URL     the auditor's witness, as `petaudit witness` prints it there\n"
    "  --hub URL         rank 0: address and port to listen on; other ranks: the hub, as its "
    "message prints it\n"
    "  --key K           the site's key (default ~/.config/petaudit/key, made once)\n"
    "  --out DIR         where the files go (default ./petaudit-<UTC>)\n"
    "  --resume DIR      go on with an audit that was interrupted\n"
    "  --plan-only       calibrate, show time, memory and shapes, and stop\n"
    "  --meter M         power: [ROLE=]SOURCE, with the role it, facility, pv or wind and the "
    "source "
    "csv:FILE,\n"
    "                    modbus:HOST:PORT,MAP.yaml, rapl or nvml; options behind commas "
    "(docs/power.md), several times\n"
    "  --shared          measure although other processes use the devices, which otherwise stops\n"
    "                    the audit; said in the certificate\n"
    "  --lang L          en or zh: the language of report.html and report.pdf (default en)\n"
    "  --json            print summary.json, or the plan, on stdout and nothing else\n"
    "  --telemetry T     power, heat, rate and progress as OpenMetrics, for Prometheus: a file, "
    "which is "
    "replaced as\n"
    "                    a whole, or ADDR:PORT to be read at http://ADDR:PORT/metrics\n"
    "  --sample S        5% or 50: declare all devices, let the witness choose so many of them, "
    "and "
    "measure these;\n"
    "                    the certificate says what they show of all (docs/sampling.md)\n\n"
    "Ctrl-C brings the running epoch to its end and keeps the evidence; a second one stops at\n"
    "once and loses that epoch. Exit "
    "status: 0 PASS, 1 FAIL,\n"
    "2 INCONCLUSIVE, 3 INVALID, 130 interrupted; the others are in petaudit --help.\n\n"
    "Examples:\n"
    "  petaudit audit examples/this-machine.yaml\n"
    "  petaudit audit claim.yaml --policy mine.yaml --duration 10m --out audit-2026-11\n"
    "  mpirun -np 4 petaudit audit claim.yaml --out shared/audit\n"
    "  petaudit audit claim.yaml --meter facility=csv:main.csv,zone=+08:00,class=0.5 --meter rapl\n"
    "  petaudit audit --resume audit-2026-11\n";

/* "5%" of the devices, or as many as a whole number says. */
static int read_sample(const char *text, struct pa_plan_wishes *wishes, struct pa_error *error) {
    char number[32];
    uint64_t count = 0;
    size_t length = strlen(text);
    bool is_percent = length > 0 && text[length - 1] == '%';
    int code = PA_EINPUT;
    snprintf(number, sizeof number, "%.*s", (int)(length - (is_percent ? 1 : 0)), text);
    if (is_percent && length < sizeof number)
        code = pa_decimal_parse(number, 1e-6, 100, &wishes->sample_percent, NULL);
    else if (!is_percent && length < sizeof number)
        code = pa_whole_parse(number, 1, PA_MOST_DEVICES, &count, NULL);
    wishes->sample_count = (uint32_t)count;
    return code == PA_OK
               ? PA_OK
               : pa_fail(error, PA_EUSAGE,
                         "--sample %.60s: expected a share of the devices such as 5%%, above 0 and "
                         "at most 100%%, or their number such as 50",
                         text);
}

/* PETAUDIT_TEST_SHAPE=MxNxK: a small shape for tests, which gives a TEST result and never a
 * certificate. */
static int read_test_shape(struct pa_plan_wishes *wishes, struct pa_error *error) {
    const char *text = getenv("PETAUDIT_TEST_SHAPE");
    char rest;
    if (text == NULL)
        return PA_OK;
    if (sscanf(text, "%6ux%6ux%6u%c", &wishes->test_m, &wishes->test_n, &wishes->test_k, &rest) !=
            3 ||
        !pa_shape_is_sound(PA_DENSE16,
                           (struct pa_shape){wishes->test_m, wishes->test_n, wishes->test_k}))
        return pa_fail(error, PA_EUSAGE,
                       "PETAUDIT_TEST_SHAPE=%.60s is not M x N x K such as 256x256x256", text);
    return PA_OK;
}

static int read_wishes(struct pa_audit_options *options, struct pa_error *error) {
    struct pa_error cause = {0};
    if (options->precision != NULL) {
        options->wishes.precision = pa_precision_named(options->precision);
        if (options->wishes.precision == PA_PRECISION_NONE)
            return pa_fail(error, PA_EUSAGE,
                           "--precision is fp64, fp32, tf32, bf16, fp16, fp8 or int8, not %.60s",
                           options->precision);
    }
    if (options->duration != NULL &&
        pa_duration_parse(options->duration, &options->wishes.duration_ns, &cause) != PA_OK)
        return pa_fail(error, PA_EUSAGE, "--duration: %.900s", cause.text);
    if (options->devices != NULL && strcmp(options->devices, "all") != 0 &&
        pa_backend_named(options->devices) == NULL)
        return pa_fail(error, PA_EUSAGE, "--devices is cpu, cuda or all, not %.60s",
                       options->devices);
    const char *patience = getenv("PETAUDIT_PATIENCE");
    uint64_t ns;
    if (patience != NULL && pa_duration_parse(patience, &ns, &cause) != PA_OK)
        return pa_fail(error, PA_EUSAGE, "the environment variable PETAUDIT_PATIENCE: %.900s",
                       cause.text);
    if (options->lang != NULL && !pa_language_named(options->lang, &options->language))
        return pa_fail(error, PA_EUSAGE, "--lang is en or zh, not %.60s", options->lang);
    if (options->sample != NULL)
        PA_TRY(read_sample(options->sample, &options->wishes, error));
    return read_test_shape(&options->wishes, error);
}

int pa_audit_options_parse(int argc, char **argv, struct pa_audit_options *out,
                           struct pa_error *error) {
    struct pa_option options[PA_AUDIT_MOST_METERS + 24] = {
        {"--policy", NULL, &out->policy},
        {"--precision", NULL, &out->precision},
        {"--duration", NULL, &out->duration},
        {"--devices", NULL, &out->devices},
        {"--witness", NULL, &out->witness},
        {"--hub", NULL, &out->hub},
        {"--key", NULL, &out->key},
        {"--out", NULL, &out->out},
        {"--resume", NULL, &out->resume},
        {"--sample", NULL, &out->sample},
        {"--telemetry", NULL, &out->telemetry},
        {"--lang", NULL, &out->lang},
        {"--plan-only", &out->is_plan_only, NULL},
        {"--shared", &out->is_shared, NULL},
        {"--json", &out->is_json, NULL},
    };
    struct pa_option *next = options;
    while (next->name != NULL)
        next++;
    for (int i = 0; i < PA_AUDIT_MOST_METERS; i++)
        *next++ = (struct pa_option){"--meter", NULL, &out->meters[i]};
    struct pa_arguments arguments;
    *out = (struct pa_audit_options){0};
    PA_TRY(pa_options_parse(argc, argv, options, &arguments, error));
    out->wants_help = arguments.wants_help;
    if (out->wants_help)
        return PA_OK;
    PA_TRY(pa_arguments_expect(&arguments, out->resume != NULL ? 0 : 1, 1, "CLAIM.yaml", error));
    out->claim = arguments.count > 0 ? arguments.plain[0] : NULL;
    if (out->resume != NULL && (out->out != NULL || out->witness != NULL || out->policy != NULL ||
                                out->precision != NULL || out->duration != NULL ||
                                out->sample != NULL || out->is_plan_only))
        return pa_fail(error, PA_EUSAGE,
                       "--resume goes on with what was declared: --out, --witness, --policy, "
                       "--precision, --duration, --sample and "
                       "--plan-only do not go with it");
    return read_wishes(out, error);
}

void pa_audit_options_folder(struct pa_audit_options *options, const struct pa_place *place) {
    const char *named = options->resume != NULL ? options->resume : options->out;
    if (named != NULL) {
        snprintf(options->folder, sizeof options->folder, "%s", named);
        return;
    }
    /* Processes of one job must agree on a folder without having spoken. */
    if (place->size > 1 && place->job[0] != '\0') {
        snprintf(options->folder, sizeof options->folder, "petaudit-job-%s", place->job);
        for (char *p = options->folder; *p != '\0'; p++)
            if (*p == '/')
                *p = '_';
        return;
    }
    time_t now = (time_t)(pa_clock_utc_ns() / 1000000000u);
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(options->folder, sizeof options->folder, "petaudit-%Y%m%dT%H%M%SZ", &parts);
}

/* The file of "csv:FILE,class=0.5" or "modbus:HOST:PORT,MAP.yaml", with a role before or not; false
 * for a meter without one. */
static bool find_meter_file(const char *specification, char out[PATH_MAX]) {
    const char *role = strchr(specification, '='), *colon = strchr(specification, ':');
    const char *source = role != NULL && colon != NULL && role < colon ? role + 1 : specification;
    const char *comma = strchr(source, ',');
    const char *file = NULL;
    if (strncmp(source, "csv:", 4) == 0)
        file = source + 4;
    else if (strncmp(source, "modbus:", 7) == 0 && comma != NULL)
        file = comma + 1;
    return file != NULL &&
           snprintf(out, PATH_MAX, "%.*s", (int)strcspn(file, ","), file) < PATH_MAX;
}

int pa_audit_options_check_files(const struct pa_audit_options *options, const char *policy,
                                 const char *evidence, struct pa_error *error) {
    char files[PA_AUDIT_MOST_METERS][PATH_MAX];
    struct pa_named_file inputs[PA_AUDIT_MOST_METERS + 5] = {{"the claim", options->claim},
                                                             {"the policy", policy},
                                                             {"the key", options->key},
                                                             {"the evidence", evidence}};
    const struct pa_named_file more[] = {{"--telemetry", options->telemetry}, {NULL, NULL}};
    size_t count = 4;
    for (int i = 0; i < PA_AUDIT_MOST_METERS && options->meters[i] != NULL; i++)
        if (find_meter_file(options->meters[i], files[i]))
            inputs[count++] = (struct pa_named_file){"a meter's file", files[i]};
    return pa_named_files_check_folder(options->folder, more, inputs, error);
}
