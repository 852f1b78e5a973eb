/* SPDX-License-Identifier: Apache-2.0 */
/* portfolio.h - many certificates, and claims without one, side by side: what was claimed, proven,
 * entitled and granted, by region, the largest gap first.
 *
 * Each certificate is verified before a figure of it is taken. A site that appears twice is counted
 * once, by its newest certificate, and pointed out; so is a device that two sites show. What is
 * refused is listed with its reason and counted nowhere.
 */
#ifndef PA_REPORT_PORTFOLIO_H
#define PA_REPORT_PORTFOLIO_H

#include "base/bytes.h"
#include "base/error.h"
#include "claim/claim.h"

#include <jansson.h>

struct pa_portfolio_figures {
    double claimed_pflops, verified_pflops, nominal_pflops;
    double entitled_mw, granted_mw;
    double gap_mw; /* granted and not entitled; all of it where nothing was proven */
    double watts;
};

struct pa_portfolio_row {
    char file[256];
    bool is_certificate; /* else a claim without one */
    char center[PA_CLAIM_TEXT_BYTES], site[PA_CLAIM_TEXT_BYTES], region[PA_CLAIM_TEXT_BYTES];
    char precision[8];
    char verdict[16]; /* "PASS" ..; "no certificate" of a claim */
    char assurance[16];
    char issued_utc[24];
    char session[65], claim_sha256[65];
    uint32_t serial; /* of the session: how many of this claim or site the witness knew */
    bool has_granted, has_entitled, has_nominal, has_watts; /* which figures are known */
    struct pa_portfolio_figures figures;
    bool is_counted; /* false for all but the newest of a site */
};

struct pa_portfolio_region {
    char name[PA_CLAIM_TEXT_BYTES];
    uint32_t sites, certified;
    struct pa_portfolio_figures figures;
};

struct pa_portfolio_refusal {
    char file[256];
    char reason[512];
    int code; /* of enum pa_status */
};

struct pa_portfolio_device {
    char *id; /* owned */
    uint32_t row;
};

struct pa_portfolio {
    struct pa_portfolio_row *rows; /* owned; after pa_portfolio_finish the largest gap first */
    uint32_t row_count, row_capacity;
    struct pa_portfolio_region *regions; /* owned, the largest gap first */
    uint32_t region_count;
    struct pa_portfolio_region total;
    struct pa_portfolio_refusal *refusals; /* owned */
    uint32_t refusal_count;
    struct pa_portfolio_device *devices; /* owned; identities that are unique in the world */
    size_t device_count, device_capacity;
    json_t *remarks; /* owned: array of {"code", "text"} */
};

/* Add a file's bytes: a certificate (JSON) or a claim (YAML). What is neither is refused: PA_OK,
 * with an entry in `refusals`. PA_EMEMORY. Start with a zeroed portfolio. */
int pa_portfolio_add(struct pa_portfolio *portfolio, const char *file, const void *data,
                     size_t size, struct pa_error *error);
int pa_portfolio_refuse(struct pa_portfolio *portfolio, const char *file,
                        const struct pa_error *reason, struct pa_error *error);
/* Find what appears twice, sum up and sort. */
int pa_portfolio_finish(struct pa_portfolio *portfolio, struct pa_error *error);
void pa_portfolio_free(struct pa_portfolio *portfolio);

/* A page for people, a table for a spreadsheet, an object for a program, lines for a terminal. */
int pa_portfolio_html(const struct pa_portfolio *portfolio, struct pa_buffer *out,
                      struct pa_error *error);
int pa_portfolio_csv(const struct pa_portfolio *portfolio, struct pa_buffer *out,
                     struct pa_error *error);
int pa_portfolio_json(const struct pa_portfolio *portfolio, struct pa_buffer *out,
                      struct pa_error *error);
int pa_portfolio_lines(const struct pa_portfolio *portfolio, struct pa_buffer *out,
                       struct pa_error *error);

#endif
