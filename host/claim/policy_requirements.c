/* SPDX-License-Identifier: Apache-2.0 */
/* The requirements of a policy: limits on capacity, power, PUE or devices, each with the one bound
 * and the one unit that its quantity has. */
#include "base/number.h"
#include "claim/policy_parts.h"

#include <stdio.h>
#include <string.h>

static const char *const quantities[] = {"capacity", "it_power", "facility_power",
                                         "pue",      "devices",  NULL};

static int complain(const struct pa_yaml_map *map, const char *key, const char *text) {
    yaml_node_t *node = pa_yaml_find(map, key);
    return pa_yaml_fail(map->yaml, node != NULL ? node : map->node, map->context, key, "%s", text);
}

/* Exactly one of at_least and at_most. */
static int read_limit(const struct pa_yaml_map *map, struct pa_requirement *out) {
    bool is_least = pa_yaml_find(map, "at_least") != NULL;
    out->is_at_most = pa_yaml_find(map, "at_most") != NULL;
    if (is_least == out->is_at_most)
        return complain(map, is_least ? "at_most" : "at_least",
                        is_least ? "at_least stands there, too; expected one of the two"
                                 : "missing; expected at_least or at_most");
    return pa_yaml_decimal(map, is_least ? "at_least" : "at_most", PA_REQUIRED, 1e-9, 1e24,
                           &out->as_written);
}

static int read_power_unit(const struct pa_yaml_map *map, double *scale) {
    static const char *const units[] = {"W", "kW", "MW", NULL};
    static const double scales[] = {1, 1e3, 1e6};
    int word = 0;
    PA_TRY(pa_yaml_word(map, "unit", PA_REQUIRED, units, &word));
    *scale = scales[word];
    return PA_OK;
}

static int read_rate_unit(const struct pa_yaml_map *map, double *scale) {
    char unit[PA_CLAIM_TEXT_BYTES];
    struct pa_error why = {0};
    PA_TRY(pa_yaml_text(map, "unit", PA_REQUIRED, unit, sizeof unit));
    return pa_rate_unit_parse(unit, scale, &why) == PA_OK ? PA_OK : complain(map, "unit", why.text);
}

static int read_unit(const struct pa_yaml_map *map, struct pa_requirement *out, double *scale) {
    bool is_rate = out->quantity == PA_QUANTITY_CAPACITY;
    bool is_power =
        out->quantity == PA_QUANTITY_IT_POWER || out->quantity == PA_QUANTITY_FACILITY_POWER;
    char unit[PA_CLAIM_TEXT_BYTES];
    *scale = 1;
    if (!is_rate && !is_power)
        return pa_yaml_find(map, "unit") == NULL
                   ? PA_OK
                   : complain(map, "unit", "a ratio or a count has no unit; expected no such key");
    if (is_rate)
        PA_TRY(read_rate_unit(map, scale));
    else
        PA_TRY(read_power_unit(map, scale));
    PA_TRY(pa_yaml_text(map, "unit", PA_REQUIRED, unit, sizeof unit));
    snprintf(out->unit, sizeof out->unit, "%.15s", unit); /* known units are short */
    return PA_OK;
}

static int read_devices(const struct pa_yaml_map *map, struct pa_requirement *out) {
    uint64_t count = 0;
    if (out->is_at_most)
        return complain(map, "at_most", "a contract wants devices; expected at_least");
    PA_TRY(pa_yaml_whole(map, "at_least", PA_REQUIRED, 1, 10000000, &count));
    out->as_written = (double)count;
    PA_TRY(pa_yaml_text(map, "model", PA_REQUIRED, out->model, sizeof out->model));
    return pa_yaml_decimal(map, "share_of_peak", PA_REQUIRED, 1e-3, 1, &out->share_of_peak);
}

static int refuse_keys_of_devices(const struct pa_yaml_map *map) {
    static const char *const keys[] = {"model", "share_of_peak"};
    for (size_t i = 0; i < 2; i++)
        if (pa_yaml_find(map, keys[i]) != NULL)
            return complain(map, keys[i], "belongs to the quantity devices alone");
    return PA_OK;
}

