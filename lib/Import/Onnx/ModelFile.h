//===- ModelFile.h - reads a model without its weights -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_IMPORT_ONNX_MODELFILE_H
#define SERRANO_LIB_IMPORT_ONNX_MODELFILE_H

#include "onnx/onnx_pb.h"
#include "llvm/ADT/StringRef.h"

namespace serrano::onnx_import {

/// The `location` of external data that lies in the model's own file.
inline constexpr llvm::StringLiteral kModelFileLocation = "";

/// Reads the model in `path` (protobuf, or text if the name ends in
/// ".onnxtext"). Tensors with more than 8 bytes of in-line data come back
/// without them, as tensors with external data at kModelFileLocation; the bytes
/// are not copied. Metadata that the importer does not use is dropped.
onnx::ModelProto readModel(llvm::StringRef path);

} // namespace serrano::onnx_import

#endif // SERRANO_LIB_IMPORT_ONNX_MODELFILE_H
