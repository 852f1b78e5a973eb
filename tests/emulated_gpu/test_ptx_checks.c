/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel that is right runs; every way to break it is reported with kernel and line. */
#include "emulated_gpu/ptx_memory.h"
#include "unit/cmocka_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 256, BLOCKS = 8, WORDS = THREADS * BLOCKS };

/* Each block adds its 256 words: shuffles in a warp, shared memory between warps, one result. The
 * text is line 1 to 45; tests change one line. */
static const char block_sum[] = ".version 7.0\n"
                                ".target sm_75\n"
                                ".address_size 64\n"
                                ".visible .entry block_sum(.param .u64 in, .param .u64 out)\n"
                                "{\n"
                                ".reg .b32 %r<9>; .reg .b64 %d<9>; .reg .pred %p<4>;\n"
                                ".shared .align 4 .b8 part[32];\n"
                                "ld.param.u64 %d1, [in];\n"
                                "ld.param.u64 %d2, [out];\n"
                                "mov.u32 %r1, %tid.x;\n"
                                "mov.u32 %r2, %ctaid.x;\n"
                                "mad.lo.s32 %r3, %r2, 256, %r1;\n"
                                "mul.wide.u32 %d3, %r3, 4;\n"
                                "add.s64 %d4, %d1, %d3;\n"
                                "ld.global.u32 %r4, [%d4];\n"
                                "mov.u32 %r5, 16;\n"
                                "REDUCE:\n"
                                "shfl.sync.bfly.b32 %r6, %r4, %r5, 31, -1;\n"
                                "add.s32 %r4, %r4, %r6;\n"
                                "shr.u32 %r5, %r5, 1;\n"
                                "setp.ne.u32 %p1, %r5, 0;\n"
                                "@%p1 bra REDUCE;\n"
                                "shr.u32 %r6, %r1, 5;\n"
                                "shl.b32 %r6, %r6, 2;\n"
                                "mov.u32 %r7, part;\n"
                                "add.s32 %r7, %r7, %r6;\n"
                                "and.b32 %r8, %r1, 31;\n"
                                "setp.ne.u32 %p2, %r8, 0;\n"
                                "@%p2 bra STORED;\n"
                                "st.shared.u32 [%r7], %r4;\n"
                                "STORED:\n"
                                "bar.sync 0;\n"
                                "setp.ne.u32 %p3, %r1, 0;\n"
                                "@%p3 bra DONE;\n"
                                "ld.shared.u32 %r4, [part];\n"
                                "mov.u32 %r5, 4;\n"
                                "mov.u32 %r7, part;\n"
                                "TOTAL:\n"
                                "add.s32 %r6, %r7, %r5;\n"
                                "ld.shared.u32 %r8, [%r6];\n"
                                "add.s32 %r4, %r4, %r8;\n"
                                "add.s32 %r5, %r5, 4;\n"
                                "setp.lt.u32 %p1, %r5, 32;\n"
                                "@%p1 bra TOTAL;\n"
                                "mul.wide.u32 %d5, %r2, 4;\n"
                                "add.s64 %d6, %d2, %d5;\n"
                                "st.global.u32 [%d6], %r4;\n"
                                "DONE:\n"
                                "ret;\n"
                                "}\n";

struct outcome {
    enum ptx_status status;
    struct ptx_failure failure;
    uint32_t sums[BLOCKS];
    uint64_t warp_instructions;
};

/* `text` over words 0, 1, 2 ..; the input is `words` long and written but for word `hole`. */
static struct outcome run_over(const char *text, unsigned words, int hole, uint64_t seed,
                               uint64_t misplaced) {
    struct outcome out = {.status = PTX_OK};
    struct ptx_memory memory = {.count = 0};
    uint32_t data[WORDS];
    for (uint32_t i = 0; i < WORDS; i++)
        data[i] = i * i;
    uint64_t parameters[2];
    parameters[0] = ptx_memory_add(&memory, data, words * sizeof data[0]);
    parameters[1] = ptx_memory_add(&memory, NULL, sizeof out.sums);
    if (hole >= 0)
        memory.pieces[0].written[hole] = 0;
    parameters[0] += misplaced;
    struct ptx_module *module;
    const struct ptx_limits limits = {.version = 90, .target = 90};
    if (ptx_load(text, strlen(text), &limits, &module, &out.failure) != PTX_OK)
        fail_msg("%s", out.failure.text);
    struct ptx_launch launch = ptx_memory_launch(&memory, BLOCKS, THREADS, parameters);
    launch.seed = seed;
    launch.threads = 2;
    launch.step_limit = 10000;
    out.status = ptx_run(ptx_kernel_at(module, 0), &launch);
    out.failure = launch.failure;
    out.warp_instructions = launch.warp_instructions;
    memcpy(out.sums, ptx_memory_host(&memory, memory.pieces[1].low), sizeof out.sums);
    ptx_free(module);
    ptx_memory_free(&memory);
    return out;
}

/* The text with one line replaced. */
static char *changed(const char *line, const char *by) {
    const char *at = strstr(block_sum, line);
    assert_non_null(at);
    size_t size = strlen(block_sum) + strlen(by) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    snprintf(text, size, "%.*s%s%s", (int)(at - block_sum), block_sum, by, at + strlen(line));
    return text;
}

static void assert_fails(const char *line, const char *by, uint64_t seed, enum ptx_status status,
                         const char *message) {
    char *text = changed(line, by);
    struct outcome out = run_over(text, WORDS, -1, seed, 0);
    if (out.status != status || strstr(out.failure.text, message) == NULL ||
        strncmp(out.failure.text, "block_sum, PTX line ", 20) != 0)
        fail_msg("status %d instead of %d: \"%s\" is not \"%s\"", (int)out.status, (int)status,
                 out.failure.text, message);
    free(text);
}

