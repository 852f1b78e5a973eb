/* SPDX-License-Identifier: Apache-2.0 */
#include "red_play.h"

#include <stdlib.h>
#include <time.h>

enum { MOST_TILES = 4096, MOST_TIMED = 512 };

uint64_t red_step_honest(struct red_play *play, struct red_site *site, uint32_t epoch,
                         uint32_t device, uint32_t t, uint64_t *tiles) {
    struct pa_seed b_seed = pa_chain_b_seed(&site->chains[epoch][device], t);
    red_machine_step(play->machine, &b_seed, tiles);
    return 0;
}

/* Of all threads of the process: another's load on the machine counts as nobody's gain. */
static uint64_t processor_ns(void) {
    struct timespec now;
    RED_MUST(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void run_chain(struct red_play *play, struct red_site *site, uint32_t epoch, uint32_t d,
                      uint64_t *ns) {
    static uint64_t tiles[MOST_TILES];
    struct pa_chain *chain = &site->chains[epoch][d];
    struct pa_error error = {0};
    struct pa_hash start;
    red_site_start(site, epoch, d, &start);
    RED_MUST(pa_chain_begin(chain, &start, red_site_shape(site), play->steps, &error) == PA_OK);
    RED_MUST(pa_shape_tiles(chain->shape) <= MOST_TILES);
    if (!play->is_unaided) {
        struct pa_seed a_seed = pa_chain_a_seed(chain);
        red_machine_load(play->machine, &a_seed);
    }
    for (uint32_t t = 1; t <= play->steps; t++) {
        uint64_t begin = processor_ns();
        play->false_tiles += play->step(play, site, epoch, d, t, tiles);
        uint64_t spent = processor_ns() - begin;
        play->step_ns += spent;
        play->steps_done++;
        if (ns != NULL)
            ns[t - 1] = spent;
        /* A step that broke the chain has appended itself. */
        if (chain->steps < t)
            RED_MUST(pa_chain_append(chain, tiles, &error) == PA_OK);
    }
    play->all_tiles += play->steps * pa_shape_tiles(chain->shape);
    RED_MUST(pa_chain_tail(chain, &site->tails[epoch][d], &error) == PA_OK);
}

void red_play_chains(struct red_play *play, struct red_site *site, uint32_t epoch) {
    play->false_tiles = play->all_tiles = 0;
    for (uint32_t d = 0; d < site->terms.devices; d++)
        run_chain(play, site, epoch, d, NULL);
}

void red_play_epoch(struct red_play *play, struct red_site *site, uint32_t epoch) {
    RED_MUST(red_site_challenge(site, epoch) == PA_OK);
    red_play_chains(play, site, epoch);
    RED_MUST(red_site_commit(site, epoch, site->tails[epoch]) == PA_OK);
    RED_MUST(red_site_reveal(site, epoch, site->tails[epoch]) == PA_OK);
}

uint32_t red_play_openings(struct red_site *site, uint32_t epoch) {
    struct pa_sample *samples = calloc(site->terms.openings, sizeof *samples);
    struct pa_error error = {0};
    uint32_t failed = 0;
    RED_MUST(samples != NULL);
    red_site_samples(site, epoch, samples);
    for (uint32_t j = 0; j < site->terms.openings; j++) {
        struct pa_opening opening = {0};
        const struct pa_sample *sample = &samples[j];
        RED_MUST(pa_chain_open(&site->chains[epoch][sample->device], sample->step, sample->row,
                               &opening, &error) == PA_OK);
        RED_MUST(red_site_open(site, epoch, j, &opening) == PA_OK);
        pa_opening_free(&opening);
    }
    RED_MUST(red_site_settle(site, epoch, &failed) == PA_OK);
    free(samples);
    return failed;
}

void red_play_session(struct red_play *play, struct red_site *site) {
    double missed = 1;
    play->failed = 0;
    for (uint32_t e = 0; e < site->terms.epochs; e++) {
        red_play_epoch(play, site, e);
        double share = (double)play->false_tiles / (double)play->all_tiles;
        missed *= 1 - red_odds_of(share, site->terms.openings);
    }
    for (uint32_t e = 0; e < site->terms.epochs; e++)
        play->failed += red_play_openings(site, e);
    play->chance = 1 - missed;
    if (red_site_finish(site) != PA_OK)
        red_fail(__FILE__, __LINE__, site->said);
    RED_MUST(site->lab->has_judged);
    RED_MUST(play->failed == 0 || site->lab->judged.judgement.verdict == PA_INVALID);
}

void red_play_trials(struct red_play *play, struct red_lab *lab, const struct red_terms *terms,
                     uint32_t trials, struct red_odds *odds) {
    *odds = (struct red_odds){0};
    for (uint32_t i = 0; i < trials; i++) {
        struct red_site site;
        RED_MUST(red_site_begin(&site, lab, terms) == PA_OK);
        red_play_session(play, &site);
        red_odds_add(odds, play->chance, lab->judged.judgement.verdict == PA_INVALID);
        red_site_end(&site);
    }
    red_odds_finish(odds);
}

static int compare(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

double red_play_step_ns(struct red_play *play, const struct red_terms *terms, uint32_t steps,
                        bool is_median) {
    static uint64_t ns[MOST_TIMED];
    struct red_site *site = calloc(1, sizeof *site);
    uint32_t kept = play->steps;
    double sum = 0;
    RED_MUST(site != NULL && steps < MOST_TIMED);
    site->terms = *terms;
    site->nonce[0].bytes[0] = 1;
    /* One more: the first opens workbenches, and is not counted. */
    play->steps = steps + 1;
    run_chain(play, site, 0, 0, ns);
    play->steps = kept;
    red_site_forget(site, 0);
    free(site);
    for (uint32_t i = 1; i <= steps; i++)
        sum += (double)ns[i];
    qsort(ns + 1, steps, sizeof ns[0], compare);
    return is_median ? (double)ns[1 + steps / 2] : sum / steps;
}
