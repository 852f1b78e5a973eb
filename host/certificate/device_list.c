/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/device_list.h"

#include "base/number.h"
#include "certificate/canonical.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof((struct pa_device_writer *)0)->decimals[0].text >= PA_DECIMAL_TEXT_BYTES,
               "a decimal fits");

void pa_devices_mark(const struct pa_facts *facts, const struct pa_straggling *straggling,
                     bool *out) {
    for (uint32_t d = 0; d < facts->device_count; d++) {
        const struct pa_fact_device *device = &facts->devices[d];
        out[d] = device->lost || device->changed || device->operations <= 0;
    }
    for (uint32_t i = 0; i < straggling->straggler_count; i++)
        out[straggling->stragglers[i].device] = true;
}

/* Decimals that neighbours mostly have in common, by place in the writer's memory. */
enum { EFFICIENCY, NOMINAL, PEAK, RATE, RAW, BOUND };

static void put_name(struct pa_buffer *out, const char *name) {
    bool is_first = out->size > 0 && out->data[out->size - 1] == '{';
    pa_buffer_text(out, is_first ? "\"" : ",\"");
    pa_buffer_text(out, name);
    pa_buffer_text(out, "\":");
}

/* Almost every text is plain; the others go the long way, to be written as the statement would. */
static void put_text(struct pa_buffer *out, const char *name, const char *text) {
    const char *p = text;
    put_name(out, name);
    while (*p >= 0x20 && *p < 0x7F && *p != '"' && *p != '\\')
        p++;
    if (*p == '\0') {
        pa_buffer_text(out, "\"");
        pa_buffer_bytes(out, text, (size_t)(p - text));
        pa_buffer_text(out, "\"");
        return;
    }
    json_t *value = pa_canonical_string(text);
    if (value == NULL || pa_canonical_write(value, out, NULL) != PA_OK)
        out->failed = true;
    json_decref(value);
}

static void put_count(struct pa_buffer *out, const char *name, uint64_t value) {
    put_name(out, name);
    pa_buffer_format(out, "%llu", (unsigned long long)(value > INT64_MAX ? INT64_MAX : value));
}

static void put_truth(struct pa_buffer *out, const char *name, bool value) {
    put_name(out, name);
    pa_buffer_text(out, value ? "true" : "false");
}

static void put_decimal(struct pa_device_writer *writer, struct pa_buffer *out, const char *name,
                        int place, double value, bool is_known) {
    put_name(out, name);
    if (!is_known) {
        pa_buffer_text(out, "null");
        return;
    }
    if (!isfinite(value) && writer->not_finite == NULL)
        writer->not_finite = name;
    if (!writer->decimals[place].is_there || writer->decimals[place].value != value) {
        writer->decimals[place].is_there = true;
        writer->decimals[place].value = value;
        pa_decimal_text(writer->decimals[place].text, fabs(value) < 1e-18 ? 0 : value);
    }
    pa_buffer_text(out, "\"");
    pa_buffer_text(out, writer->decimals[place].text);
    pa_buffer_text(out, "\"");
}

/* What the catalogue and the class say of the device's model: mostly that of the one before. */
static void look_up(struct pa_device_writer *writer, const struct pa_fact_device *device) {
    const struct pa_fact_device *previous = writer->previous;
    writer->previous = device;
    if (previous != NULL && strcmp(previous->model, device->model) == 0 &&
        strcmp(previous->backend, device->backend) == 0 &&
        strcmp(previous->format, device->format) == 0 &&
        strcmp(previous->partition, device->partition) == 0)
        return;
    writer->row = pa_catalogue_find(device->model);
    writer->nominal = pa_judge_nominal(device, writer->claim->precision);
    writer->bound_basis = "";
    writer->bound = pa_substitution_bound(writer->facts->declaration.class_id, device->backend,
                                          device->model, device->format, &writer->bound_basis);
}

