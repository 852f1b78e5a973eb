/* SPDX-License-Identifier: Apache-2.0 */
/* vendor_library.h - a vendor's shared library, found while the program runs.
 *
 * Nothing of a vendor is linked: the same binary starts on a machine with nothing installed and
 * says what is missing. A library's functions are one table, F(required, returns, symbol,
 * arguments), which expands here into a struct of pointers and into the rows that fill it:
 *
 *     struct nccl {
 *         PA_NCCL_FUNCTIONS(PA_VENDOR_MEMBER)
 *     };
 *     #define ROW(required, returns, symbol, arguments) PA_VENDOR_ROW(struct nccl, required,
 * symbol) static const struct pa_vendor_row rows[] = {PA_NCCL_FUNCTIONS(ROW)}; static const char
 * *const names[] = {"libnccl.so.2", NULL}; pa_vendor_library_open(names, rows, sizeof rows / sizeof
 * rows[0], &nccl, error);
 *
 * A library stays loaded until the process ends: vendors' libraries start threads and register exit
 * handlers, and do not survive being unloaded.
 */
#ifndef PA_DEVICE_VENDOR_LIBRARY_H
#define PA_DEVICE_VENDOR_LIBRARY_H

#include "base/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct pa_vendor_row {
    const char *symbol;
    bool is_required;
    size_t offset; /* of its pointer in the table */
};

#define PA_VENDOR_MEMBER(required, returns, symbol, arguments) returns(*symbol) arguments;
#define PA_VENDOR_ROW(table, required, symbol) {#symbol, required, offsetof(table, symbol)},

/* Load the first of `names` (ended by NULL) that is there and write its functions into `table`;
 * those that are optional and missing become NULL. PA_EUNSUPPORTED with one line why: not found
 * (the loader's words), or which required symbol is missing from which file. The library is noted
 * for pa_vendor_libraries. Call it once for each table, under pthread_once. */
int pa_vendor_library_open(const char *const *names, const struct pa_vendor_row *rows,
                           size_t row_count, void *table, struct pa_error *error);

/* A function of any loaded vendor's library, for a symbol that is in no table; NULL when none of
 * them has it. */
void *pa_vendor_symbol(const char *symbol);

/* While devices are looked for one thread calls into libraries, and there is no device yet that
 * could say which call it is in. It leaves the call's name here, NULL when it is back; whoever
 * waits for it may ask. */
void pa_vendor_calling(const char *call);
int pa_vendor_returned(int result);
const char *pa_vendor_call(void);
#define PA_VENDOR_CALL(table, call, ...)                                                           \
    (pa_vendor_calling(#call), pa_vendor_returned((int)(table)->call(__VA_ARGS__)))

enum { PA_MOST_VENDOR_LIBRARIES = 8, PA_VENDOR_NAME_BYTES = 64 };

struct pa_vendor_library {
    char name[PA_VENDOR_NAME_BYTES]; /* as it was asked for, "libcublasLt.so.13" */
    char path[PATH_MAX];             /* of the file, symbolic links resolved */
};

/* The libraries that this process has loaded so far, at most `most` of them; returns how many. */
int pa_vendor_libraries(struct pa_vendor_library *out, int most);

#endif
