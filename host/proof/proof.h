/* SPDX-License-Identifier: Apache-2.0 */
/* proof.h - the door of host/proof/: the protocol of docs/protocol.md, pure, without I/O.
 *
 *   hash.h         SHA-256 with a tag; seeds out of hashes
 *   work_class.h   what is computed: the four classes, their operands and limits
 *   tree.h         the tree over a chain's steps, its paths
 *   chain.h        the prover's memory of one device in one epoch, and what it opens
 *   declaration.h  what both sides sign before anything is measured
 *   schedule.h     which epoch comes when: long ones and probes
 *   epoch.h        parameters, nonce, commitment, samples
 *   opening.h      an opening, its bytes and its check
 *   tile.h         the witness's own computation of one tile
 *   allreduce_sum.h  inputs and results of the all-reduce
 *   fabric_proof.h, fabric_run.h   states that devices exchange, and their check
 *   credit.h       verified rate, n_eff, alpha_r, gaps and aborted epochs
 *   radius.h       how far away the work can have been done
 *   device_sample.h, sample_bound.h   an audit of some devices, and what it says of all
 *   signature.h    ECDSA P-256 keys and signatures
 *   vectors.h      known answers, run through all of these
 *
 * Prover and witness use the same functions wherever both compute the same thing, so that they
 * cannot drift apart; the known answers of tests/vectors/proof.json, from a separate
 * implementation, hold both.
 */
#ifndef PA_PROOF_PROOF_H
#define PA_PROOF_PROOF_H

#include "proof/allreduce_sum.h"
#include "proof/chain.h"
#include "proof/credit.h"
#include "proof/declaration.h"
#include "proof/device_sample.h"
#include "proof/epoch.h"
#include "proof/fabric_proof.h"
#include "proof/fabric_run.h"
#include "proof/hash.h"
#include "proof/opening.h"
#include "proof/radius.h"
#include "proof/sample_bound.h"
#include "proof/schedule.h"
#include "proof/signature.h"
#include "proof/tile.h"
#include "proof/tree.h"
#include "proof/vectors.h"
#include "proof/work_class.h"

#endif
