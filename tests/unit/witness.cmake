petaudit_test(test_witness LABEL unit SOURCES test_witness.c ROOMS judge witness)
