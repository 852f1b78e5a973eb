# SPDX-License-Identifier: Apache-2.0
petaudit_test(test_allreduce LABEL unit SOURCES test_allreduce.c ROOMS allreduce communicator)
if(TARGET test_allreduce)
  target_link_libraries(test_allreduce PRIVATE PkgConfig::JANSSON)
endif()
