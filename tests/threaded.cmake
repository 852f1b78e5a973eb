# SPDX-License-Identifier: Apache-2.0
# The tests that the ThreadSanitizer build has: those whose subject runs more than one thread. A library that is
# not built with ThreadSanitizer (BLAS, oneDNN) would only add noise.
set(PETAUDIT_THREADED_TESTS test_base test_link test_fleet test_tile test_cpu_device test_allreduce test_witness test_sustain test_measure
                            test_store test_facts)
