//===- Tensor.h - tensors of the reference evaluator -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_REFERENCE_TENSOR_H
#define SERRANO_TEST_REFERENCE_TENSOR_H

#include "mlir/IR/BuiltinAttributes.h"
#include "serrano/Support/Npz.h"

namespace serrano::reference {

/// A tensor with all its elements in row-major order: floats as f32, integers
/// and booleans as i64.
struct Tensor {
  llvm::SmallVector<int64_t> shape;
  bool isFloat = true;
  std::vector<float> floats;
  std::vector<int64_t> integers;

  int64_t size() const;
  static Tensor makeFloats(llvm::ArrayRef<int64_t> shape);
  static Tensor makeIntegers(llvm::ArrayRef<int64_t> shape);
};

Tensor fromConstant(mlir::DenseElementsAttr elements);
llvm::Expected<Tensor> fromNumpy(const NpyArray &array);
NpyArray toNumpy(const Tensor &tensor);

/// `result[i] = source[f(i)]` for all index vectors of `shape`.
Tensor gatherElements(
    const Tensor &source, llvm::ArrayRef<int64_t> shape,
    llvm::function_ref<int64_t(llvm::ArrayRef<int64_t>)> sourcePosition);
/// Row-major strides.
llvm::SmallVector<int64_t> stridesOf(llvm::ArrayRef<int64_t> shape);
/// Strides of `shape` within `to`, 0 where it is repeated.
llvm::SmallVector<int64_t> broadcastStrides(llvm::ArrayRef<int64_t> shape,
                                            llvm::ArrayRef<int64_t> to);

} // namespace serrano::reference

#endif // SERRANO_TEST_REFERENCE_TENSOR_H
