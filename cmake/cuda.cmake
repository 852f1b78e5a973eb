# SPDX-License-Identifier: Apache-2.0
# The device kernels (kernels/kernels.cu) as machine code and PTX, made by nvcc where it is found, else PTX alone by clang.
#
#   petaudit_cuda_images(TARGET)     TARGET embeds them; "cuda_images_built.h" lists what there is (host/device/cuda_images.c)
#
# What was made lies in <build>/kernels: kernels_75.cubin .., kernels.ptx (the one that is embedded), and for the tests
# every shape of PTX that the compilers at hand make: kernels_nvcc_75.ptx, kernels_nvcc_100.ptx, kernels_clang.ptx.

set(PETAUDIT_CUDA_COMPILER auto CACHE STRING "What compiles the device kernels: auto, nvcc, clang or none")
set_property(CACHE PETAUDIT_CUDA_COMPILER PROPERTY STRINGS auto nvcc clang none)
if(NOT PETAUDIT_CUDA_COMPILER MATCHES "^(auto|nvcc|clang|none)$")
  message(FATAL_ERROR "PETAUDIT_CUDA_COMPILER is ${PETAUDIT_CUDA_COMPILER}; it can be auto, nvcc, clang or none")
endif()

set(PETAUDIT_KERNELS_FOLDER ${PROJECT_BINARY_DIR}/kernels)
set(PETAUDIT_CUDA_ARCHITECTURES 75 80 86 89 90 100 120)
set(petaudit_kernel_sources kernels.cu allreduce.cu digest_tiles.cu fill_dense16.cu fill_dense64.cu fill_dense8.cu
                            fabric.cu fabric.h fill_fp8.cu memory_proof.cu cuda_device.h digest.h fill.h launch.h philox.h sum.h)
list(TRANSFORM petaudit_kernel_sources PREPEND ${PROJECT_SOURCE_DIR}/kernels/)
set(petaudit_kernels_cu ${PROJECT_SOURCE_DIR}/kernels/kernels.cu)

set(petaudit_nvcc_found "")
set(petaudit_clang_found "")
if(PETAUDIT_CUDA_COMPILER MATCHES "auto|nvcc")
  find_program(PETAUDIT_NVCC nvcc HINTS ENV CUDA_HOME PATHS /usr/local/cuda PATH_SUFFIXES bin)
  if(PETAUDIT_NVCC)
    execute_process(COMMAND ${PETAUDIT_NVCC} --version OUTPUT_VARIABLE said ERROR_QUIET)
    execute_process(COMMAND ${PETAUDIT_NVCC} --list-gpu-code OUTPUT_VARIABLE petaudit_nvcc_known ERROR_QUIET)
    # Compiled once in a dry run, because nvcc also needs a C++ compiler.
    file(MAKE_DIRECTORY ${PETAUDIT_KERNELS_FOLDER})
    execute_process(
      COMMAND ${PETAUDIT_NVCC} -I${PROJECT_SOURCE_DIR} -arch=compute_75 -ptx ${petaudit_kernels_cu} -o
              ${PETAUDIT_KERNELS_FOLDER}/probe.ptx RESULT_VARIABLE failed OUTPUT_VARIABLE nvcc_said ERROR_VARIABLE nvcc_said)
    if(said MATCHES "V([0-9.]+)" AND failed EQUAL 0)
      set(petaudit_nvcc_found "nvcc ${CMAKE_MATCH_1}")
    else()
      message(STATUS "${PETAUDIT_NVCC} does not compile the kernels: ${nvcc_said}")
    endif()
  endif()
endif()
if(PETAUDIT_CUDA_COMPILER MATCHES "auto|clang")
  find_program(PETAUDIT_PTX_CLANG NAMES clang clang-20 clang-19 clang-18 clang-17 clang-16 clang-15 clang-14)
  if(PETAUDIT_PTX_CLANG)
    execute_process(COMMAND ${PETAUDIT_PTX_CLANG} --version OUTPUT_VARIABLE said ERROR_QUIET)
    execute_process(COMMAND ${PETAUDIT_PTX_CLANG} -print-targets OUTPUT_VARIABLE targets ERROR_QUIET)
    if(said MATCHES "clang version ([0-9.]+)" AND targets MATCHES "nvptx64")
      string(REGEX MATCH "clang version ([0-9.]+)" said "${said}")
      set(petaudit_clang_found "clang ${CMAKE_MATCH_1}")
    else()
      message(STATUS "${PETAUDIT_PTX_CLANG} does not make PTX")
    endif()
  endif()
endif()
if(PETAUDIT_CUDA_COMPILER MATCHES "nvcc|clang" AND NOT petaudit_${PETAUDIT_CUDA_COMPILER}_found)
  message(FATAL_ERROR "PETAUDIT_CUDA_COMPILER is ${PETAUDIT_CUDA_COMPILER}, which was not found or does not work")
endif()

# Makes OUTPUT out of all kernels with the command that follows.
function(petaudit_kernel_output output comment)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${ARGN}
    DEPENDS ${petaudit_kernel_sources}
    COMMENT "${comment}"
    VERBATIM)
endfunction()

function(petaudit_lowered_ptx input output)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${input} -DOUTPUT=${output} -P ${PROJECT_SOURCE_DIR}/cmake/lower_ptx.cmake
    DEPENDS ${input} ${PROJECT_SOURCE_DIR}/cmake/lower_ptx.cmake
    COMMENT "Lowering the version of ${output}"
    VERBATIM)
