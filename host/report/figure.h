/* SPDX-License-Identifier: Apache-2.0 */
/* figure.h - inside the room: numbers as people read them. No figure depends on the locale. */
#ifndef PA_REPORT_FIGURE_H
#define PA_REPORT_FIGURE_H

#include <stdint.h>

enum { PA_FIGURE_BYTES = 64 };

/* Coordinates and attributes: a plain decimal with `decimals` (0 to 6) places. */
void pa_fixed_text(char out[PA_FIGURE_BYTES], double value, int decimals);
/* Four significant digits, thousands separated. */
void pa_figure_of(char out[PA_FIGURE_BYTES], double value);
/* "62.5 %"; below 0.01 % it says so. */
void pa_share_text(char out[PA_FIGURE_BYTES], double fraction);
/* 12,345 */
void pa_count_text(char out[PA_FIGURE_BYTES], uint64_t value);
/* Places behind the point so that `digits` significant ones are shown. */
int pa_decimals_for(double value, int digits);
/* Megawatts as a policy counts them: whole where they are whole, else to what can matter. */
void pa_megawatt_text(char out[PA_FIGURE_BYTES], double mw);

#endif
