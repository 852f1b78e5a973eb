# SPDX-License-Identifier: Apache-2.0
# The interpreter is a library of its own: its tests, its bench and its fuzz target need no driver.
add_library(ptx STATIC
  ${CMAKE_CURRENT_LIST_DIR}/ptx_access.c
  ${CMAKE_CURRENT_LIST_DIR}/ptx_address.c
  ${CMAKE_CURRENT_LIST_DIR}/ptx_alu.c
  ${CMAKE_CURRENT_LIST_DIR}/ptx_cvt.c
  ${CMAKE_CURRENT_LIST_DIR}/ptx_decode.c
  ${CMAKE_CURRENT_LIST_DIR}/ptx_exchange.c
  ${CMAKE_CURRENT_LIST_DIR}/ptx_form.c
  ${CMAKE_CURRENT_LIST_DIR}/ptx_lex.c
  ${CMAKE_CURRENT_LIST_DIR}/ptx_module.c
  ${CMAKE_CURRENT_LIST_DIR}/ptx_operand.c
  ${CMAKE_CURRENT_LIST_DIR}/ptx_parse.c
  ${CMAKE_CURRENT_LIST_DIR}/ptx_run.c
  ${CMAKE_CURRENT_LIST_DIR}/ptx_variable.c
  ${CMAKE_CURRENT_LIST_DIR}/ptx_warp.c)
target_link_libraries(ptx PUBLIC petaudit_flags Threads::Threads)
target_include_directories(ptx PUBLIC ${PROJECT_SOURCE_DIR}/tests)
set_target_properties(ptx PROPERTIES POSITION_INDEPENDENT_CODE ON)
if(NOT PETAUDIT_SANITIZE)
  # Loops over lanes become vector code.
  target_compile_options(ptx PRIVATE -O3)
endif()
