# SPDX-License-Identifier: Apache-2.0
# What stands on the platform: the orders of faults, and the three libraries beside the driver.
target_sources(emulated_gpu PRIVATE
  emulated_condition.c
  emulated_meter.c
  lt_emulated.c
  lt_numbers.c
  lt_objects.c
  lt_problem.c
  lt_product.c
  nccl_emulated.c
  nccl_room.c
  nvml_emulated.c)
target_link_libraries(emulated_gpu PRIVATE m ${CMAKE_DL_LIBS})
# The inner loops of a product: this is what a test audit's steps spend their time in.
set_source_files_properties(lt_product.c PROPERTIES COMPILE_OPTIONS -O3)

petaudit_test(test_lt_product LABEL emulated_gpu SOURCES test_lt_product.c lt_numbers.c lt_product.c)
target_link_libraries(test_lt_product PRIVATE m)
petaudit_test(test_nccl_room LABEL emulated_gpu SOURCES test_nccl_room.c nccl_room.c ROOMS base)
foreach(test test_lt_product test_nccl_room)
  target_include_directories(${test} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
endforeach()
