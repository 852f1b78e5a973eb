/* SPDX-License-Identifier: Apache-2.0 */
/* lt_numbers.h - the number formats of matrices, as the library reads and writes them.
 *
 * Values are cudaDataType's, so that a layout's type can be handed in as it is. Reading is exact
 * for every format (a float holds them all but fp64 and int32); writing rounds to nearest, ties to
 * even, as the library's epilogue does.
 */
#ifndef PA_EMULATED_LT_NUMBERS_H
#define PA_EMULATED_LT_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

enum lt_type {
    LT_F32 = 0,
    LT_F64 = 1,
    LT_F16 = 2,
    LT_I8 = 3,
    LT_I32 = 10,
    LT_BF16 = 14,
    LT_E4M3 = 28,
    LT_E5M2 = 29,
};

/* 0 for a type that is not modelled. */
size_t lt_type_bytes(int type);
const char *lt_type_name(int type);

/* Element `index` of an array of that type. */
float lt_read(int type, const void *array, uint64_t index);
/* Write `value` rounded to the type; LT_F32, LT_F16 and LT_BF16 only. */
void lt_write(int type, void *array, uint64_t index, float value);

/* `value` with `mantissa_bits` after the point, the rest cut off (tf32: 10). */
float lt_truncate(float value, int mantissa_bits);
/* The same, rounded to nearest even. */
float lt_round(float value, int mantissa_bits);

#endif
