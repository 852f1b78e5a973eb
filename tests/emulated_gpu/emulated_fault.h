/* SPDX-License-Identifier: Apache-2.0 */
/* emulated_fault.h - ordering faults; emulated_fault_check of emulated.h carries them out. */
#ifndef PA_TESTS_EMULATED_FAULT_H
#define PA_TESTS_EMULATED_FAULT_H

#include "base/error.h"
#include "emulated_gpu/emulated.h"

/* Take one order, FUNCTION[@GPU]:CALLS:ACTION[:after=FUNCTION/CALLS]. Not thread-safe: while the
 * platform is read. */
int emulated_fault_order(const char *text, struct pa_error *error);

/* Whether the device was lost by an order. */
bool emulated_device_is_lost(int device);

/* Whether one of the emulated libraries exports that function. */
bool emulated_function_exists(const char *function);

#endif
