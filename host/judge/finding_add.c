/* SPDX-License-Identifier: Apache-2.0 */
/* finding_add.c - adding to the list of findings, and naming many devices in few words. */
#include "judge/judgement_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 6, 0))) static void add(struct pa_judging *judging, const char *code,
                                                      enum pa_severity severity,
                                                      enum pa_effect effect, const char *evidence,
                                                      const char *format, va_list arguments) {
    struct pa_judgement *out = judging->out;
    if (out->finding_count == judging->finding_capacity) {
        uint32_t capacity = judging->finding_capacity == 0 ? 32 : 2 * judging->finding_capacity;
        struct pa_finding *grown = realloc(out->findings, capacity * sizeof *grown);
        if (grown == NULL) {
            judging->out_of_memory = true;
            return;
        }
        out->findings = grown;
        judging->finding_capacity = capacity;
    }
    const struct pa_finding_kind *kind = pa_finding_kind_find(code);
    struct pa_finding *finding = &out->findings[out->finding_count++];
    memset(finding, 0, sizeof *finding);
    snprintf(finding->code, sizeof finding->code, "%s", code);
    snprintf(finding->evidence, sizeof finding->evidence, "%s", evidence);
    snprintf(finding->advice, sizeof finding->advice, "%s", kind == NULL ? "" : kind->advice);
    finding->severity = severity;
    vsnprintf(finding->text, sizeof finding->text, format, arguments);
    if (effect != PA_EFFECT_NONE && judging->cause[effect][0] == '\0')
        memcpy(judging->cause[effect], finding->text, sizeof finding->text);
}

void pa_finding_add(struct pa_judging *judging, const char *code, const char *evidence,
                    const char *format, ...) {
    const struct pa_finding_kind *kind = pa_finding_kind_find(code);
    va_list arguments;
    va_start(arguments, format);
    add(judging, code, kind == NULL ? PA_SEVERITY_INFO : kind->severity,
        kind == NULL ? PA_EFFECT_NONE : kind->effect, evidence, format, arguments);
    va_end(arguments);
}

void pa_finding_add_as(struct pa_judging *judging, const char *code, enum pa_severity severity,
                       enum pa_effect effect, const char *evidence, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add(judging, code, severity, effect, evidence, format, arguments);
    va_end(arguments);
}

/* The run that is open, behind the closed ones. */
static void close_run(const struct pa_crowd *crowd, char *out, size_t size) {
    size_t used = strlen(crowd->ranges);
    const char *comma = used > 0 ? ", " : "";
    if (crowd->run_from == crowd->last)
        snprintf(out, size, "%s%s%u", crowd->ranges, comma, (unsigned)crowd->last);
    else
        snprintf(out, size, "%s%s%u-%u", crowd->ranges, comma, (unsigned)crowd->run_from,
                 (unsigned)crowd->last);
}

void pa_crowd_add(struct pa_crowd *crowd, uint32_t number) {
    if (crowd->count == 0) {
        crowd->first = crowd->run_from = number;
    } else if (number != crowd->last + 1) {
        char closed[PA_CROWD_EVIDENCE_BYTES];
        close_run(crowd, closed, sizeof closed);
        /* What does not fit any more is counted in the text and not listed. */
        if (strlen(closed) + 40 < sizeof crowd->ranges)
            memcpy(crowd->ranges, closed, strlen(closed) + 1);
        else if (strstr(crowd->ranges, "...") == NULL)
            strcat(crowd->ranges, ", ...");
        crowd->run_from = number;
    }
    crowd->last = number;
    crowd->count++;
}

const char *pa_crowd_evidence(const struct pa_crowd *crowd, const char *noun,
                              char out[PA_CROWD_EVIDENCE_BYTES]) {
    char runs[PA_CROWD_EVIDENCE_BYTES - 16];
    close_run(crowd, runs, sizeof runs);
    snprintf(out, PA_CROWD_EVIDENCE_BYTES, "%.8s%s %s", noun, crowd->count == 1 ? "" : "s", runs);
    return out;
}

void pa_crowd_text(const struct pa_facts *facts, const struct pa_crowd *crowd, char *out,
                   size_t size) {
    const struct pa_fact_device *device = &facts->devices[crowd->first];
    const char *name = device->model[0] != '\0' ? device->model : device->name;
    if (crowd->count == 1)
        snprintf(out, size, "device %u (%.100s)", (unsigned)crowd->first, name);
    else
        snprintf(out, size, "%u devices, the first of them device %u (%.100s)",
                 (unsigned)crowd->count, (unsigned)crowd->first, name);
}
