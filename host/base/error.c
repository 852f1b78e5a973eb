/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int(pa_fail)(struct pa_error *error, int code, const char *format, ...) {
    if (error != NULL) {
        va_list args;
        error->code = code;
        va_start(args, format);
        vsnprintf(error->text, sizeof error->text, format, args);
        va_end(args);
    }
    return code;
}

int pa_fail_in(struct pa_error *error, const char *format, ...) {
    if (error == NULL)
        return PA_EINTERNAL;
    char cause[PA_ERROR_TEXT_BYTES];
    memcpy(cause, error->text, sizeof cause);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof error->text)
        snprintf(error->text + used, sizeof error->text - (size_t)used, ": %s", cause);
    return error->code;
}

const char *pa_status_name(int code) {
    static const char *const names[] = {
        "PA_OK",       "PA_EUSAGE",       "PA_EINPUT",       "PA_ENOINPUT", "PA_EDEVICE",
        "PA_EWITNESS", "PA_EHUB",         "PA_EUNSUPPORTED", "PA_EMEMORY",  "PA_EINTERNAL",
        "PA_EWRITE",   "PA_EINTERRUPTED", "PA_EINVALID",     "PA_ETIMEOUT",
    };
    int index = -code;
    if (index < 0 || (size_t)index >= sizeof names / sizeof names[0])
        return "PA_E?";
    return names[index];
}
