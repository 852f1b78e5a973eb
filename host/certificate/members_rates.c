/* SPDX-License-Identifier: Apache-2.0 */
/* The members of "rates" and "stragglers": how like devices compare. */
#include "certificate/members.h"

const struct pa_member pa_rate_members[] = {
    {"backend", PA_MEMBER_TEXT, NULL},
    {"count", PA_MEMBER_COUNT, NULL},
    {"format", PA_MEMBER_TEXT, NULL},
    {"least_pflops", PA_MEMBER_DECIMAL, NULL},
    {"mad_pflops", PA_MEMBER_DECIMAL, NULL},
    {"median_pflops", PA_MEMBER_DECIMAL, NULL},
    {"most_pflops", PA_MEMBER_DECIMAL, NULL},
    {"name", PA_MEMBER_TEXT, NULL},
    {"p10_pflops", PA_MEMBER_DECIMAL, NULL},
    {"p25_pflops", PA_MEMBER_DECIMAL, NULL},
    {"p75_pflops", PA_MEMBER_DECIMAL, NULL},
    {"p90_pflops", PA_MEMBER_DECIMAL, NULL},
    {"peak_pflops", PA_MEMBER_DECIMAL_OR_NULL | PA_MEMBER_LATER, NULL},
    {NULL, PA_MEMBER_TEXT, NULL},
};

const struct pa_member pa_straggler_members[] = {
    {"clock_mhz", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"device", PA_MEMBER_COUNT, NULL},
    {"host", PA_MEMBER_TEXT, NULL},
    {"id", PA_MEMBER_TEXT, NULL},
    {"pflops", PA_MEMBER_DECIMAL, NULL},
    {"power_w", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"score", PA_MEMBER_DECIMAL, NULL},
    {"share_of_median", PA_MEMBER_DECIMAL, NULL},
    {"temperature_c", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {NULL, PA_MEMBER_TEXT, NULL},
};
