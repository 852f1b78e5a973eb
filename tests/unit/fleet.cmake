# SPDX-License-Identifier: Apache-2.0
petaudit_test(test_place LABEL unit SOURCES test_place.c ROOMS fleet)
petaudit_test(test_fleet LABEL unit SOURCES test_fleet.c ROOMS fleet TIMEOUT 180)
petaudit_test(test_fleet_crowd LABEL unit SOURCES test_fleet_crowd.c ROOMS fleet TIMEOUT 300)
