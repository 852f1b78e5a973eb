/* SPDX-License-Identifier: Apache-2.0 */
#include "emulated_gpu/emulated_condition.h"

#include "base/base.h"

#include <stdio.h>
#include <string.h>

/* What is told instead of the truth, applied when all GPUs are known. */
struct lie {
    char name[EMULATED_NAME_BYTES];
    int uuid_of; /* 1 + the GPU whose UUID is told */
    uint64_t told_bytes;
    bool is_ordered;
};

static struct emulated_condition conditions[EMULATED_DEVICES_MAX];
static struct lie lies[EMULATED_DEVICES_MAX];

static int whole(const char *text, uint64_t least, uint64_t most, unsigned *out,
                 struct pa_error *error) {
    uint64_t value;
    PA_TRY(pa_whole_parse(text, least, most, &value, error));
    *out = (unsigned)value;
    return PA_OK;
}

static int text_copy(char *out, size_t size, const char *text, struct pa_error *error) {
    size_t length = strlen(text);
    if (length == 0 || length >= size)
        return pa_fail(error, PA_EINPUT, "\"%s\" is empty or longer than %zu bytes", text,
                       size - 1);
    memcpy(out, text, length + 1);
    return PA_OK;
}

/* "60@5": 60 (percent, degrees) from the fifth matrix product on; "@0" from the beginning. */
static int since_parse(const char *text, uint64_t most, unsigned *out, uint64_t *from,
                       struct pa_error *error) {
    char number[8] = "";
    const char *at = strchr(text, '@');
    if (at == NULL || (size_t)(at - text) >= sizeof number)
        return pa_fail(error, PA_EINPUT, "\"%s\" is not NUMBER@PRODUCT", text);
    memcpy(number, text, (size_t)(at - text));
    PA_TRY(whole(number, 1, most, out, error));
    return pa_whole_parse(at + 1, 0, UINT32_MAX, from, error);
}

/* "4711/python3" */
static int process_parse(struct emulated_condition *out, const char *text, struct pa_error *error) {
    char number[12] = "";
    const char *slash = strchr(text, '/');
    if (slash == NULL || (size_t)(slash - text) >= sizeof number)
        return pa_fail(error, PA_EINPUT, "\"%s\" is not PID/NAME", text);
    memcpy(number, text, (size_t)(slash - text));
    PA_TRY(whole(number, 1, INT32_MAX, &out->process_id, error));
    return text_copy(out->process_name, sizeof out->process_name, slash + 1, error);
}

static int word_parse(const char *text, const char *const *words, unsigned *out,
                      struct pa_error *error) {
    for (*out = 0; words[*out] != NULL; (*out)++)
        if (strcmp(text, words[*out]) == 0)
            return PA_OK;
    return pa_fail(error, PA_EINPUT, "\"%s\" is not known here; the first word is \"%s\"", text,
                   words[0]);
}

bool emulated_condition_lists(const char *list, const char *format) {
    size_t length = strlen(format);
    while (*list != '\0') {
        size_t next = strcspn(list, "+");
        if (next == length && memcmp(list, format, length) == 0)
            return true;
        list += list[next] == '+' ? next + 1 : next;
    }
    return false;
}

/* "fp8+bf16" */
static int formats_parse(char *out, size_t size, const char *text, struct pa_error *error) {
    static const char *const formats[] = {"fp64", "fp32", "tf32", "bf16",
                                          "fp16", "fp8",  "int8", NULL};
    char word[8] = "";
    unsigned chosen;
    PA_TRY(text_copy(out, size, text, error));
    for (const char *at = text, *end; at != NULL; at = *end == '+' ? end + 1 : NULL) {
        end = at + strcspn(at, "+");
        snprintf(word, sizeof word, "%.*s", end - at < 7 ? (int)(end - at) : 7, at);
        PA_TRY(word_parse(word, formats, &chosen, error));
    }
    return PA_OK;
}

