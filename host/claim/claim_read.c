/* SPDX-License-Identifier: Apache-2.0 */
/* A claim from its YAML. Only what makes a claim a claim is required: whose centre, how much, in
 * which precision. */
#include "base/file.h"
#include "base/number.h"
#include "claim/claim.h"
#include "claim/yaml_tree.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Beyond these a figure is a slip of the unit: 1e24 is a million EFLOPS, more than all computers
 * together. */
static const double least_per_second = 1, most_per_second = 1e24;
enum { MOST_ACCELERATORS = 10000000, MOST_MW = 1000000, MOST_DEVICE_W = 1000000 };

static const char *const basis_words[] = {"nominal", "sustained", NULL};
static const char *const precision_words[] = {"fp64", "fp32", "tf32", "bf16",
                                              "fp16", "fp8",  "int8", NULL};

static int read_capacity(struct pa_yaml_map *root, struct pa_claim *out) {
    static const char *const keys[] = {"value", "unit", "precision", "basis", NULL};
    struct pa_yaml_map map;
    PA_TRY(pa_yaml_map_at(root, "capacity", PA_REQUIRED, keys, &map));
    PA_TRY(pa_yaml_decimal(&map, "value", PA_REQUIRED, 1e-9, 1e24, &out->capacity_value));

    char unit[PA_CLAIM_TEXT_BYTES];
    struct pa_error why = {0};
    double scale;
    PA_TRY(pa_yaml_text(&map, "unit", PA_REQUIRED, unit, sizeof unit));
    if (pa_rate_unit_parse(unit, &scale, &why) != PA_OK)
        return pa_yaml_fail(map.yaml, pa_yaml_find(&map, "unit"), map.context, "unit", "%s",
                            why.text);
    memcpy(out->capacity_unit, unit, strlen(unit) + 1); /* known units have at most six letters */
    out->capacity_per_second = out->capacity_value * scale;
    if (out->capacity_per_second < least_per_second || out->capacity_per_second > most_per_second)
        return pa_yaml_fail(map.yaml, pa_yaml_find(&map, "value"), map.context, "value",
                            "with the unit %s this is outside of the allowed range; expected 1 "
                            "FLOPS to 1000000 EFLOPS",
                            unit);

    int word = 0;
    PA_TRY(pa_yaml_word(&map, "precision", PA_REQUIRED, precision_words, &word));
    out->precision = (enum pa_precision)(PA_PRECISION_FP64 + word);
    word = -1;
    PA_TRY(pa_yaml_word(&map, "basis", PA_OPTIONAL, basis_words, &word));
    out->basis = (enum pa_basis)(PA_BASIS_NOMINAL + word);
    return PA_OK;
}

static int read_accelerator(struct pa_yaml_map *root, uint32_t index, struct pa_claim *out) {
    static const char *const keys[] = {"model", "count", "memory_gib", NULL};
    struct pa_claimed_accelerator *item = &out->accelerators[index];
    struct pa_yaml_map map;
    uint64_t count = 0;
    PA_TRY(pa_yaml_item_at(root, "accelerators", index, keys, &map));
    PA_TRY(pa_yaml_text(&map, "model", PA_REQUIRED, item->model, sizeof item->model));
    PA_TRY(pa_yaml_whole(&map, "count", PA_REQUIRED, 1, MOST_ACCELERATORS, &count));
    PA_TRY(pa_yaml_decimal(&map, "memory_gib", PA_OPTIONAL, 0.1, 65536, &item->memory_gib));
    item->count = (uint32_t)count;
    uint64_t total = count;
    for (uint32_t i = 0; i < index; i++) {
        total += out->accelerators[i].count;
        if (strcasecmp(out->accelerators[i].model, item->model) == 0)
            return pa_yaml_fail(map.yaml, pa_yaml_find(&map, "model"), map.context, "model",
                                "\"%.100s\" is listed twice (entries %u and %u); expected each "
                                "model once, with its whole count",
                                item->model, i + 1, index + 1);
    }
    if (total > MOST_ACCELERATORS)
        return pa_yaml_fail(map.yaml, pa_yaml_find(&map, "count"), map.context, "count",
                            "the counts add up to more than %d accelerators", MOST_ACCELERATORS);
    return PA_OK;
}

