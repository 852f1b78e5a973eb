/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation on every combination of edge values, against plain C that follows the text of
 * "PTX ISA" and not the interpreter: bit by bit, or over 128 bits. */
#include "emulated_gpu/ptx_memory.h"
#include "unit/cmocka_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 s128;

enum { SOURCES_MAX = 4, EDGES = 10, LANES = 32 };

/* A value of `bits` bits as the integer it stands for. */
static s128 number(uint64_t value, unsigned bits, bool is_signed) {
    u128 cut = bits == 64 ? value : value & ((UINT64_C(1) << bits) - 1);
    return is_signed && (cut >> (bits - 1) & 1) != 0 ? (s128)cut - ((s128)1 << bits) : (s128)cut;
}

static uint64_t cut(u128 value, unsigned bits) {
    return bits == 64 ? (uint64_t)value : (uint64_t)value & ((UINT64_C(1) << bits) - 1);
}

struct question {
    uint64_t s[SOURCES_MAX];
    unsigned bits;
    bool is_signed;
    s128 a, b, c; /* s as numbers of the type */
};

typedef uint64_t (*answer)(const struct question *q);

#define ANSWER(name, expression)                                                                   \
    static uint64_t name(const struct question *q) {                                               \
        return (uint64_t)(expression);                                                             \
    }
ANSWER(add, (u128)q->a + (u128)q->b)
ANSWER(sub, (u128)q->a - (u128)q->b)
ANSWER(mul_lo, (u128)q->a *(u128)q->b)
/* 64 x 64 bits without sign fit 128 only without one. */
static uint64_t mul_hi(const struct question *q) {
    if (q->bits == 64 && !q->is_signed)
        return (uint64_t)((u128)q->a * (u128)q->b >> 64);
    return (uint64_t)(q->a * q->b >> q->bits);
}
ANSWER(mul_wide, (u128)(q->a * q->b))
ANSWER(mad_lo, (u128)q->a *(u128)q->b + (u128)q->c)
ANSWER(mad_hi, mul_hi(q) + q->s[2])
ANSWER(mad_wide, (uint64_t)(q->a * q->b) + q->s[2])
ANSWER(quotient, q->b == 0 ? 0 : q->a / q->b)
ANSWER(rest, q->b == 0 ? 0 : q->a % q->b)
ANSWER(least, q->a < q->b ? q->a : q->b)
ANSWER(most, q->a > q->b ? q->a : q->b)
ANSWER(negative, -q->a)
ANSWER(magnitude, q->a < 0 ? -q->a : q->a)
ANSWER(both, q->s[0] & q->s[1])
ANSWER(either, q->s[0] | q->s[1])
ANSWER(differ, q->s[0] ^ q->s[1])
ANSWER(invert, ~q->s[0])
ANSWER(not_pred, q->s[0] == 0)
ANSWER(equal, q->a == q->b)
ANSWER(unequal, q->a != q->b)
ANSWER(less, q->a < q->b)
ANSWER(less_equal, q->a <= q->b)
ANSWER(greater, q->a > q->b)
ANSWER(greater_equal, q->a >= q->b)
ANSWER(choose, (q->s[2] & 1) != 0 ? q->s[0] : q->s[1])
ANSWER(same, q->s[0])

/* Shifts bit by bit: what comes from outside is zero, or the sign. */
static uint64_t shifted(const struct question *q, int64_t by, bool is_signed) {
    uint64_t out = 0, sign = is_signed ? q->s[0] >> (q->bits - 1) & 1 : 0;
    for (int64_t i = 0; i < (int64_t)q->bits; i++) {
        int64_t from = i + by;
        uint64_t bit = from < 0 ? 0 : from >= (int64_t)q->bits ? sign : q->s[0] >> from & 1;
        out |= bit << i;
    }
    return out;
}
ANSWER(left, shifted(q, -(int64_t)(uint32_t)q->s[1], false))
ANSWER(right, shifted(q, (int64_t)(uint32_t)q->s[1], q->is_signed))

