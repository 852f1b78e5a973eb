/* SPDX-License-Identifier: Apache-2.0 */
#include "lt_numbers.h"

#include <math.h>
#include <string.h>

size_t lt_type_bytes(int type) {
    switch (type) {
    case LT_F64:
        return 8;
    case LT_F32:
    case LT_I32:
        return 4;
    case LT_F16:
    case LT_BF16:
        return 2;
    case LT_I8:
    case LT_E4M3:
    case LT_E5M2:
        return 1;
    default:
        return 0;
    }
}

const char *lt_type_name(int type) {
    switch (type) {
    case LT_F64:
        return "fp64";
    case LT_F32:
        return "fp32";
    case LT_I32:
        return "int32";
    case LT_F16:
        return "fp16";
    case LT_BF16:
        return "bf16";
    case LT_I8:
        return "int8";
    case LT_E4M3:
        return "fp8 e4m3";
    case LT_E5M2:
        return "fp8 e5m2";
    default:
        return "a type that is not modelled";
    }
}

static float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t to_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The fields are put where a float has them and the exponent's bias is made good by a product,
 * which is exact for subnormals too. */
static float from_half(uint32_t bits) {
    uint32_t size = (bits & 0x7fff) << 13, sign = (bits & 0x8000) << 16;
    if ((bits & 0x7c00) == 0x7c00)
        return from_bits(sign | 0x7f800000 | size);
    return from_bits(sign | to_bits(from_bits(size) * 0x1p112f));
}

/* No infinities; NaN is all ones. */
static float from_e4m3(uint32_t bits) {
    uint32_t size = (bits & 0x7f) << 20, sign = (bits & 0x80) << 24;
    if ((bits & 0x7f) == 0x7f)
        return NAN;
    return from_bits(sign | to_bits(from_bits(size) * 0x1p120f));
}

float lt_read(int type, const void *array, uint64_t index) {
    const uint8_t *bytes = array;
    uint16_t half;
    float value;
    switch (type) {
    case LT_F32:
        memcpy(&value, bytes + index * 4, sizeof value);
        return value;
    case LT_F16:
        memcpy(&half, bytes + index * 2, sizeof half);
        return from_half(half);
    case LT_BF16:
        memcpy(&half, bytes + index * 2, sizeof half);
        return from_bits((uint32_t)half << 16);
    case LT_I8:
        return (float)(int8_t)bytes[index];
    case LT_E4M3:
        return from_e4m3(bytes[index]);
    case LT_E5M2: /* the upper half of an fp16 */
        return from_half((uint32_t)bytes[index] << 8);
    default:
        return NAN;
    }
}

float lt_truncate(float value, int mantissa_bits) {
    return from_bits(to_bits(value) & ~((1u << (23 - mantissa_bits)) - 1));
}

float lt_round(float value, int mantissa_bits) {
    uint32_t bits = to_bits(value);
    int dropped = 23 - mantissa_bits;
    if (!isfinite(value) || dropped <= 0)
        return value;
    bits += (1u << (dropped - 1)) - 1 + ((bits >> dropped) & 1);
    return from_bits(bits & ~((1u << dropped) - 1));
}

static uint16_t half_of(float value) {
    uint16_t sign = (uint16_t)((to_bits(value) >> 16) & 0x8000);
    float size = fabsf(value);
    if (isnan(value))
        return (uint16_t)(sign | 0x7e00);
    if (size >= 65520.0f)
        return (uint16_t)(sign | 0x7c00);
    if (size < 0x1p-14f) /* subnormal: whole multiples of 2^-24 */
        return (uint16_t)(sign | (uint16_t)rintf(size * 0x1p24f));
    uint32_t bits = to_bits(lt_round(size, 10));
    return (uint16_t)(sign | (uint16_t)((bits >> 13) - (112u << 10)));
}

void lt_write(int type, void *array, uint64_t index, float value) {
    uint8_t *bytes = array;
    uint16_t half;
    switch (type) {
    case LT_F32:
        memcpy(bytes + index * 4, &value, sizeof value);
        return;
    case LT_F16:
        half = half_of(value);
        break;
    default:
        half = (uint16_t)(to_bits(isnan(value) ? value : lt_round(value, 7)) >> 16);
        break;
    }
    memcpy(bytes + index * 2, &half, sizeof half);
}
