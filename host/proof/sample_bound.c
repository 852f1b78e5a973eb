/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/sample_bound.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Halvings of an interval in [0, 1]; more change nothing that nine digits show. */
enum { HALVINGS = 48 };

/* Shares of the capital that are bet on each device, and what each gambler begins with. All of it
 * wins fastest where every device delivers; one that does not takes it all. */
static const struct {
    double share, weight;
} gamblers[] = {{1, 0.5},    {0.95, 0.05}, {0.9, 0.05}, {0.8, 0.05}, {0.7, 0.05}, {0.6, 0.05},
                {0.5, 0.05}, {0.4, 0.05},  {0.3, 0.05}, {0.2, 0.05}, {0.1, 0.05}};

struct draw {
    const double *values;
    uint32_t count, devices;
    double taken;
    struct loss *losses; /* room for one of each value */
};

/* What it costs a gambler when a value is not real: so much of the log, for so much of the sum. */
struct loss {
    double log, value;
};

static int dearest_first(const void *left, const void *right) {
    const struct loss *a = left, *b = right;
    double x = a->log * b->value, y = b->log * a->value;
    return (x < y) - (x > y);
}

/* The most that taking `taken` can cost when values go as a whole, the last one in part. The log is
 * concave in what is left of a value, so a part costs at most its share of the whole. */
static double cost_of_whole(struct loss *losses, uint32_t count, double taken) {
    double cost = 0;
    qsort(losses, count, sizeof *losses, dearest_first);
    for (uint32_t i = 0; i < count && taken > 0; i++) {
        cost += losses[i].log * fmin(1, taken / losses[i].value);
        taken -= losses[i].value;
    }
    return cost;
}

/* The log of what a gambler has at the end who bets `share` on each value being above the mean that
 * is left when that of all is `mean`, whichever `taken` of the values is not real; a mean that they
 * exceed all the same gives infinity. Two bounds of which the better one holds: all of it is taken
 * from one value (the worst for values of at least `taken`, the log being concave; smaller ones
 * count as nothing), or values go as a whole. Both fall as the mean grows. */
static double log_capital(const struct draw *draw, double share, double mean) {
    double sum = 0, whole_sum = 0, large_sum = 0, dearest = 0;
    uint32_t losses = 0;
    for (uint32_t t = 0; t < draw->count; t++) {
        double value = draw->values[t], left = draw->devices * mean - sum + draw->taken;
        left /= draw->devices - t;
        if (left <= 0)
            return INFINITY;
        double whole = log(1 - share + share * value / left), none = log(1 - share);
        bool is_large = value >= draw->taken;
        whole_sum += whole;
        large_sum += is_large ? whole : none;
        if (is_large && draw->taken > 0)
            dearest =
                fmax(dearest, whole - log(1 - share + share * fmax(0, value - draw->taken) / left));
        if (value > 0 && draw->taken > 0)
            draw->losses[losses++] = (struct loss){whole - none, value};
        sum += value;
    }
    if (sum - draw->taken > draw->devices * mean)
        return INFINITY;
    if (!(draw->taken > 0))
        return whole_sum;
    double by_one = large_sum - dearest;
    /* Who bets all loses all with the first value that goes. */
    if (share >= 1)
        return by_one;
    return fmax(by_one, whole_sum - cost_of_whole(draw->losses, losses, draw->taken));
}

/* Whether a mean of at most `mean` is refuted: the capital is a supermartingale from 1 on, so it
 * reaches 1 / error with a probability of at most `error`. */
static bool is_refuted(const struct draw *draw, double mean, double error) {
    double capital = 0;
    for (size_t i = 0; i < sizeof gamblers / sizeof gamblers[0]; i++)
        capital += gamblers[i].weight * exp(log_capital(draw, gamblers[i].share, mean));
    return capital >= 1 / error;
}

double pa_sample_mean_lower(const double *values, uint32_t count, uint32_t devices, double taken,
                            double error) {
    struct loss *losses = count > 0 ? calloc(count, sizeof *losses) : NULL;
    if (losses == NULL)
        return 0; /* nothing is known without values, or memory to know it */
    const struct draw draw = {values, count, devices, taken, losses};
    double low = 0, high = 1;
    /* Each capital falls as the mean grows: what is refuted is an interval from 0. */
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;
        if (is_refuted(&draw, middle, error))
            low = middle;
        else
            high = middle;
    }
    free(losses);
    return low;
}

static double log_choose(double n, double k) {
    int sign;
    return lgamma_r(n + 1, &sign) - lgamma_r(k + 1, &sign) - lgamma_r(n - k + 1, &sign);
}

