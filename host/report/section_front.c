/* SPDX-License-Identifier: Apache-2.0 */
/* The first sheet: what a reader takes away who reads no further. */
#include "base/base.h"
#include "certificate/canonical.h"
#include "proof/hash.h"
#include "report/chart.h"
#include "report/phrase.h"
#include "report/sections.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_FINDINGS = 5, SHOWN_CAVEATS = 8, SHOWN_MODELS = 3, REASON_MOST = 300 };

static enum pa_string assurance_word(const struct pa_page *page) {
    if (pa_page_is(page->predicate, "assurance", "witnessed"))
        return PA_STRING_WITNESSED;
    return pa_page_is(page->predicate, "assurance", "attested") ? PA_STRING_ATTESTED
                                                                : PA_STRING_SELF_DECLARED;
}

static void put_header(struct pa_page *page, bool is_test) {
    pa_page_date(page, pa_page_text_of(page->predicate, "issued_utc"));
    pa_page_mark(page, " UTC &#160;\xc2\xb7&#160; ");
    pa_page_say(page, assurance_word(page));
    page->medium->header(
        page, page->strings[is_test ? PA_STRING_TITLE_TEST : PA_STRING_TITLE_CERTIFICATE],
        pa_page_take(page));
    if (is_test)
        pa_page_block_say(page, PA_BLOCK_MARK, PA_STRING_TEST_MARK);
}

static void put_sentence(struct pa_page *page) {
    const json_t *verified = pa_page_part_of(page, "verified"),
                 *judged = pa_page_part_of(page, "judged");
    double claim = pa_page_number_of(pa_page_part_of(page, "claim"), "pflops");
    double proven = pa_page_number_of(verified, "pflops"), y = pa_page_number_of(judged, "pflops");
    char claim_text[PA_FIGURE_BYTES], proven_text[PA_FIGURE_BYTES], share[PA_FIGURE_BYTES];
    char judged_text[PA_FIGURE_BYTES];
    pa_page_text_cut(page, pa_page_text_of(page->predicate, "center"), PA_NAME_MOST);
    pa_page_rate_text(page, claim_text, claim);
    pa_page_rate_u_text(page, proven_text, proven, pa_page_number_of(verified, "u"));
    pa_page_rate_u_text(page, judged_text, y, pa_page_number_of(judged, "u"));
    if (pa_page_is(page->predicate, "verdict", "INVALID")) {
        pa_page_say(page, PA_STRING_CLAIMS_NOTHING_HOLDS, claim_text);
    } else if (pa_page_is(page->predicate, "result", "TEST")) {
        pa_page_say(page, PA_STRING_CLAIMS_AND_TESTED, claim_text, proven_text);
    } else if (pa_page_is(judged, "basis", "nominal")) {
        pa_share_text(share, y / claim);
        pa_page_say(page, PA_STRING_CLAIMS_NOMINAL, claim_text, judged_text, share, proven_text);
    } else {
        pa_share_text(share, proven / claim);
        pa_page_say(page, PA_STRING_CLAIMS_AND_PROVEN, claim_text, proven_text, share);
    }
    pa_page_block(page, PA_BLOCK_LEAD);
}

static void duration_text(const struct pa_page *page, char out[2 * PA_FIGURE_BYTES],
                          double seconds) {
    char number[PA_FIGURE_BYTES];
    bool in_minutes = seconds >= 600;
    pa_fixed_text(number, in_minutes ? seconds / 60 : seconds,
                  seconds < 10 ? 2
                  : in_minutes ? 0
                               : 1);
    pa_page_plain(page, out, 2 * PA_FIGURE_BYTES,
                  in_minutes ? PA_STRING_MINUTES_LONG : PA_STRING_SECONDS_LONG, number);
}

static void put_how(struct pa_page *page) {
    const json_t *policy = pa_page_part_of(page, "policy"),
                 *session = pa_page_part_of(page, "session");
    uint64_t count = pa_page_count_of(page->predicate, "device_count");
    char proven[PA_NAME_MOST + 8], duration[2 * PA_FIGURE_BYTES], number[PA_FIGURE_BYTES];
    char devices[2 * PA_FIGURE_BYTES];
    snprintf(proven, sizeof proven, "%.120s", pa_page_text_of(session, "proven"));
    if (proven[0] >= 'a' && proven[0] <= 'z')
        proven[0] = (char)(proven[0] - 'a' + 'A');
    duration_text(page, duration, pa_page_number_of(pa_page_part_of(page, "verified"), "seconds"));
    pa_count_text(number, count);
    pa_page_plain(page, devices, sizeof devices,
                  count == 1 ? PA_STRING_ONE_DEVICE : PA_STRING_MANY_DEVICES, number);
    pa_page_phrase(page, proven);
    pa_page_say(page, PA_STRING_HOW_MEASURED, duration, devices,
                page->strings[pa_page_is(policy, "acceptance", "guarded") ? PA_STRING_GUARDED
                                                                          : PA_STRING_SIMPLE],
                pa_page_text_of(policy, "name"));
    pa_page_block(page, PA_BLOCK_SMALL);
}

