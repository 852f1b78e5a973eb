/* SPDX-License-Identifier: Apache-2.0 */
#include "report/qr_code.h"

#include <qrencode.h>
#include <stddef.h>

bool pa_qr_make(const char *text, struct pa_qr_code *out) {
    out->side = 0;
    /* Level M survives a stamp or a fold across it. */
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    bool fits = code != NULL && code->width <= PA_QR_MOST_SIDE;
    if (fits) {
        out->side = code->width;
        for (int i = 0; i < code->width * code->width; i++)
            out->dark[i] = code->data[i] & 1;
    }
    QRcode_free(code);
    return fits;
}

bool pa_qr_is_dark(const struct pa_qr_code *code, int x, int y) {
    return code->dark[y * code->side + x] != 0;
}
