petaudit_test(test_cpu_kernels LABEL unit SOURCES test_cpu_kernels.c ROOMS device)
# oneDNN's gemm reads past its buffers in code that it writes at run time: valgrind knows no name for it to leave out.
petaudit_test(test_cpu_device NO_MEMCHECK LABEL unit SOURCES test_cpu_device.c ROOMS device proof)
petaudit_test(test_cpu_fault LABEL unit SOURCES test_cpu_fault.c ROOMS device_faulty proof)
# What is released must not know how to be wrong on purpose.
add_test(NAME ${PETAUDIT_SUITE}release_has_no_faults COMMAND sh -c "! grep -q PETAUDIT_FAULT '$<TARGET_FILE:pa_device>' && grep -q PETAUDIT_FAULT '$<TARGET_FILE:pa_device_faulty>'")
set_tests_properties(${PETAUDIT_SUITE}release_has_no_faults PROPERTIES LABELS unit)
petaudit_test(test_cuda_images LABEL unit SOURCES test_cuda_images.c ROOMS cuda_images)
petaudit_test(test_processor_share LABEL unit SOURCES test_processor_share.c ROOMS device)
