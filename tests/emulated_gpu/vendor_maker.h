/* SPDX-License-Identifier: Apache-2.0 */
/* vendor_maker.h - a vendor that is not NVIDIA: signs reports of GPUs as NVIDIA's do, under a root
 * that each process makes anew. For the emulated NVML, and for tests that put the root in the place
 * of the pinned one. */
#ifndef PA_TESTS_VENDOR_MAKER_H
#define PA_TESTS_VENDOR_MAKER_H

#include <stddef.h>
#include <stdint.h>

enum { VENDOR_NONCE_BYTES = 32, VENDOR_REPORT_BYTES = 0x2000, VENDOR_CHAIN_BYTES = 0x1400 };

struct vendor_made {
    uint8_t report[VENDOR_REPORT_BYTES];
    size_t report_bytes;
    char chain[VENDOR_CHAIN_BYTES]; /* PEM: leaf, maker, root */
    size_t chain_bytes;
};

/* A report of the GPU `name` ("NVIDIA:GH100:0123456789ABCDEF") with `nonce` inside. Ends the
 * process where the system cannot. */
void vendor_make(const char *name, const uint8_t nonce[VENDOR_NONCE_BYTES],
                 struct vendor_made *out);
/* The root of this process, PEM. */
const char *vendor_root(void);

#endif
