/* SPDX-License-Identifier: Apache-2.0 */
/* known_answers.h - the protocol's vectors, computed by a device in one of its formats.
 *
 * Operand values, tile digests and whole chains that the class and the format allow are computed by
 * the device's own code, beside this program's, and compared with the file.
 */
#ifndef PA_MEASURE_KNOWN_ANSWERS_H
#define PA_MEASURE_KNOWN_ANSWERS_H

#include "device/device.h"
#include "proof/vectors.h"

/* As pa_vectors_run; `name` NULL: the vectors inside the binary. report->device_checks says how
 * many comparisons were of the device: 0 when the vectors have nothing for this format. */
int pa_known_answers(struct pa_device *device, enum pa_format format, const char *name,
                     const void *json, size_t size, struct pa_vectors_report *report,
                     struct pa_error *error);

#endif
