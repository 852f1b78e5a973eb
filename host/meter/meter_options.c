/* SPDX-License-Identifier: Apache-2.0 */
#include "meter/meter_options.h"

#include "base/base.h"
#include "claim/yaml_tree.h"

#include <stdio.h>
#include <string.h>

enum { SIDECAR_MOST_BYTES = 1 << 16 };

static const char *const roles[] = {"it", "facility", "pv", "wind", NULL};
static const char *const sources[] = {"csv", "modbus", "rapl", NULL};
static const char *const keys[] = {
    "class",    "resolution", "share",   "random",      "interval", "wait",      "time",
    "power",    "energy",     "unit",    "energy_unit", "decimal",  "thousands", "separator",
    "encoding", "zone",       "date",    "header",      "skip",     "ratio",     "sign",
    "order",    "duplicates", "missing", "stamp",       "unit_id",  "timeout",   NULL};

static bool is_word(const char *const *words, const char *text) {
    for (; *words != NULL; words++)
        if (strcmp(*words, text) == 0)
            return true;
    return false;
}

static int unknown(const char *what, const char *text, const char *const *known,
                   struct pa_error *error) {
    char list[256] = "";
    const char *near = pa_nearest_word(text, known);
    for (size_t used = 0; *known != NULL && used < 200; known++, used = strlen(list))
        snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "", *known);
    return pa_fail(error, PA_EUSAGE, "there is no %s \"%.40s\" of a meter; %s%s%s", what, text,
                   near != NULL ? "did you mean " : "there are ", near != NULL ? near : list,
                   near != NULL ? "?" : "");
}

static int add(struct pa_meter_options *options, const char *key, size_t key_length,
               const char *value, size_t value_length, struct pa_error *error) {
    struct pa_meter_option *option = &options->options[options->count];
    if (options->count == PA_METER_MOST_OPTIONS || key_length >= sizeof option->key ||
        value_length >= sizeof option->value || value_length == 0)
        return pa_fail(error, PA_EUSAGE, "the option \"%.*s\" of a meter is empty or too long",
                       (int)(key_length < 40 ? key_length : 40), key);
    *option = (struct pa_meter_option){0};
    memcpy(option->key, key, key_length);
    memcpy(option->value, value, value_length);
    if (!is_word(keys, option->key))
        return unknown("option", option->key, keys, error);
    for (size_t i = 0; i < options->count; i++)
        if (strcmp(options->options[i].key, option->key) == 0)
            return pa_fail(error, PA_EUSAGE, "the option %s of a meter is given twice",
                           option->key);
    options->count++;
    return PA_OK;
}

/* "[ROLE=]SOURCE[:WHERE]" of `length` bytes. */
static int parse_head(const char *text, size_t length, struct pa_meter_options *out,
                      struct pa_error *error) {
    char head[PA_METER_WHERE_BYTES];
    if (length >= sizeof head)
        return pa_fail(error, PA_EUSAGE, "the specification of a meter is too long");
    memcpy(head, text, length);
    head[length] = '\0';
    char *colon = strchr(head, ':'), *equals = strchr(head, '=');
    const char *source = head;
    if (colon != NULL)
        *colon = '\0';
    memcpy(out->role, "it", 3);
    if (equals != NULL && (colon == NULL || equals < colon)) {
        *equals = '\0';
        if (!is_word(roles, head))
            return unknown("role", head, roles, error);
        snprintf(out->role, sizeof out->role, "%.11s", head);
        source = equals + 1;
    }
    if (!is_word(sources, source))
        return unknown("source", source, sources, error);
    snprintf(out->source, sizeof out->source, "%.7s", source);
    snprintf(out->where, sizeof out->where, "%s", colon != NULL ? colon + 1 : "");
    return PA_OK;
}

int pa_meter_options_parse(const char *specification, struct pa_meter_options *out,
                           struct pa_error *error) {
    *out = (struct pa_meter_options){.origin = specification};
    size_t length = strcspn(specification, ",");
    PA_TRY(parse_head(specification, length, out, error));
    for (const char *part = specification + length; *part == ',';) {
        part++;
        length = strcspn(part, ",");
        size_t key = 0;
        while (key < length && part[key] != '=')
            key++;
        if (key < length)
            PA_TRY(add(out, part, key, part + key + 1, length - key - 1, error));
        else if (length > 0 && length < sizeof out->map && out->map[0] == '\0')
            snprintf(out->map, sizeof out->map, "%.*s", (int)length, part);
        else
            return pa_fail(error, PA_EUSAGE, "\"%.*s\" is no key=value of a meter",
                           (int)(length < 60 ? length : 60), part);
        part += length;
    }
    return PA_OK;
}

