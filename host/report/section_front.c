/* SPDX-License-Identifier: Apache-2.0 */
/* The first sheet: what a reader takes away who reads no further. */
#include "base/base.h"
#include "certificate/canonical.h"
#include "proof/hash.h"
#include "report/chart.h"
#include "report/sections.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_FINDINGS = 5, SHOWN_CAVEATS = 8 };

static bool has_text(const json_t *object, const char *name, const char *text) {
    return strcmp(pa_page_text_of(object, name), text) == 0;
}

static enum pa_string assurance_word(const struct pa_page *page) {
    if (has_text(page->predicate, "assurance", "witnessed"))
        return PA_STRING_WITNESSED;
    return has_text(page->predicate, "assurance", "attested") ? PA_STRING_ATTESTED
                                                              : PA_STRING_SELF_DECLARED;
}

static void put_header(struct pa_page *page, bool is_test) {
    pa_page_raw(page, "<header><b>");
    pa_page_say(page, is_test ? PA_STRING_TITLE_TEST : PA_STRING_TITLE_CERTIFICATE);
    pa_page_raw(page, "</b><span>");
    /* 2026-11-24T00:12:11Z as people write it */
    char date[PA_UTC_TEXT_BYTES];
    snprintf(date, sizeof date, "%.20s", pa_page_text_of(page->predicate, "issued_utc"));
    if (strlen(date) == 20) {
        date[10] = ' ';
        date[16] = '\0';
    }
    pa_page_text(page, date);
    pa_page_raw(page, " UTC &nbsp;\xc2\xb7&nbsp; ");
    pa_page_say(page, assurance_word(page));
    pa_page_raw(page, "</span></header>\n");
    if (is_test) {
        pa_page_raw(page, "<div class=\"mark\"><span>");
        pa_page_say(page, PA_STRING_TEST_MARK);
        pa_page_raw(page, "</span></div>\n");
    }
}

static void duration_text(char out[PA_FIGURE_BYTES], double seconds) {
    char number[PA_FIGURE_BYTES];
    bool in_minutes = seconds >= 600;
    pa_page_fixed_text(number, in_minutes ? seconds / 60 : seconds,
                       seconds < 10 ? 2
                       : in_minutes ? 0
                                    : 1);
    snprintf(out, PA_FIGURE_BYTES, "%.40s %s", number, in_minutes ? "min" : "s");
}

static void put_sentence(struct pa_page *page) {
    const json_t *verified = pa_page_part_of(page, "verified"),
                 *judged = pa_page_part_of(page, "judged");
    double claim = pa_page_number_of(pa_page_part_of(page, "claim"), "pflops");
    double proven = pa_page_number_of(verified, "pflops"), y = pa_page_number_of(judged, "pflops");
    char claim_text[PA_FIGURE_BYTES], proven_text[PA_FIGURE_BYTES], share[PA_FIGURE_BYTES];
    char judged_text[PA_FIGURE_BYTES];
    const char *center = pa_page_text_of(page->predicate, "center");
    pa_page_rate_text(page, claim_text, claim);
    pa_page_rate_u_text(page, proven_text, proven, pa_page_number_of(verified, "u"));
    pa_page_rate_u_text(page, judged_text, y, pa_page_number_of(judged, "u"));
    if (has_text(page->predicate, "verdict", "INVALID")) {
        pa_page_say(page, PA_STRING_CLAIMS_NOTHING_HOLDS, center, claim_text);
    } else if (has_text(page->predicate, "result", "TEST")) {
        pa_page_say(page, PA_STRING_CLAIMS_AND_TESTED, center, claim_text, proven_text);
    } else if (has_text(judged, "basis", "nominal")) {
        pa_page_share_text(share, y / claim);
        pa_page_say(page, PA_STRING_CLAIMS_NOMINAL, center, claim_text, judged_text, share,
                    proven_text);
    } else {
        pa_page_share_text(share, proven / claim);
        pa_page_say(page, PA_STRING_CLAIMS_AND_PROVEN, center, claim_text, proven_text, share);
    }
}

static void put_how(struct pa_page *page) {
    const json_t *policy = pa_page_part_of(page, "policy"),
                 *session = pa_page_part_of(page, "session");
    uint64_t count = pa_page_count_of(page->predicate, "device_count");
    char proven[128], duration[PA_FIGURE_BYTES], number[PA_FIGURE_BYTES];
    char devices[PA_FIGURE_BYTES + 16];
    snprintf(proven, sizeof proven, "%.120s", pa_page_text_of(session, "proven"));
    if (proven[0] >= 'a' && proven[0] <= 'z')
        proven[0] = (char)(proven[0] - 'a' + 'A');
    duration_text(duration, pa_page_number_of(pa_page_part_of(page, "verified"), "seconds"));
    pa_page_count_text(number, count);
    snprintf(devices, sizeof devices, "%s %s", number, count == 1 ? "device" : "devices");
    const char *rule = page->strings[has_text(policy, "acceptance", "guarded") ? PA_STRING_GUARDED
                                                                               : PA_STRING_SIMPLE];
    pa_page_say(page, PA_STRING_HOW_MEASURED, proven, duration, devices, rule,
                pa_page_text_of(policy, "name"));
}

