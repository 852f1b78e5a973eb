/* SPDX-License-Identifier: Apache-2.0 */
/* device_list.h - all devices of a session: one a line, and grouped.
 *
 * A statement lists each device while they are few, else those that stand out, beside what the
 * groups of equal devices delivered. The whole list is a file of its own then, devices.json, whose
 * hash is in the statement: a hundred thousand devices are 80 MB, which nobody wants signed, sent
 * and parsed as one text. It is canonical JSON, an array with one device a line, in the words of
 * the statement's `devices`.
 */
#ifndef PA_CERTIFICATE_DEVICE_LIST_H
#define PA_CERTIFICATE_DEVICE_LIST_H

#include "base/bytes.h"
#include "judge/judge.h"

enum {
    PA_STATEMENT_MOST_DEVICES = 4096, /* with more, a statement lists those that stand out */
    PA_DEVICE_MOST_GROUPS = 64,       /* devices of further kinds share the last group */
};

#define PA_DEVICE_LIST_NAME "devices.json"

/* Below this share of its group's median a device stands out. */
#define PA_DEVICE_SLOW_SHARE 0.85

struct pa_device_group {
    const struct pa_fact_device *first; /* a device of it, for name, format and backend */
    uint32_t count, lost, idle;         /* idle: without any work */
    double sum_per_second, least_per_second, median_per_second, most_per_second;
};

struct pa_device_groups {
    struct pa_device_group groups[PA_DEVICE_MOST_GROUPS]; /* in the order of their first devices */
    uint32_t count;
    uint32_t *group_of; /* owned, by device */
};

int pa_device_groups_make(const struct pa_facts *facts, struct pa_device_groups *out,
                          struct pa_error *error);
void pa_device_groups_free(struct pa_device_groups *groups);
/* Lost, changed, slow or idle: what a reader wants to see among very many. */
bool pa_device_stands_out(const struct pa_facts *facts, const struct pa_device_groups *groups,
                          uint32_t device);

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
