/* SPDX-License-Identifier: Apache-2.0 */
#include "report/phrase.h"

#include <stdio.h>
#include <string.h>

/* A place may hold a sentence of the table, which may hold another: no deeper. */
enum { MOST_PLACES = 8, DEPTH = 3, PLACE_BYTES = 1024 };

struct places {
    const char *at[MOST_PLACES];
    size_t length[MOST_PLACES];
};

static bool is_place(const char *p) {
    return p[0] == '{' && p[1] >= '0' && p[1] <= '7' && p[2] == '}';
}

static size_t literal_length(const char *pattern) {
    size_t length = 0;
    while (pattern[length] != '\0' && !is_place(pattern + length))
        length++;
    return length;
}

/* Each place takes as little as lets the rest fit; the last one takes all that is left. */
static bool fits(const char *pattern, const char *text, struct places *places) {
    while (true) {
        size_t literal = literal_length(pattern);
        if (strncmp(pattern, text, literal) != 0)
            return false;
        pattern += literal;
        text += literal;
        if (*pattern == '\0')
            return *text == '\0';
        int number = pattern[1] - '0';
        pattern += 3;
        literal = literal_length(pattern);
        const char *end = text;
        if (literal == 0)
            end = text + strlen(text);
        else
            for (; *end != '\0'; end++)
                if (strncmp(end, pattern, literal) == 0 &&
                    (pattern[literal] != '\0' || end[literal] == '\0'))
                    break;
        places->at[number] = text;
        places->length[number] = (size_t)(end - text);
        text = end;
    }
}

const struct pa_phrase *const pa_phrases_zh[] = {pa_phrases_zh_verdict, pa_phrases_zh_findings,
                                                 pa_phrases_zh_advice, pa_phrases_zh_words, NULL};

static bool translate(const struct pa_phrase *const *tables, const char *text, char *out,
                      size_t size, int depth);

static void fill(const struct pa_phrase *const *tables, const char *form,
                 const struct places *places, char *out, size_t size, int depth) {
    size_t used = 0;
    for (const char *p = form; *p != '\0' && used + 1 < size; p++) {
        if (!is_place(p)) {
            out[used++] = *p;
            continue;
        }
        char held[PLACE_BYTES], said[PLACE_BYTES];
        int number = p[1] - '0';
        snprintf(held, sizeof held, "%.*s", (int)places->length[number], places->at[number]);
        translate(tables, held, said, sizeof said, depth + 1);
        size_t length = strlen(said), room = size - 1 - used;
        memcpy(out + used, said, length < room ? length : room);
        used += length < room ? length : room;
        p += 2;
    }
    out[used] = '\0';
}

static bool translate(const struct pa_phrase *const *tables, const char *text, char *out,
                      size_t size, int depth) {
    for (size_t t = 0; depth < DEPTH && tables[t] != NULL; t++)
        for (const struct pa_phrase *phrase = tables[t]; phrase->signed_as != NULL; phrase++) {
            struct places places = {{0}, {0}};
            if (!fits(phrase->signed_as, text, &places))
                continue;
            fill(tables, phrase->translation, &places, out, size, depth);
            return true;
        }
    snprintf(out, size, "%s", text);
    return false;
}

bool pa_phrase_translate(const struct pa_phrase *const *tables, const char *text, char *out,
                         size_t size) {
    return translate(tables, text, out, size, 0);
}

bool pa_page_phrase(struct pa_page *page, const char *text) {
    char said[4 * PLACE_BYTES];
    bool is_known = true;
    if (page->language == PA_LANGUAGE_ZH && text[0] != '\0')
        is_known = pa_phrase_translate(pa_phrases_zh, text, said, sizeof said);
    else
        snprintf(said, sizeof said, "%s", text);
    if (!is_known)
        pa_page_say(page, PA_STRING_AS_SIGNED);
    pa_page_text_cut(page, said, 2 * PA_TEXT_MOST);
    return is_known;
}

void pa_page_phrase_word(struct pa_page *page, const char *word) {
    char said[256];
    if (page->language == PA_LANGUAGE_ZH)
        pa_phrase_translate(pa_phrases_zh, word, said, sizeof said);
    else
        snprintf(said, sizeof said, "%s", word);
    pa_page_text_cut(page, said, PA_NAME_MOST);
}

void pa_page_code(struct pa_page *page, const char *code) {
    char said[256];
    if (page->language == PA_LANGUAGE_ZH) {
        /* A code that has no title yet stays a code: it is an identifier in every language. */
        pa_phrase_translate(pa_phrases_zh, code, said, sizeof said);
    } else {
        snprintf(said, sizeof said, "%.64s", code);
        for (char *p = said; *p != '\0'; p++)
            *p = *p == '_' ? ' ' : *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
    }
    pa_page_text_cut(page, said, PA_NAME_MOST);
}
