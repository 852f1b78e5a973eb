/* SPDX-License-Identifier: Apache-2.0 */
/* Values that move: conversions, memory of every kind, vectors, atomic operations, and what the
 * lanes of a warp exchange. Expected values come from the C language's own conversions and from
 * loops over lanes that follow the text of "PTX ISA". */
#include "emulated_gpu/ptx_memory.h"
#include "unit/cmocka_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 32, EDGES = 32 };

#define HEAD                                                                                       \
    ".version 7.0\n.target sm_75\n.address_size 64\n"                                              \
    ".const .align 8 .b8 constants[16] = {1, 2, 3, 4, 5, 6, 7, 0x88, 9};\n"                        \
    ".global .align 8 .u64 variable = 0x1122334455667788;\n"                                       \
    ".extern .shared .align 16 .b8 dynamic[];\n"                                                   \
    ".visible .entry run(.param .u64 results, .param .u64 sources) {\n"                            \
    ".reg .b64 %d<20>; .reg .b32 %r<20>; .reg .b16 %h<20>; .reg .pred %p<20>; .reg .f32 %f<2>;\n"  \
    ".reg .b64 %to, %from; .reg .b32 %i;\n"                                                        \
    ".shared .align 16 .b8 shared[1024]; .local .align 16 .b8 local[32];\n"                        \
    "mov.u32 %i, %tid.x; ld.param.u64 %to, [results]; ld.param.u64 %from, [sources];\n"            \
    "mad.wide.u32 %to, %i, 8, %to; mad.wide.u32 %from, %i, 8, %from;\n"                            \
    "ld.global.u64 %d1, [%from]; cvt.u32.u64 %r1, %d1; cvt.u16.u64 %h1, %d1;\n"
/* What a test leaves in %d2 is its result. */
#define TAIL "\nst.global.u64 [%to], %d2;\nret;\n}\n"

static uint64_t edges[EDGES];

static void fill_edges(void) {
    static const uint64_t given[] = {0,
                                     1,
                                     UINT64_MAX,
                                     UINT64_C(0x7F),
                                     UINT64_C(0x80),
                                     UINT64_C(0xFF),
                                     UINT64_C(0x7FFF),
                                     UINT64_C(0x8000),
                                     UINT64_C(0xFFFF),
                                     UINT64_C(0x7FFFFFFF),
                                     UINT64_C(0x80000000),
                                     UINT64_C(0xFFFFFFFF),
                                     UINT64_C(0x100000000),
                                     UINT64_C(0x7FFFFFFFFFFFFFFF),
                                     UINT64_C(0x8000000000000000)};
    for (unsigned i = 0; i < EDGES; i++)
        edges[i] = i < sizeof given / sizeof given[0] ? given[i] : i * UINT64_C(0x9E3779B97F4A7C15);
}

/* Run the text over the edges, one a lane. */
static void run(const char *body, uint64_t results[LANES]) {
    char text[8192];
    snprintf(text, sizeof text, "%s%s%s", HEAD, body, TAIL);
    struct ptx_memory memory = {.count = 0};
    uint64_t parameters[2];
    parameters[0] = ptx_memory_add(&memory, NULL, LANES * sizeof(uint64_t));
    parameters[1] = ptx_memory_add(&memory, edges, sizeof edges);
    struct ptx_module *module;
    struct ptx_failure failure;
    const struct ptx_limits limits = {90, 90};
    if (ptx_load(text, strlen(text), &limits, &module, &failure) != PTX_OK)
        fail_msg("%s: %s", body, failure.text);
    struct ptx_launch launch = ptx_memory_launch(&memory, 1, LANES, parameters);
    launch.globals_address =
        ptx_memory_add(&memory, ptx_globals(module), ptx_globals_bytes(module));
    launch.dynamic_shared_bytes = 1024;
    if (ptx_run(ptx_kernel_named(module, "run"), &launch) != PTX_OK)
        fail_msg("%s: %s", body, launch.failure.text);
    memcpy(results, ptx_memory_host(&memory, parameters[0]), LANES * sizeof(uint64_t));
    ptx_free(module);
    ptx_memory_free(&memory);
}

