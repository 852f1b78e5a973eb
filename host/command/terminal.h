/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.h - what people see. Results go to stdout, everything else to stderr; control characters
 * from outside never reach a terminal; NO_COLOR and terminals without colour are honoured. */
#ifndef PA_COMMAND_TERMINAL_H
#define PA_COMMAND_TERMINAL_H

#include "base/base.h"
#include "judge/judge.h"
#include "measure/progress.h"

/* The exit status that a code stands for. */
int pa_exit_status(int code);

/* "petaudit audit: <message>" on stderr; gives the exit status. A usage error adds where help is.
 */
int pa_report_error(const char *command, const struct pa_error *error);

/* One line on stderr, made printable. */
void pa_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Write `size` bytes of a result to stdout; PA_EWRITE when they do not all arrive (a full disk
 * behind a redirection). */
int pa_print_result(const void *data, size_t size, struct pa_error *error);

enum { PA_RATE_TEXT_BYTES = 48 };
/* "312.4 GFLOPS": four digits and the unit that fits. */
void pa_terminal_rate(char out[PA_RATE_TEXT_BYTES], double per_second);

/* A progress display on stderr: one line that is rewritten on a terminal, plain lines elsewhere. */
struct pa_display {
    bool is_terminal;
    uint64_t last_ns;
    int last_phase;
    size_t last_length;
};
void pa_display_begin(struct pa_display *display);
/* `context` is a struct pa_display. */
void pa_display_see(void *context, const struct pa_progress *progress);
void pa_display_end(struct pa_display *display);

/* The verdict's word, in colour where stdout is a terminal that wants it. */
const char *pa_verdict_text(enum pa_verdict verdict);

#endif
