/* SPDX-License-Identifier: Apache-2.0 */
/* mpi_module.h - what petaudit_mpi.so offers to the binary that loads it.
 *
 * MPI libraries are not compatible with each other: this one file is built against the MPI at hand,
 * and a machine without MPI needs neither. Every call returns NULL or a text that says what failed.
 */
#ifndef PA_DEVICE_MPI_MODULE_H
#define PA_DEVICE_MPI_MODULE_H

#include <stddef.h>
#include <stdint.h>

enum { PA_MPI_MODULE_VERSION = 2 };
#define PA_MPI_MODULE_ENTRY "pa_mpi_module"

struct pa_mpi_module {
    uint32_t version; /* PA_MPI_MODULE_VERSION */
    /* Join the job, once a process; leaving is arranged for its end. */
    const char *(*join)(int *rank, int *size);
    /* Start the sum of `words` words over all ranks, or with NULL a barrier; one at a time. */
    const char *(*start)(const uint32_t *in, uint32_t *out, size_t words);
    /* Start giving `words` words to the rank `partner` and getting as many from it. */
    const char *(*start_swap)(int partner, const uint32_t *in, uint32_t *out, size_t words);
    /* Is it complete? */
    const char *(*test)(int *is_complete);
    /* Something was left unfinished: do not wait for the others when the process ends. */
    void (*forsake)(void);
};

typedef const struct pa_mpi_module *(*pa_mpi_module_entry)(void);

#endif
