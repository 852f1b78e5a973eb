/* SPDX-License-Identifier: Apache-2.0 */
/* watermark_rates.c - how often the power watermark is found, and how often it is found where
 * nothing follows, on simulated sites.
 *
 *     watermark_rates [TRIALS [FALSE_ALARM_TRIALS]]
 *
 * The site is that of docs/protocol.md 8: a meter of 1 Hz with 0.5 % noise; a quiet site has no
 * other load that changes; on a busy one it changes as AR(1) by 3 % at 60 s and 1 % at 5 s, and
 * jobs step by 5 % about every 5 minutes. Half-bits of 10 s, of which 2 s are left out. The share
 * is of the site's load that goes on and off. */
#include "bench_machine.h"
#include "judge/watermark.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HALF_S = 10, SETTLE_S = 2, MOST_BITS = 1024 };

static double uniform(uint64_t *state) {
    *state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t x = *state;
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return ((double)((x ^ (x >> 31)) >> 11) + 0.5) * 0x1p-53;
}

static double normal(uint64_t *state) {
    double radius = sqrt(-2 * log(uniform(state)));
    return radius * cos(2 * 3.14159265358979323846 * uniform(state));
}

struct site {
    bool is_busy;
    double slow, fast, jobs; /* shares of the mean load */
    uint64_t state;
};

/* One second of a site whose mean load is 1, without what the watermark switches. */
static double other_load(struct site *site) {
    static const double slow_s = 60, fast_s = 5, slow_sd = 0.03, fast_sd = 0.01, step = 0.05;
    if (!site->is_busy)
        return 1;
    double a = exp(-1 / slow_s), b = exp(-1 / fast_s);
    site->slow = a * site->slow + slow_sd * sqrt(1 - a * a) * normal(&site->state);
    site->fast = b * site->fast + fast_sd * sqrt(1 - b * b) * normal(&site->state);
    if (uniform(&site->state) < 1.0 / 300)
        site->jobs += uniform(&site->state) < 0.5 ? step : -step;
    return 1 + site->slow + site->fast + site->jobs;
}

static double half_mean(struct site *site, double switched) {
    double sum = 0;
    for (int s = 0; s < HALF_S; s++) {
        double load = other_load(site) + switched;
        double read = load * (1 + 0.005 * normal(&site->state));
        if (s >= SETTLE_S)
            sum += read;
    }
    return sum / (HALF_S - SETTLE_S);
}

static bool is_found(uint64_t seed, bool is_busy, uint32_t bits, double share) {
    static struct pa_watermark_bit each[MOST_BITS];
    static int64_t z[MOST_BITS];
    struct site site = {.is_busy = is_busy, .state = seed * UINT64_C(1000003) + bits};
    struct pa_hash session = {{0}};
    for (int warm = 0; is_busy && warm < 300; warm++)
        other_load(&site);
    for (uint32_t i = 0; i < bits; i++) {
        bool is_on_first = uniform(&site.state) < 0.5;
        double first = half_mean(&site, is_on_first ? share : 0);
        double second = half_mean(&site, is_on_first ? 0 : share);
        each[i] =
            (struct pa_watermark_bit){is_on_first, true, (int64_t)llround((first - second) * 1e9)};
    }
    pa_watermark_signed(each, bits, z);
    if (pa_watermark_t(z, bits) <= PA_WATERMARK_LEAST_T)
        return false;
    memcpy(session.bytes, &seed, sizeof seed);
    return pa_watermark_p(z, bits, &session) <= PA_WATERMARK_MOST_P;
}

/* The 95 % interval of Wilson. */
static void print_row(const char *site, uint32_t bits, double share, uint32_t found,
                      uint32_t trials) {
    double n = trials, rate = found / n, z = 1.959964;
    double middle = (rate + z * z / (2 * n)) / (1 + z * z / n);
    double half = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n);
    printf("%-6s %5u bits  %5.1f %%   %8u of %-8u %.5f   [%.5f, %.5f]\n", site, bits, 100 * share,
           found, trials, rate, fmax(0, middle - half), fmin(1, middle + half));
    fflush(stdout);
}

static void run(bool is_busy, uint32_t bits, double share, uint32_t trials) {
    uint32_t found = 0;
    for (uint32_t trial = 0; trial < trials; trial++)
        found += is_found(trial, is_busy, bits, share);
    print_row(is_busy ? "busy" : "quiet", bits, share, found, trials);
}

int main(int argc, char **argv) {
    static const struct {
        bool is_busy;
        uint32_t bits;
        double share;
    } rows[] = {{true, 16, 0.30}, {true, 16, 0.05},  {true, 32, 0.05},  {true, 32, 0.02},
                {true, 64, 0.01}, {true, 128, 0.01}, {false, 16, 0.01}, {false, 32, 0.01}};
    uint32_t trials = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 400;
    uint32_t nulls = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 20000;
    bench_print_machine();
    printf("# half-bits of %d s, %d s left out, 1 Hz, 0.5 %% noise; found: t > %.0f and p <= %g\n",
           HALF_S, SETTLE_S, PA_WATERMARK_LEAST_T, PA_WATERMARK_MOST_P);
    printf("# site   length    share    found               rate      95 %% interval\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        run(rows[i].is_busy, rows[i].bits, rows[i].share, trials);
    printf("# nothing switched: false alarms\n");
    run(true, 16, 0, nulls);
    run(true, 32, 0, nulls);
    run(false, 32, 0, nulls);
    return 0;
}
