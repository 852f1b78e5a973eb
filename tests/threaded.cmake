# SPDX-License-Identifier: Apache-2.0
# The tests that the ThreadSanitizer build has: those whose subject runs more than one thread.
set(PETAUDIT_THREADED_TESTS
    test_allreduce
    test_base
    test_cpu_device
    test_cpu_kernels
    test_facts
    test_fleet
    test_link
    test_messages
    test_store
    test_sustain
    test_tile
    test_witness)
