# SPDX-License-Identifier: Apache-2.0
# The program, unchanged, on the emulated platform. A sanitizer makes the interpreter ten times slower, and sees with few
# audits what it would see with many.
set(ways one near two eight formats older absent incomplete selftest processes launched everything resumed unfinished)
if(PETAUDIT_SANITIZE MATCHES thread)
  set(ways two)
elseif(PETAUDIT_SANITIZE)
  set(ways two absent launched)
elseif(NOT PETAUDIT_SUITE STREQUAL "")
  set(ways one selftest)
endif()
foreach(way ${ways})
  set(test ${PETAUDIT_SUITE}emulated_audit_${way})
  add_test(NAME ${test}
           COMMAND ${PETAUDIT_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/run_audit.py $<TARGET_FILE:petaudit> ${emulated_gpu_folder}
                   ${PROJECT_SOURCE_DIR} ${way})
  set_tests_properties(${test} PROPERTIES LABELS emulated_gpu TIMEOUT 300)
endforeach()