static uint64_t count_zeros(const struct question *q) {
    unsigned zeros = 0;
    while (zeros < q->bits && (q->s[0] >> (q->bits - 1 - zeros) & 1) == 0)
        zeros++;
    return zeros;
}
static uint64_t count_ones(const struct question *q) {
    unsigned ones = 0;
    for (unsigned i = 0; i < q->bits; i++)
        ones += q->s[0] >> i & 1;
    return ones;
}
static uint64_t reversed(const struct question *q) {
    uint64_t out = 0;
    for (unsigned i = 0; i < q->bits; i++)
        out = out << 1 | (q->s[0] >> i & 1);
    return out;
}
/* The loops that the ISA prints for bfe and bfi. */
static uint64_t extracted(const struct question *q) {
    unsigned position = q->s[1] & 0xff, length = q->s[2] & 0xff, most_ = q->bits - 1;
    uint64_t sign =
        !q->is_signed || length == 0
            ? 0
            : q->s[0] >> (position + length - 1 < most_ ? position + length - 1 : most_) & 1;
    uint64_t out = 0;
    for (unsigned i = 0; i <= most_; i++)
        out |= (i < length && position + i <= most_ ? q->s[0] >> (position + i) & 1 : sign) << i;
    return out;
}
static uint64_t inserted(const struct question *q) {
    unsigned position = q->s[2] & 0xff, length = q->s[3] & 0xff;
    uint64_t out = q->s[1];
    for (unsigned i = 0; i < length && position + i < q->bits; i++) {
        uint64_t bit = i < 64 ? q->s[0] >> i & 1 : 0;
        out = (out & ~(UINT64_C(1) << (position + i))) | bit << (position + i);
    }
    return out;
}
static uint64_t permuted(const struct question *q) {
    uint8_t bytes[8], out[4];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((i < 4 ? q->s[0] : q->s[1]) >> (8 * (i % 4)));
    for (unsigned i = 0; i < 4; i++) {
        unsigned choice = (unsigned)(q->s[2] >> (4 * i)) & 15;
        uint8_t byte = bytes[choice % 8];
        out[i] = choice >= 8 ? (byte >= 128 ? 255 : 0) : byte;
    }
    return (uint64_t)out[0] | (uint64_t)out[1] << 8 | (uint64_t)out[2] << 16 |
           (uint64_t)out[3] << 24;
}
static uint64_t funnel(const struct question *q, bool is_left, bool is_clamped) {
    uint32_t amount = (uint32_t)q->s[2];
    u128 pair = (u128)((uint64_t)(uint32_t)q->s[1] << 32 | (uint32_t)q->s[0]);
    amount = is_clamped ? (amount > 32 ? 32 : amount) : amount % 32;
    return is_left ? (uint64_t)(pair << amount >> 32) : (uint64_t)(pair >> amount);
}
ANSWER(funnel_left_wrap, funnel(q, true, false))
ANSWER(funnel_left_clamp, funnel(q, true, true))
ANSWER(funnel_right_wrap, funnel(q, false, false))
ANSWER(funnel_right_clamp, funnel(q, false, true))
static uint64_t majority(const struct question *q) {
    return (q->s[0] & q->s[1]) | (q->s[0] & q->s[2]) | (q->s[1] & q->s[2]);
}
ANSWER(second_not, ~q->s[1])

/* registers: of the result, then of the sources: h 16, r 32, d 64 bits, p a predicate.
 * `bits` and `is_signed`: what the answer computes in; its result is cut to the register. */