endfunction()

# Spills and local memory are errors, as all warnings are.
function(petaudit_nvcc_outputs cubins)
  set(nvcc ${PETAUDIT_NVCC} -I${PROJECT_SOURCE_DIR} --Werror all-warnings)
  set(strict -Xptxas --warn-on-spills -Xptxas --warn-on-local-memory-usage -Xptxas --warning-as-error)
  set(made "")
  foreach(sm ${PETAUDIT_CUDA_ARCHITECTURES})
    if(petaudit_nvcc_known MATCHES "sm_${sm}($|[^0-9])")
      petaudit_kernel_output(${PETAUDIT_KERNELS_FOLDER}/kernels_${sm}.cubin "Compiling kernels for sm_${sm}" ${nvcc} ${strict}
                             -arch=sm_${sm} -cubin ${petaudit_kernels_cu} -o ${PETAUDIT_KERNELS_FOLDER}/kernels_${sm}.cubin)
      list(APPEND made ${sm})
    else()
      message(STATUS "${petaudit_nvcc_found} makes no code for sm_${sm}: such a device will compile the PTX when it is opened")
    endif()
  endforeach()
  foreach(shape 75 100)
    if(petaudit_nvcc_known MATCHES "sm_${shape}($|[^0-9])")
      set(raw ${PETAUDIT_KERNELS_FOLDER}/nvcc_${shape}.ptx)
      petaudit_kernel_output(${raw} "Compiling kernels to PTX in the shape of compute_${shape}" ${nvcc} -arch=compute_${shape}
                             -ptx ${petaudit_kernels_cu} -o ${raw})
      petaudit_lowered_ptx(${raw} ${PETAUDIT_KERNELS_FOLDER}/kernels_nvcc_${shape}.ptx)
    endif()
  endforeach()
  set(${cubins} ${made} PARENT_SCOPE)
endfunction()

function(petaudit_clang_outputs)
  set(raw ${PETAUDIT_KERNELS_FOLDER}/clang_75.ptx)
  # The kernels include none of NVIDIA's headers, so whichever toolkit clang finds does not matter.
  petaudit_kernel_output(
    ${raw} "Compiling kernels to PTX by clang" ${PETAUDIT_PTX_CLANG} -I${PROJECT_SOURCE_DIR} -x cuda --cuda-device-only
    --cuda-gpu-arch=sm_75 -nocudainc -nocudalib -Xclang -target-feature -Xclang +ptx63 -O3 -Wall -Wextra -Werror
    -Wno-unknown-cuda-version -S ${petaudit_kernels_cu} -o ${raw})
  petaudit_lowered_ptx(${raw} ${PETAUDIT_KERNELS_FOLDER}/kernels_clang.ptx)
endfunction()

function(petaudit_cuda_images target)
  file(MAKE_DIRECTORY ${PETAUDIT_KERNELS_FOLDER})
  set(made_cubins "")
  set(includes "")
  set(entries "")
  set(shapes "")
  if(petaudit_nvcc_found)
    petaudit_nvcc_outputs(made_cubins)
    list(APPEND shapes nvcc_75 nvcc_100)
  endif()
  if(petaudit_clang_found)
    petaudit_clang_outputs()
    list(APPEND shapes clang)
  endif()
  foreach(sm ${made_cubins})
    petaudit_embed(${target} ${PETAUDIT_KERNELS_FOLDER}/kernels_${sm}.cubin pa_kernels_sm_${sm})
    string(APPEND includes "#include \"embedded/pa_kernels_sm_${sm}.h\"\n")
    string(APPEND entries " C(${sm})")
  endforeach()
  set(compiler "")
  if(petaudit_nvcc_found)
    set(compiler "${petaudit_nvcc_found}")
    set(embedded nvcc_75)
  elseif(petaudit_clang_found)
    set(compiler "${petaudit_clang_found}")
    set(embedded clang)
  endif()
  if(compiler)
    petaudit_embed(${target} ${PETAUDIT_KERNELS_FOLDER}/kernels_${embedded}.ptx pa_kernels_ptx)
    string(APPEND includes "#include \"embedded/pa_kernels_ptx.h\"\n#define PA_CUDA_HAS_PTX\n")
    list(JOIN made_cubins " " names)
    message(STATUS "Device kernels: PTX by ${compiler}, machine code for compute capabilities: ${names}")
  else()
    message(STATUS "Device kernels: none, because neither nvcc nor a clang that makes PTX was found (or wanted)")
  endif()
  file(
    CONFIGURE
    OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/embedded/cuda_images_built.h"
    CONTENT "/* What this build has of the device kernels. */\n@includes@#define PA_CUDA_CUBINS(C)@entries@\n#define PA_CUDA_COMPILER \"@compiler@\"\n"
    @ONLY)
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_BINARY_DIR}")
  # What only the tests look at.
  if(PETAUDIT_TESTS AND shapes)
    list(TRANSFORM shapes REPLACE "(.+)" "${PETAUDIT_KERNELS_FOLDER}/kernels_\\1.ptx" OUTPUT_VARIABLE texts)
    add_custom_target(kernel_shapes ALL DEPENDS ${texts})
  endif()
  set_property(GLOBAL PROPERTY PETAUDIT_KERNEL_SHAPES "${shapes}")
endfunction()
