/* SPDX-License-Identifier: Apache-2.0 */
/* What the interpreter does not know is refused when the text is loaded, with its line. */
#include "emulated_gpu/ptx.h"
#include "unit/cmocka_setup.h"

#include <stdio.h>
#include <string.h>

#define HEAD ".version 7.0\n.target sm_75\n.address_size 64\n"
/* The body begins in line 6. */
#define KERNEL(body)                                                                               \
    HEAD ".visible .entry k(.param .u64 p) {\n"                                                    \
         ".reg .b32 %r<9>; .reg .b64 %d<9>; .reg .b16 %h<9>; .reg .pred %p<9>;\n" body "\n}\n"

static const struct ptx_limits limits = {.version = 90, .target = 90};

static enum ptx_status load(const char *text, struct ptx_failure *failure) {
    struct ptx_module *module;
    enum ptx_status status = ptx_load(text, strlen(text), &limits, &module, failure);
    assert_true((status == PTX_OK) == (module != NULL));
    ptx_free(module);
    return status;
}

static const struct {
    const char *text, *message;
} refused[] = {
    {KERNEL("fma.rn.f32 %r1, %r2, %r3, %r4;"), "PTX line 6: unsupported opcode: fma.rn.f32"},
    {KERNEL("\n\nredux.sync.add.s32 %r1, %r2, %r3;"), "PTX line 8: unsupported opcode"},
    {KERNEL("add.sat.s32 %r1, %r2, %r3;"), "unsupported modifiers: add.sat.s32"},
    {KERNEL("add.cc.u32 %r1, %r2, %r3;"), "unsupported modifiers: add.cc.u32"},
    {KERNEL("ld.u32 %r1, [%d1];"), "unsupported modifiers: ld.u32"},
    {KERNEL("ld.global.v8.u32 %r1, [%d1];"), "unsupported modifiers"},
    {KERNEL("st.param.u32 [p], %r1;"), "unsupported modifiers"},
    {KERNEL("cvt.rn.f32.s32 %r1, %r2;"), "unsupported modifiers"},
    {KERNEL("setp.lt.and.s32 %p1, %r1, %r2, %p2;"), "unsupported modifiers"},
    {KERNEL("bar.red.popc.u32 %r1, 0, %p1;"), "unsupported modifiers"},
    {KERNEL("bar.sync 1;"), "only barrier 0"},
    {KERNEL("bar.sync 0, 64;"), "only barrier 0"},
    {KERNEL("add.s32 %r1, %r2;"), "',' expected"},
    {KERNEL("add.s32 %r1, %r2, %r3, %r4;"), "';' expected"},
    {KERNEL("add.s32 %r1, %r2, %r9;"), "unknown operand \"%r9\""},
    {KERNEL("add.s32 %r01, %r2, %r3;"), "\"%r01\" is no register"},
    {KERNEL("add.s32 %tid.x, %r2, %r3;"), "\"%tid.x\" is no register"},
    {KERNEL("add.s32 _, %r2, %r3;"), "a result that is thrown away"},
    {KERNEL("add.s64 %d1, %r2, %d3;"), "a register of 32 bits where 64 are expected"},
    {KERNEL("add.s32 %d1, %r2, %r3;"), "a register of 64 bits where 32 are expected"},
    {KERNEL("mul.wide.u32 %r1, %r2, %r3;"), "a register of 32 bits where 64 are expected"},
    {KERNEL("shl.b64 %d1, %d2, %d3;"), "a register of 64 bits where 32 are expected"},
    {KERNEL("setp.eq.s32 %r1, %r2, %r3;"), "a register of 32 bits where 1 are expected"},
    {KERNEL("ld.global.u64 %r1, [%d1];"), "a register of 32 bits where 64 are expected"},
    {KERNEL("ld.global.v2.u32 {%r1,%r2,%r3}, [%d1];"), "3 registers for a vector of 2"},
    {KERNEL("ld.global.v4.u64 {%d1,%d2,%d3,%d4}, [%d5];"), "a vector of more than 16 bytes"},
    {KERNEL("mov.b64 {%r1,%r2}, {%r3,%r4};"), "unsupported vectors in mov"},
    {KERNEL("@%r1 ret;"), "a guard that is no predicate"},
    {KERNEL("bra nowhere;"), "PTX line 6: there is no label nowhere"},
    {KERNEL("here: here: ret;"), "label here is there twice"},
    {KERNEL("mov.u32 %r1, 4294967296000000000000;"), "an integer expected"},
    {KERNEL("mov.u32 %r1, 12abc;"), "an integer expected"},
    {KERNEL("call f;"), "unsupported opcode: call"},
    {KERNEL(".func f;"), "unsupported directive .func"},
    {KERNEL("{ .reg .b32 %inner; } mov.u32 %r1, %inner;"), "unknown operand \"%inner\""},
    {KERNEL(".reg .b32 %big<20000>;"), "more than the limit"},
    {KERNEL(".shared .align 4 .b8 big[240000];"), "variables of more than"},
    {KERNEL(".shared .align 3 .b8 odd[8];"), "no known type, size or alignment"},
    {HEAD ".visible .entry k(.param .u64 p) {\nret;\n", "the kernel does not end"},
    {HEAD ".func f() { ret; }", "PTX line 4: unsupported directive .func"},
    {HEAD "/* no end", "a comment does not end"},
    {HEAD ".global .u32 g[2] = {1, 2, 3};", "more initial values than elements"},
    {HEAD ".visible .entry k() .maxntid 2048 { ret; }", "blocks of 2048 threads"},
    {".target sm_75\n", "does not begin with .version"},
    {"\177ELF", "does not begin with .version"},
    {"", "does not begin with .version"},
    {".version seven\n", "a version such as 7.0 expected"},
    {".version 7.0\n.target sm_75x\n", "a target such as sm_75 expected"},
    {".version 7.0\n.target sm_75\n.address_size 32\n", "addresses of 64 bits expected"},
};