static const struct operation_case {
    const char *text; /* D, A, B, C, E stand for the operands */
    const char *registers;
    unsigned bits;
    bool is_signed;
    answer expected;
    bool never_zero; /* the second source */
} cases[] = {
#define SIX(name, expected)                                                                        \
    {name ".u16 D, A, B", "hhh", 16, false, expected, false},                                      \
        {name ".s16 D, A, B", "hhh", 16, true, expected, false},                                   \
        {name ".u32 D, A, B", "rrr", 32, false, expected, false},                                  \
        {name ".s32 D, A, B", "rrr", 32, true, expected, false},                                   \
        {name ".u64 D, A, B", "ddd", 64, false, expected, false}, {                                \
        name ".s64 D, A, B", "ddd", 64, true, expected, false                                      \
    }
    SIX("add", add),
    SIX("sub", sub),
    SIX("mul.lo", mul_lo),
    SIX("mul.hi", mul_hi),
    SIX("min", least),
    SIX("max", most),
    {"mul.wide.u16 D, A, B", "rhh", 16, false, mul_wide, false},
    {"mul.wide.s16 D, A, B", "rhh", 16, true, mul_wide, false},
    {"mul.wide.u32 D, A, B", "drr", 32, false, mul_wide, false},
    {"mul.wide.s32 D, A, B", "drr", 32, true, mul_wide, false},
    {"mad.lo.u16 D, A, B, C", "hhhh", 16, false, mad_lo, false},
    {"mad.lo.s32 D, A, B, C", "rrrr", 32, true, mad_lo, false},
    {"mad.lo.u32 D, A, B, C", "rrrr", 32, false, mad_lo, false},
    {"mad.lo.s64 D, A, B, C", "dddd", 64, true, mad_lo, false},
    {"mad.hi.s16 D, A, B, C", "hhhh", 16, true, mad_hi, false},
    {"mad.hi.u32 D, A, B, C", "rrrr", 32, false, mad_hi, false},
    {"mad.hi.s32 D, A, B, C", "rrrr", 32, true, mad_hi, false},
    {"mad.hi.u64 D, A, B, C", "dddd", 64, false, mad_hi, false},
    {"mad.hi.s64 D, A, B, C", "dddd", 64, true, mad_hi, false},
    {"mad.wide.u16 D, A, B, C", "rhhr", 16, false, mad_wide, false},
    {"mad.wide.s16 D, A, B, C", "rhhr", 16, true, mad_wide, false},
    {"mad.wide.u32 D, A, B, C", "drrd", 32, false, mad_wide, false},
    {"mad.wide.s32 D, A, B, C", "drrd", 32, true, mad_wide, false},
#define SIX_DIVISIONS(name, expected)                                                              \
    {name ".u16 D, A, B", "hhh", 16, false, expected, true},                                       \
        {name ".s16 D, A, B", "hhh", 16, true, expected, true},                                    \
        {name ".u32 D, A, B", "rrr", 32, false, expected, true},                                   \
        {name ".s32 D, A, B", "rrr", 32, true, expected, true},                                    \
        {name ".u64 D, A, B", "ddd", 64, false, expected, true}, {                                 \
        name ".s64 D, A, B", "ddd", 64, true, expected, true                                       \
    }
    SIX_DIVISIONS("div", quotient),
    SIX_DIVISIONS("rem", rest),
    {"neg.s16 D, A", "hh", 16, true, negative, false},
    {"neg.s32 D, A", "rr", 32, true, negative, false},
    {"neg.s64 D, A", "dd", 64, true, negative, false},
    {"abs.s16 D, A", "hh", 16, true, magnitude, false},
    {"abs.s32 D, A", "rr", 32, true, magnitude, false},
    {"abs.s64 D, A", "dd", 64, true, magnitude, false},
#define BITWISE(name, expected)                                                                    \
    {name ".pred D, A, B", "ppp", 64, false, expected, false},                                     \
        {name ".b16 D, A, B", "hhh", 16, false, expected, false},                                  \
        {name ".b32 D, A, B", "rrr", 32, false, expected, false}, {                                \
        name ".b64 D, A, B", "ddd", 64, false, expected, false                                     \
    }
    BITWISE("and", both),
    BITWISE("or", either),
    BITWISE("xor", differ),
    {"not.pred D, A", "pp", 64, false, not_pred, false},
    {"not.b16 D, A", "hh", 16, false, invert, false},
    {"not.b32 D, A", "rr", 32, false, invert, false},
    {"not.b64 D, A", "dd", 64, false, invert, false},
    {"shl.b16 D, A, B", "hhr", 16, false, left, false},
    {"shl.b32 D, A, B", "rrr", 32, false, left, false},
    {"shl.b64 D, A, B", "ddr", 64, false, left, false},
    {"shr.b32 D, A, B", "rrr", 32, false, right, false},
    {"shr.u16 D, A, B", "hhr", 16, false, right, false},
    {"shr.s16 D, A, B", "hhr", 16, true, right, false},
    {"shr.u32 D, A, B", "rrr", 32, false, right, false},
    {"shr.s32 D, A, B", "rrr", 32, true, right, false},
    {"shr.u64 D, A, B", "ddr", 64, false, right, false},
    {"shr.s64 D, A, B", "ddr", 64, true, right, false},
#define COMPARED(name, expected)                                                                   \
    {"setp." name ".u16 D, A, B", "phh", 16, false, expected, false},                              \
        {"setp." name ".s16 D, A, B", "phh", 16, true, expected, false},                           \
        {"setp." name ".u32 D, A, B", "prr", 32, false, expected, false},                          \
        {"setp." name ".s32 D, A, B", "prr", 32, true, expected, false},                           \
        {"setp." name ".u64 D, A, B", "pdd", 64, false, expected, false}, {                        \
        "setp." name ".s64 D, A, B", "pdd", 64, true, expected, false                              \
    }
    COMPARED("eq", equal),
    COMPARED("ne", unequal),
    COMPARED("lt", less),
    COMPARED("le", less_equal),
    COMPARED("gt", greater),
    COMPARED("ge", greater_equal),
    {"setp.lo.u32 D, A, B", "prr", 32, false, less, false},
    {"setp.ls.u32 D, A, B", "prr", 32, false, less_equal, false},
    {"setp.hi.u64 D, A, B", "pdd", 64, false, greater, false},
    {"setp.hs.u64 D, A, B", "pdd", 64, false, greater_equal, false},
    {"setp.eq.b32 D, A, B", "prr", 32, false, equal, false},
    {"selp.b16 D, A, B, C", "hhhp", 16, false, choose, false},
    {"selp.b32 D, A, B, C", "rrrp", 32, false, choose, false},
    {"selp.s64 D, A, B, C", "dddp", 64, false, choose, false},
    {"mov.pred D, A", "pp", 64, false, same, false},
    {"mov.b16 D, A", "hh", 16, false, same, false},
    {"mov.u32 D, A", "rr", 32, false, same, false},
    {"mov.b64 D, A", "dd", 64, false, same, false},
    {"clz.b32 D, A", "rr", 32, false, count_zeros, false},
    {"clz.b64 D, A", "rd", 64, false, count_zeros, false},
    {"popc.b32 D, A", "rr", 32, false, count_ones, false},
    {"popc.b64 D, A", "rd", 64, false, count_ones, false},
    {"brev.b32 D, A", "rr", 32, false, reversed, false},
    {"brev.b64 D, A", "dd", 64, false, reversed, false},
    {"bfe.u32 D, A, B, C", "rrrr", 32, false, extracted, false},
    {"bfe.s32 D, A, B, C", "rrrr", 32, true, extracted, false},
    {"bfe.u64 D, A, B, C", "ddrr", 64, false, extracted, false},
    {"bfe.s64 D, A, B, C", "ddrr", 64, true, extracted, false},
    {"bfi.b32 D, A, B, C, E", "rrrrr", 32, false, inserted, false},
    {"bfi.b64 D, A, B, C, E", "dddrr", 64, false, inserted, false},
    {"prmt.b32 D, A, B, C", "rrrr", 32, false, permuted, false},
    {"shf.l.wrap.b32 D, A, B, C", "rrrr", 32, false, funnel_left_wrap, false},
    {"shf.l.clamp.b32 D, A, B, C", "rrrr", 32, false, funnel_left_clamp, false},
    {"shf.r.wrap.b32 D, A, B, C", "rrrr", 32, false, funnel_right_wrap, false},
    {"shf.r.clamp.b32 D, A, B, C", "rrrr", 32, false, funnel_right_clamp, false},
    {"lop3.b32 D, A, B, C, 232", "rrrr", 32, false, majority, false},
    {"lop3.b32 D, A, B, C, 51", "rrrr", 32, false, second_not, false},
};

