/* SPDX-License-Identifier: Apache-2.0 */
#include "red_lab.h"

#include "base/base.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void red_fail(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
    exit(70);
}

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t red_random(uint64_t *state) {
    uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

double red_uniform(uint64_t *state) {
    return (double)(red_random(state) >> 11) * 0x1p-53;
}

static uint64_t system_state;

static int fixed_bytes(unsigned char *out, int size) {
    for (int i = 0; i < size; i++)
        out[i] = (unsigned char)(red_random(&system_state) >> 56);
    return 1;
}

static int always_ready(void) {
    return 1;
}

void red_lab_fix_randomness(uint64_t seed) {
    static const RAND_METHOD fixed = {
        .bytes = fixed_bytes, .pseudorand = fixed_bytes, .status = always_ready};
    system_state = seed;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    RED_MUST(RAND_set_rand_method(&fixed) == 1);
#pragma GCC diagnostic pop
}

/* As `petaudit witness` does: collect the facts, compute every opened tile again, judge. Only the
 * report is left out; a desk wants to see a result. */
static int conclude(void *context, const char *folder, struct pa_error *error) {
    struct red_lab *lab = context;
    char path[PATH_MAX];
    pa_judged_free(&lab->judged);
    lab->has_judged = false;
    PA_TRY(pa_path_join(path, folder, "evidence.db", error));
    PA_TRY(pa_judge_evidence(path, NULL, NULL, PA_RECHECK_TILES, &lab->judged, error));
    lab->has_judged = true;
    PA_TRY(pa_path_join(path, folder, "test-result.json", error));
    return pa_file_write(path, "{}", 2, 0600, error);
}

static void open_desk(struct red_lab *lab) {
    struct pa_error error = {0};
    char store[96];
    snprintf(store, sizeof store, "%s/store", lab->folder);
    const struct pa_witness_desk_options options = {
        .folder = store, .key = lab->key, .conclude = conclude, .context = lab};
    RED_MUST(pa_witness_desk_open(&options, &lab->desk, &error) == PA_OK);
    lab->sessions = 0;
}

static void remove_store(const struct red_lab *lab) {
    char command[160];
    snprintf(command, sizeof command, "rm -rf '%s/store'", lab->folder);
    RED_MUST(system(command) == 0);
}

void red_lab_open(struct red_lab *lab) {
    struct pa_error error = {0};
    *lab = (struct red_lab){0};
    /* In memory where there is such a place: a transcript is flushed at every step. */
    snprintf(lab->folder, sizeof lab->folder, "%s/petaudit-red-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    RED_MUST(mkdtemp(lab->folder) != NULL);
    RED_MUST(pa_key_generate(&lab->key, &error) == PA_OK);
    open_desk(lab);
}

void red_lab_renew(struct red_lab *lab) {
    pa_judged_free(&lab->judged);
    lab->has_judged = false;
    pa_witness_desk_close(lab->desk);
    remove_store(lab);
    open_desk(lab);
}

void red_lab_close(struct red_lab *lab) {
    pa_judged_free(&lab->judged);
    pa_witness_desk_close(lab->desk);
    pa_key_free(lab->key);
    remove_store(lab);
    rmdir(lab->folder);
}
