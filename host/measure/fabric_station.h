/* SPDX-License-Identifier: Apache-2.0 */
/* fabric_station.h - one device's end of the fabric proof (docs/protocol.md, "Fabric proof").
 *
 * The hub lets all devices run their chain and commit to its state; when it has the witness's
 * challenge it tells each device its partner of every round; at the end it asks for what the
 * witness wants to see. A failure says nothing against the device's other work.
 */
#ifndef PA_MEASURE_FABRIC_STATION_H
#define PA_MEASURE_FABRIC_STATION_H

#include "base/bytes.h"
#include "measure/sustain.h"
#include "proof/proof.h"

/* Zero-initialise it. */
struct pa_fabric_station {
    /* One of the two: states go over the hosts' memories, or stay on their devices. */
    struct pa_communicator *exchange;
    uint32_t *own, *theirs;
    struct pa_workbench *bench; /* with an open state */
    const struct pa_backend *backend;
    uint32_t rank;
    uint64_t words;
    struct pa_tail tail;
    struct pa_chain chain;
    uint64_t *digests, *sums[PA_FABRIC_ROUNDS];
};

struct pa_fabric_work {
    uint8_t id[PA_COMMUNICATOR_ID_BYTES];
    uint32_t rank, ranks;
    struct pa_hash start; /* s_d */
    uint64_t words, patience_ns;
};
struct pa_fabric_swap {
    uint32_t round, partner;   /* a rank; its own: sit out */
    bool is_first;             /* of the pair: it answers */
    uint32_t key, partner_key; /* of the weights */
    struct pa_hash nonce;      /* of the round: what meets what */
    uint64_t patience_ns;
};
/* What an opening needs of one device. */
struct pa_fabric_wish {
    bool of_sums; /* of `round`, else of its state */
    uint32_t round, chunk;
};

/* The requests, and what answers them:
 *     work   > u64 T | h | m | F_d
 *     swap   > the pair's answer (32 bytes), of the first of it; nothing else
 *     open   > of each wish u32 size | bytes (pa_fabric_put_opened)
 *     leave  > nothing; all is given back */
void pa_fabric_ask_work(struct pa_buffer *out, const struct pa_fabric_work *work);
void pa_fabric_ask_swap(struct pa_buffer *out, const struct pa_fabric_swap *swap);
void pa_fabric_ask_open(struct pa_buffer *out, const struct pa_fabric_wish *wishes, uint32_t count);
void pa_fabric_ask_leave(struct pa_buffer *out);

/* Do what the hub asks, on the device's prepared stand. */
int pa_fabric_execute(struct pa_fabric_station *station, struct pa_stand *stand,
                      const void *request, size_t size, struct pa_buffer *answer,
                      struct pa_error *error);
void pa_fabric_leave(struct pa_fabric_station *station);

#endif
