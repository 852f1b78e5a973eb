petaudit_test(test_certificate LABEL unit TIMEOUT 900 SOURCES test_certificate.c certificate_samples.c ROOMS certificate)
if(PETAUDIT_LONG_TESTS AND TEST test_certificate)
  set_tests_properties(${PETAUDIT_SUITE}test_certificate PROPERTIES ENVIRONMENT PETAUDIT_EVERY_BIT=1)
endif()
petaudit_test(
  test_certificate_evidence
  LABEL unit
  SOURCES test_certificate_evidence.c certificate_samples.c evidence_factory.c record_samples.c
  ROOMS certificate)
petaudit_test(test_key_lock LABEL unit SOURCES test_key_lock.c ROOMS certificate)
