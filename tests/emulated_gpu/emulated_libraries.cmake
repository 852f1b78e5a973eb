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
  nccl_operations.c
  nccl_room.c
  nvml_emulated.c
  vendor_maker.c)
target_link_libraries(emulated_gpu PRIVATE m PkgConfig::OPENSSL ${CMAKE_DL_LIBS})
# The inner loops of a product: this is what a test audit's steps spend their time in.
set_source_files_properties(lt_product.c PROPERTIES COMPILE_OPTIONS -O3)

petaudit_test(test_lt_product LABEL emulated_gpu SOURCES test_lt_product.c lt_numbers.c lt_product.c)
target_link_libraries(test_lt_product PRIVATE m)
petaudit_test(test_nccl_room LABEL emulated_gpu SOURCES test_nccl_room.c nccl_room.c ROOMS base)
foreach(test test_lt_product test_nccl_room)
  target_include_directories(${test} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
endforeach()

# Where the toolkit is installed, its library is asked the same; under a sanitizer its own leaks would be counted.
find_library(PETAUDIT_GENUINE_CUBLASLT NAMES libcublasLt.so.13 HINTS /usr/local/cuda/lib64)
set(genuine "")
if(PETAUDIT_GENUINE_CUBLASLT AND NOT PETAUDIT_SANITIZE)
  set(genuine ${PETAUDIT_GENUINE_CUBLASLT})
endif()
petaudit_test(test_lt_contract LABEL emulated_gpu SOURCES test_lt_contract.c
              ARGUMENTS ${emulated_gpu_folder}/libcublasLt.so.13 ${genuine})
add_dependencies(test_lt_contract emulated_gpu)
target_link_libraries(test_lt_contract PRIVATE ${CMAKE_DL_LIBS})

# The libraries as petaudit loads them, each test in processes of its own.
foreach(test test_lt_matmul test_nccl_emulated test_nvml_emulated)
  petaudit_test(${test} LABEL emulated_gpu SOURCES ${test}.c emulated_session.c ARGUMENTS ${emulated_gpu_folder})
  target_include_directories(${test} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${test} PRIVATE ${CMAKE_DL_LIBS})
  add_dependencies(${test} emulated_gpu)
endforeach()

# The unchanged program against everything that can be ordered. Sanitizer builds, which are slower, run the entries
# that are marked quick, and all of them where time does not matter.
if(PETAUDIT_SANITIZE)
  set(selection --slow 4)
  if(NOT PETAUDIT_LONG_TESTS)
    list(APPEND selection --quick)
  endif()
endif()
add_test(NAME ${PETAUDIT_SUITE}fault_table
         COMMAND ${PETAUDIT_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/run_fault_table.py $<TARGET_FILE:petaudit> ${emulated_gpu_folder}
                 ${CMAKE_CURRENT_LIST_DIR}/fault_table.ini ${selection})
set_tests_properties(${PETAUDIT_SUITE}fault_table PROPERTIES LABELS emulated_gpu TIMEOUT 3600 PROCESSORS 2)