static int device_order(int device, const char *key, const char *value, struct pa_error *error) {
    static const char *const on[] = {"on", NULL};
    static const char *const missing[] = {"missing", NULL};
    static const char *const virtual[] = {"none", "passthrough", "vgpu", NULL};
    struct emulated_condition *condition = &conditions[device];
    struct lie *lie = &lies[device];
    unsigned chosen;
    lie->is_ordered = true;
    if (strcmp(key, "name") == 0)
        return text_copy(lie->name, sizeof lie->name, value, error);
    if (strcmp(key, "alias") == 0)
        return text_copy(condition->alias, sizeof condition->alias, value, error);
    if (strcmp(key, "uuid-of") == 0) {
        PA_TRY(whole(value, 0, EMULATED_DEVICES_MAX - 1, &chosen, error));
        lie->uuid_of = 1 + (int)chosen;
        return PA_OK;
    }
    if (strcmp(key, "told") == 0)
        return emulated_size_parse(value, &lie->told_bytes, error);
    if (strcmp(key, "wraps") == 0) {
        condition->memory_wraps = true;
        return word_parse(value, on, &chosen, error);
    }
    if (strcmp(key, "mig") == 0) {
        condition->is_mig = true;
        return word_parse(value, on, &chosen, error);
    }
    if (strcmp(key, "confidential") == 0) {
        condition->is_confidential = true;
        return word_parse(value, on, &chosen, error);
    }
    if (strcmp(key, "virtual") == 0) {
        PA_TRY(word_parse(value, virtual, &chosen, error));
        condition->virtualization = (enum emulated_virtual)chosen;
        return PA_OK;
    }
    if (strcmp(key, "process") == 0)
        return process_parse(condition, value, error);
    if (strcmp(key, "celsius") == 0)
        return since_parse(value, 150, &condition->celsius, &condition->celsius_from, error);
    if (strcmp(key, "slow") == 0)
        return since_parse(value, 99, &condition->slow_percent, &condition->slow_from, error);
    if (strcmp(key, "power") == 0) {
        condition->has_no_power = true;
        return word_parse(value, missing, &chosen, error);
    }
    if (strcmp(key, "ecc") == 0)
        return since_parse(value, 9999999, &condition->ecc_uncorrected, &condition->ecc_from,
                           error);
    if (strcmp(key, "without") == 0)
        return formats_parse(condition->without, sizeof condition->without, value, error);
    if (strcmp(key, "inexact") == 0)
        return formats_parse(condition->inexact, sizeof condition->inexact, value, error);
    return pa_fail(error, PA_EINPUT, "a GPU has no \"%s\"", key);
}

int emulated_condition_order(const char *key, const char *value, struct pa_error *error) {
    char number[8] = "";
    unsigned device;
    const char *point = strchr(key, '.');
    if (strncmp(key, "gpu", 3) != 0 || point == NULL || (size_t)(point - key - 3) >= sizeof number)
        return pa_fail(error, PA_EINPUT, "\"%s\" is not gpuN.KEY", key);
    memcpy(number, key + 3, (size_t)(point - key - 3));
    PA_TRY(whole(number, 0, EMULATED_DEVICES_MAX - 1, &device, error));
    return device_order((int)device, point + 1, value, error);
}

int emulated_condition_apply(struct emulated_platform *platform, struct pa_error *error) {
    for (int i = 0; i < EMULATED_DEVICES_MAX; i++) {
        const struct lie *lie = &lies[i];
        struct emulated_device *device = &platform->devices[i];
        if (lie->is_ordered &&
            (i >= platform->device_count || lie->uuid_of > platform->device_count))
            return pa_fail(error, PA_EINPUT, "gpu%d: there are only %d GPUs", i,
                           platform->device_count);
        if (lie->name[0] != '\0')
            memcpy(device->name, lie->name, sizeof device->name);
        if (lie->uuid_of > 0)
            memcpy(device->uuid, platform->devices[lie->uuid_of - 1].uuid, sizeof device->uuid);
        if (lie->told_bytes > 0)
            device->memory_told_bytes = lie->told_bytes;
    }
    return PA_OK;
}

const struct emulated_condition *emulated_condition(int device) {
    return &conditions[device];
}
