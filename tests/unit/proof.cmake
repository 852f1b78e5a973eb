petaudit_test(test_tile LABEL unit SOURCES test_tile.c ROOMS proof)
petaudit_test(test_vectors LABEL unit SOURCES test_vectors.c ROOMS proof)
petaudit_test(test_chain LABEL unit SOURCES test_chain.c ROOMS proof)