static void assert_lanes(const char *body, const uint64_t wanted[LANES]) {
    uint64_t results[LANES];
    run(body, results);
    for (unsigned i = 0; i < LANES; i++)
        if (results[i] != wanted[i])
            fail_msg("%s\nlane %u with %llx: %llx instead of %llx", body, i,
                     (unsigned long long)edges[i], (unsigned long long)results[i],
                     (unsigned long long)wanted[i]);
}

/* ---- conversions ---- */

static const struct integer {
    const char *name;
    unsigned bits;
    bool is_signed;
} integers[] = {{"u8", 8, false},   {"s8", 8, true},   {"u16", 16, false}, {"s16", 16, true},
                {"u32", 32, false}, {"s32", 32, true}, {"u64", 64, false}, {"s64", 64, true}};
enum { INTEGERS = sizeof integers / sizeof integers[0] };

/* As C converts it, in 64 bits of two's complement. */
static uint64_t as_type(uint64_t value, const struct integer *type) {
    switch (type->bits) {
    case 8:
        return type->is_signed ? (uint64_t)(int64_t)(int8_t)value : (uint8_t)value;
    case 16:
        return type->is_signed ? (uint64_t)(int64_t)(int16_t)value : (uint16_t)value;
    case 32:
        return type->is_signed ? (uint64_t)(int64_t)(int32_t)value : (uint32_t)value;
    default:
        return value;
    }
}

static uint64_t low_bits(uint64_t value, unsigned bits) {
    return bits == 64 ? value : value & ((UINT64_C(1) << bits) - 1);
}

static char register_of(unsigned bits) {
    return bits <= 16 ? 'h' : bits == 32 ? 'r' : 'd';
}

static void every_conversion_is_that_of_c(void **state) {
    (void)state;
    for (unsigned to = 0; to < INTEGERS; to++)
        for (unsigned from = 0; from < INTEGERS; from++)
            /* Into a register of its size, and into the widest. */
            for (unsigned wide = 0; wide < 2; wide++) {
                char body[300];
                uint64_t wanted[LANES];
                unsigned bits = wide ? 64 : integers[to].bits < 16 ? 16 : integers[to].bits;
                snprintf(body, sizeof body, "cvt.%s.%s %%%c3, %%%c1; cvt.u64.u%u %%d2, %%%c3;",
                         integers[to].name, integers[from].name, register_of(bits),
                         register_of(integers[from].bits), bits, register_of(bits));
                for (unsigned i = 0; i < LANES; i++)
                    wanted[i] =
                        low_bits(as_type(as_type(edges[i], &integers[from]), &integers[to]), bits);
                assert_lanes(body, wanted);
            }
}

static void parts_of_registers_are_packed_and_unpacked(void **state) {
    (void)state;
    uint64_t wanted[LANES];
    for (unsigned i = 0; i < LANES; i++)
        wanted[i] = edges[i] << 32 | edges[i] >> 32;
    assert_lanes("mov.b64 {%r2, %r3}, %d1; mov.b64 %d2, {%r3, %r2};", wanted);
    for (unsigned i = 0; i < LANES; i++)
        wanted[i] = low_bits(edges[i] << 16 | (edges[i] >> 16 & 0xFFFF), 32);
    assert_lanes("mov.b32 {%h2, %h3}, %r1; mov.b32 %r2, {%h3, %h2}; cvt.u64.u32 %d2, %r2;", wanted);
    for (unsigned i = 0; i < LANES; i++)
        wanted[i] = edges[i] >> 48 | (edges[i] >> 32 & 0xFFFF) << 16 |
                    (edges[i] >> 16 & 0xFFFF) << 32 | edges[i] << 48;
    assert_lanes("mov.b64 {%h2, %h3, %h4, %h5}, %d1; mov.b64 %d2, {%h5, %h4, %h3, %h2};", wanted);
    for (unsigned i = 0; i < LANES; i++)
        wanted[i] = edges[i] >> 32;
    assert_lanes("mov.b64 {_, %r2}, %d1; cvt.u64.u32 %d2, %r2;", wanted);
    for (unsigned i = 0; i < LANES; i++)
        wanted[i] = (uint32_t)edges[i];
    assert_lanes("mov.b32 %f1, %r1; mov.b32 %r2, %f1; cvt.u64.u32 %d2, %r2;", wanted);
    for (unsigned i = 0; i < LANES; i++)
        wanted[i] = UINT64_C(0x3F800000) << 32 | UINT32_MAX;
    assert_lanes("mov.f32 %f1, 0f3F800000; mov.b32 %r2, %f1; mov.u32 %r3, -1;"
                 "mov.b64 %d2, {%r3, %r2};",
                 wanted);
}

