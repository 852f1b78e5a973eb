/* SPDX-License-Identifier: Apache-2.0 */
/* The policies inside the binary, and the choice between them and a file. */
#include "base/file.h"
#include "base/number.h"
#include "claim/claim.h"
#include "embedded/pa_policy_capacity_threshold.h"
#include "embedded/pa_policy_power_threshold.h"
#include "embedded/pa_policy_procurement_example.h"
#include "embedded/pa_policy_pue_125.h"
#include "embedded/pa_policy_xinjiang_2024.h"

#include <string.h>

static const char *const names[] = {"xinjiang-2024",   "capacity-threshold",  "power-threshold",
                                    "pue-at-most-125", "procurement-example", NULL};

static const struct {
    const unsigned char *text;
    const size_t *size;
} texts[] = {
    {pa_policy_xinjiang_2024, &pa_policy_xinjiang_2024_size},
    {pa_policy_capacity_threshold, &pa_policy_capacity_threshold_size},
    {pa_policy_power_threshold, &pa_policy_power_threshold_size},
    {pa_policy_pue_125, &pa_policy_pue_125_size},
    {pa_policy_procurement_example, &pa_policy_procurement_example_size},
};

const char *const *pa_policy_names(void) {
    return names;
}

const char *pa_policy_text(const char *name, size_t *size) {
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcmp(name, names[i]) != 0)
            continue;
        *size = *texts[i].size;
        return (const char *)texts[i].text;
    }
    return NULL;
}

int pa_policy_load(const char *name_or_path, struct pa_policy *out, struct pa_error *error) {
    *out = (struct pa_policy){0};
    if (strpbrk(name_or_path, "/.") == NULL) {
        size_t size;
        const char *text = pa_policy_text(name_or_path, &size);
        if (text != NULL)
            return pa_policy_parse(name_or_path, text, size, out, error);
        char shown[128];
        pa_printable(shown, sizeof shown, name_or_path);
        const char *near = pa_nearest_word(name_or_path, names);
        return pa_fail(
            error, PA_ENOINPUT,
            "choosing the policy \"%s\": there is no built-in policy of that name%s%s%s; "
            "\"petaudit policy list\" names them, and a file is written with its "
            "directory or ending (./%s)",
            shown, near != NULL ? " (did you mean " : "", near != NULL ? near : "",
            near != NULL ? "?)" : "", shown);
    }
    struct pa_buffer bytes = {0};
    int code = pa_file_read(name_or_path, PA_CLAIM_MOST_BYTES, &bytes, error);
    if (code == PA_OK)
        code = pa_policy_parse(name_or_path, bytes.data, bytes.size, out, error);
    pa_buffer_free(&bytes);
    return code;
}
