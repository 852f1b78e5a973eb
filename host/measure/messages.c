/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/messages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void put_text(struct pa_buffer *out, const char *text) {
    size_t length = strlen(text);
    pa_buffer_u16(out, (uint16_t)length);
    pa_buffer_bytes(out, text, length);
}

/* Text that fits `size` with its zero and holds no control characters; anything else fails the
 * reader. */
static void get_text(struct pa_reader *in, char *out, size_t size) {
    uint16_t length = pa_read_u16(in);
    const uint8_t *view = pa_read_view(in, length);
    out[0] = '\0';
    if (view == NULL)
        return;
    if (length >= size || memchr(view, '\0', length) != NULL) {
        in->failed = true;
        return;
    }
    char raw[65536];
    memcpy(raw, view, length);
    raw[length] = '\0';
    pa_printable(out, size, raw);
}

static void put_double(struct pa_buffer *out, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    pa_buffer_u64(out, bits);
}

/* A finite number that is not negative: rates, spreads and counts are nothing else. */
static double get_double(struct pa_reader *in) {
    uint64_t bits = pa_read_u64(in);
    double value;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value) || value < 0) {
        in->failed = true;
        return 0;
    }
    return value;
}

static uint32_t get_number(struct pa_reader *in, uint32_t most) {
    uint32_t value = pa_read_u32(in);
    if (value > most) {
        in->failed = true;
        return 0;
    }
    return value;
}

static int checked(const struct pa_reader *in, const char *what, struct pa_error *error) {
    return in->failed ? pa_fail(error, PA_EINPUT,
                                "reading %s: it is cut short or holds what it must not", what)
                      : PA_OK;
}

static void put_identity(struct pa_buffer *out, const struct pa_device_identity *identity) {
    put_text(out, identity->id);
    put_text(out, identity->name);
    put_text(out, identity->vendor);
    put_text(out, identity->serial);
    put_text(out, identity->host);
    pa_buffer_u64(out, identity->memory_bytes);
    pa_buffer_u32(out, identity->units);
    put_double(out, identity->clock_hz);
    put_text(out, identity->details);
    put_text(out, identity->partition);
    put_text(out, identity->bus);
    put_text(out, identity->driver);
    pa_buffer_u32(out, identity->is_emulated ? 1 : 0);
}

static void get_identity(struct pa_reader *in, struct pa_device_identity *out) {
    get_text(in, out->id, sizeof out->id);
    get_text(in, out->name, sizeof out->name);
    get_text(in, out->vendor, sizeof out->vendor);
    get_text(in, out->serial, sizeof out->serial);
    get_text(in, out->host, sizeof out->host);
    out->memory_bytes = pa_read_u64(in);
    out->units = pa_read_u32(in);
    out->clock_hz = get_double(in);
    get_text(in, out->details, sizeof out->details);
    get_text(in, out->partition, sizeof out->partition);
    get_text(in, out->bus, sizeof out->bus);
    get_text(in, out->driver, sizeof out->driver);
    out->is_emulated = get_number(in, 1) == 1;
}

static void put_occupants(struct pa_buffer *out, const struct pa_device_facts *device) {
    put_text(out, device->no_telemetry);
    pa_buffer_u32(out, device->occupant_count);
    for (uint32_t i = 0; i < device->occupant_count && i < PA_MOST_OCCUPANTS; i++) {
        pa_buffer_u64(out, device->occupants[i].pid);
        put_text(out, device->occupants[i].name);
        pa_buffer_u64(out, device->occupants[i].memory_bytes);
    }
}

static void get_occupants(struct pa_reader *in, struct pa_device_facts *out) {
    get_text(in, out->no_telemetry, sizeof out->no_telemetry);
    out->occupant_count = pa_read_u32(in);
    for (uint32_t i = 0; i < out->occupant_count && i < PA_MOST_OCCUPANTS; i++) {
        out->occupants[i].pid = pa_read_u64(in);
        get_text(in, out->occupants[i].name, sizeof out->occupants[i].name);
        out->occupants[i].memory_bytes = pa_read_u64(in);
    }
}

static void put_libraries(struct pa_buffer *out, const struct pa_hello *hello) {
    pa_buffer_u32(out, hello->library_count);
    for (uint32_t i = 0; i < hello->library_count; i++) {
        put_text(out, hello->libraries[i].name);
        put_text(out, hello->libraries[i].path);
        put_text(out, hello->libraries[i].sha256);
    }
}

static void get_libraries(struct pa_reader *in, struct pa_hello *out) {
    out->library_count = get_number(in, PA_MOST_LIBRARIES_A_PROCESS);
    for (uint32_t i = 0; i < out->library_count; i++) {
        struct pa_library_facts *library = &out->libraries[i];
        get_text(in, library->name, sizeof library->name);
        get_text(in, library->path, sizeof library->path);
        get_text(in, library->sha256, sizeof library->sha256);
    }
}

