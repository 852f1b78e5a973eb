/* SPDX-License-Identifier: Apache-2.0 */
/* scenario_judge FOLDER EVIDENCE.db: make the evidence of a scenario, judge it, print its summary.
 *
 * FOLDER/site.json says what the site has and does; claim.yaml and policy.yaml are those that the
 * session is declared with; judged_claim.yaml or judged_policy.yaml, where they are, take their
 * place when it is judged. The transcript is a real one, with every signature, commitment and
 * opening. Times are scripted. Tiles are invented unless the site has "is_computed": a hall's would
 * take hours on a processor, and everything but their arithmetic is checked all the same. */
#include "base/base.h"
#include "certificate/certificate.h"
#include "evidence/evidence.h"
#include "evidence_factory.h"
#include "judge/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_DEVICES = 64, MOST_READINGS = 4096, PATH_BYTES = 1024 };

struct scenario {
    const char *folder;
    json_t *site;
    struct evidence_device devices[MOST_DEVICES];
    char ids[MOST_DEVICES][32], hosts[MOST_DEVICES][32];
    struct pa_buffer readings;
    char *claim, *policy;
};

static void demand(bool holds, const char *what, const char *detail) {
    if (holds)
        return;
    fprintf(stderr, "scenario_judge: %s: %s\n", what, detail);
    exit(70);
}

/* The text of a file of the folder, or NULL. */
static char *read_text(const struct scenario *scenario, const char *name, bool is_needed) {
    char path[PATH_BYTES];
    struct pa_buffer bytes = {0};
    struct pa_error error = {0};
    snprintf(path, sizeof path, "%s/%s", scenario->folder, name);
    if (!is_needed && access(path, F_OK) != 0)
        return NULL;
    demand(pa_file_read(path, 1 << 20, &bytes, &error) == PA_OK, path, error.text);
    pa_buffer_bytes(&bytes, "", 1);
    demand(!bytes.failed, path, "out of memory");
    return (char *)bytes.data;
}

static uint32_t whole(const json_t *object, const char *key, uint32_t otherwise) {
    const json_t *value = json_object_get(object, key);
    return value == NULL ? otherwise : (uint32_t)json_integer_value(value);
}

static double real(const json_t *object, const char *key, double otherwise) {
    const json_t *value = json_object_get(object, key);
    return value == NULL ? otherwise : json_number_value(value);
}

static const char *text(const json_t *object, const char *key, const char *otherwise) {
    const json_t *value = json_object_get(object, key);
    return value == NULL ? otherwise : json_string_value(value);
}

/* Each entry of "devices" is `count` of the same kind, eight to a host. */
static uint32_t describe_devices(struct scenario *scenario) {
    uint32_t count = 0;
    size_t index;
    const json_t *kind;
    json_array_foreach(json_object_get(scenario->site, "devices"), index, kind) {
        for (uint32_t i = 0; i < whole(kind, "count", 1); i++, count++) {
            demand(count < MOST_DEVICES, scenario->folder, "too many devices");
            snprintf(scenario->ids[count], sizeof scenario->ids[count], "%s-%u",
                     text(kind, "id", "GPU"), count);
            snprintf(scenario->hosts[count], sizeof scenario->hosts[count], "node%02u", count / 8);
            scenario->devices[count] = (struct evidence_device){
                .id = text(kind, "same_id", scenario->ids[count]),
                .name = text(kind, "name", "NVIDIA H100 80GB HBM3"),
                .backend = text(kind, "backend", "cuda"),
                .format = text(kind, "format", "fp16"),
                .host = text(kind, "host", scenario->hosts[count]),
                .partition = text(kind, "partition", NULL),
                .memory_bytes = (uint64_t)whole(kind, "memory_gib", 80) << 30,
                .peak_per_second = text(kind, "peak_per_second", NULL),
                .raw_per_second = text(kind, "raw_per_second", NULL),
                .steps = whole(kind, "steps", 1),
                .fewer = whole(kind, "fewer", 0),
            };
        }
    }
    return count;
}

/* "meters": constant power over the whole session, one reading each `every_s`, on RAW. */
static void make_readings(struct scenario *scenario, double seconds) {
    static struct pa_power_sample samples[MOST_READINGS];
    size_t index;
    const json_t *meter;
    json_array_foreach(json_object_get(scenario->site, "meters"), index, meter) {
        double every = real(meter, "every_s", seconds / 50),
               until = real(meter, "until_s", seconds);
        uint32_t count = 0;
        for (double at = 0; at <= until + every / 2 && count < MOST_READINGS; at += every)
            samples[count++] = (struct pa_power_sample){
                .at = {.raw_ns = EVIDENCE_RAW_START + (uint64_t)(at * 1e9),
                       .utc_ns = EVIDENCE_UTC_START + (uint64_t)(at * 1e9)},
                .milliwatts = (int64_t)(real(meter, "watts", 0) * 1000),
                .millijoules = PA_ENERGY_UNKNOWN};
        struct pa_instant written = {EVIDENCE_RAW_START + (uint64_t)(seconds * 1e9),
                                     EVIDENCE_UTC_START + (uint64_t)(seconds * 1e9)};
        pa_record_put_power(&scenario->readings, written, (uint32_t)index, samples, count);
    }
}

/* The note that describes each meter stands before the first epoch. */
static json_t *meter_notes(const struct scenario *scenario) {
    json_t *notes = json_deep_copy(json_object_get(scenario->site, "notes"));
    if (notes == NULL)
        notes = json_array();
    size_t index;
    const json_t *meter;
    json_array_foreach(json_object_get(scenario->site, "meters"), index, meter) {
        json_t *note =
            json_pack("{s:s, s:i, s:s, s:s, s:s}", "kind", "meter", "meter", (int)index, "role",
                      text(meter, "role", "it"), "source", text(meter, "source", "csv"), "name",
                      text(meter, "name", "m.csv"));
        if (json_object_get(meter, "class_percent") != NULL)
            json_object_set(note, "class_percent", json_object_get(meter, "class_percent"));
        json_array_append_new(notes, note);
    }
    return notes;
}

