/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka_setup.h - cmocka wants these four headers before its own. */
#ifndef PA_TESTS_CMOCKA_SETUP_H
#define PA_TESTS_CMOCKA_SETUP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