static void put_reason(struct pa_page *page) {
    char reason[REASON_MOST];
    snprintf(reason, sizeof reason, "%s", pa_page_text_of(page->predicate, "reason"));
    pa_page_phrase(page, reason);
    pa_page_block(page, PA_BLOCK_SMALL);
}

static void put_verdict(struct pa_page *page) {
    pa_page_phrase(page, pa_page_text_of(page->predicate, "verdict"));
    page->medium->begin(page, PA_PART_VERDICT, pa_page_take(page));
    put_sentence(page);
    put_reason(page);
    put_how(page);
    pa_page_end(page, PA_PART_VERDICT);
}

/* The first 16 digits of a hash in groups of four. */
static void key_text(char out[24], const char *hex) {
    if (strlen(hex) < 16)
        snprintf(out, 24, "?");
    else
        snprintf(out, 24, "%.4s %.4s %.4s %.4s", hex, hex + 4, hex + 8, hex + 12);
}

static void put_site(struct pa_page *page) {
    const json_t *site = pa_page_part_of(page, "site");
    const char *name = pa_page_text_of(site, "name"), *region = pa_page_text_of(site, "region");
    if (name[0] == '\0' && region[0] == '\0')
        return;
    pa_page_text_cut(page, name, PA_NAME_MOST / 2);
    if (name[0] != '\0' && region[0] != '\0')
        pa_page_mark(page, ", ");
    pa_page_text_cut(page, region, PA_NAME_MOST / 2);
    pa_page_pair(page, PA_STRING_SITE);
}

static void put_kind(struct pa_page *page, enum pa_string label, uint64_t count, const char *name) {
    char number[PA_FIGURE_BYTES];
    pa_count_text(number, count);
    pa_page_text(page, number);
    pa_page_mark(page, " \xc3\x97 ");
    pa_page_text_cut(page, name, PA_NAME_MOST / 2);
    pa_page_pair(page, label);
}

static void put_who(struct pa_page *page) {
    const json_t *devices = pa_page_part_of(page, "devices");
    const json_t *listed = json_object_get(pa_page_part_of(page, "claim"), "accelerators");
    bool is_whole = pa_page_count_of(page->predicate, "device_count") == json_array_size(devices);
    const char *until = pa_page_text_of(pa_page_part_of(page, "validity"), "until_utc");
    char key[24], date[16];
    pa_page_begin(page, PA_PART_COLUMN, PA_STRING_WHO);
    pa_page_pair_text(page, PA_STRING_OPERATOR, pa_page_text_of(page->predicate, "operator"));
    put_site(page);
    for (size_t i = 0; i < json_array_size(listed) && i < SHOWN_MODELS; i++) {
        const json_t *kind = json_array_get(listed, i);
        put_kind(page, PA_STRING_LISTED, pa_page_count_of(kind, "count"),
                 pa_page_text_of(kind, "model"));
    }
    put_kind(page, PA_STRING_ANSWERED, pa_page_count_of(page->predicate, "device_count"),
             pa_page_text_of(json_array_get(is_whole ? devices : pa_page_part_of(page, "rates"), 0),
                             "name"));
    key_text(key, pa_page_text_of(pa_page_part_of(page, "signer"), "key_id"));
    pa_page_pair_text(page, PA_STRING_SIGNED_BY, key);
    if (until[0] != '\0') {
        snprintf(date, sizeof date, "%.10s", until);
        pa_page_pair_text(page, PA_STRING_VALID_UNTIL, date);
    }
    pa_page_end(page, PA_PART_COLUMN);
}

static void put_counts(struct pa_page *page, enum pa_string label, enum pa_string sentence,
                       uint64_t a, uint64_t b, uint64_t c) {
    char first[PA_FIGURE_BYTES], second[PA_FIGURE_BYTES], third[PA_FIGURE_BYTES];
    pa_count_text(first, a);
    pa_count_text(second, b);
    pa_count_text(third, c);
    pa_page_say(page, sentence, first, second, third);
    pa_page_pair(page, label);
}

