/* SPDX-License-Identifier: Apache-2.0 */
#include "red_odds.h"

#include <math.h>

double red_odds_of(double share, uint32_t openings) {
    return share >= 1 ? 1 : -expm1(openings * log1p(-share));
}

void red_odds_add(struct red_odds *odds, double chance, bool was_caught) {
    if (odds->trials == RED_MOST_TRIALS)
        return;
    odds->chance[odds->trials++] = chance;
    odds->caught += was_caught;
}

/* P(X <= k) of a binomial. */
static double at_most(uint32_t k, uint32_t n, double p) {
    double sum = 0;
    if (p <= 0 || k >= n)
        return 1;
    if (p >= 1)
        return 0;
    for (uint32_t i = 0; i <= k; i++)
        sum += exp(lgamma(n + 1.0) - lgamma(i + 1.0) - lgamma(n - i + 1.0) + i * log(p) +
                   (n - i) * log1p(-p));
    return fmin(sum, 1);
}

/* The p at which P(X <= k) is `tail`; it falls with p. */
static double where_at_most(uint32_t k, uint32_t n, double tail) {
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (at_most(k, n, middle) > tail)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

static void find_tails(struct red_odds *odds) {
    static double mass[RED_MOST_TRIALS + 1];
    mass[0] = 1;
    for (uint32_t i = 0; i < odds->trials; i++) {
        double p = odds->chance[i];
        mass[i + 1] = 0;
        for (uint32_t k = i + 1; k > 0; k--)
            mass[k] = mass[k] * (1 - p) + mass[k - 1] * p;
        mass[0] *= 1 - p;
    }
    odds->below = odds->above = 0;
    for (uint32_t k = 0; k <= odds->trials; k++) {
        odds->below += k <= odds->caught ? mass[k] : 0;
        odds->above += k >= odds->caught ? mass[k] : 0;
    }
}

void red_odds_finish(struct red_odds *odds) {
    uint32_t n = odds->trials, k = odds->caught;
    odds->expected = 0;
    for (uint32_t i = 0; i < n; i++)
        odds->expected += odds->chance[i] / n;
    odds->lower = k == 0 ? 0 : where_at_most(k - 1, n, 0.975);
    odds->upper = k == n ? 1 : where_at_most(k, n, 0.025);
    find_tails(odds);
}

bool red_odds_hold(const struct red_odds *odds) {
    return odds->trials > 0 && odds->below >= RED_RARE && odds->above >= RED_RARE;
}
