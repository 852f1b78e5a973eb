# SPDX-License-Identifier: Apache-2.0
# The flags every target shares, and `petaudit_room`: one static library per room of host/, with the rooms it may call.

add_library(petaudit_flags INTERFACE)
target_compile_definitions(petaudit_flags INTERFACE _GNU_SOURCE)
target_include_directories(petaudit_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/host)
target_compile_options(
  petaudit_flags
  INTERFACE -Wall
            -Wextra
            -Wshadow
            -Wconversion
            -Wstrict-prototypes
            -Wmissing-prototypes
            -Wformat=2
            -Wundef
            -fvisibility=hidden
            -fno-common
            # The same bits on every compiler: no fused multiply-add behind our back.
            -ffp-contract=off)
if(PETAUDIT_WERROR)
  target_compile_options(petaudit_flags INTERFACE -Werror)
endif()
if(PETAUDIT_SANITIZE)
  target_compile_options(petaudit_flags INTERFACE -fsanitize=${PETAUDIT_SANITIZE} -fno-sanitize-recover=all
                                                  -fno-omit-frame-pointer)
  target_link_options(petaudit_flags INTERFACE -fsanitize=${PETAUDIT_SANITIZE})
endif()
if(PETAUDIT_FUZZ)
  # Coverage in the rooms, so that libFuzzer sees what an input reached.
  target_compile_options(petaudit_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Tests of several builds run in one ctest; the prefix says which build a result came from.
if(PETAUDIT_SANITIZE MATCHES "thread")
  set(PETAUDIT_SUITE "tsan.")
elseif(PETAUDIT_SANITIZE)
  set(PETAUDIT_SUITE "asan.")
elseif(CMAKE_C_COMPILER_ID MATCHES "Clang")
  set(PETAUDIT_SUITE "clang.")
else()
  set(PETAUDIT_SUITE "")
endif()

# petaudit_room(NAME SOURCES a.c b.c CALLS base proof LIBRARIES PkgConfig::X)
function(petaudit_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;CALLS;LIBRARIES" ${ARGN})
  add_library(pa_${name} STATIC ${ROOM_SOURCES})
  target_link_libraries(pa_${name} PUBLIC petaudit_flags)
  foreach(room ${ROOM_CALLS})
    target_link_libraries(pa_${name} PUBLIC pa_${room})
  endforeach()
  target_link_libraries(pa_${name} PUBLIC ${ROOM_LIBRARIES})
endfunction()

include(${CMAKE_CURRENT_LIST_DIR}/../tests/threaded.cmake)

# petaudit_test(NAME LABEL unit SOURCES x.c ROOMS proof ...): a cmocka program, run by ctest under that label. With
# NO_MEMCHECK valgrind never runs it.
function(petaudit_test name)
  cmake_parse_arguments(TEST "NO_MEMCHECK" "LABEL;TIMEOUT" "SOURCES;ROOMS;ARGUMENTS" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE petaudit_flags PkgConfig::CMOCKA)
  foreach(room ${TEST_ROOMS})
    target_link_libraries(${name} PRIVATE pa_${room})
  endforeach()
  target_compile_definitions(${name} PRIVATE PETAUDIT_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(PETAUDIT_SANITIZE MATCHES "thread" AND NOT name IN_LIST PETAUDIT_THREADED_TESTS)
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL TRUE)
    return()
  endif()
  set(registered ${PETAUDIT_SUITE}${name})
  add_test(NAME ${registered} COMMAND ${name} ${TEST_ARGUMENTS})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 300)
  endif()
  set_tests_properties(${registered} PROPERTIES LABELS ${TEST_LABEL} TIMEOUT ${TEST_TIMEOUT})
  if(PETAUDIT_SANITIZE)
    set_tests_properties(${registered} PROPERTIES ENVIRONMENT PETAUDIT_STRIDE=13)
  endif()
  if(PETAUDIT_LONG_TESTS AND NOT PETAUDIT_SANITIZE AND TEST_LABEL STREQUAL "unit" AND NOT TEST_NO_MEMCHECK)
    add_test(NAME memcheck.${name} COMMAND ${PETAUDIT_VALGRIND} --quiet --fair-sched=try --error-exitcode=99 --leak-check=full
                                           --errors-for-leak-kinds=definite
                                           --show-leak-kinds=definite
                                           --suppressions=${PROJECT_SOURCE_DIR}/tests/memcheck.supp $<TARGET_FILE:${name}>
                                           ${TEST_ARGUMENTS})
    # A crowd of hundreds on one core, which is what valgrind gives a process, takes longer than peers wait.
    set_tests_properties(memcheck.${name} PROPERTIES LABELS memcheck TIMEOUT 3600
                                                     ENVIRONMENT "PETAUDIT_STRIDE=101;PETAUDIT_CROWD=60")
  endif()
endfunction()
