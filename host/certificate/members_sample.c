/* SPDX-License-Identifier: Apache-2.0 */
/* members_sample.c - members of a statement about devices that the witness chose. */
#include "certificate/members.h"

static const struct pa_member chosen_members[] = {
    {"declared_pflops", PA_MEMBER_DECIMAL, NULL},
    {"device", PA_MEMBER_COUNT, NULL},
    {"pflops", PA_MEMBER_DECIMAL, NULL},
    {NULL, PA_MEMBER_TEXT, NULL},
};

const struct pa_member pa_sample_members[] = {
    {"chosen", PA_MEMBER_LIST, chosen_members},
    {"confidence", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"confidence_text", PA_MEMBER_TEXT, NULL},
    {"declared_pflops", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"devices", PA_MEMBER_COUNT, NULL},
    {"drawn", PA_MEMBER_COUNT, NULL},
    {"estimate_pflops", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"failing", PA_MEMBER_COUNT, NULL},
    {"key", PA_MEMBER_HEX32_OR_NULL, NULL},
    {"lower_pflops", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"missing_most", PA_MEMBER_COUNT, NULL},
    {"missing_share_most", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"upper_pflops", PA_MEMBER_DECIMAL_OR_NULL, NULL},
    {"words", PA_MEMBER_TEXT, NULL},
    {NULL, PA_MEMBER_TEXT, NULL},
};
