/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/session_roll_call.h"

#include "base/clock.h"
#include "measure/session_notes.h"

static const uint64_t patience_ns = UINT64_C(60000000000);

static void build_question(void *context, const struct pa_site *site, int rank, uint32_t first,
                           uint32_t count, struct pa_buffer *out) {
    (void)context;
    (void)site;
    (void)rank;
    (void)first;
    (void)count;
    pa_buffer_u32(out, PA_ASK_WELL);
}

int pa_session_roll_call(const struct pa_session_terms *terms, struct pa_error *error) {
    struct pa_error none_left = {0};
    int code = pa_site_ask(terms->site, build_question, NULL, NULL,
                           pa_clock_raw_ns() + pa_clock_patience_ns(patience_ns), &none_left);
    if (code == PA_EMEMORY)
        return pa_fail(error, code, "%s", none_left.text);
    return pa_note_losses(terms, PA_NO_EPOCH, error);
}
