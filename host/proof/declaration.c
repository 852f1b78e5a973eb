/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/declaration.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

/* One session of a year is more than anybody measures, and keeps every sum of times far from 2^64.
 */
#define MOST_SESSION_NS (UINT64_C(366) * 86400 * 1000000000)
/* m, n and the length of the name: what a device takes at least. */
#define LEAST_DEVICE_BYTES 9
/* m and n of one device in a probe. */
#define PROBE_SHAPE_BYTES 8

/* What may follow the devices, each at most once and in this order. */
enum { PART_PROBES = 1, PART_SAMPLE = 2 };

/* Far above any device, and far from where sums of doubles lose whole operations. */
#define MOST_DECLARED_RATE (UINT64_C(1) << 62)

static void write_name(const char *name, struct pa_buffer *out) {
    uint8_t length = (uint8_t)strnlen(name, PA_DECLARED_NAME_BYTES - 1);
    pa_buffer_bytes(out, &length, 1);
    pa_buffer_bytes(out, name, length);
}

static void write_probes(const struct pa_declaration *declaration, struct pa_buffer *out) {
    pa_buffer_u32(out, PART_PROBES);
    pa_buffer_u32(out, declaration->probe_count);
    for (uint32_t i = 0; i < declaration->probe_count; i++) {
        const struct pa_probe_shape *shapes =
            declaration->probe_shapes + (size_t)i * declaration->device_count;
        pa_buffer_u64(out, declaration->probes[i].length_ns);
        pa_buffer_u32(out, declaration->probes[i].epochs);
        pa_buffer_u32(out, declaration->probes[i].openings);
        for (uint32_t d = 0; d < declaration->device_count; d++) {
            pa_buffer_u32(out, shapes[d].m);
            pa_buffer_u32(out, shapes[d].n);
        }
    }
}

static void write_sample(const struct pa_declaration *declaration, struct pa_buffer *out) {
    pa_buffer_u32(out, PART_SAMPLE);
    pa_buffer_u32(out, declaration->sample_count);
    for (uint32_t d = 0; d < declaration->device_count; d++)
        pa_buffer_u64(out, declaration->sample_rates[d]);
}

void pa_declaration_write(const struct pa_declaration *declaration, struct pa_buffer *out) {
    pa_buffer_u32(out, PA_PROTOCOL_VERSION);
    pa_buffer_u32(out, (uint32_t)declaration->class_id);
    pa_buffer_u32(out, declaration->k);
    pa_buffer_u32(out, declaration->epochs);
    pa_buffer_u64(out, declaration->epoch_ns);
    pa_buffer_u32(out, declaration->openings);
    pa_buffer_u32(out, declaration->interruptions);
    pa_buffer_u64(out, declaration->longest_gap_ns);
    pa_buffer_u32(out, declaration->serial);
    pa_buffer_u64(out, declaration->alpha_ppm);
    pa_buffer_bytes(out, declaration->claim.bytes, PA_HASH_BYTES);
    pa_buffer_bytes(out, declaration->policy.bytes, PA_HASH_BYTES);
    pa_buffer_bytes(out, declaration->witness_key, PA_PUBLIC_KEY_BYTES);
    pa_buffer_bytes(out, declaration->prover_key, PA_PUBLIC_KEY_BYTES);
    write_name(declaration->site, out);
    pa_buffer_u32(out, declaration->device_count);
    for (uint32_t d = 0; d < declaration->device_count; d++) {
        pa_buffer_u32(out, declaration->devices[d].m);
        pa_buffer_u32(out, declaration->devices[d].n);
        write_name(declaration->devices[d].name, out);
    }
    if (declaration->probe_count > 0)
        write_probes(declaration, out);
    if (declaration->sample_count > 0)
        write_sample(declaration, out);
}

