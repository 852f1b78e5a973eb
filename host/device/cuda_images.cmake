# SPDX-License-Identifier: Apache-2.0
# The device kernels, embedded: a library of its own, so that they are compiled once for all that has them.
petaudit_room(cuda_images SOURCES ${CMAKE_CURRENT_LIST_DIR}/cuda_images.c CALLS base)
petaudit_cuda_images(pa_cuda_images)
