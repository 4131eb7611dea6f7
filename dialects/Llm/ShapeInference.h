//===- ShapeInference.h - the extents of results -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_SHAPEINFERENCE_H
#define SERRANO_DIALECTS_LLM_SHAPEINFERENCE_H

#include "dialects/Llm/Llm.h"

#include "llvm/Support/FormatVariadic.h"
#include <functional>

namespace serrano::llm {

using Extents = llvm::SmallVector<ExtentAttr>;

/// Computes the extents of an operation's result from those of its operands.
/// Verifiers and the importer share it; they differ in what happens when two
/// extents have to be equal: a verifier compares, the importer may learn from
/// it that two symbols of the model mean the same.
class ShapeInference {
public:
  using Equate = std::function<bool(ExtentAttr, ExtentAttr)>;

  /// `equate` says whether two extents are, or are now taken to be, equal.
  explicit ShapeInference(Equate equate) : equate(std::move(equate)) {}
  ShapeInference()
      : equate([](ExtentAttr lhs, ExtentAttr rhs) { return lhs == rhs; }) {}

  mlir::FailureOr<Extents> broadcast(llvm::ArrayRef<ExtentAttr> lhs,
                                     llvm::ArrayRef<ExtentAttr> rhs);
  mlir::FailureOr<Extents> matmul(llvm::ArrayRef<ExtentAttr> lhs,
                                  llvm::ArrayRef<ExtentAttr> rhs);
  mlir::FailureOr<Extents>
  linear(llvm::ArrayRef<ExtentAttr> input, llvm::ArrayRef<ExtentAttr> weight,
         std::optional<llvm::ArrayRef<ExtentAttr>> bias);
  mlir::FailureOr<Extents> concat(llvm::ArrayRef<Extents> operands,
                                  int64_t axis);
  mlir::FailureOr<Extents> transpose(llvm::ArrayRef<ExtentAttr> operand,
                                     llvm::ArrayRef<int64_t> permutation);
  mlir::FailureOr<Extents> reduce(llvm::ArrayRef<ExtentAttr> operand,
                                  llvm::ArrayRef<int64_t> axes, bool dropAxes);
  mlir::FailureOr<Extents> gather(llvm::ArrayRef<ExtentAttr> operand,
                                  llvm::ArrayRef<ExtentAttr> indices,
                                  int64_t axis);
  mlir::FailureOr<Extents> gatherNd(llvm::ArrayRef<ExtentAttr> operand,
                                    llvm::ArrayRef<ExtentAttr> indices);
  mlir::FailureOr<Extents> attention(llvm::ArrayRef<ExtentAttr> query,
                                     llvm::ArrayRef<ExtentAttr> key,
                                     llvm::ArrayRef<ExtentAttr> value);

  /// What is wrong, after a failure.
  const std::string &getError() const { return error; }

private:
  template <typename... Args>
  mlir::LogicalResult fail(const char *format, Args &&...args) {
    error = llvm::formatv(format, std::forward<Args>(args)...).str();
    return mlir::failure();
  }

  Equate equate;
  std::string error;
};

} // namespace serrano::llm

#endif // SERRANO_DIALECTS_LLM_SHAPEINFERENCE_H
