/* SPDX-License-Identifier: Apache-2.0 */
/* tree.h - the tree over the steps of a chain, in the shape of RFC 6962 with our own hashes.
 *
 * A tree of n leaves splits at the largest power of two below n. Leaves are indexed from 0: step t
 * is leaf t - 1. A path holds the siblings from the leaf upwards; its length follows from (index,
 * n), and no other length is accepted (RFC 9162 2.1.3.2).
 */
#ifndef PA_PROOF_TREE_H
#define PA_PROOF_TREE_H

#include "proof/hash.h"

enum { PA_MOST_PATH = 16 /* a tree of 65,535 leaves */ };

/* leaf_t = H("leaf", u32 t | h_t | D_t) */
void pa_tree_leaf(struct pa_hash *out, uint32_t t, const struct pa_hash *h,
                  const struct pa_hash *digest);
/* 32 zero bytes when `count` is 0. */
void pa_tree_root(struct pa_hash *out, const struct pa_hash *leaves, uint32_t count);
/* How long the path of leaf `index` is in a tree of `count` leaves; `index` < `count` <= 65535. */
uint32_t pa_tree_path_length(uint32_t index, uint32_t count);
/* Writes the path and returns its length. */
uint32_t pa_tree_path(struct pa_hash out[PA_MOST_PATH], const struct pa_hash *leaves,
                      uint32_t count, uint32_t index);
/* True when `leaf` is leaf `index` of the tree of exactly `count` leaves whose root is `root`. */
bool pa_tree_verify(const struct pa_hash *leaf, uint32_t index, uint32_t count,
                    const struct pa_hash *path, uint32_t path_length, const struct pa_hash *root);

#endif