void pa_put_hello(struct pa_buffer *out, const struct pa_hello *hello) {
    pa_buffer_u32(out, hello->device_count);
    for (uint32_t d = 0; d < hello->device_count; d++) {
        const struct pa_device_facts *device = &hello->devices[d];
        put_identity(out, &device->identity);
        put_text(out, device->backend);
        for (int f = 1; f < PA_FORMATS_END; f++) {
            const struct pa_format_facts *format = &device->formats[f];
            pa_buffer_u32(out, format->runs ? 1 : 0);
            put_text(out, format->why_not);
            put_text(out, format->library);
            put_double(out, format->peak_per_second);
            put_text(out, format->peak_basis);
        }
        put_occupants(out, device);
    }
    put_libraries(out, hello);
    pa_buffer_u64(out, hello->utc_ns);
}

int pa_get_hello(struct pa_reader *in, struct pa_hello *out, struct pa_error *error) {
    *out = (struct pa_hello){.device_count = get_number(in, PA_MOST_DEVICES_A_PROCESS)};
    out->devices = calloc(out->device_count > 0 ? out->device_count : 1, sizeof *out->devices);
    if (out->devices == NULL)
        return pa_fail(error, PA_EMEMORY, "reading a process's devices: out of memory");
    for (uint32_t d = 0; d < out->device_count; d++) {
        struct pa_device_facts *device = &out->devices[d];
        get_identity(in, &device->identity);
        get_text(in, device->backend, sizeof device->backend);
        for (int f = 1; f < PA_FORMATS_END; f++) {
            struct pa_format_facts *format = &device->formats[f];
            format->runs = get_number(in, 1) == 1;
            get_text(in, format->why_not, sizeof format->why_not);
            get_text(in, format->library, sizeof format->library);
            format->peak_per_second = get_double(in);
            get_text(in, format->peak_basis, sizeof format->peak_basis);
        }
        get_occupants(in, device);
    }
    get_libraries(in, out);
    out->utc_ns = pa_read_u64(in);
    int code = checked(in, "a process's devices", error);
    if (code != PA_OK)
        pa_hello_free(out);
    return code;
}

void pa_hello_free(struct pa_hello *hello) {
    free(hello->devices);
    *hello = (struct pa_hello){0};
}

void pa_put_calibrate_request(struct pa_buffer *out, const struct pa_calibrate_request *request) {
    pa_buffer_u32(out, (uint32_t)request->class_id);
    pa_buffer_u32(out, request->k);
    pa_buffer_u32(out, request->fixed_m);
    pa_buffer_u32(out, request->fixed_n);
    pa_buffer_u64(out, request->longest_step_ns);
    pa_buffer_u64(out, request->budget_ns);
}

int pa_get_calibrate_request(struct pa_reader *in, struct pa_calibrate_request *out,
                             struct pa_error *error) {
    out->class_id = (enum pa_class)get_number(in, PA_DENSE64);
    out->k = get_number(in, PA_MOST_K);
    out->fixed_m = get_number(in, PA_MOST_MN);
    out->fixed_n = get_number(in, PA_MOST_MN);
    out->longest_step_ns = pa_read_u64(in);
    out->budget_ns = pa_read_u64(in);
    return checked(in, "a calibration request", error);
}

static void put_trial(struct pa_buffer *out, const struct pa_trial *trial) {
    pa_buffer_u32(out, (uint32_t)trial->format);
    pa_buffer_u32(out, trial->m);
    pa_buffer_u32(out, trial->n);
    pa_buffer_u32(out, trial->variant);
    put_text(out, trial->variant_name);
    put_double(out, trial->rate);
}

static void get_trial(struct pa_reader *in, struct pa_trial *out) {
    out->format = (enum pa_format)get_number(in, PA_FORMATS_END - 1);
    out->m = get_number(in, PA_MOST_MN);
    out->n = get_number(in, PA_MOST_MN);
    out->variant = pa_read_u32(in);
    get_text(in, out->variant_name, sizeof out->variant_name);
    out->rate = get_double(in);
}

void pa_put_calibration(struct pa_buffer *out, const struct pa_calibration *calibration) {
    put_trial(out, &calibration->chosen);
    pa_buffer_u64(out, calibration->memory_bytes);
    pa_buffer_u32(out, calibration->trial_count);
    for (uint32_t i = 0; i < calibration->trial_count; i++)
        put_trial(out, &calibration->trials[i]);
    put_text(out, calibration->refused);
}

int pa_get_calibration(struct pa_reader *in, struct pa_calibration *out, struct pa_error *error) {
    get_trial(in, &out->chosen);
    out->memory_bytes = pa_read_u64(in);
    out->trial_count = get_number(in, PA_MOST_SWEEP);
    for (uint32_t i = 0; i < out->trial_count; i++)
        get_trial(in, &out->trials[i]);
    get_text(in, out->refused, sizeof out->refused);
    return checked(in, "a calibration", error);
}

void pa_put_warmup(struct pa_buffer *out, const struct pa_warmup *warmup) {
    pa_buffer_u32(out, warmup->steps);
    pa_buffer_u64(out, warmup->ns);
    put_double(out, warmup->rate);
    put_double(out, warmup->spread);
    pa_buffer_u32(out, warmup->is_steady ? 1 : 0);
}