static unsigned register_bits(char kind) {
    return kind == 'h' ? 16 : kind == 'r' ? 32 : 64;
}

/* Edges of every width, and small numbers that are shift amounts, positions and lengths. */
static const uint64_t edges[EDGES] = {0,
                                      1,
                                      31,
                                      32,
                                      UINT64_C(0x7FFF),
                                      UINT64_C(0x80000000),
                                      UINT64_C(0xFFFFFFFF),
                                      UINT64_C(0x8000000000000000),
                                      UINT64_C(0x123456789ABC8000),
                                      UINT64_MAX};

/* %sA -> "A" in the text becomes a register of its kind. */
static void write_kernel(char *out, size_t size, const struct operation_case *test) {
    static const char names[] = "DABCE";
    size_t used = (size_t)snprintf(
        out, size,
        ".version 7.0\n.target sm_75\n.address_size 64\n"
        ".visible .entry run(.param .u64 results, .param .u64 sources) {\n"
        ".reg .b64 %%d<9>; .reg .b32 %%r<9>; .reg .b16 %%h<9>; .reg .pred %%p<9>;\n"
        ".reg .b64 %%to, %%from, %%x; .reg .b32 %%i, %%b, %%n;\n"
        "mov.u32 %%i, %%tid.x; mov.u32 %%b, %%ctaid.x; mov.u32 %%n, %%ntid.x;\n"
        "mad.lo.u32 %%i, %%b, %%n, %%i;\n"
        "ld.param.u64 %%to, [results]; ld.param.u64 %%from, [sources];\n"
        "mad.wide.u32 %%to, %%i, 8, %%to; mad.wide.u32 %%from, %%i, 32, %%from;\n");
    for (unsigned i = 1; test->registers[i] != '\0'; i++) {
        used += (size_t)snprintf(out + used, size - used, "ld.global.u64 %%x, [%%from+%u];\n",
                                 8 * (i - 1));
        if (test->registers[i] == 'p')
            used += (size_t)snprintf(out + used, size - used, "setp.ne.u64 %%p%u, %%x, 0;\n", i);
        else
            used += (size_t)snprintf(out + used, size - used, "cvt.u%u.u64 %%%c%u, %%x;\n",
                                     register_bits(test->registers[i]), test->registers[i], i);
    }
    for (const char *c = test->text; *c != '\0'; c++) {
        const char *name = strchr(names, *c);
        if (name == NULL)
            used += (size_t)snprintf(out + used, size - used, "%c", *c);
        else
            used += (size_t)snprintf(out + used, size - used, "%%%c%u",
                                     test->registers[name - names], (unsigned)(name - names));
    }
    if (test->registers[0] == 'p')
        snprintf(out + used, size - used,
                 ";\nselp.u64 %%x, 1, 0, %%p0;\nst.global.u64 [%%to], %%x;\nret;\n}\n");
    else
        snprintf(out + used, size - used,
                 ";\ncvt.u64.u%u %%x, %%%c0;\nst.global.u64 [%%to], %%x;\nret;\n}\n",
                 register_bits(test->registers[0]), test->registers[0]);
}

