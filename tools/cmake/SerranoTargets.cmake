# Libraries and tools. A target declared with MLIR links the compiler's shared
# libraries and uses the shared precompiled header; a target declared without
# it can link LLVM (LINK LLVM) but nothing of MLIR, not even through another
# library, which keeps the simulator independent of the compiler.

add_library(SerranoPch OBJECT ${CMAKE_SOURCE_DIR}/tools/cmake/SerranoPch.cpp)
target_precompile_headers(SerranoPch PRIVATE ${CMAKE_SOURCE_DIR}/tools/cmake/SerranoPch.h)
set_target_properties(SerranoPch PROPERTIES SERRANO_USES_MLIR TRUE)

# Shared by the functions below.
function(serrano_configure_target target scope)
  cmake_parse_arguments(PARSE_ARGV 2 ARG "MLIR" "" "LINK;DEPENDS")
  target_link_libraries(${target} ${scope} ${ARG_LINK})
  if(ARG_DEPENDS)
    add_dependencies(${target} ${ARG_DEPENDS})
  endif()
  if(ARG_MLIR)
    set_target_properties(${target} PROPERTIES SERRANO_USES_MLIR TRUE)
    target_link_libraries(${target} ${scope} MLIR LLVM)
    target_precompile_headers(${target} REUSE_FROM SerranoPch)
    return()
  endif()
  foreach(library IN LISTS ARG_LINK)
    if(TARGET ${library})
      get_target_property(uses_mlir ${library} SERRANO_USES_MLIR)
      if(uses_mlir)
        message(FATAL_ERROR "${target} is declared without MLIR, but links ${library}, which uses it")
      endif()
    endif()
  endforeach()
endfunction()

# serrano_add_library(<Name> <source>... [LINK <library>...] [DEPENDS <target>...] [MLIR])
#
# A static library Serrano<Folder> with the alias Serrano::<Folder>. LINK is
# passed on to what links the library. DEPENDS names tablegen targets.
function(serrano_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "MLIR" "" "LINK;DEPENDS")
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  string(REGEX REPLACE "^Serrano" "" short_name ${name})
  add_library(Serrano::${short_name} ALIAS ${name})
  list(REMOVE_ITEM ARGN ${ARG_UNPARSED_ARGUMENTS})
  serrano_configure_target(${name} PUBLIC ${ARGN})
endfunction()

# Shared by serrano_add_tool and serrano_add_tblgen.
function(serrano_configure_executable name)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  # For --version.
  target_compile_definitions(${name} PRIVATE SERRANO_VERSION="${PROJECT_VERSION}")
endfunction()

# serrano_add_tool(<name> <source>... [LINK <library>...] [DEPENDS <target>...] [MLIR])
#
# An executable <build>/bin/<name>.
function(serrano_add_tool name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "MLIR" "" "LINK;DEPENDS")
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  serrano_configure_executable(${name})
  list(REMOVE_ITEM ARGN ${ARG_UNPARSED_ARGUMENTS})
  serrano_configure_target(${name} PRIVATE ${ARGN})
endfunction()

# serrano_add_tblgen(<name> <source>...)
#
# A TableGen generator <build>/bin/<name>. It links LLVM's and MLIR's TableGen
# libraries, which exist only as archives, and therefore must not link the
# shared LLVM beside them.
function(serrano_add_tblgen name)
  add_executable(${name} ${ARGN})
  serrano_configure_executable(${name})
  target_link_libraries(${name} PRIVATE MLIRTblgenLib MLIRTableGen LLVMTableGen LLVMSupport)
endfunction()
