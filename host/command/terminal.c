/* SPDX-License-Identifier: Apache-2.0 */
#include "command/terminal.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int pa_exit_status(int code) {
    switch (code) {
    case PA_OK:
        return 0;
    case PA_EINVALID:
        return 3;
    case PA_EUSAGE:
        return 64;
    case PA_EINPUT:
        return 65;
    case PA_ENOINPUT:
        return 66;
    case PA_EDEVICE:
    case PA_EWITNESS:
    case PA_EHUB:
    case PA_EUNSUPPORTED:
    case PA_ETIMEOUT:
        return 69;
    case PA_EWRITE:
        return 73;
    case PA_EINTERRUPTED:
        return 130;
    default:
        return 70;
    }
}

void pa_say(const char *format, ...) {
    char raw[4096], safe[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    pa_printable(safe, sizeof safe, raw);
    fprintf(stderr, "%s\n", safe);
}

int pa_report_error(const char *command, const struct pa_error *error) {
    pa_say("petaudit %s: %s", command, error->text);
    if (error->code == PA_EUSAGE)
        pa_say("Try: petaudit %s --help", command);
    return pa_exit_status(error->code);
}

int pa_print_result(const void *data, size_t size, struct pa_error *error) {
    if (fwrite(data, 1, size, stdout) == size && fflush(stdout) == 0)
        return PA_OK;
    return pa_fail(error, PA_EWRITE, "writing the result to standard output: %s", strerror(errno));
}

void pa_terminal_rate(char out[PA_RATE_TEXT_BYTES], double per_second) {
    static const struct {
        double scale;
        const char *unit;
    } units[] = {{1e18, "EFLOPS"}, {1e15, "PFLOPS"}, {1e12, "TFLOPS"},
                 {1e9, "GFLOPS"},  {1e6, "MFLOPS"},  {1, "FLOPS"}};
    size_t i = 0;
    while (i + 1 < sizeof units / sizeof units[0] && fabs(per_second) < units[i].scale)
        i++;
    snprintf(out, PA_RATE_TEXT_BYTES, "%.4g %s", per_second / units[i].scale, units[i].unit);
}

static bool is_wanted_terminal(int file) {
    const char *term = getenv("TERM");
    return isatty(file) != 0 && (term == NULL || strcmp(term, "dumb") != 0);
}

void pa_display_begin(struct pa_display *display) {
    *display =
        (struct pa_display){.is_terminal = is_wanted_terminal(STDERR_FILENO), .last_phase = -1};
}

static void describe(char *out, size_t size, const struct pa_progress *progress) {
    static const char *const phases[] = {"calibrating",
                                         "warming up",
                                         "the library alone",
                                         "epoch",
                                         "opening tiles",
                                         "all-reduce",
                                         "as one system",
                                         "exchanging states",
                                         "filling device memory",
                                         "recomputing a chain",
                                         ""};
    char rate[PA_RATE_TEXT_BYTES], rest[48] = "", last[64] = "";
    unsigned long long done = progress->done, all = progress->all;
    if (progress->remaining_ns > 0)
        snprintf(rest, sizeof rest, ", about %llu s left",
                 (unsigned long long)(progress->remaining_ns / 1000000000u));
    pa_terminal_rate(rate, progress->rate);
    if (progress->rate > 0)
        snprintf(last, sizeof last, ", the last one %s", rate);
    if (progress->phase == PA_PHASE_EPOCH)
        snprintf(out, size, "epoch %llu of %llu%s%s", done + 1, all, last, rest);
    else if (progress->phase == PA_PHASE_OPEN)
        snprintf(out, size, "opening tiles: %llu of %llu%s", done, all, rest);
    else if (progress->phase == PA_PHASE_RECOMPUTE)
        snprintf(out, size, "computing a chain of epoch %llu again for its openings", done + 1);
    else
        snprintf(out, size, "%s%s", phases[progress->phase], rest);
}

void pa_display_see(void *context, const struct pa_progress *progress) {
    struct pa_display *display = context;
    char line[256];
    uint64_t now = pa_clock_raw_ns();
    if (progress->phase == PA_PHASE_NOTICE) {
        pa_display_end(display);
        pa_say("note: %s", progress->text != NULL ? progress->text : "");
        return;
    }
    /* Openings come by the thousand: a few lines a second on a terminal, their first elsewhere. */
    bool is_new = (int)progress->phase != display->last_phase || progress->phase == PA_PHASE_EPOCH;
    if (!is_new && (!display->is_terminal || now - display->last_ns < 200000000u))
        return;
    describe(line, sizeof line, progress);
    display->last_phase = (int)progress->phase;
    display->last_ns = now;
    if (!display->is_terminal) {
        fprintf(stderr, "%s\n", line);
        return;
    }
    size_t length = strlen(line);
    fprintf(stderr, "\r%s%*s", line,
            length < display->last_length ? (int)(display->last_length - length) : 0, "");
    display->last_length = length;
}

void pa_display_end(struct pa_display *display) {
    if (display->is_terminal && display->last_length > 0)
        fprintf(stderr, "\r%*s\r", (int)display->last_length, "");
    display->last_length = 0;
}

const char *pa_verdict_text(enum pa_verdict verdict) {
    static const char *const coloured[] = {"\x1b[1;32mPASS\x1b[0m", "\x1b[1;31mFAIL\x1b[0m",
                                           "\x1b[1;33mINCONCLUSIVE\x1b[0m",
                                           "\x1b[1;31mINVALID\x1b[0m"};
    const char *no_color = getenv("NO_COLOR");
    bool is_coloured =
        is_wanted_terminal(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0');
    return is_coloured ? coloured[verdict] : pa_verdict_name(verdict);
}
