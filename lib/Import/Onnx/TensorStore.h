//===- TensorStore.h - where the values of tensors are -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_IMPORT_ONNX_TENSORSTORE_H
#define SERRANO_LIB_IMPORT_ONNX_TENSORSTORE_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "onnx/onnx_pb.h"
#include "serrano/Support/MappedFile.h"
#include "llvm/ADT/StringMap.h"

namespace serrano::onnx_import {

/// Finds the values of tensors in the model's file and in external data, which
/// stay mapped while the importer runs. Only bytes that become constants are
/// looked at.
class TensorStore {
public:
  /// `modelPath` is the file that the model was read from.
  TensorStore(llvm::StringRef modelPath, mlir::MLIRContext &context)
      : modelPath(modelPath), context(&context) {}

  /// A place in a file. `file` is relative to the model's folder.
  struct Location {
    std::string file;
    uint64_t offset;
    uint64_t length;
  };

  /// Where the tensor's bytes are, if they are in a file. Throws if they are
  /// not all there.
  std::optional<Location> locate(const onnx::TensorProto &tensor);

  /// The tensor as a constant.
  mlir::DenseElementsAttr read(const onnx::TensorProto &tensor);

  /// The type of a tensor; throws for element types that do not exist here.
  mlir::RankedTensorType typeOf(const onnx::TensorProto &tensor);
  mlir::Type elementTypeOf(int32_t onnxType);
  /// The reverse of elementTypeOf.
  int32_t onnxTypeOf(mlir::Type elementType);
  static uint64_t byteSizeOf(mlir::RankedTensorType type);

private:
  /// Maps a file that holds data of `tensor`.
  const MappedFile &map(llvm::StringRef file, llvm::StringRef tensor);

  std::string modelPath;
  mlir::MLIRContext *context;
  llvm::StringMap<MappedFile> files;
};

} // namespace serrano::onnx_import

#endif // SERRANO_LIB_IMPORT_ONNX_TENSORSTORE_H
