/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"
#include "command/options.h"
#include "command/terminal.h"
#include "measure/calibrate.h"
#include "measure/crew.h"
#include "measure/exactness.h"
#include "measure/known_answers.h"
#include "proof/vectors.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: petaudit selftest [--devices cpu|cuda|all] [--vectors FILE] [--json]\n\n"
    "Run the protocol's known answers, by this program and by each device in every format that "
    "runs, then check on each\n"
    "device that every class of work gives exact products. With --vectors only that file's known "
    "answers are run: by\n"
    "this program, and by the devices that --devices names.\n\n"
    "Exit status: 0, or 1 on any mismatch.\n\n"
    "Examples:\n"
    "  petaudit selftest\n"
    "  petaudit selftest --vectors tests/vectors/proof.json\n";

enum { MOST_VECTOR_BYTES = 1 << 26 };

struct wishes {
    const char *devices, *vectors;
    bool is_json;
};

/* The known answers of one run: those of a file, or those inside the binary. */
struct answers {
    const char *path; /* NULL: inside */
    struct pa_buffer file;
};

static int run_vectors(const struct answers *answers, struct pa_vectors_report *report,
                       struct pa_error *error) {
    return answers->path == NULL ? pa_vectors_run_embedded(NULL, report, error)
                                 : pa_vectors_run(answers->path, answers->file.data,
                                                  answers->file.size, NULL, report, error);
}

/* A device that was asked and computed nothing did not pass. */
static void note_silence(const struct pa_device *device, const char *why, json_t *list,
                         uint64_t *mismatches) {
    char text[256];
    snprintf(text, sizeof text, "no format runs on this device: %s", why);
    *mismatches += 1;
    json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:i, s:s}", "device",
                                          device->identity.id, "format", "none", "checks", 0,
                                          "mismatches", 1, "first_mismatch", text));
}

/* The same by a device, in each of its formats. */
static int answer_by_device(struct pa_device *device, const struct answers *answers, json_t *list,
                            uint64_t *mismatches, struct pa_error *error) {
    char why_not[sizeof((struct pa_format_facts *)0)->why_not] = "";
    bool has_any = false;
    for (int f = 1; f < PA_FORMATS_END; f++) {
        enum pa_format format = (enum pa_format)f;
        struct pa_format_facts facts = {0};
        struct pa_vectors_report report = {0};
        device->backend->format(device, format, &facts);
        if (!facts.runs) {
            memcpy(why_not, facts.why_not, sizeof why_not);
            continue;
        }
        has_any = true;
        PA_TRY(pa_known_answers(device, format, answers->path, answers->file.data,
                                answers->file.size, &report, error));
        *mismatches += report.mismatches;
        json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:s}", "device",
                                              device->identity.id, "format", pa_format_name(format),
                                              "checks", (json_int_t)report.device_checks,
                                              "mismatches", (json_int_t)report.mismatches,
                                              "first_mismatch", report.first_mismatch));
    }
    if (!has_any)
        note_silence(device, why_not, list, mismatches);
    return PA_OK;
}

static json_t *vectors_json(const struct pa_vectors_report *report) {
    json_t *groups = json_array();
    for (int i = 0; i < PA_VECTOR_GROUPS; i++)
        json_array_append_new(groups,
                              json_pack("{s:s, s:I, s:I, s:I}", "group", report->groups[i].name,
                                        "cases", (json_int_t)report->groups[i].cases, "checks",
                                        (json_int_t)report->groups[i].checks, "mismatches",
                                        (json_int_t)report->groups[i].mismatches));
    return json_pack("{s:I, s:I, s:s, s:o}", "checks", (json_int_t)report->checks, "mismatches",
                     (json_int_t)report->mismatches, "first_mismatch", report->first_mismatch,
                     "groups", groups);
}

/* One class in one format on one device; counts mismatches and tells what was found. */
static void check_format(struct pa_device *device, enum pa_class class_id, enum pa_format format,
                         json_t *list, uint64_t *mismatches) {
    struct pa_format_facts facts = {0};
    struct pa_exactness_report report = {0};
    struct pa_error cause = {0};
    const char *result = "exact", *why = "";
    device->backend->format(device, format, &facts);
    int code = facts.runs ? pa_exactness_check(device, (uint32_t)class_id, format, &report, &cause)
                          : pa_fail(&cause, PA_EUNSUPPORTED, "%s", facts.why_not);
    if (code != PA_OK) {
        result = code == PA_EUNSUPPORTED ? "absent" : "failed";
        why = cause.text;
    } else if (report.mismatches > 0)
        result = "wrong";
    bool is_bad = strcmp(result, "failed") == 0 || strcmp(result, "wrong") == 0;
    *mismatches += is_bad ? 1 : 0;
    json_array_append_new(
        list, json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "device", device->identity.id,
                        "class", pa_class_traits(class_id)->name, "format", pa_format_name(format),
                        "result", result, "tiles", (json_int_t)report.tiles, "mismatches",
                        (json_int_t)report.mismatches, "why", why));
}

static void check_device(struct pa_device *device, json_t *list, uint64_t *mismatches) {
    for (int class_id = PA_DENSE16; class_id <= PA_DENSE64; class_id++)
        for (const enum pa_format *format = pa_class_formats((enum pa_class)class_id); *format != 0;
             format++)
            check_format(device, (enum pa_class)class_id, *format, list, mismatches);
}

/* What one device is asked, on its own thread. */
struct questions {
    struct pa_device *device;
    const struct answers *answers;
    bool wants_exactness;
    json_t *answered, *exact;
    uint64_t *mismatches;
    struct pa_error *error;
    int code;
};

