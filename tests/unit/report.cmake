add_executable(make_certificates make_certificates.c certificate_samples.c)
target_link_libraries(make_certificates PRIVATE petaudit_flags pa_report)
target_compile_definitions(make_certificates PRIVATE PETAUDIT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
petaudit_test(test_device_list LABEL unit SOURCES test_device_list.c certificate_samples.c ROOMS report)
petaudit_test(test_portfolio LABEL unit SOURCES test_portfolio.c certificate_samples.c ROOMS report)
petaudit_test(test_report LABEL unit SOURCES test_report.c certificate_samples.c ROOMS report)
petaudit_test(
  test_straggler_report
  LABEL unit
  SOURCES test_straggler_report.c certificate_samples.c evidence_factory.c record_samples.c
  ROOMS report)

# Nothing of this has threads, and cairo's locks look like a cycle to ThreadSanitizer.
if(NOT PETAUDIT_SANITIZE MATCHES "thread")
  # A second implementation, in Python, accepts what the C code signs, holds it against docs/schema and refuses flips.
  set(certificates ${PETAUDIT_SUITE}make_certificates)
  add_test(NAME ${certificates} COMMAND make_certificates ${CMAKE_CURRENT_BINARY_DIR}/certificates)
  add_test(NAME ${PETAUDIT_SUITE}verify_certificates
           COMMAND ${PETAUDIT_PYTHON} ${PROJECT_SOURCE_DIR}/tests/verify_certificate.py --self-test
                   ${CMAKE_CURRENT_BINARY_DIR}/certificates)
  # The builds run in one ctest: the fixture carries the build's prefix too, or one build would wait for another's samples.
  set_tests_properties(${certificates} PROPERTIES LABELS unit FIXTURES_SETUP ${certificates} TIMEOUT 900)
  # The PDFs are judged by programs that are not ours.
  find_program(PETAUDIT_PDFSIG pdfsig REQUIRED)
  find_program(PETAUDIT_QPDF qpdf REQUIRED)
  add_test(NAME ${PETAUDIT_SUITE}check_reports COMMAND ${PETAUDIT_PYTHON} ${PROJECT_SOURCE_DIR}/tests/check_reports.py
                                                       ${CMAKE_CURRENT_BINARY_DIR}/certificates)
  set_tests_properties(${PETAUDIT_SUITE}check_reports ${PETAUDIT_SUITE}verify_certificates
                       PROPERTIES LABELS unit FIXTURES_REQUIRED ${certificates} TIMEOUT 900)
endif()

# docs/schema holds the same members as host/certificate/members.c; `--write` after the program's name mends it.
add_executable(list_members list_members.c)
target_link_libraries(list_members PRIVATE petaudit_flags pa_certificate)
add_test(NAME ${PETAUDIT_SUITE}schema_members
         COMMAND ${PETAUDIT_PYTHON} ${PROJECT_SOURCE_DIR}/tests/schema_members.py $<TARGET_FILE:list_members>)
set_tests_properties(${PETAUDIT_SUITE}schema_members PROPERTIES LABELS unit TIMEOUT 60)
