petaudit_test(test_tile LABEL unit SOURCES test_tile.c ROOMS proof)
petaudit_test(test_vectors LABEL unit SOURCES test_vectors.c ROOMS proof)
petaudit_test(test_chain LABEL unit SOURCES test_chain.c ROOMS proof)
petaudit_test(test_credit LABEL unit SOURCES test_credit.c ROOMS proof)
petaudit_test(test_declaration LABEL unit SOURCES test_declaration.c ROOMS proof)
petaudit_test(test_signature LABEL unit SOURCES test_signature.c ROOMS proof)
petaudit_test(test_protocol_vectors LABEL unit SOURCES test_protocol_vectors.c ROOMS proof)

# The script and its output must not drift apart.
find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND)
  add_test(
    NAME ${PETAUDIT_SUITE}protocol_vectors_are_current
    COMMAND
      sh -c "\"$1\" \"$2/protocol_vectors.py\" | cmp - \"$2/protocol.json\"" sh ${Python3_EXECUTABLE}
      ${PROJECT_SOURCE_DIR}/tests/vectors)
  set_tests_properties(${PETAUDIT_SUITE}protocol_vectors_are_current PROPERTIES LABELS unit TIMEOUT 60)
else()
  message(STATUS "python3 not found: tests/vectors/protocol.json is not compared with its script")
endif()
