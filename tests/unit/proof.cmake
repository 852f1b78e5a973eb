petaudit_test(test_tile LABEL unit SOURCES test_tile.c ROOMS proof)