void pa_device_write(struct pa_device_writer *writer, uint32_t index, struct pa_buffer *out) {
    const struct pa_fact_device *device = &writer->facts->devices[index];
    double seconds = writer->facts->credit.seconds;
    double rate = seconds > 0 ? device->operations / seconds : 0;
    double peak = device->peak_per_second;
    look_up(writer, device);
    pa_buffer_text(out, "{");
    put_text(out, "backend", device->backend);
    put_text(out, "catalogue_confidence",
             writer->row == NULL ? "not listed" : pa_confidence_name(writer->row->confidence));
    put_text(out, "declared_name", device->name);
    put_text(out, "details", device->details);
    put_decimal(writer, out, "efficiency", EFFICIENCY, peak > 0 ? rate / peak : 0, peak > 0);
    put_text(out, "format", device->format);
    put_text(out, "host", device->host);
    put_text(out, "id", device->id);
    put_truth(out, "is_changed", device->changed);
    put_truth(out, "is_emulated", device->emulated);
    put_truth(out, "is_lost", device->lost);
    put_text(out, "library", device->library);
    put_text(out, "lost_text", device->lost_text);
    put_count(out, "m", device->m);
    put_count(out, "memory_bytes", device->memory_bytes);
    put_count(out, "n", device->n);
    put_text(out, "name", device->model);
    put_decimal(writer, out, "nominal_pflops", NOMINAL, writer->nominal * 1e-15,
                writer->nominal > 0);
    put_count(out, "number", index);
    put_text(out, "partition", device->partition);
    put_text(out, "peak_basis", device->peak_basis);
    put_decimal(writer, out, "peak_pflops", PEAK, peak * 1e-15, peak > 0);
    put_decimal(writer, out, "pflops", RATE, rate * 1e-15, true);
    put_decimal(writer, out, "raw_pflops", RAW, device->raw_per_second * 1e-15,
                device->raw_per_second > 0);
    put_count(out, "steps", device->steps);
    put_text(out, "substitution_basis", writer->bound_basis);
    put_decimal(writer, out, "substitution_bound", BOUND, writer->bound, true);
    put_text(out, "variant", device->variant);
    pa_buffer_text(out, "}");
}

/* One line; the file is "[\n" LINE ",\n" LINE .. "\n]\n". */
static void put_line(struct pa_device_writer *writer, uint32_t index, struct pa_buffer *out) {
    pa_buffer_text(out, index == 0 ? "[\n" : ",\n");
    pa_device_write(writer, index, out);
    if (index + 1 == writer->facts->device_count)
        pa_buffer_text(out, "\n]\n");
}

static int check(const struct pa_device_writer *writer, bool is_full, struct pa_error *error) {
    if (is_full)
        return pa_fail(error, PA_EMEMORY, "listing the devices: out of memory");
    if (writer->not_finite != NULL)
        return pa_fail(error, PA_EINTERNAL,
                       "listing the devices: figure \"%s\" is not a finite number",
                       writer->not_finite);
    return PA_OK;
}

int pa_device_list_write(const struct pa_facts *facts, const struct pa_claim *claim,
                         struct pa_buffer *out, struct pa_error *error) {
    struct pa_device_writer writer = {.facts = facts, .claim = claim};
    for (uint32_t d = 0; d < facts->device_count; d++)
        put_line(&writer, d, out);
    return check(&writer, out->failed, error);
}

int pa_device_list_hash(const struct pa_facts *facts, const struct pa_claim *claim,
                        struct pa_hash *out, struct pa_error *error) {
    struct pa_device_writer writer = {.facts = facts, .claim = claim};
    struct pa_buffer line = {0};
    struct pa_hasher hasher;
    bool is_full = false;
    pa_hasher_begin(&hasher, NULL);
    for (uint32_t d = 0; d < facts->device_count; d++) {
        put_line(&writer, d, &line);
        pa_hasher_add(&hasher, line.data, line.size);
        is_full |= line.failed;
        pa_buffer_clear(&line);
    }
    pa_hasher_end(&hasher, out);
    pa_buffer_free(&line);
    return check(&writer, is_full, error);
}
