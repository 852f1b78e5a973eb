# SPDX-License-Identifier: Apache-2.0
# The device kernels against their twins on the processor, in every shape of PTX that the compilers at hand make: the
# interpreter's schedule is another one for each. Whatever the emulated driver reports is a failure.
get_property(kernel_shapes GLOBAL PROPERTY PETAUDIT_KERNEL_SHAPES)
if(NOT kernel_shapes)
  message(STATUS "No compiler for device kernels: test_kernels is not built")
  return()
endif()
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
emulated_gpu_test(test_kernels SOURCES test_kernels.c kernel_runner.c ROOMS device proof LIBRARIES PkgConfig::JANSSON m)
add_dependencies(test_kernels emulated_gpu kernel_shapes)

# kernels_test(NAME PLATFORM ARGUMENT..)
function(kernels_test name platform)
  if(NOT TEST ${name})
    add_test(NAME ${name} COMMAND test_kernels ${ARGN})
  endif()
  set_tests_properties(
    ${name} PROPERTIES LABELS emulated_gpu TIMEOUT 300 FAIL_REGULAR_EXPRESSION "emulated GPU: "
                       ENVIRONMENT "LD_LIBRARY_PATH=${emulated_gpu_folder};PETAUDIT_EMULATED_GPU=${platform}")
endfunction()

if(TEST ${PETAUDIT_SUITE}test_kernels)
  kernels_test(${PETAUDIT_SUITE}test_kernels "sm=90")
  set(seed 0)
  foreach(shape ${kernel_shapes})
    kernels_test(${PETAUDIT_SUITE}test_kernels_${shape} "order=eager,seed=${seed}"
                 ${PETAUDIT_KERNELS_FOLDER}/kernels_${shape}.ptx)
    math(EXPR seed "${seed} + 77")
  endforeach()
endif()
