/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"
#include "claim/claim.h"
#include "command/command.h"
#include "command/options.h"
#include "command/terminal.h"
#include "device/device.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: petaudit devices [--json]\n\n"
    "Show the accelerators of this machine: identity, formats, nominal peaks, and what is missing "
    "and why.\n\n"
    "Examples:\n"
    "  petaudit devices\n"
    "  petaudit devices --json | jq '.devices[].formats[] | select(.runs)'\n";

/* The nominal peak of a format: the catalogue's where it knows the device, else what the backend
 * works out. */
static double nominal_peak(const char *name, enum pa_format format,
                           const struct pa_format_facts *facts, const char **basis) {
    const struct pa_catalogue_row *row = pa_catalogue_find(name);
    double peak =
        row != NULL ? row->peak_per_second[pa_precision_named(pa_format_name(format))] : 0;
    *basis = row != NULL && peak > 0 ? row->source : facts->peak_basis;
    return peak > 0 ? peak : facts->peak_per_second;
}

static json_t *describe_format(struct pa_device *device, enum pa_format format) {
    struct pa_format_facts facts = {0};
    const char *basis;
    device->backend->format(device, format, &facts);
    double peak = nominal_peak(device->identity.name, format, &facts, &basis);
    return json_pack("{s:s, s:b, s:s, s:s, s:f, s:s}", "format", pa_format_name(format), "runs",
                     facts.runs ? 1 : 0, "why_not", facts.why_not, "library", facts.library,
                     "peak_pflops", peak / 1e15, "peak_basis", basis);
}

static json_t *describe_missing(struct pa_device *device) {
    enum { MOST = 4 };
    char texts[MOST][160];
    json_t *missing = json_array();
    int count =
        device->backend->missing != NULL ? device->backend->missing(device, texts, MOST) : 0;
    for (int i = 0; i < count; i++)
        json_array_append_new(missing, json_string(texts[i]));
    return missing;
}

static json_t *describe_device(struct pa_device *device) {
    const struct pa_device_identity *identity = &device->identity;
    json_t *formats = json_array();
    for (int format = 1; format < PA_FORMATS_END; format++)
        json_array_append_new(formats, describe_format(device, (enum pa_format)format));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:f, s:s, s:s, s:o, s:o}",
                     "id", identity->id, "name", identity->name, "vendor", identity->vendor,
                     "serial", identity->serial, "host", identity->host, "partition",
                     identity->partition, "backend", device->backend->name, "is_emulated",
                     identity->is_emulated ? 1 : 0, "memory_bytes",
                     (json_int_t)identity->memory_bytes, "units", (json_int_t)identity->units,
                     "clock_hz", identity->clock_hz, "details", identity->details, "driver",
                     identity->driver, "missing", describe_missing(device), "formats", formats);
}

static int look(json_t *devices, json_t *absent, struct pa_error *error) {
    for (const struct pa_backend *const *backend = pa_backends(); *backend != NULL; backend++) {
        struct pa_error cause = {0};
        int count = 0;
        if ((*backend)->count(&count, &cause) != PA_OK) {
            json_array_append_new(
                absent, json_pack("{s:s, s:s}", "backend", (*backend)->name, "why", cause.text));
            continue;
        }
        for (int i = 0; i < count; i++) {
            struct pa_device_options options = {0};
            struct pa_device *device = NULL;
            PA_TRY((*backend)->open(i, &options, &device, error));
            json_array_append_new(devices, describe_device(device));
            (*backend)->close(device);
        }
    }
    return PA_OK;
}

/* On the heap, because a thread that does not come back keeps it. */
struct looking {
    json_t *devices, *absent;
    struct pa_error error;
    int code;
};

static void look_around(void *context, int member, int size) {
    struct looking *looking = context;
    (void)member;
    (void)size;
    looking->code = look(looking->devices, looking->absent, &looking->error);
}

