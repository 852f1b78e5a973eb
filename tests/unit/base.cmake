petaudit_test(test_number LABEL unit SOURCES test_number.c ROOMS base)
petaudit_test(test_base LABEL unit SOURCES test_base.c ROOMS base)
