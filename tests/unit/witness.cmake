petaudit_test(test_witness LABEL unit SOURCES test_witness.c ROOMS judge witness)
petaudit_test(test_witness_desk LABEL unit SOURCES test_witness_desk.c ROOMS witness)
petaudit_test(test_live_state LABEL unit SOURCES test_live_state.c live_hall.c ROOMS witness)
petaudit_test(test_live_view LABEL unit SOURCES test_live_view.c live_hall.c record_samples.c ROOMS witness)