int pa_get_warmup(struct pa_reader *in, struct pa_warmup *out, struct pa_error *error) {
    out->steps = pa_read_u32(in);
    out->ns = pa_read_u64(in);
    out->rate = get_double(in);
    out->spread = get_double(in);
    out->is_steady = get_number(in, 1) == 1;
    return checked(in, "a warm-up", error);
}

void pa_put_raw(struct pa_buffer *out, const struct pa_raw *raw) {
    put_double(out, raw->operations);
    pa_buffer_u64(out, raw->ns);
}

int pa_get_raw(struct pa_reader *in, struct pa_raw *out, struct pa_error *error) {
    out->operations = get_double(in);
    out->ns = pa_read_u64(in);
    return checked(in, "a raw rate", error);
}

static void put_parameters(struct pa_buffer *out, const struct pa_epoch_parameters *parameters) {
    uint8_t bytes[PA_EPOCH_PARAMETER_BYTES];
    pa_epoch_parameter_bytes(bytes, parameters);
    pa_buffer_bytes(out, bytes, sizeof bytes);
}

/* The inverse of pa_epoch_parameter_bytes: version, class, K, G, session, epoch. */
static void get_parameters(struct pa_reader *in, struct pa_epoch_parameters *out) {
    if (pa_read_u32(in) != PA_PROTOCOL_VERSION)
        in->failed = true;
    out->class_id = (enum pa_class)get_number(in, PA_DENSE64);
    out->k = get_number(in, PA_MOST_K);
    out->devices = get_number(in, PA_MOST_DEVICES);
    pa_read_bytes(in, out->session.bytes, PA_HASH_BYTES);
    out->epoch = pa_read_u64(in);
}

void pa_put_epoch_request(struct pa_buffer *out, const struct pa_epoch_request *request) {
    put_parameters(out, &request->parameters);
    pa_buffer_bytes(out, request->nonce.bytes, PA_HASH_BYTES);
    pa_buffer_u64(out, request->first_device);
    pa_buffer_u64(out, request->length_ns);
    pa_buffer_u32(out, request->kind);
}

int pa_get_epoch_request(struct pa_reader *in, struct pa_epoch_request *out,
                         struct pa_error *error) {
    get_parameters(in, &out->parameters);
    pa_read_bytes(in, out->nonce.bytes, PA_HASH_BYTES);
    out->first_device = pa_read_u64(in);
    out->length_ns = pa_read_u64(in);
    out->kind = pa_read_u32(in);
    if (out->kind > PA_MOST_PROBE_KINDS)
        return pa_fail(error, PA_EINPUT, "reading an epoch request: there is no kind %u",
                       out->kind);
    return checked(in, "an epoch request", error);
}

void pa_put_replay_request(struct pa_buffer *out, const struct pa_replay_request *request) {
    put_parameters(out, &request->parameters);
    pa_buffer_bytes(out, request->nonce.bytes, PA_HASH_BYTES);
    pa_buffer_u64(out, request->device);
    pa_buffer_u32(out, request->m);
    pa_buffer_u32(out, request->n);
    pa_buffer_u32(out, request->steps);
}

int pa_get_replay_request(struct pa_reader *in, struct pa_replay_request *out,
                          struct pa_error *error) {
    get_parameters(in, &out->parameters);
    pa_read_bytes(in, out->nonce.bytes, PA_HASH_BYTES);
    out->device = pa_read_u64(in);
    out->m = get_number(in, PA_MOST_MN);
    out->n = get_number(in, PA_MOST_MN);
    out->steps = get_number(in, PA_MOST_STEPS);
    return checked(in, "a replay request", error);
}

void pa_put_tail(struct pa_buffer *out, const struct pa_tail *tail) {
    pa_buffer_u64(out, tail->steps);
    pa_buffer_bytes(out, tail->last.bytes, PA_HASH_BYTES);
    pa_buffer_bytes(out, tail->tree.bytes, PA_HASH_BYTES);
}

void pa_get_tail(struct pa_reader *in, struct pa_tail *out) {
    out->steps = pa_read_u64(in);
    pa_read_bytes(in, out->last.bytes, PA_HASH_BYTES);
    pa_read_bytes(in, out->tree.bytes, PA_HASH_BYTES);
    if (out->steps > PA_MOST_STEPS)
        in->failed = true;
}

void pa_put_sample(struct pa_buffer *out, const struct pa_sample *sample) {
    pa_buffer_u32(out, sample->device);
    pa_buffer_u32(out, sample->step);
    pa_buffer_u32(out, sample->row);
    pa_buffer_u32(out, sample->column);
}

void pa_get_sample(struct pa_reader *in, struct pa_sample *out) {
    out->device = pa_read_u32(in);
    out->step = pa_read_u32(in);
    out->row = pa_read_u32(in);
    out->column = pa_read_u32(in);
}
