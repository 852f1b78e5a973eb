/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_opening.c - declarations and openings from a peer: what is accepted is written back byte for
 * byte, and no bytes open a commitment that nobody knows the inside of.
 *
 * The first byte chooses: 0 is a declaration; otherwise two bytes give shape and step, the rest is
 * the opening. */
#include "proof/proof.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_same(const struct pa_buffer *again, const uint8_t *data, size_t size) {
    if (again->failed || again->size != size || memcmp(again->data, data, size) != 0)
        abort();
}

static void read_declaration(const uint8_t *data, size_t size) {
    struct pa_declaration declaration;
    struct pa_buffer again = {0};
    struct pa_error error = {0};
    if (pa_declaration_read(&declaration, data, size, &error) != PA_OK)
        return;
    pa_declaration_write(&declaration, &again);
    must_be_same(&again, data, size);
    (void)pa_declaration_is_certified(&declaration);
    pa_declaration_free(&declaration);
    pa_buffer_free(&again);
}

static void read_opening(uint8_t form, uint8_t t, const uint8_t *data, size_t size) {
    struct pa_shape shape = {PA_TILE * (1 + (form & 3u)), PA_TILE * (1 + (form >> 2 & 3u)), 8192};
    struct pa_tail tail = {.steps = 1 + (uint64_t)(form >> 4) * 17};
    struct pa_sample sample = {.step = t, .row = form & 3u, .column = 0};
    struct pa_hash start = {{0}};
    struct pa_opening opening;
    struct pa_reader reader = pa_reader_over(data, size);
    struct pa_error error = {0};
    if (pa_opening_read(&opening, &reader, &sample, shape, tail.steps, &error) != PA_OK)
        return;
    struct pa_buffer again = {0};
    struct pa_seed seed;
    uint64_t claimed;
    pa_opening_write(&opening, &again);
    must_be_same(&again, data, size);
    if (pa_opening_check(&opening, &sample, shape, &start, &tail, &seed, &claimed, &error) == PA_OK)
        abort();
    pa_buffer_free(&again);
    pa_opening_free(&opening);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 0 && data[0] == 0)
        read_declaration(data + 1, size - 1);
    else if (size > 2)
        read_opening(data[1], data[2], data + 3, size - 3);
    return 0;
}