/* Bytes that could end a text early are refused here; pa_declaration_check sees to the rest. */
static int read_name(struct pa_reader *reader, char out[PA_DECLARED_NAME_BYTES],
                     struct pa_error *error) {
    uint8_t length = 0;
    pa_read_bytes(reader, &length, 1);
    if (length >= PA_DECLARED_NAME_BYTES)
        return pa_fail(error, PA_EINPUT, "reading a declaration: a name of %u bytes", length);
    pa_read_bytes(reader, out, length);
    out[length] = '\0';
    if (strlen(out) != length)
        return pa_fail(error, PA_EINPUT, "reading a declaration: a name that is cut short");
    return PA_OK;
}

static int read_devices(struct pa_declaration *out, struct pa_reader *reader,
                        struct pa_error *error) {
    uint32_t count = pa_read_u32(reader);
    /* Memory is taken only for devices whose bytes can be there. */
    if (reader->failed || count == 0 || count > PA_MOST_DEVICES ||
        count > reader->left / LEAST_DEVICE_BYTES)
        return pa_fail(error, PA_EINPUT, "reading a declaration: %u devices in %zu bytes", count,
                       reader->left);
    out->devices = calloc(count, sizeof *out->devices);
    if (out->devices == NULL)
        return pa_fail(error, PA_EMEMORY, "reading a declaration: out of memory");
    out->device_count = count;
    for (uint32_t d = 0; d < count; d++) {
        out->devices[d].m = pa_read_u32(reader);
        out->devices[d].n = pa_read_u32(reader);
        PA_TRY(read_name(reader, out->devices[d].name, error));
    }
    return PA_OK;
}

static int read_probes(struct pa_declaration *out, struct pa_reader *reader,
                       struct pa_error *error) {
    size_t shapes = out->device_count, each = 16 + PROBE_SHAPE_BYTES * shapes;
    uint32_t count = pa_read_u32(reader);
    if (reader->failed || count == 0 || count > PA_MOST_PROBE_KINDS ||
        out->device_count > PA_MOST_PROBED_DEVICES || count > reader->left / each)
        return pa_fail(error, PA_EINPUT,
                       "reading a declaration: %u kinds of probes of %u devices in %zu bytes",
                       count, out->device_count, reader->left);
    out->probe_shapes = calloc(count * shapes, sizeof *out->probe_shapes);
    if (out->probe_shapes == NULL)
        return pa_fail(error, PA_EMEMORY, "reading a declaration: out of memory");
    out->probe_count = count;
    for (uint32_t i = 0; i < count; i++) {
        out->probes[i].length_ns = pa_read_u64(reader);
        out->probes[i].epochs = pa_read_u32(reader);
        out->probes[i].openings = pa_read_u32(reader);
        for (uint32_t d = 0; d < out->device_count; d++) {
            out->probe_shapes[i * shapes + d].m = pa_read_u32(reader);
            out->probe_shapes[i * shapes + d].n = pa_read_u32(reader);
        }
    }
    return PA_OK;
}

static int read_sample(struct pa_declaration *out, struct pa_reader *reader,
                       struct pa_error *error) {
    uint32_t count = pa_read_u32(reader);
    if (reader->failed || count == 0 || out->device_count > reader->left / sizeof(uint64_t))
        return pa_fail(error, PA_EINPUT,
                       "reading a declaration: a sample of %u of %u devices in %zu bytes", count,
                       out->device_count, reader->left);
    out->sample_rates = calloc(out->device_count, sizeof *out->sample_rates);
    if (out->sample_rates == NULL)
        return pa_fail(error, PA_EMEMORY, "reading a declaration: out of memory");
    out->sample_count = count;
    for (uint32_t d = 0; d < out->device_count; d++)
        out->sample_rates[d] = pa_read_u64(reader);
    return PA_OK;
}

