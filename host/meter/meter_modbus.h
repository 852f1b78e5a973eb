/* SPDX-License-Identifier: Apache-2.0 */
/* meter_modbus.h - a meter on the network: Modbus TCP, by libmodbus.
 *
 *     modbus:HOST[:PORT],MAP.yaml[,unit_id=1][,timeout=1s][,interval=1s]
 *     modbus:HOST[:PORT],sunspec
 *
 * A reading that fails closes the connection; the next one opens it again. */
#ifndef PA_METER_METER_MODBUS_H
#define PA_METER_METER_MODBUS_H

#include "meter/meter.h"
#include "meter/meter_options.h"

int pa_meter_modbus_open(struct pa_meter_options *options, struct pa_meter **out,
                         struct pa_error *error);

#endif
