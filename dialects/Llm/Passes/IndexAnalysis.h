//===- IndexAnalysis.h - tensors as functions of their indices -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_PASSES_INDEXANALYSIS_H
#define SERRANO_DIALECTS_LLM_PASSES_INDEXANALYSIS_H

#include "dialects/Llm/Llm.h"

namespace serrano::llm {

/// A condition on the indices of an element.
struct Condition {
  enum Kind {
    /// `value <= 0`
    AtMostZero,
    /// the element of `tensor`, an argument of the function, at `indices` is
    /// not 0
    IsSet
  } kind;
  ExtentAttr value;
  mlir::Value tensor;
  llvm::SmallVector<ExtentAttr> indices;
  bool isNegated = false;

  bool operator==(const Condition &other) const {
    return kind == other.kind && value == other.value &&
           tensor == other.tensor && indices == other.indices &&
           isNegated == other.isNegated;
  }
};

/// What is known of one element: an integer as a polynomial over the symbols of
/// extents and indices, or which of two constants it is.
struct Element {
  /// The element, if it is a known integer.
  ExtentAttr integer;
  /// Otherwise: `whenTrue` if all conditions hold, else `whenFalse`.
  llvm::SmallVector<Condition> conditions;
  double whenTrue = 0, whenFalse = 0;
};

/// Computes elements of tensors as functions of their indices, through the
/// arithmetic by which exporters make masks and positions.
///
/// Arguments of the function that hold integers are taken to be masks: their
/// elements are 0 or 1.
class IndexAnalysis {
public:
  explicit IndexAnalysis(mlir::MLIRContext *context) : context(context) {}

  /// The element of `tensor` at these indices, or nothing; then getProblem()
  /// says why.
  std::optional<Element> evaluate(mlir::Value tensor,
                                  llvm::ArrayRef<ExtentAttr> indices);

  const std::string &getProblem() const { return problem; }

private:
  std::optional<Element> fail(mlir::Operation *op, llvm::StringRef why);
  std::optional<Element> evaluateReshape(ReshapeOp op,
                                         llvm::ArrayRef<ExtentAttr> indices);
  std::optional<Element> evaluateBinary(BinaryOp op,
                                        llvm::ArrayRef<ExtentAttr> indices);
  std::optional<Element> evaluateCompare(CompareOp op,
                                         llvm::ArrayRef<ExtentAttr> indices);
  std::optional<Element> evaluateSelect(SelectOp op,
                                        llvm::ArrayRef<ExtentAttr> indices);
  std::optional<Element> evaluateGather(mlir::Value operand,
                                        mlir::Value indexTensor,
                                        llvm::ArrayRef<ExtentAttr> indices,
                                        GatherOp op);
  std::optional<Element> evaluateGatherNd(GatherNdOp op,
                                          llvm::ArrayRef<ExtentAttr> indices);

  /// A constant whose elements depend on the distance between two indices only,
  /// like causal masks and those of a window do.
  std::optional<Element> evaluateTable(mlir::Value table,
                                       llvm::ArrayRef<ExtentAttr> indices);

  /// An operand that is broadcast to the shape that `indices` index.
  std::optional<Element> evaluateBroadcast(mlir::Value operand,
                                           llvm::ArrayRef<ExtentAttr> indices);

  mlir::MLIRContext *context;
  std::string problem;
};

} // namespace serrano::llm

#endif // SERRANO_DIALECTS_LLM_PASSES_INDEXANALYSIS_H
