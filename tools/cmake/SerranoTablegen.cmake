# TableGen: mlir-tblgen for what MLIR generates, serrano-tblgen for the ISA.
# Every output lies in the build folder at the place its source has in the tree.

set(SERRANO_TBLGEN_INCLUDES ${CMAKE_SOURCE_DIR} ${MLIR_INCLUDE_DIRS})
list(REMOVE_DUPLICATES SERRANO_TBLGEN_INCLUDES)

# serrano_tablegen(<outputs variable> <output> <td file> [TOOL mlir-tblgen|serrano-tblgen] ARGS <flag>...)
#
# Runs a generator over <td file> into <output> (relative to the current build
# folder) and appends the output's path to <outputs variable>. Included files
# are tracked. mlir-tblgen is the default tool.
function(serrano_tablegen outputs output td)
  cmake_parse_arguments(PARSE_ARGV 3 ARG "" "TOOL" "ARGS")
  set(tool ${MLIR_TABLEGEN_EXE})
  if(ARG_TOOL AND NOT ARG_TOOL STREQUAL "mlir-tblgen")
    set(tool ${ARG_TOOL})
  endif()
  set(result ${CMAKE_CURRENT_BINARY_DIR}/${output})
  cmake_path(GET result PARENT_PATH result_folder)
  file(MAKE_DIRECTORY ${result_folder})
  cmake_path(ABSOLUTE_PATH td BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set(includes ${CMAKE_CURRENT_SOURCE_DIR} ${SERRANO_TBLGEN_INCLUDES})
  list(TRANSFORM includes PREPEND -I)
  add_custom_command(OUTPUT ${result}
    COMMAND ${tool} ${ARG_ARGS} ${includes} ${td} -o ${result} -d ${result}.d
    DEPENDS ${tool} ${td}
    DEPFILE ${result}.d
    COMMENT "Generating ${output}"
    VERBATIM)
  set(${outputs} ${${outputs}} ${result} PARENT_SCOPE)
endfunction()

# serrano_add_dialect_tablegen(<Name> <mnemonic>)
#
# Makes the target Serrano<Name>DialectIncGen, which generates from those of
# these files that exist in the current folder (dialects/<Name>):
#   <Name>Ops.td          <Name>Dialect.{h,cpp}.inc  <Name>Ops.{h,cpp}.inc
#   <Name>Types.td        <Name>Types.{h,cpp}.inc
#   <Name>Attributes.td   <Name>Attributes.{h,cpp}.inc
#   <Name>Enums.td        <Name>Enums.{h,cpp}.inc
#   <Name>Interfaces.td   <Name>Interfaces.{h,cpp}.inc (operation interfaces)
#   Passes/<Name>Passes.td  Passes/<Name>Passes.h.inc
# Pass it to the dialect's library: serrano_add_library(... DEPENDS Serrano<Name>DialectIncGen).
function(serrano_add_dialect_tablegen name mnemonic)
  set(generated)
  macro(decls_and_defs stem td flag)
    serrano_tablegen(generated ${stem}.h.inc ${td} ARGS -gen-${flag}-decls ${ARGN})
    serrano_tablegen(generated ${stem}.cpp.inc ${td} ARGS -gen-${flag}-defs ${ARGN})
  endmacro()
  macro(decls_and_defs_if_exists stem flag)
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${stem}.td)
      decls_and_defs(${stem} ${stem}.td ${flag} ${ARGN})
    endif()
  endmacro()
  decls_and_defs(${name}Dialect ${name}Ops.td dialect -dialect=${mnemonic})
  decls_and_defs(${name}Ops ${name}Ops.td op)
  decls_and_defs_if_exists(${name}Types typedef -typedefs-dialect=${mnemonic})
  decls_and_defs_if_exists(${name}Attributes attrdef -attrdefs-dialect=${mnemonic})
  decls_and_defs_if_exists(${name}Enums enum)
  decls_and_defs_if_exists(${name}Interfaces op-interface)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/Passes/${name}Passes.td)
    serrano_tablegen(generated Passes/${name}Passes.h.inc Passes/${name}Passes.td
                     ARGS -gen-pass-decls -name=${name})
  endif()
  add_custom_target(Serrano${name}DialectIncGen DEPENDS ${generated})
endfunction()

# serrano_add_passes_tablegen(<Target> <td file> <Group>)
#
# Makes <Target>, which generates <td file>'s stem with .h.inc: the pass
# declarations, with registration in register<Group>Passes().
function(serrano_add_passes_tablegen target td group)
  cmake_path(GET td STEM stem)
  set(generated)
  serrano_tablegen(generated ${stem}.h.inc ${td} ARGS -gen-pass-decls -name=${group})
  add_custom_target(${target} DEPENDS ${generated})
endfunction()

# serrano_add_isa_tablegen(<Target> <td file> <output> <flag> [<output> <flag>]...)
#
# Makes <Target>, which runs serrano-tblgen with each flag into each output.
function(serrano_add_isa_tablegen target td)
  set(generated)
  set(rest ${ARGN})
  while(rest)
    list(POP_FRONT rest output flag)
    serrano_tablegen(generated ${output} ${td} TOOL serrano-tblgen ARGS ${flag})
  endwhile()
  add_custom_target(${target} DEPENDS ${generated})
endfunction()
