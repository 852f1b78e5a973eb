/* SPDX-License-Identifier: Apache-2.0 */
#include "command/qr_text.h"

#include <errno.h>
#include <qrencode.h>
#include <string.h>

enum { QUIET = 2 }; /* modules of light around the code */

static bool is_light(const QRcode *code, int row, int column) {
    if (row < 0 || column < 0 || row >= code->width || column >= code->width)
        return true;
    return (code->data[row * code->width + column] & 1) == 0;
}

int pa_qr_text(const char *text, struct pa_buffer *out, struct pa_error *error) {
    static const char *const blocks[2][2] = {{" ", "\u2584"}, {"\u2580", "\u2588"}};
    QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
    if (code == NULL)
        return pa_fail(error, PA_EINTERNAL, "drawing a QR code: %s", strerror(errno));
    for (int row = -QUIET; row < code->width + QUIET; row += 2) {
        for (int column = -QUIET; column < code->width + QUIET; column++)
            pa_buffer_text(out,
                           blocks[is_light(code, row, column)][is_light(code, row + 1, column)]);
        pa_buffer_text(out, "\n");
    }
    QRcode_free(code);
    return PA_OK;
}
