petaudit_test(test_witness LABEL unit SOURCES test_witness.c ROOMS judge witness)
petaudit_test(test_witness_desk LABEL unit SOURCES test_witness_desk.c ROOMS witness)
