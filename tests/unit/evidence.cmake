petaudit_test(test_record LABEL unit SOURCES test_record.c record_samples.c ROOMS evidence)
petaudit_test(test_store LABEL unit SOURCES test_store.c record_samples.c ROOMS evidence)
petaudit_test(test_store_damage LABEL unit SOURCES test_store_damage.c record_samples.c ROOMS evidence)
petaudit_test(test_store_kill LABEL unit SOURCES test_store_kill.c record_samples.c ROOMS evidence)
