petaudit_test(test_facts LABEL unit SOURCES test_facts.c evidence_factory.c record_samples.c ROOMS judge)
petaudit_test(test_judgement LABEL unit SOURCES test_judgement.c ROOMS judge)
petaudit_test(test_device_findings LABEL unit SOURCES test_device_findings.c ROOMS judge)
