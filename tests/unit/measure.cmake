petaudit_test(test_messages LABEL unit SOURCES test_messages.c ROOMS measure)
petaudit_test(test_sustain LABEL unit SOURCES test_sustain.c ROOMS measure)
petaudit_test(test_vitals LABEL unit SOURCES test_vitals.c ROOMS measure)
petaudit_test(test_memory_proof LABEL unit SOURCES test_memory_proof.c ROOMS measure)
