/* SPDX-License-Identifier: Apache-2.0 */
/* base.h - the door of host/base/: what every room stands on, over libc alone.
 *
 *   error.h   a negative code and one message, from the bottom to the command line
 *   bytes.h   little-endian reading and writing without overruns, hexadecimal
 *   clock.h   RAW, BOOT and UTC in nanoseconds
 *   number.h  the strict parser of numbers and units, and decimals of nine digits
 *   file.h    whole files: bounded reads, atomic writes; text made safe for a terminal
 *   team.h    threads: the one place where they are created
 */
#ifndef PA_BASE_BASE_H
#define PA_BASE_BASE_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/number.h"
#include "base/team.h"

#endif
