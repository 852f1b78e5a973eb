# SPDX-License-Identifier: Apache-2.0
# The program, unchanged, on the emulated platform.
foreach(way one eight formats older absent selftest processes everything)
  set(test ${PETAUDIT_SUITE}emulated_audit_${way})
  add_test(NAME ${test}
           COMMAND ${PETAUDIT_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/run_audit.py $<TARGET_FILE:petaudit> ${emulated_gpu_folder}
                   ${PROJECT_SOURCE_DIR} ${way})
  set_tests_properties(${test} PROPERTIES LABELS emulated_gpu TIMEOUT 300)
endforeach()