static uint64_t expected_of(const struct operation_case *test, const uint64_t *sources) {
    struct question q = {.bits = test->bits, .is_signed = test->is_signed};
    for (unsigned i = 0; test->registers[i + 1] != '\0'; i++)
        q.s[i] = test->registers[i + 1] == 'p'
                     ? sources[i] != 0
                     : cut(sources[i], register_bits(test->registers[i + 1]));
    q.a = number(q.s[0], q.bits, q.is_signed);
    q.b = number(q.s[1], q.bits, q.is_signed);
    q.c = number(q.s[2], q.bits, q.is_signed);
    uint64_t result = test->expected(&q);
    return test->registers[0] == 'p' ? result : cut(result, register_bits(test->registers[0]));
}

static void each_operation_computes_what_the_isa_says(void **state) {
    (void)state;
    for (size_t number_ = 0; number_ < sizeof cases / sizeof cases[0]; number_++) {
        const struct operation_case *test = &cases[number_];
        unsigned count = (unsigned)strlen(test->registers) - 1, total = 1;
        for (unsigned i = 0; i < count; i++)
            total *= EDGES;
        unsigned padded = (total + LANES - 1) / LANES * LANES;
        uint64_t(*sources)[SOURCES_MAX] = calloc(padded, sizeof *sources);
        assert_non_null(sources);
        for (unsigned i = 0; i < padded; i++)
            for (unsigned j = 0, rest_ = i % total; j < SOURCES_MAX; j++, rest_ /= EDGES) {
                sources[i][j] = j < count ? edges[rest_ % EDGES] : 0;
                if (test->never_zero && j == 1 && cut(sources[i][j], test->bits) == 0)
                    sources[i][j] = 3;
            }
        struct ptx_memory memory = {.count = 0};
        uint64_t parameters[2];
        parameters[0] = ptx_memory_add(&memory, NULL, 8u * padded);
        parameters[1] = ptx_memory_add(&memory, sources, padded * sizeof *sources);
        char text[4096];
        write_kernel(text, sizeof text, test);
        struct ptx_module *module;
        struct ptx_failure failure;
        const struct ptx_limits limits = {90, 120};
        if (ptx_load(text, strlen(text), &limits, &module, &failure) != PTX_OK)
            fail_msg("%s: %s", test->text, failure.text);
        struct ptx_launch launch = ptx_memory_launch(&memory, padded / LANES, LANES, parameters);
        if (ptx_run(ptx_kernel_named(module, "run"), &launch) != PTX_OK)
            fail_msg("%s: %s", test->text, launch.failure.text);
        const uint64_t *results = ptx_memory_host(&memory, parameters[0]);
        for (unsigned i = 0; i < total; i++) {
            uint64_t wanted = expected_of(test, sources[i]);
            if (results[i] != wanted)
                fail_msg("%s of %llx, %llx, %llx, %llx: %llx instead of %llx", test->text,
                         (unsigned long long)sources[i][0], (unsigned long long)sources[i][1],
                         (unsigned long long)sources[i][2], (unsigned long long)sources[i][3],
                         (unsigned long long)results[i], (unsigned long long)wanted);
        }
        ptx_free(module);
        ptx_memory_free(&memory);
        free(sources);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operation_computes_what_the_isa_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
