/* SPDX-License-Identifier: Apache-2.0 */
/* qr_code.h - inside the room: a text as a QR code (libqrencode). */
#ifndef PA_REPORT_QR_CODE_H
#define PA_REPORT_QR_CODE_H

#include <stdbool.h>
#include <stdint.h>

enum { PA_QR_MOST_SIDE = 57 }; /* version 10 */

struct pa_qr_code {
    int side;
    uint8_t dark[PA_QR_MOST_SIDE * PA_QR_MOST_SIDE];
};

/* False when memory ran out or the text is too long: the page then has none. */
bool pa_qr_make(const char *text, struct pa_qr_code *out);
bool pa_qr_is_dark(const struct pa_qr_code *code, int x, int y);

#endif
