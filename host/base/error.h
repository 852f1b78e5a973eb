/* SPDX-License-Identifier: Apache-2.0 */
/* error.h - how failure travels upwards: a negative code and one message.
 *
 * What can fail returns PA_OK or a negative `enum pa_status`, and writes a message into the
 * caller's `struct pa_error`: what was being done, what is wrong, what to do. Nothing below
 * host/command/ prints or exits; the command layer alone turns a code into an exit status. A
 * `struct pa_error` needs no release and may be NULL where the caller does not care.
 */
#ifndef PA_BASE_ERROR_H
#define PA_BASE_ERROR_H

#include <stddef.h>

/* Values are frozen: they are stored in evidence. The comment is the exit status of the command
 * line (docs/architecture.md). */
enum pa_status {
    PA_OK = 0,
    PA_EUSAGE = -1,   /*  64: the command line is wrong */
    PA_EINPUT = -2,   /*  65: a file or a peer holds something that it must not */
    PA_ENOINPUT = -3, /*  66: no such file, or it cannot be read */
    PA_EDEVICE = -4,  /*  69: a device stopped answering or cannot do what was asked */
    PA_EWITNESS = -5, /*  69: the witness is unreachable or refuses */
    PA_EHUB = -6,     /*  69: the hub, or a worker, is unreachable */
    PA_EUNSUPPORTED =
        -7,            /*  69: this build, machine or protocol cannot do it; the message says why */
    PA_EMEMORY = -8,   /*  70: out of memory */
    PA_EINTERNAL = -9, /*  70: a defect of petaudit */
    PA_EWRITE = -10,   /*  73: an output cannot be written */
    PA_EINTERRUPTED = -11, /* 130: the user stopped it; evidence is kept */
    PA_EINVALID = -12,     /*   3: evidence or certificate contradicts itself */
    PA_ETIMEOUT = -13,     /*  69: a deadline passed; the message names who was waited for */
};

enum { PA_ERROR_TEXT_BYTES = 1024 };

struct pa_error {
    int code;                       /* the returned code, PA_OK before any failure */
    char text[PA_ERROR_TEXT_BYTES]; /* one sentence without a final newline; long text is cut, never
                                       overrun */
};

/* Fill `error` (may be NULL) and return `code`, so that a failing function ends with `return
 * pa_fail(...)`. */
int pa_fail(struct pa_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A static analyser looks at one file at a time; this tells it what pa_fail returns. */
#ifdef __clang_analyzer__
#define pa_fail(error, code, ...) ((pa_fail)(error, code, __VA_ARGS__), (code))
#endif

/* Put "<context>: " before the message that a callee left, keep its code, and return that code. */
int pa_fail_in(struct pa_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The frozen short name of a code, "PA_EINPUT" for PA_EINPUT; "PA_E?" for anything else. */
const char *pa_status_name(int code);

/* Return from the enclosing function with the code of `call` unless it succeeded. */
#define PA_TRY(call)                                                                               \
    do {                                                                                           \
        int pa_try_code_ = (call);                                                                 \
        if (pa_try_code_ != PA_OK)                                                                 \
            return pa_try_code_;                                                                   \
    } while (0)

#endif