static int add_yaml(struct pa_meter_options *options, struct pa_yaml *yaml) {
    struct pa_yaml_map root;
    PA_TRY(pa_yaml_root(yaml, keys, &root));
    for (int i = 0; keys[i] != NULL; i++) {
        char value[PA_METER_VALUE_BYTES];
        struct pa_error cause = {0};
        const yaml_node_t *node = pa_yaml_find(&root, keys[i]);
        if (node == NULL)
            continue;
        PA_TRY(pa_yaml_text(&root, keys[i], PA_REQUIRED, value, sizeof value));
        if (add(options, keys[i], strlen(keys[i]), value, strlen(value), &cause) != PA_OK)
            return pa_yaml_fail(yaml, node, "", keys[i], "%s", cause.text);
    }
    return PA_OK;
}

int pa_meter_options_yaml(struct pa_meter_options *options, const char *name, const void *data,
                          size_t size, struct pa_error *error) {
    struct pa_yaml yaml;
    PA_TRY(pa_yaml_open(&yaml, name, data, size, error));
    int code = add_yaml(options, &yaml);
    pa_yaml_close(&yaml);
    return code;
}

int pa_meter_options_sidecar(struct pa_meter_options *options, const char *path,
                             struct pa_error *error) {
    struct pa_buffer bytes = {0};
    int code = pa_file_read(path, SIDECAR_MOST_BYTES, &bytes, error);
    if (code == PA_OK)
        code = pa_meter_options_yaml(options, path, bytes.data, bytes.size, error);
    pa_buffer_free(&bytes);
    return code;
}

const char *pa_meter_option(struct pa_meter_options *options, const char *key) {
    for (size_t i = 0; i < options->count; i++)
        if (strcmp(options->options[i].key, key) == 0) {
            options->options[i].is_used = true;
            return options->options[i].value;
        }
    return NULL;
}

static int wrong_value(const char *key, const struct pa_error *cause, struct pa_error *error) {
    return pa_fail(error, PA_EUSAGE, "the meter's option %s: %.900s", key, cause->text);
}

int pa_meter_option_decimal(struct pa_meter_options *options, const char *key, double least,
                            double most, double *out, struct pa_error *error) {
    struct pa_error cause = {0};
    const char *value = pa_meter_option(options, key);
    if (value == NULL || pa_decimal_parse(value, least, most, out, &cause) == PA_OK)
        return PA_OK;
    return wrong_value(key, &cause, error);
}

int pa_meter_option_whole(struct pa_meter_options *options, const char *key, uint64_t least,
                          uint64_t most, uint64_t *out, struct pa_error *error) {
    struct pa_error cause = {0};
    const char *value = pa_meter_option(options, key);
    if (value == NULL || pa_whole_parse(value, least, most, out, &cause) == PA_OK)
        return PA_OK;
    return wrong_value(key, &cause, error);
}

int pa_meter_option_duration(struct pa_meter_options *options, const char *key, uint64_t *out_ns,
                             struct pa_error *error) {
    struct pa_error cause = {0};
    const char *value = pa_meter_option(options, key);
    if (value == NULL || pa_duration_parse(value, out_ns, &cause) == PA_OK)
        return PA_OK;
    return wrong_value(key, &cause, error);
}

int pa_meter_option_word(struct pa_meter_options *options, const char *key,
                         const char *const *words, int *out, struct pa_error *error) {
    const char *value = pa_meter_option(options, key);
    char list[256] = "";
    if (value == NULL)
        return PA_OK;
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], value) == 0) {
            *out = i;
            return PA_OK;
        }
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    return pa_fail(error, PA_EUSAGE, "the meter's option %s is one of %s; not \"%.40s\"", key, list,
                   value);
}

int pa_meter_options_facts(struct pa_meter_options *options, struct pa_meter_facts *facts,
                           struct pa_error *error) {
    static const char *const yes_no[] = {"no", "yes", NULL};
    int random = 0;
    memcpy(facts->role, options->role, sizeof facts->role);
    memcpy(facts->source, options->source, sizeof facts->source);
    PA_TRY(pa_meter_option_decimal(options, "class", 0.001, 50, &facts->class_percent, error));
    PA_TRY(pa_meter_option_decimal(options, "resolution", 0, 1e9, &facts->resolution_w, error));
    PA_TRY(pa_meter_option_decimal(options, "share", 1e-6, 1, &facts->share, error));
    PA_TRY(pa_meter_option_duration(options, "interval", &facts->interval_ns, error));
    PA_TRY(pa_meter_option_word(options, "random", yes_no, &random, error));
    facts->is_random = random == 1;
    return PA_OK;
}

int pa_meter_options_done(const struct pa_meter_options *options, struct pa_error *error) {
    for (size_t i = 0; i < options->count; i++)
        if (!options->options[i].is_used)
            return pa_fail(error, PA_EUSAGE, "the option %s means nothing to a %s meter",
                           options->options[i].key, options->source);
    return PA_OK;
}