static void put_verdict(struct pa_page *page) {
    const char *verdict = pa_page_text_of(page->predicate, "verdict");
    char class[24];
    size_t length = strlen(verdict);
    for (size_t i = 0; i < sizeof class; i++)
        class[i] = i < length && verdict[i] >= 'A' && verdict[i] <= 'Z'
                       ? (char)(verdict[i] - 'A' + 'a')
                       : '\0';
    class[sizeof class - 1] = '\0';
    pa_page_raw(page, length > 7 ? "<section class=\"verdict long\"><strong class=\""
                                 : "<section class=\"verdict\"><strong class=\"");
    pa_page_text(page, class);
    pa_page_raw(page, "\">");
    pa_page_text(page, verdict);
    pa_page_raw(page, "</strong><p>");
    put_sentence(page);
    pa_page_raw(page, "<small>");
    pa_page_text(page, pa_page_text_of(page->predicate, "reason"));
    pa_page_raw(page, "</small><small>");
    put_how(page);
    pa_page_raw(page, "</small></p></section>\n");
}

/* The first 16 digits of a hash in groups of four. */
static void key_text(char out[24], const char *hex) {
    if (strlen(hex) < 16)
        snprintf(out, 24, "?");
    else
        snprintf(out, 24, "%.4s %.4s %.4s %.4s", hex, hex + 4, hex + 8, hex + 12);
}

static void put_who(struct pa_page *page) {
    const json_t *site = pa_page_part_of(page, "site"), *devices = pa_page_part_of(page, "devices");
    const json_t *listed = json_object_get(pa_page_part_of(page, "claim"), "accelerators");
    char text[600], number[PA_FIGURE_BYTES], key[24];
    pa_page_raw(page, "<div>");
    pa_page_heading(page, PA_STRING_WHO);
    pa_page_raw(page, "<dl>");
    pa_page_pair(page, PA_STRING_OPERATOR, pa_page_text_of(page->predicate, "operator"));
    const char *region = pa_page_text_of(site, "region");
    snprintf(text, sizeof text, "%s%s%s", pa_page_text_of(site, "name"),
             region[0] == '\0' ? "" : ", ", region);
    if (text[0] != '\0')
        pa_page_pair(page, PA_STRING_SITE, text);
    for (size_t i = 0; i < json_array_size(listed) && i < 3; i++) {
        const json_t *kind = json_array_get(listed, i);
        pa_page_count_text(number, pa_page_count_of(kind, "count"));
        snprintf(text, sizeof text, "%s \xc3\x97 %s", number, pa_page_text_of(kind, "model"));
        pa_page_pair(page, PA_STRING_LISTED, text);
    }
    pa_page_count_text(number, pa_page_count_of(page->predicate, "device_count"));
    snprintf(text, sizeof text, "%s \xc3\x97 %s", number,
             pa_page_text_of(json_array_get(devices, 0), "name"));
    pa_page_pair(page, PA_STRING_ANSWERED, text);
    key_text(key, pa_page_text_of(pa_page_part_of(page, "signer"), "key_id"));
    pa_page_pair(page, PA_STRING_SIGNED_BY, key);
    pa_page_raw(page, "</dl></div>\n");
}

/* A sentence of the catalogue with figures, as plain text for a cell: through a buffer, then cut.
 */
static void put_pair_said(struct pa_page *page, enum pa_string label, enum pa_string sentence,
                          uint64_t a, uint64_t b, uint64_t c) {
    char first[PA_FIGURE_BYTES], second[PA_FIGURE_BYTES], third[PA_FIGURE_BYTES];
    pa_page_count_text(first, a);
    pa_page_count_text(second, b);
    pa_page_count_text(third, c);
    pa_page_raw(page, "<dt>");
    pa_page_say(page, label);
    pa_page_raw(page, "</dt><dd>");
    pa_page_say(page, sentence, first, second, third);
    pa_page_raw(page, "</dd>");
}

