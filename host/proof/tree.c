/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/tree.h"

#include "base/bytes.h"

#include <string.h>

static void inner_node(struct pa_hash *out, const struct pa_hash *left,
                       const struct pa_hash *right) {
    const struct pa_piece pieces[] = {{left->bytes, PA_HASH_BYTES}, {right->bytes, PA_HASH_BYTES}};
    pa_hash_pieces(out, "node", pieces, 2);
}

/* The largest power of two below `count`; `count` >= 2. */
static uint32_t left_part(uint32_t count) {
    uint32_t part = 1;
    while (part < count - part)
        part *= 2;
    return part;
}

void pa_tree_leaf(struct pa_hash *out, uint32_t t, const struct pa_hash *h,
                  const struct pa_hash *digest) {
    uint8_t number[4];
    pa_put_le32(number, t);
    const struct pa_piece pieces[] = {
        {number, sizeof number}, {h->bytes, PA_HASH_BYTES}, {digest->bytes, PA_HASH_BYTES}};
    pa_hash_pieces(out, "leaf", pieces, 3);
}

void pa_tree_root(struct pa_hash *out, const struct pa_hash *leaves, uint32_t count) {
    if (count == 0) {
        memset(out, 0, sizeof *out);
    } else if (count == 1) {
        *out = leaves[0];
    } else {
        uint32_t part = left_part(count);
        struct pa_hash left, right;
        pa_tree_root(&left, leaves, part);
        pa_tree_root(&right, leaves + part, count - part);
        inner_node(out, &left, &right);
    }
}

uint32_t pa_tree_path_length(uint32_t index, uint32_t count) {
    uint32_t length = 0;
    while (count > 1) {
        uint32_t part = left_part(count);
        if (index < part) {
            count = part;
        } else {
            index -= part;
            count -= part;
        }
        length++;
    }
    return length;
}

uint32_t pa_tree_path(struct pa_hash out[PA_MOST_PATH], const struct pa_hash *leaves,
                      uint32_t count, uint32_t index) {
    uint32_t length = pa_tree_path_length(index, count);
    /* Downwards from the root, so the siblings come last first. */
    for (uint32_t level = length; level > 0; level--) {
        uint32_t part = left_part(count);
        if (index < part) {
            pa_tree_root(&out[level - 1], leaves + part, count - part);
            count = part;
        } else {
            pa_tree_root(&out[level - 1], leaves, part);
            leaves += part;
            index -= part;
            count -= part;
        }
    }
    return length;
}

/* RFC 9162 2.1.3.2, word for word. */
bool pa_tree_verify(const struct pa_hash *leaf, uint32_t index, uint32_t count,
                    const struct pa_hash *path, uint32_t path_length, const struct pa_hash *root) {
    if (index >= count)
        return false;
    uint32_t fn = index, sn = count - 1;
    struct pa_hash r = *leaf;
    for (uint32_t i = 0; i < path_length; i++) {
        if (sn == 0)
            return false;
        struct pa_hash joined;
        if ((fn & 1) != 0 || fn == sn) {
            inner_node(&joined, &path[i], &r);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            inner_node(&joined, &r, &path[i]);
        }
        r = joined;
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && pa_hash_equal(&r, root);
}
