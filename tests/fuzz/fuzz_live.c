/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_live.c - records of a session, in any order and with any notes, as the live page takes them:
 * whatever they hold, what it tells is one JSON object in ASCII on one line, and a viewer who was
 * there from the beginning has been told of every device and epoch. */
#include "../unit/live_hall.h"
#include "witness/live_state.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(const struct pa_live_state *state, uint64_t since) {
    json_t *message = pa_live_state_message(state, since);
    char *text = json_dumps(message, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9));
    if (text == NULL)
        abort();
    for (const char *c = text; *c != '\0'; c++)
        if (*c < 0x20 || *c > 0x7E)
            abort();
    json_t *again = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (again == NULL || json_array_size(json_object_get(message, "epochs")) > state->epoch_count ||
        json_array_size(json_object_get(message, "findings")) > PA_LIVE_MOST_FINDINGS)
        abort();
    free(text);
    json_decref(again);
    json_decref(message);
}

/* False when the session can be watched no further. */
static bool apply_all(struct pa_live_state *state, struct pa_reader *reader) {
    struct pa_record record;
    while (reader->left > 0) {
        if (pa_record_next(reader, &record, NULL) != PA_OK)
            return true;
        if (pa_live_state_apply(state, &record, NULL) != PA_OK)
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct pa_buffer prefix;
    const struct live_hall hall = {.devices = 3,
                                   .epochs = 4,
                                   .closed = 1,
                                   .openings = 5,
                                   .end_utc_ns = UINT64_C(1800000000000000000),
                                   .epoch_ns = UINT64_C(1000000000)};
    struct pa_live_state state = {0};
    if (prefix.size == 0)
        live_hall_put(&hall, &prefix);
    /* The first byte says whether the session has begun before the input. */
    struct pa_reader begun = pa_reader_over(prefix.data, prefix.size);
    struct pa_reader rest = pa_reader_over(size > 0 ? data + 1 : data, size > 0 ? size - 1 : 0);
    bool goes_on = size > 0 && data[0] % 2 == 0 ? apply_all(&state, &begun) : true;
    uint64_t since = state.version;
    if (goes_on && apply_all(&state, &rest) && pa_live_state_compare(&state, NULL) == PA_OK) {
        check_message(&state, 0);
        check_message(&state, since);
        check_message(&state, state.version);
    }
    pa_live_state_free(&state);
    return 0;
}
