/* SPDX-License-Identifier: Apache-2.0 */
/* red_machine.h - the processor that a cheat runs on: petaudit's own cpu backend, asked for less
 * than the session declares.
 *
 * Row v of A and column v of B depend on v alone, and a shorter K is a prefix of a longer one: a
 * workbench of fewer rows computes exactly the upper tile rows of C, in less time. That is how a
 * cheat here really saves what it skips.
 */
#ifndef PA_TESTS_RED_MACHINE_H
#define PA_TESTS_RED_MACHINE_H

#include "red_site.h"

#include "device/device.h"

enum { RED_MOST_ROWS = 64 };

struct red_machine {
    struct pa_device *device;
    enum pa_format format;
    enum pa_class class_id;
    struct pa_shape shape;                       /* as declared */
    struct pa_workbench *by_rows[RED_MOST_ROWS]; /* of i + 1 tile rows, opened when needed */
    struct pa_workbench *shallow;                /* of half of K */
    struct pa_seed a_seed;                       /* of the chain under work */
    /* Which chain's A a workbench holds. */
    uint64_t a_loaded[RED_MOST_ROWS], shallow_loaded, a_wanted;
};

/* The best format in which this processor runs the class. */
const char *red_machine_format(enum pa_class class_id);

void red_machine_open(struct red_machine *machine, enum pa_class class_id, struct pa_shape shape);
void red_machine_close(struct red_machine *machine);
/* Begin another chain. */
void red_machine_load(struct red_machine *machine, const struct pa_seed *a_seed);
/* Open what `rows` tile rows need and load A, so that no step has to. */
void red_machine_prepare(struct red_machine *machine, uint32_t rows);
/* The digests of the first `rows` tile rows of a step; the others are left as they are. */
void red_machine_rows(struct red_machine *machine, const struct pa_seed *b_seed, uint32_t rows,
                      uint64_t *tiles);
/* All of it, honestly. */
void red_machine_step(struct red_machine *machine, const struct pa_seed *b_seed, uint64_t *tiles);
/* All tiles, over the first half of K. */
void red_machine_half_depth(struct red_machine *machine, const struct pa_seed *b_seed,
                            uint64_t *tiles);

#endif