static void the_right_kernel_is_right_for_every_seed(void **state) {
    (void)state;
    uint32_t wanted[BLOCKS] = {0};
    for (uint32_t i = 0; i < WORDS; i++)
        wanted[i / THREADS] += i * i;
    uint64_t instructions = 0;
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct outcome out = run_over(block_sum, WORDS, -1, seed, 0);
        if (out.status != PTX_OK)
            fail_msg("%s", out.failure.text);
        assert_memory_equal(out.sums, wanted, sizeof wanted);
        assert_true(seed == 0 || out.warp_instructions == instructions);
        instructions = out.warp_instructions;
    }
}

static void a_missing_barrier_is_a_race_for_every_seed(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++)
        assert_fails("bar.sync 0;\n", "\n", seed, PTX_ERACE, "since the last barrier");
}

static void a_barrier_that_part_of_a_warp_reaches_is_reported(void **state) {
    (void)state;
    assert_fails("st.shared.u32 [%r7], %r4;\n", "st.shared.u32 [%r7], %r4; bar.sync 0;\n", 0,
                 PTX_EDIVERGENCE, "PTX line 30, block (0,0,0), warp 0: the barrier is reached by");
}

static void a_loop_without_end_is_reported(void **state) {
    (void)state;
    assert_fails("shr.u32 %r5, %r5, 1;\n", "or.b32 %r5, %r5, 1;\n", 0, PTX_ESTEPS,
                 "still running after 10000 instructions");
}

static void a_shuffle_that_part_of_a_warp_reaches_is_reported(void **state) {
    (void)state;
    assert_fails("ld.shared.u32 %r4, [part];\n",
                 "shfl.sync.bfly.b32 %r6, %r4, 1, 31, -1; ld.shared.u32 %r4, [part];\n", 0,
                 PTX_EDIVERGENCE, "lanes 00000001 wait here for others that never come");
    assert_fails("ld.shared.u32 %r4, [part];\n",
                 "shfl.sync.idx.b32 %r4, %r4, 3, 31, 1; ld.shared.u32 %r4, [part];\n", 0,
                 PTX_EDIVERGENCE, "reads lane 3, which does not take part");
    assert_fails("ld.shared.u32 %r4, [part];\n",
                 "shfl.sync.idx.b32 %r4, %r4, 3, 31, 2; ld.shared.u32 %r4, [part];\n", 0,
                 PTX_EDIVERGENCE, "its member mask is 00000002");
}

static void one_row_too_many_is_outside(void **state) {
    (void)state;
    struct outcome out = run_over(block_sum, WORDS - THREADS, -1, 0, 0);
    assert_int_equal(out.status, PTX_EADDRESS);
    assert_non_null(strstr(out.failure.text, "block_sum, PTX line 15, block (7,0,0), thread ("));
    out = run_over(block_sum, WORDS - 1, -1, 0, 0);
    assert_int_equal(out.status, PTX_EADDRESS);
    assert_non_null(strstr(out.failure.text, "thread (255,0,0): reads 4 bytes at 0x"));
}

static void an_address_between_words_is_misaligned(void **state) {
    (void)state;
    struct outcome out = run_over(block_sum, WORDS, -1, 0, 2);
    assert_int_equal(out.status, PTX_EALIGNMENT);
    assert_non_null(strstr(out.failure.text, "which is no multiple of 4"));
}

static void memory_that_was_never_written_is_not_read(void **state) {
    (void)state;
    struct outcome out = run_over(block_sum, WORDS, 777, 0, 0);
    assert_int_equal(out.status, PTX_EUNINITIALISED);
    assert_non_null(strstr(out.failure.text, "block (3,0,0), thread (9,0,0): reads global memory"));
    assert_fails("shl.b32 %r6, %r6, 2;\n", "mov.u32 %r6, 0;\n", 0, PTX_ERACE, "which warp 0 wrote");
    assert_fails("setp.lt.u32 %p1, %r5, 32;\n", "setp.lt.u32 %p1, %r5, 36;\n", 0, PTX_EADDRESS,
                 "outside of the block's shared memory");
    char *text = changed("setp.lt.u32 %p1, %r5, 32;\n", "setp.lt.u32 %p1, %r5, 36;\n");
    char *declaration = strstr(text, "part[32]");
    memcpy(declaration, "part[64]", 8);
    out = run_over(text, WORDS, -1, 0, 0);
    assert_int_equal(out.status, PTX_EUNINITIALISED);
    assert_non_null(strstr(out.failure.text, "reads shared memory at 0x20 that was never written"));
    free(text);
}

static void a_division_by_zero_and_a_trap_end_the_launch(void **state) {
    (void)state;
    assert_fails("mov.u32 %r5, 4;\n", "rem.u32 %r5, %r5, 0; mov.u32 %r5, 4;\n", 0, PTX_ETRAP,
                 "a division by zero");
    assert_fails("mov.u32 %r5, 4;\n", "trap;\n", 0, PTX_ETRAP, "trap");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_kernel_is_right_for_every_seed),
        cmocka_unit_test(a_missing_barrier_is_a_race_for_every_seed),
        cmocka_unit_test(a_barrier_that_part_of_a_warp_reaches_is_reported),
        cmocka_unit_test(a_loop_without_end_is_reported),
        cmocka_unit_test(a_shuffle_that_part_of_a_warp_reaches_is_reported),
        cmocka_unit_test(one_row_too_many_is_outside),
        cmocka_unit_test(an_address_between_words_is_misaligned),
        cmocka_unit_test(memory_that_was_never_written_is_not_read),
        cmocka_unit_test(a_division_by_zero_and_a_trap_end_the_launch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
