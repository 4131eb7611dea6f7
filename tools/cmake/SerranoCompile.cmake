# Compiler flags of everything in the tree.

# Position-independent code is asked for with one flag for libraries and
# executables alike: clang refuses a precompiled header that was made with
# -fPIC in a file compiled with -fPIE.
add_compile_options(
  -fPIC
  -ffp-contract=off
  -Wall -Wextra -Wno-unused-parameter)
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Without its time stamp a precompiled header is the same file in every build,
  # which ccache needs.
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
endif()

find_program(SERRANO_LLD NAMES ld.lld-22 ld.lld HINTS ${LLVM_TOOLS_BINARY_DIR})
if(SERRANO_LLD)
  add_link_options(--ld-path=${SERRANO_LLD})
endif()

find_program(SERRANO_CCACHE ccache)
if(SERRANO_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${SERRANO_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${SERRANO_CCACHE})
endif()

# `#include "serrano/Support/Error.h"` is a public header of lib/,
# `#include "dialects/Llm/LlmOps.h"` a dialect's header and
# `#include "dialects/Llm/LlmOps.h.inc"` what TableGen made for it.
include_directories(
  ${CMAKE_SOURCE_DIR}/include
  ${CMAKE_SOURCE_DIR}
  ${CMAKE_BINARY_DIR})
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
separate_arguments(serrano_llvm_definitions NATIVE_COMMAND "${LLVM_DEFINITIONS}")
add_definitions(${serrano_llvm_definitions})