static void put_how_sure(struct pa_page *page) {
    const json_t *openings = pa_page_part_of(page, "openings"),
                 *epochs = pa_page_part_of(page, "epochs");
    const json_t *verified = pa_page_part_of(page, "verified");
    char text[2 * PA_FIGURE_BYTES], number[PA_FIGURE_BYTES];
    uint64_t closed = 0;
    for (size_t i = 0; i < json_array_size(epochs); i++)
        closed += has_text(json_array_get(epochs, i), "state", "closed");
    pa_page_raw(page, "<div>");
    pa_page_heading(page, PA_STRING_HOW_SURE);
    pa_page_raw(page, "<dl>");
    put_pair_said(page, PA_STRING_OPENINGS, PA_STRING_OPENINGS_TEXT,
                  pa_page_count_of(openings, "drawn"), pa_page_count_of(openings, "failed"),
                  pa_page_count_of(openings, "missing"));
    pa_page_share_text(number, pa_page_number_of(verified, "honest_fraction_lower"));
    snprintf(text, sizeof text, "\xe2\x89\xa5 %s", number);
    pa_page_pair(page, PA_STRING_HONEST_SHARE, text);
    pa_page_pair(page, PA_STRING_CONFIDENCE, pa_page_text_of(verified, "confidence_text"));
    put_pair_said(page, PA_STRING_EPOCHS, PA_STRING_EPOCHS_TEXT, closed,
                  json_array_size(epochs) - closed, 0);
    pa_page_fixed_text(number, pa_page_number_of(verified, "substitution_bound"), 2);
    snprintf(text, sizeof text, "\xe2\x89\xa4 %s", number);
    pa_page_pair(page, PA_STRING_SUBSTITUTION, text);
    pa_page_share_text(number, pa_page_number_of(pa_page_part_of(page, "judged"), "conformity"));
    pa_page_pair(page, PA_STRING_CONFORMITY, number);
    pa_page_raw(page, "</dl></div>\n");
}

static void put_findings(struct pa_page *page) {
    const json_t *findings = pa_page_part_of(page, "findings");
    size_t count = json_array_size(findings);
    pa_page_raw(page, "<div>");
    pa_page_heading(page, PA_STRING_FINDINGS);
    pa_page_raw(page, "<ul class=\"findings\">");
    for (size_t i = 0; i < count && i < SHOWN_FINDINGS; i++) {
        const json_t *finding = json_array_get(findings, i);
        pa_page_raw(page, "<li><span class=\"sev ");
        pa_page_text(page, pa_page_text_of(finding, "severity"));
        pa_page_raw(page, "\"></span>");
        char words[40];
        snprintf(words, sizeof words, "%.39s", pa_page_text_of(finding, "code"));
        for (char *p = words; *p != '\0'; p++)
            *p = *p == '_' ? ' ' : *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
        pa_page_text(page, words);
        pa_page_raw(page, "</li>");
    }
    if (count == 0 || count > SHOWN_FINDINGS) {
        char number[PA_FIGURE_BYTES];
        pa_page_count_text(number, count - (count > SHOWN_FINDINGS ? SHOWN_FINDINGS : 0));
        pa_page_raw(page, "<li>");
        pa_page_say(page, count == 0 ? PA_STRING_NO_FINDINGS : PA_STRING_MORE_FINDINGS, number);
        pa_page_raw(page, "</li>");
    }
    pa_page_raw(page, "</ul></div>\n");
}

static void put_not_proven(struct pa_page *page) {
    const json_t *caveats = pa_page_part_of(page, "not_proven");
    pa_page_raw(page, "<section class=\"not\">");
    pa_page_heading(page, PA_STRING_NOT_PROVEN);
    pa_page_raw(page, "<ul>");
    for (size_t i = 0; i < json_array_size(caveats) && i < SHOWN_CAVEATS; i++) {
        pa_page_raw(page, "<li>");
        pa_page_text(page, pa_page_text_of(json_array_get(caveats, i), "text"));
        pa_page_raw(page, "</li>\n");
    }
    pa_page_raw(page, "</ul></section>\n");
}

static void put_footer(struct pa_page *page) {
    struct pa_buffer bytes = {0};
    struct pa_hash hash;
    char hex[2 * PA_HASH_BYTES + 1], key[24];
    if (pa_canonical_write(page->statement, &bytes, NULL) != PA_OK)
        page->out->failed = true;
    pa_sha256(&hash, bytes.data, bytes.size);
    pa_buffer_free(&bytes);
    pa_hex(hex, hash.bytes, PA_HASH_BYTES);
    key_text(key, pa_page_text_of(pa_page_part_of(page, "signer"), "key_id"));
    pa_page_raw(page, "<footer>");
    pa_page_say(page, PA_STRING_FOOTER, hex, key);
    pa_page_raw(page, "<br>");
    pa_page_say(page, PA_STRING_FOOTER_CHECK);
    pa_page_raw(page, "</footer>\n");
}

void pa_section_front(struct pa_page *page) {
    pa_page_raw(page, "<div class=\"sheet first\">\n");
    put_header(page, has_text(page->predicate, "result", "TEST"));
    put_verdict(page);
    pa_page_raw(page, "<section>");
    pa_page_heading(page, PA_STRING_CAPACITY);
    pa_chart_capacity(page);
    pa_page_raw(page, "</section>\n");
    if (!has_text(page->predicate, "result", "TEST"))
        pa_chart_entitlement(page);
    pa_page_raw(page, "<section class=\"cols\">");
    put_who(page);
    put_how_sure(page);
    put_findings(page);
    pa_page_raw(page, "</section>\n");
    put_not_proven(page);
    put_footer(page);
    pa_page_raw(page, "</div>\n");
}
