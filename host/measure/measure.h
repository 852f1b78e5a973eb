/* SPDX-License-Identifier: Apache-2.0 */
/* measure.h - the door of host/measure/: from a claim to evidence.
 *
 *   plan.h       what will be done, how long it takes, what memory it needs
 *   calibrate.h  which format, shape and way of calling the library
 *   sustain.h    one device's chain, warm-up, raw rate
 *   crew.h       the devices of one process; messages.h, what the hub asks of it
 *   site.h       all processes and devices of the audit
 *   session.h    a declared session from its first nonce to the witness's signature
 *   vitals.h     power, heat, clocks and errors while an epoch runs
 *   exposition.h  a running audit as OpenMetrics text
 *   allreduce.h  all-reduce swept over sizes; coupled.h, between products
 *   known_answers.h  the protocol's vectors, computed by a device
 *   exactness.h  does a format give exact products on a device?
 */
#ifndef PA_MEASURE_MEASURE_H
#define PA_MEASURE_MEASURE_H

#include "measure/exposition.h"
#include "measure/plan.h"
#include "measure/session.h"
#include "measure/session_vitals.h"
#include "measure/site.h"

#endif