static enum evidence_flaw flaw_named(const char *name) {
    static const struct {
        const char *name;
        enum evidence_flaw flaw;
    } flaws[] = {{"", FLAW_NONE},
                 {"opening_missing", FLAW_OPENING_MISSING},
                 {"flipped_opening", FLAW_FLIPPED_OPENING},
                 {"unfinished", FLAW_UNFINISHED},
                 {"aborted", FLAW_ABORTED},
                 {"lost_device", FLAW_LOST_DEVICE},
                 {"test_build", FLAW_TEST_BUILD},
                 {"clock_step", FLAW_CLOCK_STEP}};
    for (size_t i = 0; i < sizeof flaws / sizeof flaws[0]; i++)
        if (strcmp(flaws[i].name, name) == 0)
            return flaws[i].flaw;
    demand(false, "unknown flaw", name);
    return FLAW_NONE;
}

static void make_evidence(struct scenario *scenario, const char *path) {
    const json_t *site = scenario->site;
    struct evidence_recipe recipe = evidence_recipe_honest();
    double epoch_s = real(site, "epoch_s", 0.05);
    recipe.devices = describe_devices(scenario);
    recipe.described = scenario->devices;
    recipe.epochs = whole(site, "epochs", 4);
    recipe.openings = whole(site, "openings", 500);
    recipe.m = whole(site, "m", 2048);
    recipe.n = whole(site, "n", 1024);
    recipe.k = whole(site, "k", 8192);
    recipe.class_id = (enum pa_class)whole(site, "class", PA_DENSE16);
    recipe.epoch_ns = (uint64_t)(epoch_s * 1e9);
    recipe.claim_text = scenario->claim;
    recipe.policy_text = scenario->policy;
    recipe.flaw = flaw_named(text(site, "flaw", ""));
    recipe.is_invented = !json_is_true(json_object_get(site, "is_computed"));
    recipe.is_witnessed = !json_is_false(json_object_get(site, "is_witnessed"));
    recipe.notes = meter_notes(scenario);
    recipe.late_notes = json_object_get(site, "late_notes");
    make_readings(scenario, epoch_s * recipe.epochs);
    recipe.readings = scenario->readings.size > 0 ? &scenario->readings : NULL;
    evidence_make(path, &recipe);
    json_decref((json_t *)(uintptr_t)recipe.notes);
}

static void judge(const struct scenario *scenario, const char *path) {
    struct pa_error error = {0};
    struct pa_store *store = NULL;
    struct pa_facts facts;
    struct pa_claim claim;
    struct pa_policy policy;
    struct pa_judgement judgement;
    struct pa_key *key = NULL;
    struct pa_issue issue = {0};
    struct pa_buffer summary = {0};
    json_t *statement = NULL;
    bool is_computed = json_is_true(json_object_get(scenario->site, "is_computed"));
    char *other_claim = read_text(scenario, "judged_claim.yaml", false);
    char *other_policy = read_text(scenario, "judged_policy.yaml", false);
    const char *claim_used = other_claim != NULL ? other_claim : scenario->claim;
    const char *policy_used = other_policy != NULL ? other_policy : scenario->policy;
    bool good =
        pa_store_open_readonly(path, &store, &error) == PA_OK &&
        pa_facts_collect(store, is_computed ? PA_RECHECK_TILES : PA_RECHECK_PATHS, &facts,
                         &error) == PA_OK &&
        pa_claim_parse("claim.yaml", claim_used, strlen(claim_used), &claim, &error) == PA_OK &&
        pa_policy_parse("policy.yaml", policy_used, strlen(policy_used), &policy, &error) ==
            PA_OK &&
        pa_judge(&facts, &claim, &policy, &judgement, &error) == PA_OK &&
        pa_key_generate(&key, &error) == PA_OK;
    demand(good, scenario->folder, error.text);
    pa_key_public(key, issue.signer);
    good = pa_statement_build(&facts, &claim, &policy, &judgement, &issue, &statement, &error) ==
               PA_OK &&
           pa_summary_write(statement, &summary, &error) == PA_OK;
    demand(good, scenario->folder, error.text);
    fwrite(summary.data, 1, summary.size, stdout);
    json_decref(statement);
    pa_buffer_free(&summary);
    pa_key_free(key);
    pa_judgement_free(&judgement);
    pa_policy_free(&policy);
    pa_claim_free(&claim);
    pa_facts_free(&facts);
    pa_store_close(store);
    free(other_claim);
    free(other_policy);
}

int main(int count, char **arguments) {
    json_error_t cause;
    char path[PATH_BYTES];
    if (count != 3) {
        fprintf(stderr, "usage: scenario_judge FOLDER EVIDENCE.db\n");
        return 64;
    }
    struct scenario scenario = {.folder = arguments[1]};
    snprintf(path, sizeof path, "%s/site.json", scenario.folder);
    scenario.site = json_load_file(path, JSON_REJECT_DUPLICATES, &cause);
    demand(scenario.site != NULL, path, cause.text);
    scenario.claim = read_text(&scenario, "claim.yaml", true);
    scenario.policy = read_text(&scenario, "policy.yaml", true);
    make_evidence(&scenario, arguments[2]);
    judge(&scenario, arguments[2]);
    pa_buffer_free(&scenario.readings);
    json_decref(scenario.site);
    free(scenario.claim);
    free(scenario.policy);
    return 0;
}
