petaudit_test(test_facts LABEL unit SOURCES test_facts.c evidence_factory.c record_samples.c ROOMS judge)
