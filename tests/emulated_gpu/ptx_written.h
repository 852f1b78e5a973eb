/* SPDX-License-Identifier: Apache-2.0 */
/* ptx_written.h - which bytes of a piece of memory were ever written.
 *
 * One byte of marks for every word of 4 bytes, so that the usual access, a whole word, is one plain
 * byte and needs no atomic operation beside its neighbours. Parts of a word are set with an atomic
 * OR: two blocks may write two bytes of one word.
 */
#ifndef PA_TESTS_PTX_WRITTEN_H
#define PA_TESTS_PTX_WRITTEN_H

#include <stdbool.h>
#include <stdint.h>

enum { PTX_WRITTEN_WORD = 4, PTX_WRITTEN_ALL = 15 };

/* Marks for `bytes` of memory. */
static inline uint64_t ptx_written_size(uint64_t bytes) {
    return bytes / PTX_WRITTEN_WORD + 1;
}

#define PTX_WRITTEN_EIGHT UINT64_C(0x0F0F0F0F0F0F0F0F)

/* The marks of eight words in one, where `word` is a multiple of eight: marks begin at a multiple
 * of 8 bytes. */
static inline uint64_t *ptx_written_eight(uint8_t *written, uint64_t word) {
    return (uint64_t *)(void *)(written + word);
}

/* Which bytes of the word at `word` lie in offset .. offset + bytes - 1. */
static inline uint8_t ptx_written_part(uint64_t word, uint64_t offset, uint64_t bytes) {
    uint64_t start = word * PTX_WRITTEN_WORD;
    unsigned first = offset > start ? (unsigned)(offset - start) : 0;
    uint64_t left = offset + bytes - start;
    unsigned end = left < PTX_WRITTEN_WORD ? (unsigned)left : PTX_WRITTEN_WORD;
    return (uint8_t)(((1u << end) - 1u) & ~((1u << first) - 1u));
}

static inline void ptx_written_set(uint8_t *written, uint64_t offset, uint64_t bytes) {
    uint64_t last = (offset + bytes - 1) / PTX_WRITTEN_WORD, word = offset / PTX_WRITTEN_WORD;
    if (offset % PTX_WRITTEN_WORD == 0 && bytes % PTX_WRITTEN_WORD == 0) {
        for (; word <= last; word++)
            if (word % 8 == 0 && last - word >= 7) {
                __atomic_store_n(ptx_written_eight(written, word), PTX_WRITTEN_EIGHT,
                                 __ATOMIC_RELAXED);
                word += 7;
            } else
                __atomic_store_n(written + word, PTX_WRITTEN_ALL, __ATOMIC_RELAXED);
        return;
    }
    for (; word <= last; word++) {
        uint8_t part = ptx_written_part(word, offset, bytes);
        if (part == PTX_WRITTEN_ALL)
            __atomic_store_n(written + word, part, __ATOMIC_RELAXED);
        else
            __atomic_fetch_or(written + word, part, __ATOMIC_RELAXED);
    }
}

/* True when every byte was written; else *first is the offset of one that was not. */
static inline bool ptx_written_all(const uint8_t *written, uint64_t offset, uint64_t bytes,
                                   uint64_t *first) {
    uint64_t last = (offset + bytes - 1) / PTX_WRITTEN_WORD, word = offset / PTX_WRITTEN_WORD;
    if (offset % PTX_WRITTEN_WORD == 0 && bytes % PTX_WRITTEN_WORD == 0)
        while (word % 8 == 0 && word + 7 <= last &&
               __atomic_load_n(ptx_written_eight((uint8_t *)(uintptr_t)written, word),
                               __ATOMIC_RELAXED) == PTX_WRITTEN_EIGHT)
            word += 8;
    for (; word <= last; word++) {
        uint8_t part = ptx_written_part(word, offset, bytes);
        unsigned missing = part & ~(unsigned)__atomic_load_n(written + word, __ATOMIC_RELAXED);
        if (missing != 0) {
            *first = word * PTX_WRITTEN_WORD + (unsigned)__builtin_ctz(missing);
            return false;
        }
    }
    return true;
}

#endif
