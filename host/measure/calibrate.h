/* SPDX-License-Identifier: Apache-2.0 */
/* calibrate.h - find the format, shape and way of calling the library that sustain most on one
 * device.
 *
 * Formats that do not give exact products are refused first. Then every format and variant is tried
 * at one shape, and the best of them at many. What counts is the rate of whole steps, as the proof
 * will run them.
 */
#ifndef PA_MEASURE_CALIBRATE_H
#define PA_MEASURE_CALIBRATE_H

#include "measure/sustain.h"

/* PA_EUNSUPPORTED when no format of the device runs the class exactly; the message says why for
 * each. */
int pa_calibrate(struct pa_device *device, const struct pa_calibrate_request *request,
                 const atomic_bool *stop, struct pa_calibration *out, struct pa_error *error);

/* The formats that can run a class, best guess first; ended by 0. */
const enum pa_format *pa_class_formats(enum pa_class class_id);

#endif
