petaudit_test(test_claim LABEL unit SOURCES test_claim.c golden_files.c ROOMS claim)
petaudit_test(test_policy LABEL unit SOURCES test_policy.c golden_files.c ROOMS claim)
petaudit_test(test_catalogue LABEL unit SOURCES test_catalogue.c ROOMS claim)
