//===- Onnx.h - imports ONNX models -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_IMPORT_ONNX_H
#define SERRANO_IMPORT_ONNX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

namespace serrano {

/// Imports the ONNX model in the file `path` as a module of the llm dialect
/// with one function. A file whose name ends in ".onnxtext" is read as ONNX's
/// own text form.
///
/// Weights stay in their files: in-line ones are referenced by their offset in
/// `path`, external ones by theirs. Integers that depend on shapes only are
/// computed symbolically; none of that arithmetic is left in the module.
///
/// An error begins with the file and, where there is one, the node:
/// "FILE: node 'NAME' (OpType): what was expected and found".
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
importOnnx(llvm::StringRef path, mlir::MLIRContext &context);

/// The op type of each node of the model in the file `path`, by the name that
/// importOnnx gives it as a location; nothing if there is no such model.
llvm::StringMap<std::string> readOpTypes(llvm::StringRef path);

} // namespace serrano

#endif // SERRANO_IMPORT_ONNX_H
