/* SPDX-License-Identifier: Apache-2.0 */
/* emulated_memory.h - the table of allocations behind the device addresses; the driver's side of
 * what emulated.h lets everybody read and write.
 *
 * Device addresses are no host addresses: they begin at 0xD00000000000, one TiB for each device,
 * and a host that dereferences one faults at once. Addresses are never used again and leave a gap
 * behind every allocation, so that what is freed or passed is recognised for what it was.
 */
#ifndef PA_TESTS_EMULATED_MEMORY_H
#define PA_TESTS_EMULATED_MEMORY_H

#include "emulated_gpu/emulated.h"
#include "emulated_gpu/ptx.h"

/* Both return a CUresult. New memory is filled with 0xAB and counts as never written. Freeing waits
 * for nothing: the caller has waited for the device. */
int emulated_memory_allocate(int device, uint64_t bytes, uint64_t *address);
int emulated_memory_free(int device, uint64_t address);

/* A ptx_find_range; `user` points to the device's index. */
bool emulated_memory_find(void *user, uint64_t address, uint64_t bytes, bool is_write,
                          struct ptx_range *out, char *why, size_t why_bytes);

/* Free all of a device; every piece is reported as a leak if `is_leak`. */
void emulated_memory_release(int device, bool is_leak);

/* Flip the lowest bit of a byte, as a fault; nothing happens outside of an allocation. */
void emulated_memory_flip(int device, uint64_t address);

#endif