static void put_how_sure(struct pa_page *page) {
    const json_t *openings = pa_page_part_of(page, "openings"),
                 *epochs = pa_page_part_of(page, "epochs");
    const json_t *verified = pa_page_part_of(page, "verified");
    char text[2 * PA_FIGURE_BYTES], number[PA_FIGURE_BYTES];
    uint64_t closed = 0;
    for (size_t i = 0; i < json_array_size(epochs); i++)
        closed += pa_page_is(json_array_get(epochs, i), "state", "closed");
    pa_page_begin(page, PA_PART_COLUMN, PA_STRING_HOW_SURE);
    put_counts(page, PA_STRING_OPENINGS, PA_STRING_OPENINGS_TEXT,
               pa_page_count_of(openings, "drawn"), pa_page_count_of(openings, "failed"),
               pa_page_count_of(openings, "missing"));
    pa_share_text(number, pa_page_number_of(verified, "honest_fraction_lower"));
    snprintf(text, sizeof text, "\xe2\x89\xa5 %s", number);
    pa_page_pair_text(page, PA_STRING_HONEST_SHARE, text);
    pa_page_phrase_word(page, pa_page_text_of(verified, "confidence_text"));
    pa_page_pair(page, PA_STRING_CONFIDENCE);
    put_counts(page, PA_STRING_EPOCHS, PA_STRING_EPOCHS_TEXT, closed,
               json_array_size(epochs) - closed, 0);
    pa_fixed_text(number, pa_page_number_of(verified, "substitution_bound"), 2);
    snprintf(text, sizeof text, "\xe2\x89\xa4 %s", number);
    pa_page_pair_text(page, PA_STRING_SUBSTITUTION, text);
    pa_share_text(number, pa_page_number_of(pa_page_part_of(page, "judged"), "conformity"));
    pa_page_pair_text(page, PA_STRING_CONFORMITY, number);
    pa_page_end(page, PA_PART_COLUMN);
}

static void put_findings(struct pa_page *page) {
    const json_t *findings = pa_page_part_of(page, "findings");
    size_t count = json_array_size(findings);
    pa_page_begin(page, PA_PART_COLUMN, PA_STRING_FINDINGS);
    for (size_t i = 0; i < count && i < SHOWN_FINDINGS; i++) {
        const json_t *finding = json_array_get(findings, i);
        pa_page_code(page, pa_page_text_of(finding, "code"));
        page->medium->signal(page, pa_page_text_of(finding, "severity"), pa_page_take(page));
    }
    if (count == 0 || count > SHOWN_FINDINGS) {
        char number[PA_FIGURE_BYTES];
        pa_count_text(number, count - (count > SHOWN_FINDINGS ? SHOWN_FINDINGS : 0));
        pa_page_say(page, count == 0 ? PA_STRING_NO_FINDINGS : PA_STRING_MORE_FINDINGS, number);
        page->medium->signal(page, "info", pa_page_take(page));
    }
    pa_page_end(page, PA_PART_COLUMN);
}

static void put_not_proven(struct pa_page *page) {
    const json_t *caveats = pa_page_part_of(page, "not_proven");
    pa_page_begin(page, PA_PART_BOX, PA_STRING_NOT_PROVEN);
    pa_page_begin_bare(page, PA_PART_LIST);
    for (size_t i = 0; i < json_array_size(caveats) && i < SHOWN_CAVEATS; i++) {
        pa_page_phrase(page, pa_page_text_of(json_array_get(caveats, i), "text"));
        pa_page_block(page, PA_BLOCK_ITEM);
    }
    pa_page_end(page, PA_PART_LIST);
    pa_page_end(page, PA_PART_BOX);
}

static void put_footer(struct pa_page *page) {
    char key[24], qr[96];
    key_text(key, pa_page_text_of(pa_page_part_of(page, "signer"), "key_id"));
    snprintf(qr, sizeof qr, "petaudit:sha256:%s", page->statement_hex);
    pa_page_say(page, PA_STRING_FOOTER, page->statement_hex, key);
    pa_page_mark(page, "\n");
    pa_page_say(page, PA_STRING_FOOTER_CHECK);
    if (page->medium == &pa_medium_pdf) {
        pa_page_mark(page, " ");
        pa_page_say(page, page->is_signed ? PA_STRING_PDF_SIGNED : PA_STRING_PDF_NOT_SIGNED);
    }
    page->medium->footer(page, pa_page_take(page), qr);
}

void pa_section_front(struct pa_page *page) {
    bool is_test = pa_page_is(page->predicate, "result", "TEST");
    pa_page_begin_bare(page, PA_PART_FRONT);
    put_header(page, is_test);
    put_verdict(page);
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_CAPACITY);
    pa_chart_capacity(page);
    pa_page_end(page, PA_PART_SECTION);
    if (!is_test)
        pa_chart_entitlement(page);
    pa_page_begin_bare(page, PA_PART_COLUMNS);
    put_who(page);
    put_how_sure(page);
    put_findings(page);
    pa_page_end(page, PA_PART_COLUMNS);
    put_not_proven(page);
    put_footer(page);
    pa_page_end(page, PA_PART_FRONT);
}
