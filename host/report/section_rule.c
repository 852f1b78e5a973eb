/* SPDX-License-Identifier: Apache-2.0 */
/* What it was judged by, what it rests on, and what it does not show. */
#include "report/phrase.h"
#include "report/sections.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_MEMBERS = 64 }; /* of claim, policy, validity or tool: far above what they have */

static const struct pa_column columns[] = {{PA_STRING_PARAMETER, false}, {PA_STRING_VALUE, false}};

static void put_value(struct pa_page *page, const json_t *value) {
    char number[PA_FIGURE_BYTES];
    if (json_is_integer(value)) {
        json_int_t count = json_integer_value(value);
        pa_count_text(number, count < 0 ? 0 : (uint64_t)count);
        pa_page_text(page, number);
    } else if (json_is_boolean(value)) {
        pa_page_say(page, json_is_true(value) ? PA_STRING_YES : PA_STRING_NO);
    } else if (json_is_string(value)) {
        pa_page_text(page, json_string_value(value));
    } else
        pa_page_say(page, PA_STRING_NOT_KNOWN);
    pa_page_cell(page);
}

static int by_name(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool is_plain(const char *name, const json_t *value) {
    return !json_is_array(value) && !json_is_object(value) && strcmp(name, "text_base64") != 0 &&
           !(json_is_string(value) && json_string_length(value) == 0);
}

/* One row for each plain member of `part`, by name: their names are those of the signed statement.
 * Whoever reads a statement has its members in another order than who built it, and makes the same
 * report. Files and lists have their own places. */
static void put_members(struct pa_page *page, const char *part) {
    const char *name, *names[MOST_MEMBERS];
    size_t count = 0;
    json_t *value;
    json_t *object = (json_t *)(uintptr_t)pa_page_part_of(page, part);
    json_object_foreach(object, name, value) {
        if (is_plain(name, value) && count < MOST_MEMBERS)
            names[count++] = name;
    }
    qsort(names, count, sizeof names[0], by_name);
    for (size_t i = 0; i < count; i++) {
        pa_page_mark(page, "<code>");
        pa_page_text(page, part);
        pa_page_mark(page, ".");
        pa_page_text(page, names[i]);
        pa_page_mark(page, "</code>");
        pa_page_cell(page);
        put_value(page, json_object_get(object, names[i]));
        pa_page_row_end(page);
    }
}

void pa_section_rule(struct pa_page *page) {
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_RULE);
    if (!pa_page_truth_of(pa_page_part_of(page, "claim"), "is_declared") ||
        !pa_page_truth_of(pa_page_part_of(page, "policy"), "is_declared"))
        pa_page_block_say(page, PA_BLOCK_ALARM, PA_STRING_RULE_REJUDGED);
    pa_page_block_say(page, PA_BLOCK_CAPTION, PA_STRING_RULE_CAPTION);
    pa_page_table(page, columns, 2);
    put_members(page, "claim");
    put_members(page, "policy");
    pa_page_table_end(page);
    pa_page_end(page, PA_PART_SECTION);
}

static void put_hash(struct pa_page *page, enum pa_string label, const char *hex) {
    if (hex[0] == '\0')
        return;
    pa_page_say(page, label);
    pa_page_cell(page);
    pa_page_mark(page, "<code>");
    pa_page_text(page, hex);
    pa_page_mark(page, "</code>");
    pa_page_cell(page);
    pa_page_row_end(page);
}

void pa_section_evidence(struct pa_page *page) {
    const json_t *subject = json_array_get(json_object_get(page->statement, "subject"), 0);
    const json_t *digest = json_object_get(subject, "digest");
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_EVIDENCE);
    pa_page_table(page, columns, 2);
    put_hash(page, PA_STRING_TRANSCRIPT_HASH, pa_page_text_of(digest, "sha256"));
    put_hash(page, PA_STRING_STATEMENT_HASH, page->statement_hex);
    put_hash(page, PA_STRING_SIGNER_KEY_ID,
             pa_page_text_of(pa_page_part_of(page, "signer"), "key_id"));
    put_hash(page, PA_STRING_SUPERSEDES,
             pa_page_text_of(pa_page_part_of(page, "supersedes"), "statement_sha256"));
    put_hash(page, PA_STRING_FIRST_STATEMENT,
             pa_page_text_of(pa_page_part_of(page, "judges_again"), "statement_sha256"));
    put_hash(page, PA_STRING_CATALOGUE_HASH,
             pa_page_text_of(pa_page_part_of(page, "nominal"), "catalogue_sha256"));
    put_members(page, "session");
    put_members(page, "validity");
    put_members(page, "tool");
    pa_page_table_end(page);
    pa_page_end(page, PA_PART_SECTION);
}

void pa_section_method(struct pa_page *page) {
    static const enum pa_string paragraphs[] = {PA_STRING_METHOD_WORK, PA_STRING_METHOD_PROOF,
                                                PA_STRING_METHOD_BOUND, PA_STRING_METHOD_DECISION};
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_METHOD);
    for (size_t i = 0; i < sizeof paragraphs / sizeof paragraphs[0]; i++)
        pa_page_block_say(page, PA_BLOCK_PLAIN, paragraphs[i]);
    pa_page_end(page, PA_PART_SECTION);
}

void pa_section_not_proven(struct pa_page *page) {
    const json_t *caveats = pa_page_part_of(page, "not_proven");
    pa_page_begin(page, PA_PART_BOX, PA_STRING_NOT_PROVEN);
    pa_page_begin_bare(page, PA_PART_LIST);
    for (size_t i = 0; i < json_array_size(caveats) && i < PA_LIST_MOST; i++) {
        const json_t *caveat = json_array_get(caveats, i);
        pa_page_mark(page, "<b>");
        pa_page_code(page, pa_page_text_of(caveat, "code"));
        pa_page_mark(page, "</b>: ");
        pa_page_phrase(page, pa_page_text_of(caveat, "text"));
        pa_page_block(page, PA_BLOCK_ITEM);
    }
    pa_page_end(page, PA_PART_LIST);
    pa_page_end(page, PA_PART_BOX);
}