/* P(at most `failing` of a sample of `count` fail) when `bad` of `devices` do. */
static double at_most(uint32_t devices, uint32_t count, uint32_t failing, uint32_t bad) {
    double sum = 0, all = log_choose(devices, count);
    uint32_t good = devices - bad, first = count > good ? count - good : 0;
    for (uint32_t i = first; i <= failing && i <= bad; i++)
        sum += exp(log_choose(bad, i) + log_choose(good, count - i) - all);
    return sum;
}

uint32_t pa_sample_failing_most(uint32_t devices, uint32_t count, uint32_t failing, double error) {
    /* All that were not looked at, and those that failed: no more are possible. */
    uint32_t low = failing, high = devices - (count - failing);
    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;
        if (at_most(devices, count, failing, middle) > error)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

double pa_passes_by_chance(uint32_t audits, uint32_t passed, double share) {
    double sum = 0;
    for (uint32_t i = passed; i <= audits; i++)
        sum += exp(log_choose(audits, i) + i * log(share) +
                   (i < audits ? (audits - i) * log1p(-share) : 0));
    return sum;
}

double pa_share_of_time_lower(uint32_t audits, uint32_t passed, double error) {
    double low = 0, high = 1;
    if (passed == 0 || passed > audits)
        return 0;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;
        if (pa_passes_by_chance(audits, passed, middle) <= error)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static int ascending(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Units under the share, and those that fall under it when `taken` goes where it does most. `room`
 * has one place a unit. */
static uint32_t count_failing(const struct pa_sample_unit *units, uint32_t count, double taken,
                              double *room) {
    uint32_t failing = 0, passing = 0;
    for (uint32_t i = 0; i < count; i++) {
        double margin = units[i].shown - PA_SAMPLE_PRESENT_SHARE * units[i].declared;
        if (margin < 0 || !(units[i].shown > 0))
            failing++;
        else
            room[passing++] = margin;
    }
    qsort(room, passing, sizeof *room, ascending);
    for (uint32_t i = 0; i < passing && room[i] <= taken && taken > 0; i++) {
        taken -= room[i];
        failing++;
    }
    return failing;
}

/* Bounds of the sum of shortfalls, in units of the largest declared rate: so devices of many kinds
 * that all deliver what was declared have no spread at all. */
static void bound_sums(struct pa_sample_bound *out, const struct pa_sample_unit *units,
                       uint32_t count, const struct pa_sample_terms *terms, double taken,
                       double *room) {
    double most = terms->declared_most, whole = terms->devices * most, shown = 0;
    for (uint32_t i = 0; i < count; i++) {
        double delivered = fmin(units[i].shown, units[i].declared);
        shown += delivered;
        room[i] = fmax(0, 1 - (units[i].declared - delivered) / most);
    }
    double there = pa_sample_mean_lower(room, count, terms->devices, taken / most, terms->error);
    for (uint32_t i = 0; i < count; i++)
        room[i] = 1 - room[i];
    double lacking = pa_sample_mean_lower(room, count, terms->devices, 0, terms->error);
    /* What was shown is there in any case. */
    out->lower = fmax(fmax(0, shown - taken), terms->declared_total - whole * (1 - there));
    out->upper = fmax(out->lower, terms->declared_total - whole * lacking);
}

int pa_sample_bound_compute(struct pa_sample_bound *out, const struct pa_sample_unit *units,
                            uint32_t count, const struct pa_sample_terms *terms,
                            struct pa_error *error) {
    double declared = 0, shown = 0;
    *out = (struct pa_sample_bound){.devices = terms->devices, .sampled = count};
    for (uint32_t i = 0; i < count; i++) {
        declared += units[i].declared;
        shown += units[i].shown;
    }
    if (count == 0 || count > terms->devices || !(terms->declared_most > 0) || !(declared > 0) ||
        !(terms->error > 0 && terms->error < 1))
        return pa_fail(error, PA_EINPUT, "bounding %u devices by %u of them: it is not possible",
                       terms->devices, count);
    double *room = calloc(count, sizeof *room);
    if (room == NULL)
        return pa_fail(error, PA_EMEMORY, "bounding %u devices: out of memory", terms->devices);
    double taken = (1 - fmin(1, fmax(0, terms->honest_fraction))) * shown;
    out->estimate = terms->declared_total * (shown / declared);
    out->failing = count_failing(units, count, taken, room);
    out->missing_most = pa_sample_failing_most(terms->devices, count, out->failing, terms->error);
    bound_sums(out, units, count, terms, taken, room);
    free(room);
    return PA_OK;
}
