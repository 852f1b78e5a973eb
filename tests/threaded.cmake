# SPDX-License-Identifier: Apache-2.0
# The tests that the ThreadSanitizer build has: those whose subject runs more than one thread.
set(PETAUDIT_THREADED_TESTS
    test_allreduce
    test_base
    test_cpu_device
    test_cpu_kernels
    test_cuda_health
    test_cuda_reduce
    test_cuda_steps
    test_driver
    test_facts
    test_fleet
    test_link
    test_live_view
    test_lt_matmul
    test_messages
    test_meter_modbus
    test_meter_rapl
    test_nccl_emulated
    test_nccl_room
    test_nvml_emulated
    test_ptx_checks
    test_store
    test_sustain
    test_tile
    test_vitals
    test_witness)
