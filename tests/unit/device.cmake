petaudit_test(test_cpu_kernels LABEL unit SOURCES test_cpu_kernels.c ROOMS device)
petaudit_test(test_cpu_device LABEL unit SOURCES test_cpu_device.c ROOMS device proof)