static int read_requirement(struct pa_yaml_map *root, uint32_t index, struct pa_requirement *out) {
    static const char *const keys[] = {"quantity", "at_least",      "at_most", "unit",
                                       "model",    "share_of_peak", NULL};
    struct pa_yaml_map map;
    int word = 0;
    double scale = 1;
    PA_TRY(pa_yaml_item_at(root, "requirements", index, keys, &map));
    PA_TRY(pa_yaml_word(&map, "quantity", PA_REQUIRED, quantities, &word));
    out->quantity = (enum pa_quantity)word;
    PA_TRY(read_limit(&map, out));
    PA_TRY(read_unit(&map, out, &scale));
    if (out->quantity == PA_QUANTITY_DEVICES)
        PA_TRY(read_devices(&map, out));
    else
        PA_TRY(refuse_keys_of_devices(&map));
    out->limit = out->as_written * scale;
    if (out->quantity == PA_QUANTITY_PUE && out->limit < 1)
        return complain(&map, out->is_at_most ? "at_most" : "at_least",
                        "a PUE below 1 cannot be; expected 1 or more");
    return PA_OK;
}

int pa_policy_read_requirements(struct pa_yaml_map *root, struct pa_policy *out) {
    static const char *const judges[] = {"claim", "requirements", "both", NULL};
    size_t count;
    int word = PA_JUDGES_CLAIM;
    PA_TRY(pa_yaml_list_at(root, "requirements", PA_POLICY_MOST_REQUIREMENTS, &count));
    out->requirement_count = (uint32_t)count;
    for (uint32_t i = 0; i < out->requirement_count; i++)
        PA_TRY(read_requirement(root, i, &out->requirements[i]));
    PA_TRY(pa_yaml_word(root, "judges", count > 0 ? PA_REQUIRED : PA_OPTIONAL, judges, &word));
    out->judges = (enum pa_judges)word;
    if (count == 0 && out->judges != PA_JUDGES_CLAIM)
        return complain(root, "judges",
                        "there are no requirements; expected claim, or a list of "
                        "requirements");
    if (count > 0 && out->judges == PA_JUDGES_CLAIM)
        return complain(root, "judges",
                        "the requirements would decide nothing; expected requirements or both");
    return PA_OK;
}

static void plain(char out[PA_DECIMAL_TEXT_BYTES], double value) {
    pa_decimal_text(out, value);
    size_t length = strlen(out);
    if (strchr(out, '.') == NULL)
        return;
    while (out[length - 1] == '0')
        length--;
    if (out[length - 1] == '.')
        length--;
    out[length] = '\0';
}

void pa_requirement_text(const struct pa_requirement *requirement,
                         char out[PA_REQUIREMENT_TEXT_BYTES]) {
    static const char *const nouns[PA_QUANTITIES] = {
        " of capacity", " of IT power, the mean over the work",
        " of power of the whole site, the mean over the work", " as PUE, over the time of the work",
        ""};
    char limit[PA_DECIMAL_TEXT_BYTES], share[PA_DECIMAL_TEXT_BYTES];
    const char *bound = requirement->is_at_most ? "at most" : "at least";
    plain(limit, requirement->as_written);
    if (requirement->quantity == PA_QUANTITY_DEVICES) {
        plain(share, 100 * requirement->share_of_peak);
        snprintf(out, PA_REQUIREMENT_TEXT_BYTES,
                 "%s %.40s devices %.255s that each deliver %.40s %% of their peak", bound, limit,
                 requirement->model, share);
        return;
    }
    snprintf(out, PA_REQUIREMENT_TEXT_BYTES, "%s %.40s%s%s%s", bound, limit,
             requirement->unit[0] != '\0' ? " " : "", requirement->unit,
             nouns[requirement->quantity]);
}

void pa_policy_open_text(const struct pa_policy *policy, char *out, size_t size) {
    bool has_basis = (policy->open & PA_OPEN_BASIS) != 0;
    bool has_precision = (policy->open & PA_OPEN_PRECISION) != 0;
    bool has_rounding = (policy->open & PA_OPEN_ROUNDING) != 0;
    snprintf(out, size, "%s%s%s%s%s", has_basis ? "basis" : "",
             has_basis && has_precision ? ", " : "", has_precision ? "precision" : "",
             (has_basis || has_precision) && has_rounding ? ", " : "",
             has_rounding ? "rounding" : "");
}