/* The parts after the devices; a session that does nothing beside its long epochs has none. */
static int read_parts(struct pa_declaration *out, struct pa_reader *reader,
                      struct pa_error *error) {
    uint32_t last = 0;
    while (reader->left > 0 && !reader->failed) {
        uint32_t part = pa_read_u32(reader);
        if (reader->failed || part <= last || part > PART_SAMPLE)
            return pa_fail(error, PA_EINPUT,
                           "reading a declaration: it is cut short or too long, or declares "
                           "something that this version does not know");
        last = part;
        PA_TRY(part == PART_PROBES ? read_probes(out, reader, error)
                                   : read_sample(out, reader, error));
    }
    return PA_OK;
}

static int read_fields(struct pa_declaration *out, struct pa_reader *reader,
                       struct pa_error *error) {
    uint32_t version = pa_read_u32(reader);
    if (version != PA_PROTOCOL_VERSION)
        return pa_fail(error, PA_EINPUT,
                       "reading a declaration: protocol version %u, and this is version %d",
                       version, PA_PROTOCOL_VERSION);
    uint32_t class_id = pa_read_u32(reader);
    out->class_id = class_id <= PA_DENSE64 ? (enum pa_class)class_id : PA_CLASS_NONE;
    out->k = pa_read_u32(reader);
    out->epochs = pa_read_u32(reader);
    out->epoch_ns = pa_read_u64(reader);
    out->openings = pa_read_u32(reader);
    out->interruptions = pa_read_u32(reader);
    out->longest_gap_ns = pa_read_u64(reader);
    out->serial = pa_read_u32(reader);
    out->alpha_ppm = pa_read_u64(reader);
    pa_read_bytes(reader, out->claim.bytes, PA_HASH_BYTES);
    pa_read_bytes(reader, out->policy.bytes, PA_HASH_BYTES);
    pa_read_bytes(reader, out->witness_key, PA_PUBLIC_KEY_BYTES);
    pa_read_bytes(reader, out->prover_key, PA_PUBLIC_KEY_BYTES);
    PA_TRY(read_name(reader, out->site, error));
    PA_TRY(read_devices(out, reader, error));
    PA_TRY(read_parts(out, reader, error));
    if (!pa_reader_done(reader))
        return pa_fail(error, PA_EINPUT, "reading a declaration: it is cut short or too long");
    return pa_declaration_check(out, error);
}

int pa_declaration_read(struct pa_declaration *out, const void *data, size_t size,
                        struct pa_error *error) {
    *out = (struct pa_declaration){0};
    struct pa_reader reader = pa_reader_over(data, size);
    int code = read_fields(out, &reader, error);
    if (code != PA_OK)
        pa_declaration_free(out);
    return code;
}

/* Ended, UTF-8, without control characters: what pa_printable would leave as it is. */
static bool name_is_sound(const char name[PA_DECLARED_NAME_BYTES]) {
    char printable[PA_DECLARED_NAME_BYTES];
    if (memchr(name, '\0', PA_DECLARED_NAME_BYTES) == NULL)
        return false;
    pa_printable(printable, sizeof printable, name);
    return strcmp(printable, name) == 0;
}

static int check_devices(const struct pa_declaration *declaration, struct pa_error *error) {
    if (declaration->device_count == 0 || declaration->device_count > PA_MOST_DEVICES)
        return pa_fail(error, PA_EINPUT, "declaration: %u devices, 1 to %d are possible",
                       declaration->device_count, PA_MOST_DEVICES);
    for (uint32_t d = 0; d < declaration->device_count; d++) {
        const struct pa_declared_device *device = &declaration->devices[d];
        struct pa_shape shape = {device->m, device->n, declaration->k};
        if (!pa_shape_is_sound(declaration->class_id, shape))
            return pa_fail(error, PA_EINPUT,
                           "declaration, device %u: a product of %u x %u x %u cannot be proven; M "
                           "and N are multiples of %d, K is at most %d",
                           d, shape.m, shape.n, shape.k, PA_TILE, PA_MOST_K);
        if (!name_is_sound(device->name))
            return pa_fail(error, PA_EINPUT, "declaration, device %u: its name is not plain UTF-8",
                           d);
    }
    return PA_OK;
}