/* ---- memory ---- */

static void every_width_is_loaded_and_extended(void **state) {
    (void)state;
    for (unsigned type = 0; type < INTEGERS; type++)
        for (unsigned wide = 0; wide < 2; wide++) {
            char body[300];
            uint64_t wanted[LANES];
            unsigned bits = wide ? 64 : integers[type].bits < 16 ? 16 : integers[type].bits;
            snprintf(body, sizeof body, "ld.global.%s %%%c3, [%%from]; cvt.u64.u%u %%d2, %%%c3;",
                     integers[type].name, register_of(bits), bits, register_of(bits));
            for (unsigned i = 0; i < LANES; i++)
                wanted[i] = low_bits(as_type(edges[i], &integers[type]), bits);
            assert_lanes(body, wanted);
        }
}

static void every_width_is_stored_in_every_memory(void **state) {
    (void)state;
    static const struct {
        const char *space, *base; /* base leaves the address in %d9 or %r9 */
    } spaces[] = {
        {"global", "mov.u64 %d9, %to;"},
        {"shared", "mov.u32 %r9, shared; mad.lo.u32 %r9, %i, 16, %r9;"},
        {"shared", "mov.u32 %r9, dynamic; mad.lo.u32 %r9, %i, 16, %r9;"},
        {"local", "mov.u64 %d9, local; cvta.local.u64 %d9, %d9; cvta.to.local.u64 %d9, %d9;"},
    };
    for (size_t space = 0; space < sizeof spaces / sizeof spaces[0]; space++)
        for (unsigned type = 0; type < INTEGERS; type += 2) {
            const char *name = spaces[space].space;
            char body[600], at = strstr(spaces[space].base, "%d9") != NULL ? 'd' : 'r';
            uint64_t wanted[LANES];
            snprintf(body, sizeof body,
                     "%s mov.u64 %%d3, -1; st.%s.u64 [%%%c9], %%d3;"
                     "st.%s.%s [%%%c9+%u], %%%c1; ld.%s.u64 %%d2, [%%%c9];",
                     spaces[space].base, name, at, name, integers[type].name, at,
                     integers[type].bits == 64 ? 0 : integers[type].bits / 8,
                     register_of(integers[type].bits), name, at);
            for (unsigned i = 0; i < LANES; i++) {
                unsigned bits = integers[type].bits, shift = bits == 64 ? 0 : bits;
                uint64_t field = low_bits(UINT64_MAX, bits) << shift;
                wanted[i] = (UINT64_MAX & ~field) | (low_bits(edges[i], bits) << shift & field);
            }
            assert_lanes(body, wanted);
        }
}

