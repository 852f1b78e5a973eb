/* SPDX-License-Identifier: Apache-2.0 */
/* device_list.h - all devices of a session, one a line.
 *
 * A statement lists each device while they are few, else those that stand out, beside how the rates
 * of like devices are distributed. The whole list is a file of its own then, devices.json, whose
 * hash is in the statement: a hundred thousand devices are 80 MB, which nobody wants signed, sent
 * and parsed as one text. It is canonical JSON, an array with one device a line, in the words of
 * the statement's `devices`.
 */
#ifndef PA_CERTIFICATE_DEVICE_LIST_H
#define PA_CERTIFICATE_DEVICE_LIST_H

#include "base/bytes.h"
#include "judge/judge.h"
#include "judge/stragglers.h"

enum { PA_STATEMENT_MOST_DEVICES = 4096 /* with more, a statement lists those that stand out */ };

#define PA_DEVICE_LIST_NAME "devices.json"

/* Lost, changed, without work, or a straggler: what a reader wants to see among very many. Marks
 * each such device in `out`, one place a device, all false before. */
void pa_devices_mark(const struct pa_facts *facts, const struct pa_straggling *straggling,
                     bool *out);

/* Writes devices, one after the other; zero-initialise it but for facts and claim. It remembers
 * what neighbours have in common. */
struct pa_device_writer {
    const struct pa_facts *facts;
    const struct pa_claim *claim;
    const struct pa_fact_device *previous;
    const struct pa_catalogue_row *row; /* of `previous`, as are the next three */
    double nominal, bound;
    const char *bound_basis;
    struct {
        double value;
        char text[352]; /* PA_DECIMAL_TEXT_BYTES */
        bool is_there;
    } decimals[8];
    const char *not_finite; /* the first figure that is none */
};

/* Append the canonical object of one device. */
void pa_device_write(struct pa_device_writer *writer, uint32_t device, struct pa_buffer *out);

/* devices.json, and its SHA-256 without having it in memory. PA_EMEMORY. */
int pa_device_list_write(const struct pa_facts *facts, const struct pa_claim *claim,
                         struct pa_buffer *out, struct pa_error *error);
int pa_device_list_hash(const struct pa_facts *facts, const struct pa_claim *claim,
                        struct pa_hash *out, struct pa_error *error);

#endif
