/* SPDX-License-Identifier: Apache-2.0 */
/* live_page.h - the page on which a witness's sessions are watched, as pages of link/: the parts
 * of the page for anybody, its events for who has the token. It needs nothing from anywhere else,
 * and nothing on it changes anything. */
#ifndef PA_WITNESS_LIVE_PAGE_H
#define PA_WITNESS_LIVE_PAGE_H

#include "link/link.h"
#include "witness/live_view.h"

/* For a server whose context is a `struct pa_live`. */
extern const struct pa_link_page pa_live_pages[];
extern const size_t pa_live_page_count;
/* For all of its answers: browsers are told to load, run and frame nothing else. */
extern const char *const pa_live_page_headers[];

/* The token of a store's page: read from `folder`, or drawn and kept there (0600), so that a page
 * goes on after a restart. */
int pa_live_page_token(const char *folder, char out[PA_LINK_TOKEN_BYTES], struct pa_error *error);

#endif
