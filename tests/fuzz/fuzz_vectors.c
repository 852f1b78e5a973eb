/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_vectors.c - a file of known answers from anywhere: refused or run, never a crash, and never
 * a success without a comparison. */
#include "proof/vectors.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pa_vectors_report report;
    struct pa_error error = {0};
    if (pa_vectors_run("fuzz", data, size, NULL, &report, &error) == PA_OK && report.checks == 0)
        abort();
    return 0;
}
