# Unit tests. Everything that lit and pytest run is built by ninja's default
# target, so that a test run never meets a stale binary.

find_package(GTest REQUIRED)

# serrano_add_unittest(<Name> <source>... [LINK <library>...] [DEPENDS <target>...] [MLIR])
#
# A GoogleTest binary <build>/test/Unit/<Name>, found and run by lit. The name
# has to end in "Tests".
function(serrano_add_unittest name)
  if(NOT name MATCHES "Tests$")
    message(FATAL_ERROR "the name of unit test '${name}' has to end in 'Tests': lit finds the binaries by it")
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 ARG "MLIR" "" "LINK;DEPENDS")
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test/Unit)
  target_link_libraries(${name} PRIVATE GTest::gmock GTest::gtest GTest::gtest_main)
  list(REMOVE_ITEM ARGN ${ARG_UNPARSED_ARGUMENTS})
  serrano_configure_target(${name} PRIVATE ${ARGN})
endfunction()
