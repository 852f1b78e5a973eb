/* SPDX-License-Identifier: Apache-2.0 */
/* red_site.h - a site that follows the protocol only as far as it likes.
 *
 * Everything that a site can say to a remote witness, one function each, with the answer's code:
 * PA_OK, or what the witness refused it with (`site->said` is its sentence). Nothing here checks
 * what is sent.
 */
#ifndef PA_TESTS_RED_SITE_H
#define PA_TESTS_RED_SITE_H

#include "red_lab.h"

enum { RED_MOST_DEVICES = 4, RED_MOST_EPOCHS = 16 };

/* What a session is declared with; zeros are filled in by red_terms_small(). */
struct red_terms {
    enum pa_class class_id;
    uint32_t m, n, k, devices, epochs, openings, interruptions;
    uint64_t epoch_ns, longest_gap_ns;
    double alpha;
    const char *claim; /* its whole text */
    const char *model; /* what the device is said to be, with its backend and format */
    const char *backend, *format;
    const char *second_id, *second_model; /* of device 1, where it is not as device 0 */
};

struct red_site {
    struct red_lab *lab;
    struct red_terms terms;
    struct pa_key *key;
    struct pa_hash ticket, session;
    uint32_t serial;
    uint64_t sequence;
    struct pa_hash nonce[RED_MOST_EPOCHS], secret[RED_MOST_EPOCHS], root[RED_MOST_EPOCHS];
    struct pa_chain chains[RED_MOST_EPOCHS][RED_MOST_DEVICES];
    struct pa_tail tails[RED_MOST_EPOCHS][RED_MOST_DEVICES];
    struct pa_buffer answer;
    char said[PA_ERROR_TEXT_BYTES];
};

/* 256 x 256 x 128 dense16 (4 tiles a step), one device, one epoch, 60 openings. */
struct red_terms red_terms_small(void);
/* A shape of a certificate: 2048 x 1024 x 8192. */
struct red_terms red_terms_certified(void);

/* Introduce and declare; then the notes that an honest site writes. The code of the declaration. */
int red_site_begin(struct red_site *site, struct red_lab *lab, const struct red_terms *terms);
/* With a key of another site: NULL makes a new one. */
int red_site_begin_as(struct red_site *site, struct red_lab *lab, const struct red_terms *terms,
                      struct pa_key *key);
void red_site_end(struct red_site *site);
/* Everything of an epoch that is to be played again. */
void red_site_forget(struct red_site *site, uint32_t epoch);

int red_site_challenge(struct red_site *site, uint32_t epoch);
/* A root for what `tails` say, signed. */
int red_site_commit(struct red_site *site, uint32_t epoch, const struct pa_tail *tails);
int red_site_commit_root(struct red_site *site, uint32_t epoch, const struct pa_hash *root);
int red_site_reveal(struct red_site *site, uint32_t epoch, const struct pa_tail *tails);
int red_site_open(struct red_site *site, uint32_t epoch, uint32_t j,
                  const struct pa_opening *opening);
int red_site_settle(struct red_site *site, uint32_t epoch, uint32_t *failed);
int red_site_finish(struct red_site *site);
int red_site_abort(struct red_site *site, uint32_t epoch);
int red_site_interrupt(struct red_site *site);
int red_site_note(struct red_site *site, const char *json);
/* A stage of the fabric proof; `out` is the nonce, the challenge, the key or the result. */
int red_site_fabric(struct red_site *site, enum pa_fabric_stage stage, const void *bytes,
                    size_t size, struct pa_hash *out);
/* Any operation with any body, and the bytes of the request as they went out. */
int red_site_send(struct red_site *site, enum pa_witness_operation operation, const void *body,
                  size_t size);

struct pa_shape red_site_shape(const struct red_site *site);
/* s_d of an epoch whose nonce is known. */
void red_site_start(const struct red_site *site, uint32_t epoch, uint32_t device,
                    struct pa_hash *out);
/* The sample of a closed epoch, as the witness draws it: terms.openings of them. */
void red_site_samples(const struct red_site *site, uint32_t epoch, struct pa_sample *out);

#endif