static void vectors_constants_and_variables_are_read(void **state) {
    (void)state;
    uint64_t wanted[LANES];
    for (unsigned i = 0; i < LANES; i++)
        wanted[i] = edges[i / 2 * 2] ^ edges[i / 2 * 2 + 1] << 1;
    const char *pair = "and.b32 %r9, %i, 1; mul.wide.u32 %d9, %r9, 8; sub.s64 %d9, %from, %d9;";
    char body[600];
    snprintf(body, sizeof body,
             "%s ld.global.nc.v2.u64 {%%d3, %%d4}, [%%d9]; shl.b64 %%d4, %%d4, 1;"
             "xor.b64 %%d2, %%d3, %%d4;",
             pair);
    assert_lanes(body, wanted);
    snprintf(body, sizeof body,
             "%s ld.global.v4.u32 {%%r2, %%r3, %%r4, %%r5}, [%%d9]; mov.b64 %%d3, {%%r2, %%r3};"
             "mov.b64 %%d4, {%%r4, %%r5}; shl.b64 %%d4, %%d4, 1; xor.b64 %%d2, %%d3, %%d4;",
             pair);
    assert_lanes(body, wanted);
    for (unsigned i = 0; i < LANES; i++)
        wanted[i] = UINT64_C(0x0605040302) + 9;
    assert_lanes("ld.const.u8 %h2, [constants+8]; cvt.u64.u16 %d3, %h2; mov.u64 %d9, constants;"
                 "ld.const.u32 %r2, [%d9+0]; ld.const.u64 %d2, [constants]; shr.u64 %d2, %d2, 8;"
                 "and.b64 %d2, %d2, 0xFFFFFFFFFF; add.s64 %d2, %d2, %d3;",
                 wanted);
    for (unsigned i = 0; i < LANES; i++)
        wanted[i] = UINT64_C(0x1122334455667788);
    assert_lanes("mov.u64 %d9, variable; ld.global.u64 %d2, [%d9];", wanted);
    assert_lanes("ld.global.u64 %d2, [variable];", wanted);
}

/* ---- atomic operations: the lanes of a warp one after the other ---- */

static uint64_t atom_wanted(const char *op, bool is_signed, unsigned bits, uint64_t old,
                            uint64_t by) {
    struct integer type = {"", bits, is_signed};
    bool is_less = is_signed ? (int64_t)as_type(by, &type) < (int64_t)as_type(old, &type)
                             : as_type(by, &type) < as_type(old, &type);
    if (strcmp(op, "add") == 0)
        return low_bits(old + by, bits);
    if (strcmp(op, "min") == 0)
        return is_less ? by : old;
    if (strcmp(op, "max") == 0)
        return is_less || old == by ? old : by;
    if (strcmp(op, "and") == 0)
        return old & by;
    if (strcmp(op, "or") == 0)
        return old | by;
    return strcmp(op, "xor") == 0 ? old ^ by : by;
}

