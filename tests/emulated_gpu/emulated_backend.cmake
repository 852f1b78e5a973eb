# SPDX-License-Identifier: Apache-2.0
# The cuda backend over the emulated libraries. It finds them by their names, so that the loader must be told where
# before the test starts; each body then runs under orders of its own, in a process of its own.
foreach(test test_cuda_health test_cuda_memory test_cuda_reduce test_cuda_steps)
  petaudit_test(${test} LABEL emulated_gpu SOURCES ${test}.c emulated_session.c ROOMS allreduce device proof
                ARGUMENTS ${emulated_gpu_folder})
  target_include_directories(${test} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${test} PRIVATE ${CMAKE_DL_LIBS})
  target_compile_definitions(${test} PRIVATE EMULATED_GPU_FOLDER="${emulated_gpu_folder}")
  add_dependencies(${test} emulated_gpu)
  if(TEST ${PETAUDIT_SUITE}${test})
    set_property(TEST ${PETAUDIT_SUITE}${test} APPEND PROPERTY ENVIRONMENT LD_LIBRARY_PATH=${emulated_gpu_folder})
  endif()
endforeach()
