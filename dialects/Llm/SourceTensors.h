//===- SourceTensors.h - which tensors of the model values are --*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The location of an operation says which node it came from and which tensors
// of the source model its results hold. Locations decide nothing: whether two
// operations or two layers are equal does not depend on them. A rewriting that
// replaces a value by an equal one moves the tensors along, which
// `SourceTensorListener` does for all patterns.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_SOURCETENSORS_H
#define SERRANO_DIALECTS_LLM_SOURCETENSORS_H

#include "dialects/Llm/Llm.h"
#include "mlir/IR/PatternMatch.h"

namespace serrano::llm {

/// The name of the node, or the tensor, that an operation came from; null if
/// its location has none.
mlir::StringAttr getSourceName(mlir::Location loc);

/// The tensors that results of `op` hold.
llvm::SmallVector<SourceTensorAttr> getSourceTensors(mlir::Operation *op);

/// Replaces them.
void setSourceTensors(mlir::Operation *op,
                      llvm::ArrayRef<SourceTensorAttr> tensors);

/// `loc` for an operation whose results are other values.
mlir::Location withoutSourceTensors(mlir::Location loc);

/// Notes that `value` holds the tensor `name`. Arguments hold nothing.
void addSourceTensor(mlir::Value value, llvm::StringRef name);

/// The tensors of the results of `op` are now those of `values`, to which they
/// are equal.
void moveSourceTensors(mlir::Operation *op, mlir::ValueRange values);

/// `to` holds what `from` does, with shapes and strides that `convert` gives; it
/// gives null for those of a tensor that `to` does not hold.
void copySourceTensors(mlir::Operation *from, mlir::Operation *to,
                       llvm::function_ref<ExtentAttr(ExtentAttr)> convert);

/// `to` holds what each of `layers` does, which are the same operation in equal
/// layers: of each tensor the names in all layers.
void joinSourceTensors(mlir::Operation *to,
                       llvm::ArrayRef<mlir::Operation *> layers);

/// To be called before `op` is erased. What a transposition or reshape holds,
/// its operand holds as a view; of other operations it is lost.
void keepSourceTensors(mlir::Operation *op);

/// The row-major strides of `shape`.
llvm::SmallVector<ExtentAttr> getRowMajorStrides(mlir::MLIRContext *context,
                                                 llvm::ArrayRef<ExtentAttr> shape);

/// Keeps the tensors up to date with what patterns do.
struct SourceTensorListener : mlir::RewriterBase::Listener {
  void notifyOperationInserted(mlir::Operation *op,
                               mlir::OpBuilder::InsertPoint previous) override;
  void notifyOperationReplaced(mlir::Operation *op,
                               mlir::ValueRange replacement) override;
  using mlir::RewriterBase::Listener::notifyOperationReplaced;
  void notifyOperationErased(mlir::Operation *op) override;
};

} // namespace serrano::llm

#endif // SERRANO_DIALECTS_LLM_SOURCETENSORS_H
