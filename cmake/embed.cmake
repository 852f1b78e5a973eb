# SPDX-License-Identifier: Apache-2.0
# petaudit_embed(TARGET FILE SYMBOL): the content of FILE becomes part of TARGET, so that the binary needs no data files.
#
#   petaudit_embed(pa_claim policies/xinjiang-2024.yaml pa_policy_xinjiang_2024)
#   #include "embedded/pa_policy_xinjiang_2024.h"    // const unsigned char pa_policy_xinjiang_2024[]; const size_t ..._size
#
# A zero byte follows the content and is not counted, so that a text can be used as a C string. Call it in the CMakeLists.txt
# that makes TARGET. The same file, run as a script, is the converter: an edited FILE is converted again by the next build.

if(CMAKE_SCRIPT_MODE_FILE)
  file(READ "${INPUT}" content HEX)
  string(LENGTH "${content}" digits)
  math(EXPR size "${digits} / 2")
  string(REGEX REPLACE "(................................)" "\\1\n" content "${content}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," content "${content}")
  file(WRITE "${OUTPUT}.c" "#include \"embedded/${SYMBOL}.h\"\n\nconst _Alignas(16) unsigned char ${SYMBOL}[${size} + 1] = {\n${content}0};\n"
                           "const size_t ${SYMBOL}_size = ${size};\n")
  file(WRITE "${OUTPUT}.h" "#include <stddef.h>\n\nextern const unsigned char ${SYMBOL}[${size} + 1];\nextern const size_t ${SYMBOL}_size;\n")
  return()
endif()

set(PETAUDIT_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_FILE}")

function(petaudit_embed target file symbol)
  get_filename_component(input "${file}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
  set(output "${CMAKE_CURRENT_BINARY_DIR}/embedded/${symbol}")
  file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/embedded")
  add_custom_command(
    OUTPUT "${output}.c" "${output}.h"
    COMMAND "${CMAKE_COMMAND}" "-DINPUT=${input}" "-DOUTPUT=${output}" "-DSYMBOL=${symbol}" -P "${PETAUDIT_EMBED_SCRIPT}"
    DEPENDS "${input}" "${PETAUDIT_EMBED_SCRIPT}"
    COMMENT "Embedding ${file}"
    VERBATIM)
  target_sources(${target} PRIVATE "${output}.c" "${output}.h")
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_BINARY_DIR}")
endfunction()
