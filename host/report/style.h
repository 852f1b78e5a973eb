/* SPDX-License-Identifier: Apache-2.0 */
/* style.h - inside the room: the page's style sheet, light, dark and on paper. */
#ifndef PA_REPORT_STYLE_H
#define PA_REPORT_STYLE_H

extern const char pa_style_sheet[];

#endif
