/* SPDX-License-Identifier: Apache-2.0 */
/* crew_part.c - the hub's side of an answer: each device's part begins with what became of it. */
#include "measure/crew.h"

int pa_crew_part(struct pa_reader *in, struct pa_error *error) {
    int code = (int)pa_read_u32(in);
    if (in->failed)
        return pa_fail(error, PA_EINPUT, "reading an answer: it is cut short");
    if (code == PA_OK)
        return PA_OK;
    char text[PA_ERROR_TEXT_BYTES], safe[PA_ERROR_TEXT_BYTES];
    size_t length = in->left < sizeof text - 1 ? in->left : sizeof text - 1;
    pa_read_bytes(in, text, length);
    text[length] = '\0';
    pa_printable(safe, sizeof safe, text);
    return pa_fail(error, code < 0 ? code : PA_EINPUT, "%s", safe);
}
