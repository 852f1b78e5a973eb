/* SPDX-License-Identifier: Apache-2.0 */
/* The memory proof on emulated GPUs: honest ones, and ones that have less memory than they say.
 *
 * usage: test_cuda_memory FOLDER */
#include "emulated_gpu/emulated_session.h"

#include "base/clock.h"
#include "device/device.h"
#include "proof/memory_proof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *folder;

static struct pa_device *open_device(int index) {
    struct pa_device_options options = {0};
    struct pa_device *device = NULL;
    EXPECT_IS(pa_backend_named("cuda")->open(index, &options, &device, NULL), PA_OK);
    return device;
}

/* Fill and read as many chunks as can be had of `wanted`. */
static struct pa_memory_check prove(struct pa_device *device, uint32_t wanted, uint32_t *chunks) {
    const struct pa_backend *cuda = device->backend;
    const uint64_t deadline_ns = pa_clock_raw_ns() + UINT64_C(50000000000);
    struct pa_hash key = {{7}}, challenge = {{9}}, q;
    struct pa_memory_place place = {.device = 1};
    struct pa_memory *memory = NULL;
    struct pa_memory_check check;
    struct pa_error error = {0};
    uint64_t fill_ns = 0, read_ns = 0;
    pa_hash_bytes(&place.nonce, "nonce", key.bytes, PA_HASH_BYTES);
    if (cuda->memory_open(device, wanted, &memory, &place.chunks, &error) != PA_OK)
        fprintf(stderr, "%s\n", error.text);
    EXPECT(memory != NULL && place.chunks >= 1 && place.chunks <= wanted);
    struct pa_seed seed = pa_memory_seed(&place);
    EXPECT_IS(cuda->memory_fill(memory, &seed, deadline_ns, &fill_ns, &error), PA_OK);
    pa_memory_q(&q, &place, &challenge);
    uint32_t *order = calloc(place.chunks, sizeof *order);
    uint64_t *answers = calloc(place.chunks, sizeof *answers);
    pa_memory_order(order, place.chunks, &q);
    EXPECT_IS(
        cuda->memory_read(memory, order, pa_memory_s(&q), deadline_ns, answers, &read_ns, &error),
        PA_OK);
    EXPECT(fill_ns > 0 && read_ns > 0);
    EXPECT_IS(pa_memory_verify(&place, &challenge, &key, answers, &check, NULL), PA_OK);
    free(order);
    free(answers);
    cuda->memory_close(memory);
    *chunks = place.chunks;
    return check;
}

static void all_is_there(void) {
    struct pa_device *device = open_device(0);
    uint32_t chunks;
    EXPECT_IS(device->identity.memory_bytes, (uint64_t)16 << 20);
    struct pa_memory_check check = prove(device, 8, &chunks);
    EXPECT_IS(chunks, 8);
    EXPECT_IS(check.samples, 8);
    EXPECT_IS(check.wrong, 0);
    /* What the driver needs, the order and the answers lie beside it. */
    check = prove(device, 16, &chunks);
    EXPECT(chunks >= 14 && chunks < 16);
    EXPECT_IS(check.wrong, 0);
    /* A claim of terabytes takes no more room for its questions than this device can be asked. */
    check = prove(device, PA_MEMORY_MOST_CHUNKS, &chunks);
    EXPECT(chunks >= 14 && chunks < 16);
    EXPECT_IS(check.wrong, 0);
    device->backend->close(device);
}

static void memory_that_is_there_holds(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1,memory=16MiB", 0, all_is_there));
}

static void half_is_refused(void) {
    struct pa_device *device = open_device(0);
    uint32_t chunks;
    EXPECT_IS(device->identity.memory_bytes, (uint64_t)16 << 20);
    struct pa_memory_check check = prove(device, 15, &chunks);
    EXPECT(chunks < 8);
    EXPECT_IS(check.wrong, 0);
    device->backend->close(device);
}

static void memory_that_is_told_and_refused_shows_in_the_chunks(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1,memory=8MiB,gpu0.told=16MiB", 0, half_is_refused));
}

static void half_wraps(void) {
    struct pa_device *device = open_device(0);
    uint32_t chunks;
    struct pa_memory_check check = prove(device, 13, &chunks);
    EXPECT(chunks > 8);
    EXPECT(check.wrong >= chunks - 8);
    device->backend->close(device);
}

static void memory_that_wraps_around_shows_in_the_digests(void **state) {
    (void)state;
    assert_true(
        emulated_run(folder, "devices=1,memory=8MiB,gpu0.told=16MiB,gpu0.wraps=on", 0, half_wraps));
}

static void one_bit(void) {
    struct pa_device *device = open_device(0);
    uint32_t chunks;
    struct pa_memory_check check = prove(device, 4, &chunks);
    EXPECT_IS(chunks, 4);
    EXPECT_IS(check.wrong, 1);
    EXPECT_IS(check.first_wrong, 2);
    device->backend->close(device);
}

static void one_flipped_bit_shows(void **state) {
    (void)state;
    assert_true(emulated_run(
        folder, "devices=1,memory=16MiB,fault=cuLaunchKernel:1:wrong=0/2097152", 0, one_bit));
}

static void nothing_is_left(void) {
    struct pa_device *device = open_device(0);
    struct pa_memory *memory = NULL;
    uint32_t chunks = 7;
    struct pa_error error = {0};
    EXPECT_IS(device->backend->memory_open(device, 4, &memory, &chunks, &error), PA_EMEMORY);
    EXPECT(memory == NULL);
    EXPECT(strstr(error.text, "GPU-") != NULL);
    device->backend->close(device);
}

static void a_device_without_free_memory_says_so(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1,fault=cuMemAlloc_v2:*:code=2", 0, nothing_is_left));
}

static void hangs(void) {
    struct pa_device *device = open_device(0);
    struct pa_memory *memory = NULL;
    struct pa_seed seed = {0};
    struct pa_error error = {0};
    uint32_t chunks;
    uint64_t ns, deadline_ns = pa_clock_raw_ns() + 300000000;
    EXPECT_IS(device->backend->memory_open(device, 2, &memory, &chunks, &error), PA_OK);
    EXPECT_IS(device->backend->memory_fill(memory, &seed, deadline_ns, &ns, &error), PA_ETIMEOUT);
    device->backend->memory_close(memory);
    _exit(0); /* a device that hangs is not closed either */
}

static void a_hang_ends_at_our_deadline(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1,fault=cuLaunchKernel:1:hang", 0, hangs));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_that_is_there_holds),
        cmocka_unit_test(memory_that_is_told_and_refused_shows_in_the_chunks),
        cmocka_unit_test(memory_that_wraps_around_shows_in_the_digests),
        cmocka_unit_test(one_flipped_bit_shows),
        cmocka_unit_test(a_device_without_free_memory_says_so),
        cmocka_unit_test(a_hang_ends_at_our_deadline),
    };
    if (argc != 2)
        return 64;
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