static void ask_device(void *context, int member, int size) {
    struct questions *ask = context;
    (void)member;
    (void)size;
    ask->code =
        answer_by_device(ask->device, ask->answers, ask->answered, ask->mismatches, ask->error);
    if (ask->code == PA_OK && ask->wants_exactness)
        check_device(ask->device, ask->exact, ask->mismatches);
}

static int check_devices(const struct wishes *wishes, const struct answers *answers,
                         json_t *answered, json_t *exact, uint64_t *mismatches,
                         struct pa_error *error) {
    struct pa_crew_options options = {.backend = wishes->devices != NULL ? wishes->devices : "all",
                                      .local_size = 1};
    struct pa_crew *crew = NULL;
    PA_TRY(pa_crew_open(&options, &crew, error));
    int code = PA_OK;
    for (uint32_t d = 0; code == PA_OK && d < pa_crew_devices(crew); d++) {
        struct questions ask = {.device = pa_crew_device(crew, d),
                                .answers = answers,
                                .wants_exactness = wishes->vectors == NULL,
                                .answered = answered,
                                .exact = exact,
                                .mismatches = mismatches,
                                .error = error};
        code = pa_crew_lend(crew, d, ask_device, &ask, error);
        if (code == PA_OK)
            code = ask.code;
    }
    if (!pa_crew_close(crew) && code == PA_OK)
        code = pa_fail(error, PA_ETIMEOUT, "closing devices: a library does not come back");
    return code;
}

static void put_words(struct pa_buffer *out, const struct pa_vectors_report *report,
                      const json_t *answered, const json_t *exact) {
    size_t i;
    json_t *entry;
    for (int g = 0; g < PA_VECTOR_GROUPS; g++)
        if (report->groups[g].cases > 0)
            pa_buffer_format(out, "vectors  %-9s %6u checks, %u mismatches\n",
                             report->groups[g].name, report->groups[g].checks,
                             report->groups[g].mismatches);
    if (report->mismatches > 0)
        pa_buffer_format(out, "first mismatch: %s\n", report->first_mismatch);
    json_array_foreach(answered, i, entry) {
        const char *first = json_string_value(json_object_get(entry, "first_mismatch"));
        pa_buffer_format(out, "%-8s vectors  %-5s %6lld checks, %lld mismatches%s%s\n",
                         json_string_value(json_object_get(entry, "device")),
                         json_string_value(json_object_get(entry, "format")),
                         (long long)json_integer_value(json_object_get(entry, "checks")),
                         (long long)json_integer_value(json_object_get(entry, "mismatches")),
                         first[0] != '\0' ? "; " : "", first);
    }
    json_array_foreach(exact, i, entry) {
        const char *why = json_string_value(json_object_get(entry, "why"));
        pa_buffer_format(out, "%-8s %-8s %-5s %-7s %s\n",
                         json_string_value(json_object_get(entry, "device")),
                         json_string_value(json_object_get(entry, "class")),
                         json_string_value(json_object_get(entry, "format")),
                         json_string_value(json_object_get(entry, "result")), why);
    }
}

static int selftest(const struct wishes *wishes, int *status, struct pa_error *error) {
    struct pa_vectors_report report = {0};
    struct answers answers = {.path = wishes->vectors};
    struct pa_buffer out = {0};
    json_t *answered = json_array(), *exact = json_array();
    uint64_t mismatches = 0;
    int code = PA_OK;
    if (answers.path != NULL)
        code = pa_file_read(answers.path, MOST_VECTOR_BYTES, &answers.file, error);
    if (code == PA_OK)
        code = run_vectors(&answers, &report, error);
    if (code == PA_OK && (wishes->vectors == NULL || wishes->devices != NULL))
        code = check_devices(wishes, &answers, answered, exact, &mismatches, error);
    *status = report.mismatches + mismatches > 0 ? 1 : 0;
    if (code == PA_OK && !wishes->is_json)
        put_words(&out, &report, answered, exact);
    json_t *object = json_pack("{s:s, s:b, s:o, s:o, s:o}", "schema", "petaudit-selftest/1",
                               "passed", *status == 0 ? 1 : 0, "vectors", vectors_json(&report),
                               "devices", answered, "exactness", exact);
    if (code == PA_OK && wishes->is_json) {
        char *text = json_dumps(object, JSON_INDENT(2));
        pa_buffer_format(&out, "%s\n", text != NULL ? text : "");
        free(text);
    }
    json_decref(object);
    if (code == PA_OK)
        code = pa_print_result(out.data, out.size, error);
    pa_buffer_free(&out);
    pa_buffer_free(&answers.file);
    return code;
}

static int run(int argc, char **argv) {
    struct wishes wishes = {0};
    const struct pa_option options[] = {
        {"--devices", NULL, &wishes.devices},
        {"--vectors", NULL, &wishes.vectors},
        {"--json", &wishes.is_json, NULL},
        {NULL, NULL, NULL},
    };
    struct pa_arguments arguments;
    struct pa_error error = {0};
    int code = pa_options_parse(argc, argv, options, &arguments, &error), status = 0;
    if (code == PA_OK && arguments.wants_help)
        code = pa_print_result(help, sizeof help - 1, &error);
    else if (code == PA_OK && (code = pa_arguments_expect(&arguments, 0, 0, "", &error)) == PA_OK)
        code = selftest(&wishes, &status, &error);
    return code == PA_OK ? status : pa_report_error("selftest", &error);
}

const struct pa_command pa_command_selftest = {
    "selftest", "known answers and exactness on each device", help, run};