static void every_atomic_operation_updates_memory(void **state) {
    (void)state;
    static const struct {
        const char *op, *type;
        unsigned bits;
        bool is_signed;
    } cases[] = {{"add", "u32", 32, false}, {"add", "s32", 32, true},  {"add", "u64", 64, false},
                 {"min", "u32", 32, false}, {"min", "s32", 32, true},  {"min", "u64", 64, false},
                 {"min", "s64", 64, true},  {"max", "u32", 32, false}, {"max", "s32", 32, true},
                 {"max", "u64", 64, false}, {"max", "s64", 64, true},  {"and", "b32", 32, false},
                 {"and", "b64", 64, false}, {"or", "b32", 32, false},  {"or", "b64", 64, false},
                 {"xor", "b32", 32, false}, {"xor", "b64", 64, false}, {"exch", "b32", 32, false},
                 {"exch", "b64", 64, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (unsigned shared = 0; shared < 2; shared++) {
            char body[600];
            unsigned bits = cases[i].bits;
            char kind = register_of(bits);
            const char *space = shared ? "shared" : "global", *at = shared ? "r" : "d";
            bool has_red = strcmp(cases[i].op, "exch") != 0;
            snprintf(body, sizeof body,
                     "mov.u32 %%r9, shared; mov.u64 %%d9, variable; mov.u%u %%%c4, 77;"
                     "st.%s.u%u [%%%s9], %%%c4; bar.warp.sync -1;"
                     "atom.%s.%s.%s %%%c3, [%%%s9], %%%c1; cvt.u64.u%u %%d2, %%%c3;",
                     bits, kind, space, bits, at, kind, space, cases[i].op, cases[i].type, kind, at,
                     kind, bits, kind);
            uint64_t wanted[LANES], value = 77;
            for (unsigned l = 0; l < LANES; l++) {
                wanted[l] = value;
                value = atom_wanted(cases[i].op, cases[i].is_signed, bits, value,
                                    low_bits(edges[l], bits));
            }
            assert_lanes(body, wanted);
            if (!has_red)
                continue;
            /* Without a result: all lanes, then each reads what they left. */
            snprintf(body, sizeof body,
                     "mov.u32 %%r9, shared; mov.u64 %%d9, variable; mov.u%u %%%c4, 77;"
                     "st.%s.u%u [%%%s9], %%%c4; bar.warp.sync -1;"
                     "red.%s.%s.%s [%%%s9], %%%c1; ld.%s.u%u %%%c3, [%%%s9];"
                     "cvt.u64.u%u %%d2, %%%c3;",
                     bits, kind, space, bits, at, kind, space, cases[i].op, cases[i].type, at, kind,
                     space, bits, kind, at, bits, kind);
            for (unsigned l = 0; l < LANES; l++)
                wanted[l] = value;
            assert_lanes(body, wanted);
        }
}

static void compare_and_swap_swaps_only_what_is_equal(void **state) {
    (void)state;
    uint64_t wanted[LANES], value = 3;
    for (unsigned l = 0; l < LANES; l++) {
        wanted[l] = value;
        value = value == l + 3 ? l + 4 : value;
    }
    assert_lanes("mov.u64 %d9, variable; mov.u64 %d4, 3; st.global.u64 [%d9], %d4;"
                 "cvt.u64.u32 %d3, %i; add.s64 %d4, %d3, 3; add.s64 %d5, %d3, 4;"
                 "atom.global.cas.b64 %d2, [%d9], %d4, %d5;",
                 wanted);
    assert_lanes("mov.u64 %d9, variable; mov.u32 %r4, 3; st.global.u32 [%d9], %r4;"
                 "add.s32 %r4, %i, 3; add.s32 %r5, %i, 4;"
                 "atom.relaxed.gpu.global.cas.b32 %r2, [%d9], %r4, %r5; cvt.u64.u32 %d2, %r2;",
                 wanted);
}

/* ---- the lanes of a warp ---- */

/* The pseudo-code of shfl.sync, lane by lane; *inside is its predicate. */
static unsigned shuffle_wanted(const char *mode, unsigned lane, unsigned b, unsigned c,
                               bool *inside) {
    unsigned segment = c >> 8 & 31, clamp = c & 31;
    int highest = (int)((lane & segment) | (clamp & ~segment)), lowest = (int)(lane & segment), j;
    if (mode[0] == 'u') {
        j = (int)lane - (int)b;
        *inside = j >= highest;
    } else {
        j = mode[0] == 'd'   ? (int)lane + (int)b
            : mode[0] == 'b' ? (int)(lane ^ b)
                             : lowest | (int)(b & ~segment);
        *inside = j <= highest;
    }
    return *inside ? (unsigned)j : lane;
}

static void every_shuffle_reads_the_lane_that_the_isa_names(void **state) {
    (void)state;
    static const char *const modes[] = {"up", "down", "bfly", "idx"};
    static const unsigned widths[] = {32, 16, 8, 1};
    for (unsigned mode = 0; mode < 4; mode++)
        for (unsigned width = 0; width < 4; width++)
            for (unsigned b = 0; b < LANES; b++) {
                char body[300];
                /* As CUDA's __shfl_*_sync makes it from a width. */
                unsigned c = (32 - widths[width]) << 8 | (mode == 0 ? 0 : 31);
                uint64_t wanted[LANES];
                snprintf(body, sizeof body,
                         "shfl.sync.%s.b32 %%r2|%%p1, %%r1, %u, %u, -1; selp.u32 %%r3, 1, 0, %%p1;"
                         "mov.b64 %%d2, {%%r2, %%r3};",
                         modes[mode], b, c);
                for (unsigned l = 0; l < LANES; l++) {
                    bool inside;
                    unsigned from = shuffle_wanted(modes[mode], l, b, c, &inside);
                    wanted[l] = (uint32_t)edges[from] | (uint64_t)inside << 32;
                }
                assert_lanes(body, wanted);
            }
}

static void votes_count_the_lanes_that_take_part(void **state) {
    (void)state;
    uint64_t wanted[LANES];
    uint32_t odd = 0;
    for (unsigned l = 0; l < LANES; l++)
        odd |= (uint32_t)(edges[l] & 1) << l;
    const char *is_odd = "and.b32 %r9, %r1, 1; setp.ne.u32 %p1, %r9, 0;";
    char body[600];
    for (unsigned l = 0; l < LANES; l++)
        wanted[l] = odd;
    snprintf(body, sizeof body, "%s vote.sync.ballot.b32 %%r2, %%p1, -1; cvt.u64.u32 %%d2, %%r2;",
             is_odd);
    assert_lanes(body, wanted);
    /* Half of the warp each: all, any and uni over lanes 0 .. 15 and 16 .. 31. */
    for (unsigned l = 0; l < LANES; l++) {
        uint32_t half = l < 16 ? odd & 0xFFFF : odd >> 16;
        wanted[l] = (half == 0xFFFF) | (uint64_t)(half != 0) << 1 |
                    (uint64_t)(half == 0xFFFF || half == 0) << 2;
    }
    snprintf(body, sizeof body,
             "%s setp.lt.u32 %%p5, %%i, 16; selp.b32 %%r4, 0xFFFF, 0xFFFF0000, %%p5;"
             "@%%p5 bra LOW;\n"
             "vote.sync.all.pred %%p2, %%p1, %%r4; vote.sync.any.pred %%p3, %%p1, %%r4;"
             "vote.sync.uni.pred %%p4, %%p1, %%r4; bra JOIN;\n"
             "LOW: vote.sync.all.pred %%p2, %%p1, %%r4; vote.sync.any.pred %%p3, %%p1, %%r4;"
             "vote.sync.uni.pred %%p4, %%p1, %%r4;\n"
             "JOIN: selp.b64 %%d2, 1, 0, %%p2; selp.b64 %%d3, 2, 0, %%p3; or.b64 %%d2, %%d2, %%d3;"
             "selp.b64 %%d3, 4, 0, %%p4; or.b64 %%d2, %%d2, %%d3;",
             is_odd);
    assert_lanes(body, wanted);
}

static void lanes_that_parted_meet_again_at_a_barrier_of_the_warp(void **state) {
    (void)state;
    uint64_t wanted[LANES];
    /* Even lanes arrive later; the shuffle then sees all. */
    for (unsigned l = 0; l < LANES; l++)
        wanted[l] = (uint32_t)((l ^ 1) % 2 == 0 ? edges[l ^ 1] + 1 : edges[l ^ 1]) |
                    UINT64_C(0xFFFFFFFF) << 32;
    assert_lanes("and.b32 %r9, %i, 1; setp.ne.u32 %p1, %r9, 0; @%p1 bra MEET;\n"
                 "add.s32 %r1, %r1, 1;\n"
                 "MEET: bar.warp.sync -1; membar.cta; fence.acq_rel.gpu; activemask.b32 %r3;"
                 "shfl.sync.bfly.b32 %r2, %r1, 1, 31, -1; mov.b64 %d2, {%r2, %r3};",
                 wanted);
}

static void special_registers_say_where_a_thread_is(void **state) {
    (void)state;
    uint64_t wanted[LANES];
    for (unsigned l = 0; l < LANES; l++)
        wanted[l] = l | (uint64_t)((UINT64_C(1) << l) - 1) << 32;
    assert_lanes("mov.u32 %r2, %laneid; mov.u32 %r3, %lanemask_lt; mov.b64 %d2, {%r2, %r3};",
                 wanted);
    for (unsigned l = 0; l < LANES; l++)
        wanted[l] = 32 + 1000 * 1 + 100000 * 32;
    assert_lanes("mov.u32 %r2, %ntid.x; mov.u32 %r3, %nctaid.z; mad.lo.u32 %r2, %r3, 1000, %r2;"
                 "mov.u32 %r4, WARP_SZ; mad.lo.u32 %r2, %r4, 100000, %r2;"
                 "mov.u32 %r5, %ctaid.y; add.s32 %r2, %r2, %r5; mov.u32 %r5, %warpid;"
                 "add.s32 %r2, %r2, %r5; cvt.u64.u32 %d2, %r2;",
                 wanted);
}

static void guarded_lanes_alone_do_what_is_guarded(void **state) {
    (void)state;
    uint64_t wanted[LANES];
    for (unsigned l = 0; l < LANES; l++)
        wanted[l] = l < 10 ? 1 : l < 20 ? 2 : 3;
    assert_lanes("mov.u64 %d2, 3; setp.lt.u32 %p1, %i, 20; @%p1 mov.u64 %d2, 2;"
                 "setp.ge.u32 %p2, %i, 10; @!%p2 mov.u64 %d2, 1;",
                 wanted);
    /* A loop that every lane leaves after a different number of rounds. */
    for (unsigned l = 0; l < LANES; l++)
        wanted[l] = l * (l + 1) / 2;
    assert_lanes("mov.u64 %d2, 0; mov.u32 %r2, 0;\n"
                 "AGAIN: cvt.u64.u32 %d3, %r2; add.s64 %d2, %d2, %d3; add.s32 %r2, %r2, 1;"
                 "setp.le.u32 %p1, %r2, %i; @%p1 bra AGAIN;",
                 wanted);
}

static void lanes_that_ended_do_nothing_more(void **state) {
    static const char *const ends[] = {"exit", "ret", "ret.uni"};
    char body[256];
    uint64_t wanted[LANES];
    (void)state;
    for (unsigned l = 0; l < LANES; l++)
        wanted[l] = l < 7 ? 5 : 9;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(body, sizeof body,
                 "mov.u64 %%d2, 5; st.global.u64 [%%to], %%d2; setp.lt.u32 %%p1, %%i, 7;"
                 "@%%p1 %s; mov.u64 %%d2, 9;",
                 ends[i]);
        assert_lanes(body, wanted);
    }
}

static int setup(void **state) {
    (void)state;
    fill_edges();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_conversion_is_that_of_c),
        cmocka_unit_test(parts_of_registers_are_packed_and_unpacked),
        cmocka_unit_test(every_width_is_loaded_and_extended),
        cmocka_unit_test(every_width_is_stored_in_every_memory),
        cmocka_unit_test(vectors_constants_and_variables_are_read),
        cmocka_unit_test(every_atomic_operation_updates_memory),
        cmocka_unit_test(compare_and_swap_swaps_only_what_is_equal),
        cmocka_unit_test(every_shuffle_reads_the_lane_that_the_isa_names),
        cmocka_unit_test(votes_count_the_lanes_that_take_part),
        cmocka_unit_test(lanes_that_parted_meet_again_at_a_barrier_of_the_warp),
        cmocka_unit_test(special_registers_say_where_a_thread_is),
        cmocka_unit_test(guarded_lanes_alone_do_what_is_guarded),
        cmocka_unit_test(lanes_that_ended_do_nothing_more),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