static void what_is_not_known_is_refused_with_its_line(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct ptx_failure failure;
        if (load(refused[i].text, &failure) != PTX_ESYNTAX)
            fail_msg("not refused: %s", refused[i].text);
        if (strstr(failure.text, refused[i].message) == NULL ||
            strncmp(failure.text, "PTX line ", 9) != 0)
            fail_msg("\"%s\" is not \"%s\"", failure.text, refused[i].message);
    }
}

static void version_and_target_are_held_against_the_platform(void **state) {
    (void)state;
    static const struct {
        const char *version, *target;
        enum ptx_status status;
    } cases[] = {
        {"9.0", "sm_90", PTX_OK},       {"6.3", "sm_75", PTX_OK},
        {"9.1", "sm_75", PTX_EVERSION}, {"10.0", "sm_75", PTX_EVERSION},
        {"8.0", "sm_100", PTX_ETARGET}, {"8.0", "sm_90a", PTX_OK},
        {"8.0", "sm_80a", PTX_ETARGET}, {"8.0", "sm_75, debug", PTX_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[200];
        struct ptx_failure failure;
        snprintf(text, sizeof text, ".version %s\n.target %s\n.address_size 64\n", cases[i].version,
                 cases[i].target);
        if (load(text, &failure) != cases[i].status)
            fail_msg("%s %s: %s", cases[i].version, cases[i].target, failure.text);
    }
}

static void what_compilers_write_around_the_code_is_read(void **state) {
    (void)state;
    static const char text[] =
        "// made by a compiler\n" HEAD ".file 1 \"kernel.cu\"\n"
        ".const .align 4 .b8 table[16] = {7, 0, 0, 0, 239, 190, 173, 222, 3};\n"
        ".global .align 8 .u64 counter = 5;\n"
        ".extern .shared .align 16 .b8 dynamic[];\n"
        ".weak .shared .align 8 .b8 weak[64];\n"
        ".visible .entry first(\n"
        "  .param .u64 .ptr .global .align 16 first_0,\n"
        "  .param .align 8 .b8 first_1[24],\n"
        "  .param .u32 first_2\n"
        ")\n"
        ".maxntid 256, 1, 1 .minnctapersm 2\n"
        "{\n"
        "  .reg .pred %p<2>; /* a comment\n over lines */ .reg .b32 %r<3>;\n"
        "  .shared .align 16 .b8 own[32];\n"
        "  .local .align 4 .b8 depot[8];\n"
        "  .pragma \"nounroll\";\n"
        "  .loc 1 12 3\n"
        "  mov.u32 %r1, %tid.x;\n"
        "$L__BB0_1:\n"
        "  setp.lt.s32 %p1, %r1, -1;\n"
        "  @!%p1 bra $L__BB0_2;\n"
        "  bra.uni $L__BB0_1;\n"
        "$L__BB0_2:\n"
        "  { .reg .b32 t; mov.b32 t, 0x10U; }\n"
        "  { .reg .b32 t; mov.b32 t, 0b101; }\n"
        "}\n"
        ".entry second .reqntid 8, 4, 2 { ret; }\n"
        ".section .debug_str { info: .b8 80 }\n";
    struct ptx_module *module;
    struct ptx_failure failure;
    if (ptx_load(text, strlen(text), &limits, &module, &failure) != PTX_OK)
        fail_msg("%s", failure.text);
    const struct ptx_kernel *first = ptx_kernel_named(module, "first");
    const struct ptx_kernel *second = ptx_kernel_named(module, "second");
    assert_non_null(first);
    assert_non_null(second);
    assert_ptr_equal(ptx_kernel_at(module, 1), second);
    assert_null(ptx_kernel_at(module, 2));
    assert_null(ptx_kernel_named(module, "third"));
    size_t offset;
    assert_int_equal(ptx_parameter_count(first), 3);
    assert_int_equal(ptx_parameter_bytes(first, 1, &offset), 24);
    assert_int_equal(offset, 8);
    assert_int_equal(ptx_parameter_bytes(first, 2, &offset), 4);
    assert_int_equal(offset, 32);
    assert_int_equal(ptx_parameters_bytes(first), 36);
    assert_int_equal(ptx_static_shared_bytes(first), 64 + 32);
    assert_int_equal(ptx_local_bytes(first), 8);
    assert_int_equal(ptx_threads_max(first), 256);
    assert_int_equal(ptx_threads_max(second), 64);
    assert_int_equal(ptx_globals_bytes(module), 8);
    assert_int_equal(*(const uint8_t *)ptx_globals(module), 5);
    ptx_free(module);
}

/* Whatever is cut off at the end is refused or is a module; nothing else happens. */
static void every_beginning_of_a_text_is_survived(void **state) {
    (void)state;
    static const char text[] =
        KERNEL("ld.param.u64 %d1, [p+0];\n@%p1 ld.global.v2.u32 {%r1, %r2}, [%d1+-8];\n"
               "shfl.sync.bfly.b32 %r1|%p2, %r2, 1, 31, -1;\nL1: bra.uni L1;");
    struct ptx_module *module;
    struct ptx_failure failure;
    for (size_t length = 0; length < sizeof text; length++) {
        ptx_load(text, length, &limits, &module, &failure);
        ptx_free(module);
    }
    assert_int_equal(load(text, &failure), PTX_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_known_is_refused_with_its_line),
        cmocka_unit_test(version_and_target_are_held_against_the_platform),
        cmocka_unit_test(what_compilers_write_around_the_code_is_read),
        cmocka_unit_test(every_beginning_of_a_text_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
