petaudit_test(test_tile LABEL unit SOURCES test_tile.c ROOMS proof)
petaudit_test(test_vectors LABEL unit SOURCES test_vectors.c ROOMS proof)
petaudit_test(test_chain LABEL unit SOURCES test_chain.c ROOMS proof)
petaudit_test(test_credit LABEL unit SOURCES test_credit.c ROOMS proof)
petaudit_test(test_declaration LABEL unit SOURCES test_declaration.c ROOMS proof)
petaudit_test(test_attestation LABEL unit SOURCES test_attestation.c ROOMS proof)
petaudit_test(test_radius LABEL unit SOURCES test_radius.c ROOMS proof)
petaudit_test(test_sampling LABEL unit SOURCES test_sampling.c ROOMS proof)
petaudit_test(test_signature LABEL unit SOURCES test_signature.c ROOMS proof)
petaudit_test(test_fabric_proof LABEL unit SOURCES test_fabric_proof.c ROOMS proof)
petaudit_test(test_fabric_shuffle LABEL unit SOURCES test_fabric_shuffle.c ROOMS proof)
petaudit_test(test_protocol_vectors LABEL unit SOURCES test_protocol_vectors.c ROOMS proof)

# The scripts and their output must not drift apart; no compiler has a part in that, so once is enough.
if(PETAUDIT_SUITE STREQUAL "")
  foreach(vectors protocol memory allreduce fabric power watermark radius sampling)
    add_test(NAME ${vectors}_vectors_are_current
             COMMAND sh -c "\"$1\" \"$2_vectors.py\" | cmp - \"$2.json\"" sh ${PETAUDIT_PYTHON}
                     ${PROJECT_SOURCE_DIR}/tests/vectors/${vectors})
    set_tests_properties(${vectors}_vectors_are_current PROPERTIES LABELS unit TIMEOUT 600)
  endforeach()
  # Signatures are random, so that this script judges its vectors again instead of making them again.
  add_test(NAME attestation_vectors_are_judged_alike
           COMMAND ${PETAUDIT_PYTHON} ${PROJECT_SOURCE_DIR}/tests/vectors/attestation_vectors.py --check)
  set_tests_properties(attestation_vectors_are_judged_alike PROPERTIES LABELS unit TIMEOUT 600)
endif()
