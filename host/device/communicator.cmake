# SPDX-License-Identifier: Apache-2.0
# The cpu backend's all-reduce, and the module that brings MPI to it where there is one.
set(device_folder ${CMAKE_CURRENT_LIST_DIR})
petaudit_room(
  communicator
  SOURCES ${device_folder}/cpu_communicator.c ${device_folder}/cpu_mpi.c ${device_folder}/cpu_shm.c
  CALLS base
  LIBRARIES ${CMAKE_DL_LIBS})
# Sums of int32: plain loops that the compiler vectorises at this level.
set_source_files_properties(${device_folder}/cpu_shm.c PROPERTIES COMPILE_OPTIONS -O3)

find_package(MPI QUIET COMPONENTS C)
if(MPI_C_FOUND)
  add_library(petaudit_mpi MODULE ${device_folder}/mpi_module.c)
  target_link_libraries(petaudit_mpi PRIVATE petaudit_flags MPI::MPI_C)
  set_target_properties(petaudit_mpi PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY
                                                          ${PROJECT_BINARY_DIR}/lib/petaudit)
else()
  message(STATUS "MPI not found: all-reduce works between processes on one host only")
endif()
