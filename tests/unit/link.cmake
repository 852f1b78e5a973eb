# SPDX-License-Identifier: Apache-2.0
petaudit_test(test_link LABEL unit SOURCES test_link.c ROOMS link)
petaudit_test(test_link_hold LABEL unit SOURCES test_link_hold.c ROOMS link TIMEOUT 300)
