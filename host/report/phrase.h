/* SPDX-License-Identifier: Apache-2.0 */
/* phrase.h - inside the room: sentences of the statement in the reader's language.
 *
 * A statement is signed in English. A table holds those sentences that petaudit writes, with places
 * {0} .. {7}, beside their translation; what stands in a place is translated by the same table when
 * it knows it. A sentence that no row fits is shown as it was signed and marked as such: nothing is
 * mixed silently.
 */
#ifndef PA_REPORT_PHRASE_H
#define PA_REPORT_PHRASE_H

#include "report/page.h"

struct pa_phrase {
    const char *signed_as, *translation; /* the same places in both */
};

/* Each ended by a row of NULLs. */
extern const struct pa_phrase pa_phrases_zh_words[], pa_phrases_zh_findings[],
    pa_phrases_zh_advice[], pa_phrases_zh_verdict[];
/* All of them, ended by NULL. */
extern const struct pa_phrase *const pa_phrases_zh[];

/* `text`, or its translation, onto the run. False when there is none and the original is shown. */
bool pa_page_phrase(struct pa_page *page, const char *text);
/* A word of a statement ("sustained", "fp16"): one without a translation is a name, and is not
 * marked. */
void pa_page_phrase_word(struct pa_page *page, const char *word);
/* The same as plain text; false (and `out` a copy) when there is none. */
bool pa_phrase_translate(const struct pa_phrase *const *tables, const char *text, char *out,
                         size_t size);

#endif
