/* SPDX-License-Identifier: Apache-2.0 */
/* number.h - the one parser of numbers and units, and the one printer of decimals.
 *
 * Strict on purpose: libraries that read "5 PFLOPS" as 5, "1,5" as 1 or "010" as 8 turn a typing
 * error into a claim. A number is digits with at most one point between digits: no sign but a
 * leading minus, no exponent, no leading zero, no unit, no blank, nothing after it. Neither
 * direction depends on the locale.
 */
#ifndef PA_BASE_NUMBER_H
#define PA_BASE_NUMBER_H

#include "base/error.h"

#include <stdint.h>

/* Parse a decimal within [least, most]. On failure the message says what was found and what is
 * expected (PA_EINPUT). */
int pa_decimal_parse(const char *text, double least, double most, double *out,
                     struct pa_error *error);

/* Parse a whole number within [least, most]. */
int pa_whole_parse(const char *text, uint64_t least, uint64_t most, uint64_t *out,
                   struct pa_error *error);

/* Parse "60s", "10m", "2h", "250ms": a decimal and a unit without a blank, above zero, at most 366
 * days. */
int pa_duration_parse(const char *text, uint64_t *out_ns, struct pa_error *error);

/* Parse "512MiB", "1.5GiB": a decimal and a unit, KiB to TiB, without a blank, above zero.
 * PA_EINPUT also for MB and GB, which some take for 2^20 and 2^30 bytes and others not. */
int pa_size_parse(const char *text, uint64_t *out_bytes, struct pa_error *error);

/* Operations a second of one unit: "PFLOPS", "P" and "POPS" are 1e15; FLOPS..EFLOPS, OPS..EOPS,
 * K..E are known, case matters (an "m" is not a mega). PA_EINPUT with the nearest known unit
 * otherwise. */
int pa_rate_unit_parse(const char *text, double *out_per_second, struct pa_error *error);

enum { PA_DECIMAL_TEXT_BYTES = 352 };
/* Nine significant digits in plain notation ("0.000624123457", "312.400000", "0" for zero): the
 * form of every figure that is signed. Not-a-number and infinities, which no signed figure may be,
 * give "invalid". */
void pa_decimal_text(char out[PA_DECIMAL_TEXT_BYTES], double value);

/* The entry of `known` (ended by NULL) with the least edit distance to `text`, or NULL when none is
 * near enough to be what was meant. For "did you mean". */
const char *pa_nearest_word(const char *text, const char *const *known);

#endif
