# What `tools/setup` puts on the machine: LLVM and MLIR from the system, ONNX
# and the Python environment from Serrano's cache folder.

if(DEFINED ENV{SERRANO_CACHE})
  set(serrano_cache_default $ENV{SERRANO_CACHE})
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(serrano_cache_default $ENV{XDG_CACHE_HOME}/serrano)
else()
  set(serrano_cache_default $ENV{HOME}/.cache/serrano)
endif()
set(SERRANO_CACHE ${serrano_cache_default} CACHE PATH
    "Folder in which tools/setup keeps ONNX and the Python environment")

# ONNX's version is part of its folder's name, so that a new version is a new
# folder and an old one can never be picked up by mistake.
set(SERRANO_ONNX_VERSION 1.23.2)
list(PREPEND CMAKE_PREFIX_PATH ${SERRANO_CACHE}/onnx-${SERRANO_ONNX_VERSION})

if(NOT Python_EXECUTABLE AND EXISTS ${SERRANO_CACHE}/venv/bin/python)
  set(Python_EXECUTABLE ${SERRANO_CACHE}/venv/bin/python CACHE FILEPATH
      "Python of the environment that tools/setup makes")
endif()
set(Python3_EXECUTABLE ${Python_EXECUTABLE})

find_package(MLIR 22.1 REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
message(STATUS "LLVM ${LLVM_PACKAGE_VERSION} in ${LLVM_INSTALL_PREFIX}")

# ONNX::onnx, a static library; its own CMake package expects protobuf to have
# been found.
find_package(Protobuf REQUIRED)
find_package(ONNX ${SERRANO_ONNX_VERSION} EXACT CONFIG)
if(NOT ONNX_FOUND)
  message(FATAL_ERROR "ONNX ${SERRANO_ONNX_VERSION} is not in ${SERRANO_CACHE}: run tools/setup first")
endif()