static int check_probe(const struct pa_declaration *declaration, uint32_t kind,
                       struct pa_error *error) {
    const struct pa_declared_probe *probe = &declaration->probes[kind];
    uint64_t limit = kind == 0 ? declaration->epoch_ns : probe[-1].length_ns - 1;
    if (probe->length_ns == 0 || probe->length_ns > limit)
        return pa_fail(error, PA_EINPUT,
                       "declaration: probes of %.6f s; each kind is shorter than the one before, "
                       "and none longer than an epoch",
                       (double)probe->length_ns / 1e9);
    if (probe->epochs == 0 || probe->epochs > PA_MOST_PROBES || probe->openings == 0 ||
        probe->openings > PA_MOST_OPENINGS)
        return pa_fail(error, PA_EINPUT, "declaration: %u probes of %u openings each",
                       probe->epochs, probe->openings);
    for (uint32_t d = 0; d < declaration->device_count; d++) {
        const struct pa_probe_shape *shape =
            &declaration->probe_shapes[(size_t)kind * declaration->device_count + d];
        if (!pa_shape_is_sound(declaration->class_id,
                               (struct pa_shape){shape->m, shape->n, declaration->k}))
            return pa_fail(error, PA_EINPUT,
                           "declaration, device %u: a product of %u x %u x %u cannot be proven", d,
                           shape->m, shape->n, declaration->k);
    }
    return PA_OK;
}

static int check_probes(const struct pa_declaration *declaration, struct pa_error *error) {
    uint64_t epochs = declaration->epochs, ns = declaration->epochs * declaration->epoch_ns;
    if (declaration->probe_count == 0)
        return PA_OK;
    if (declaration->probe_count > PA_MOST_PROBE_KINDS || declaration->probe_shapes == NULL ||
        declaration->device_count > PA_MOST_PROBED_DEVICES)
        return pa_fail(error, PA_EINPUT,
                       "declaration: %u kinds of probes of %u devices; at most %d of %d are "
                       "possible",
                       declaration->probe_count, declaration->device_count, PA_MOST_PROBE_KINDS,
                       PA_MOST_PROBED_DEVICES);
    for (uint32_t i = 0; i < declaration->probe_count; i++) {
        PA_TRY(check_probe(declaration, i, error));
        /* At most 8,000 probes, none longer than an epoch: no sum can wrap. */
        epochs += declaration->probes[i].epochs;
        ns += declaration->probes[i].epochs * declaration->probes[i].length_ns;
    }
    if (epochs > PA_MOST_EPOCHS || ns > MOST_SESSION_NS)
        return pa_fail(error, PA_EINPUT,
                       "declaration: %llu epochs with probes, of %.0f s in all; a session has at "
                       "most %d and lasts at most 366 days",
                       (unsigned long long)epochs, (double)ns / 1e9, PA_MOST_EPOCHS);
    return PA_OK;
}

static int check_sample(const struct pa_declaration *declaration, struct pa_error *error) {
    if (declaration->sample_count == 0)
        return PA_OK;
    if (declaration->sample_count > declaration->device_count || declaration->sample_rates == NULL)
        return pa_fail(error, PA_EINPUT, "declaration: a sample of %u of %u devices",
                       declaration->sample_count, declaration->device_count);
    for (uint32_t d = 0; d < declaration->device_count; d++)
        if (declaration->sample_rates[d] == 0 || declaration->sample_rates[d] > MOST_DECLARED_RATE)
            return pa_fail(error, PA_EINPUT,
                           "declaration, device %u: a rate of %llu operations a second", d,
                           (unsigned long long)declaration->sample_rates[d]);
    return PA_OK;
}

