/* SPDX-License-Identifier: Apache-2.0 */
/* desk_scene.h - a site before the witness's desk, without the network: what it sends and what it
 * is answered. */
#ifndef PA_TESTS_DESK_SCENE_H
#define PA_TESTS_DESK_SCENE_H

#include "witness/witness_desk.h"
#include "witness/witness_wire.h"

struct scene {
    char folder[64], store[96];
    struct pa_key *key, *prover;
    struct pa_witness_desk *desk;
    struct pa_hash ticket, session, nonce;
    uint64_t sequence;
    uint32_t serial;
    uint32_t judged;
    uint32_t most_open; /* of the desk that open_desk opens */
    uint64_t abandoned_ns, most_told_bytes, keep_free_bytes;
    uint32_t said; /* how often its operator was told something, and what was last */
    char text[512];
    struct pa_buffer answer;
    struct pa_witness_answer read;
};

/* What the next introduction and declaration name. */
extern const char *the_site;

/* Where the next request comes from. */
extern uint8_t the_address;

/* A folder, two keys and a desk. */
void set_up(struct scene *scene);
void tear_down(struct scene *scene);
void open_desk(struct scene *scene);

/* Send a request with this number; returns the HTTP status, or the answer's code where that is 200.
 */
int ask_as(struct scene *scene, enum pa_witness_operation operation, uint64_t sequence,
           const void *body, size_t size);
int ask(struct scene *scene, enum pa_witness_operation operation, const void *body, size_t size);
int ask_of_epoch(struct scene *scene, enum pa_witness_operation operation, uint64_t epoch);

void introduce(struct scene *scene);
int declare(struct scene *scene, uint32_t serial, uint32_t openings);
void begin(struct scene *scene); /* both */
int challenge(struct scene *scene, uint64_t epoch);
/* Close an epoch in which the one device did nothing, at once or in its two requests. */
int close_idle(struct scene *scene, uint64_t epoch);
int commit_idle(struct scene *scene, uint64_t epoch);
int reveal_idle(struct scene *scene, uint64_t epoch);
/* How many records the transcript has. */
uint64_t records(struct scene *scene);

#endif
