/* SPDX-License-Identifier: Apache-2.0 */
/* witness_register.h - the register of devices on the command line: show, export, import. */
#ifndef PA_COMMAND_WITNESS_REGISTER_H
#define PA_COMMAND_WITNESS_REGISTER_H

#include "base/error.h"

/* How many sightings there are, and one line for each pair that cannot be. */
int pa_witness_register_show(const char *store, struct pa_error *error);
/* Copy STORE/devices, which is signed, to OUT/devices. */
int pa_witness_register_export(const char *store, const char *out, struct pa_error *error);
int pa_witness_register_import(const char *store, const char *file, const char *trust,
                               struct pa_error *error);

#endif
