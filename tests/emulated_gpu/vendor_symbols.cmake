# SPDX-License-Identifier: Apache-2.0
# Our tables against the genuine libraries, where a CUDA toolkit is installed. Where there is none, the test is not
# registered, and the configuration says so: nothing here is skipped in silence.
set(toolkit_folders /usr/local/cuda/lib64 /usr/local/cuda/lib /usr/lib/x86_64-linux-gnu)
set(stub_folders "")
foreach(folder ${toolkit_folders})
  list(APPEND stub_folders ${folder}/stubs)
endforeach()
find_file(PETAUDIT_GENUINE_CUDA NAMES libcuda.so HINTS ${stub_folders} NO_DEFAULT_PATH)
find_file(PETAUDIT_GENUINE_LT NAMES libcublasLt.so.13 libcublasLt.so.12 HINTS ${toolkit_folders} NO_DEFAULT_PATH)
find_file(PETAUDIT_GENUINE_NCCL NAMES libnccl.so.2 HINTS ${toolkit_folders} NO_DEFAULT_PATH)
find_file(PETAUDIT_GENUINE_NVML NAMES libnvidia-ml.so libnvidia-ml.so.1 HINTS ${stub_folders} NO_DEFAULT_PATH)
set(genuine_libraries "")
foreach(pair cuda=CUDA cublaslt=LT nccl=NCCL nvml=NVML)
  string(REPLACE "=" ";" pair ${pair})
  list(GET pair 0 key)
  list(GET pair 1 name)
  if(PETAUDIT_GENUINE_${name})
    list(APPEND genuine_libraries ${key}=${PETAUDIT_GENUINE_${name}})
  else()
    message(STATUS "No genuine ${key} library of a CUDA toolkit: its table of symbols cannot be checked here")
  endif()
endforeach()
# Under a sanitizer the vendors' own leaks and races would be counted.
if(genuine_libraries AND NOT PETAUDIT_SANITIZE)
  petaudit_test(test_vendor_symbols LABEL emulated_gpu SOURCES test_vendor_symbols.c ROOMS device
                ARGUMENTS ${genuine_libraries})
  target_include_directories(test_vendor_symbols PRIVATE ${PROJECT_SOURCE_DIR}/tests)
endif()