int pa_declaration_check(const struct pa_declaration *declaration, struct pa_error *error) {
    const struct pa_declaration *d = declaration;
    if (pa_class_traits(d->class_id) == NULL)
        return pa_fail(error, PA_EINPUT, "declaration: unknown class %d", (int)d->class_id);
    if (d->epochs == 0 || d->epochs > PA_MOST_EPOCHS || d->epoch_ns == 0 ||
        d->epoch_ns > MOST_SESSION_NS / d->epochs)
        return pa_fail(error, PA_EINPUT,
                       "declaration: %u epochs of %.3f s; a session lasts at most 366 days",
                       d->epochs, (double)d->epoch_ns / 1e9);
    if (d->openings == 0 || d->openings > PA_MOST_OPENINGS)
        return pa_fail(error, PA_EINPUT, "declaration: %u openings an epoch, 1 to %d are possible",
                       d->openings, PA_MOST_OPENINGS);
    if (d->interruptions > PA_MOST_EPOCHS || d->longest_gap_ns > MOST_SESSION_NS)
        return pa_fail(error, PA_EINPUT, "declaration: %u interruptions of up to %.0f s",
                       d->interruptions, (double)d->longest_gap_ns / 1e9);
    if (d->serial == 0)
        return pa_fail(error, PA_EINPUT, "declaration: serial numbers start at 1");
    if (d->alpha_ppm == 0 || d->alpha_ppm >= 1000000)
        return pa_fail(error, PA_EINPUT,
                       "declaration: an error probability of %llu ppm; it lies between 0 and 1",
                       (unsigned long long)d->alpha_ppm);
    /* The mark of an uncompressed point; whether it lies on the curve shows at the first signature.
     */
    if (d->witness_key[0] != 4 || d->prover_key[0] != 4)
        return pa_fail(error, PA_EINPUT, "declaration: a key is not an uncompressed point");
    if (!name_is_sound(d->site))
        return pa_fail(error, PA_EINPUT, "declaration: the site's name is not plain UTF-8");
    PA_TRY(check_devices(d, error));
    PA_TRY(check_probes(d, error));
    return check_sample(d, error);
}

void pa_declaration_session(struct pa_hash *out, const void *bytes, size_t size) {
    pa_hash_bytes(out, "session", bytes, size);
}

bool pa_declaration_is_certified(const struct pa_declaration *declaration) {
    for (uint32_t d = 0; d < declaration->device_count; d++) {
        const struct pa_declared_device *device = &declaration->devices[d];
        if (!pa_shape_is_certified((struct pa_shape){device->m, device->n, declaration->k}))
            return false;
    }
    return declaration->device_count > 0;
}

int pa_declaration_copy(const struct pa_declaration *declaration, struct pa_declaration *out,
                        struct pa_error *error) {
    size_t devices = declaration->device_count, shapes = devices * declaration->probe_count;
    *out = *declaration;
    out->devices = calloc(devices, sizeof *out->devices);
    out->probe_shapes = shapes == 0 ? NULL : calloc(shapes, sizeof *out->probe_shapes);
    bool has_sample = declaration->sample_count > 0;
    out->sample_rates = has_sample ? calloc(devices, sizeof *out->sample_rates) : NULL;
    if (out->devices == NULL || (shapes > 0 && out->probe_shapes == NULL) ||
        (has_sample && out->sample_rates == NULL)) {
        pa_declaration_free(out);
        return pa_fail(error, PA_EMEMORY, "copying a declaration: out of memory");
    }
    memcpy(out->devices, declaration->devices, devices * sizeof *out->devices);
    if (shapes > 0)
        memcpy(out->probe_shapes, declaration->probe_shapes, shapes * sizeof *out->probe_shapes);
    if (has_sample)
        memcpy(out->sample_rates, declaration->sample_rates, devices * sizeof *out->sample_rates);
    return PA_OK;
}

void pa_declaration_free(struct pa_declaration *declaration) {
    free(declaration->devices);
    free(declaration->probe_shapes);
    free(declaration->sample_rates);
    *declaration = (struct pa_declaration){0};
}