static int look_in_time(json_t *devices, json_t *absent, struct pa_error *error) {
    const uint64_t patience_ns = pa_clock_patience_ns(UINT64_C(120000000000));
    struct looking *looking = calloc(1, sizeof *looking);
    if (looking == NULL)
        return pa_fail(error, PA_EMEMORY, "listing devices: out of memory");
    *looking = (struct looking){.devices = json_incref(devices), .absent = json_incref(absent)};
    if (!pa_team_try(look_around, looking, patience_ns))
        return pa_fail(error, PA_ETIMEOUT,
                       "looking for accelerators: a call into a vendor's library has not come "
                       "back for %.3g s; audit --devices cpu goes without it",
                       (double)patience_ns * 1e-9);
    int code = looking->code;
    if (code != PA_OK)
        pa_fail(error, code, "%s", looking->error.text);
    json_decref(looking->devices);
    json_decref(looking->absent);
    free(looking);
    return code;
}

static void put_words(struct pa_buffer *out, const json_t *devices, const json_t *absent) {
    size_t i, k;
    json_t *device, *format;
    json_array_foreach(devices, i, device) {
        pa_buffer_format(
            out, "%s  %s  (%s)%s\n  %s\n", json_string_value(json_object_get(device, "id")),
            json_string_value(json_object_get(device, "name")),
            json_string_value(json_object_get(device, "host")),
            json_is_true(json_object_get(device, "is_emulated")) ? "  EMULATED: software plays it"
                                                                 : "",
            json_string_value(json_object_get(device, "details")));
        json_array_foreach(json_object_get(device, "formats"), k, format) {
            const char *name = json_string_value(json_object_get(format, "format"));
            char peak[PA_RATE_TEXT_BYTES];
            if (!json_is_true(json_object_get(format, "runs"))) {
                pa_buffer_format(out, "  %-5s no: %s\n", name,
                                 json_string_value(json_object_get(format, "why_not")));
                continue;
            }
            double per_second = json_real_value(json_object_get(format, "peak_pflops")) * 1e15;
            pa_terminal_rate(peak, per_second);
            pa_buffer_format(out, "  %-5s peak %s (%s); %s\n", name,
                             per_second > 0 ? peak : "not known",
                             json_string_value(json_object_get(format, "peak_basis")),
                             json_string_value(json_object_get(format, "library")));
        }
        json_array_foreach(json_object_get(device, "missing"), k, format)
            pa_buffer_format(out, "  without %s\n", json_string_value(format));
    }
    json_array_foreach(absent, i, device)
        pa_buffer_format(out, "%s: %s\n", json_string_value(json_object_get(device, "backend")),
                         json_string_value(json_object_get(device, "why")));
}

static int devices(bool is_json, struct pa_error *error) {
    json_t *found = json_array(), *absent = json_array();
    struct pa_buffer out = {0};
    int code = look_in_time(found, absent, error);
    if (code == PA_OK && !is_json)
        put_words(&out, found, absent);
    json_t *object = json_pack("{s:s, s:o, s:o}", "schema", "petaudit-devices/1", "devices", found,
                               "absent", absent);
    if (code == PA_OK && is_json) {
        char *text = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        if (text == NULL)
            code = pa_fail(error, PA_EMEMORY, "listing devices: out of memory");
        else
            pa_buffer_format(&out, "%s\n", text);
        free(text);
    }
    json_decref(object);
    if (code == PA_OK)
        code = pa_print_result(out.data, out.size, error);
    pa_buffer_free(&out);
    return code;
}

static int run(int argc, char **argv) {
    bool is_json = false;
    const struct pa_option options[] = {{"--json", &is_json, NULL}, {NULL, NULL, NULL}};
    struct pa_arguments arguments;
    struct pa_error error = {0};
    int code = pa_options_parse(argc, argv, options, &arguments, &error);
    if (code == PA_OK && arguments.wants_help)
        code = pa_print_result(help, sizeof help - 1, &error);
    else if (code == PA_OK && (code = pa_arguments_expect(&arguments, 0, 0, "", &error)) == PA_OK)
        code = devices(is_json, &error);
    return code == PA_OK ? 0 : pa_report_error("devices", &error);
}

const struct pa_command pa_command_devices = {"devices", "accelerators, formats, nominal peaks",
                                              help, run};
