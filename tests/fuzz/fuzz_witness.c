/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_witness.c - what a site sends to a witness, and what a witness answers: nothing is read past
 * its end, and a request's parts are those that were put in. */
#include "witness/witness_wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_request(const uint8_t *data, size_t size) {
    struct pa_witness_request request;
    struct pa_buffer again = {0};
    struct pa_error error = {0};
    if (pa_witness_get_request(data, size, &request, &error) != PA_OK)
        return;
    pa_witness_put_request(&again, request.operation, request.sequence, &request.ticket);
    pa_buffer_bytes(&again, request.body, request.size);
    if (again.failed || again.size != size || memcmp(again.data, data, size) != 0)
        abort();
    struct pa_reader in = pa_reader_over(request.body, request.size);
    struct pa_signature signature;
    (void)pa_witness_get_signature(&in, &signature);
    pa_buffer_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pa_witness_answer answer;
    struct pa_error error = {0};
    read_request(data, size);
    if (pa_witness_get_answer(data, size, &answer, &error) == PA_OK &&
        (answer.size > size || strlen(answer.text) >= sizeof answer.text))
        abort();
    return 0;
}
