# SPDX-License-Identifier: Apache-2.0
petaudit_room(allreduce SOURCES ${CMAKE_CURRENT_LIST_DIR}/allreduce.c CALLS base proof)
