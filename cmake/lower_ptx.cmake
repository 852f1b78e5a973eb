# SPDX-License-Identifier: Apache-2.0
# cmake -DINPUT=a.ptx -DOUTPUT=b.ptx -P lower_ptx.cmake: the same PTX, said to be of version 6.3 for compute capability 7.5.
#
# nvcc writes its own version (9.0), which only drivers of the same age read (others answer UNSUPPORTED_PTX_VERSION). The
# kernels use nothing newer than 6.3, the first version that knows 7.5; the structure test has ptxas confirm it.
file(READ "${INPUT}" text)
string(REGEX MATCHALL "\n[.]version [0-9.]+\n[.]target sm_[0-9]+" headers "${text}")
list(LENGTH headers count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "${INPUT}: expected one .version with a .target after it, found ${count}")
endif()
string(REPLACE "${headers}" "\n.version 6.3\n.target sm_75" text "${text}")
file(WRITE "${OUTPUT}" "${text}")