static int read_accelerators(struct pa_yaml_map *root, struct pa_claim *out) {
    size_t count;
    PA_TRY(pa_yaml_list_at(root, "accelerators", PA_MOST_ACCELERATOR_KINDS, &count));
    if (count == 0)
        return PA_OK;
    out->accelerators = calloc(count, sizeof *out->accelerators);
    if (out->accelerators == NULL)
        return pa_fail(root->yaml->error, PA_EMEMORY, "reading %s: out of memory",
                       root->yaml->name);
    out->accelerator_count = (uint32_t)count;
    for (uint32_t i = 0; i < out->accelerator_count; i++)
        PA_TRY(read_accelerator(root, i, out));
    return PA_OK;
}

static int read_claim(struct pa_yaml *yaml, struct pa_claim *out) {
    static const char *const keys[] = {"center",       "operator",           "site",   "capacity",
                                       "accelerators", "grid_connection_mw", "policy", NULL};
    static const char *const site_keys[] = {"name", "region", "ramp_mw_per_s", "device_power_w",
                                            NULL};
    struct pa_yaml_map root, site;
    PA_TRY(pa_yaml_root(yaml, keys, &root));
    PA_TRY(pa_yaml_text(&root, "center", PA_REQUIRED, out->center, sizeof out->center));
    PA_TRY(pa_yaml_text(&root, "operator", PA_OPTIONAL, out->operator_name,
                        sizeof out->operator_name));
    PA_TRY(pa_yaml_map_at(&root, "site", PA_OPTIONAL, site_keys, &site));
    if (site.node != NULL) {
        PA_TRY(pa_yaml_text(&site, "name", PA_REQUIRED, out->site_name, sizeof out->site_name));
        PA_TRY(
            pa_yaml_text(&site, "region", PA_OPTIONAL, out->site_region, sizeof out->site_region));
        PA_TRY(pa_yaml_decimal(&site, "ramp_mw_per_s", PA_OPTIONAL, 1e-6, MOST_MW,
                               &out->ramp_mw_per_s));
        PA_TRY(pa_yaml_decimal(&site, "device_power_w", PA_OPTIONAL, 1, MOST_DEVICE_W,
                               &out->device_power_w));
    }
    PA_TRY(read_capacity(&root, out));
    PA_TRY(read_accelerators(&root, out));
    PA_TRY(pa_yaml_decimal(&root, "grid_connection_mw", PA_OPTIONAL, 0, MOST_MW,
                           &out->grid_connection_mw));
    return pa_yaml_text(&root, "policy", PA_OPTIONAL, out->policy, sizeof out->policy);
}

int pa_claim_parse(const char *name, const void *data, size_t size, struct pa_claim *out,
                   struct pa_error *error) {
    *out = (struct pa_claim){.grid_connection_mw = -1};
    if (size > PA_CLAIM_MOST_BYTES)
        return pa_fail(error, PA_EINPUT,
                       "reading %s: it is larger than the %d bytes allowed for a claim", name,
                       PA_CLAIM_MOST_BYTES);
    struct pa_yaml yaml;
    PA_TRY(pa_yaml_open(&yaml, name, data, size, error));
    int code = read_claim(&yaml, out);
    pa_yaml_close(&yaml);
    if (code == PA_OK)
        code = pa_yaml_keep(name, data, size, &out->text, out->sha256, error);
    if (code != PA_OK) {
        pa_claim_free(out);
        return code;
    }
    out->text_bytes = size;
    return PA_OK;
}

int pa_claim_load(const char *path, struct pa_claim *out, struct pa_error *error) {
    struct pa_buffer bytes = {0};
    *out = (struct pa_claim){.grid_connection_mw = -1};
    int code = pa_file_read(path, PA_CLAIM_MOST_BYTES, &bytes, error);
    if (code == PA_OK)
        code = pa_claim_parse(path, bytes.data, bytes.size, out, error);
    pa_buffer_free(&bytes);
    return code;
}

void pa_claim_free(struct pa_claim *claim) {
    free(claim->accelerators);
    free(claim->text);
    *claim = (struct pa_claim){.grid_connection_mw = -1};
}
