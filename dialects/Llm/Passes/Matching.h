//===- Matching.h - recognising values in patterns -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_LLM_PASSES_MATCHING_H
#define SERRANO_DIALECTS_LLM_PASSES_MATCHING_H

#include "dialects/Llm/Llm.h"
#include "mlir/IR/PatternMatch.h"

namespace serrano::llm {

/// The value of a constant of one element or of equal elements.
std::optional<double> getScalar(mlir::Value value);

/// Whether `value` is such a constant, within a float's precision.
bool isScalar(mlir::Value value, double expected);

inline UnaryOp getUnary(mlir::Value value, UnaryKind kind) {
  auto op = value.getDefiningOp<UnaryOp>();
  return op && op.getKind() == kind ? op : UnaryOp();
}

inline BinaryOp getBinary(mlir::Value value, BinaryKind kind) {
  auto op = value.getDefiningOp<BinaryOp>();
  return op && op.getKind() == kind ? op : BinaryOp();
}

/// Whether `matches` holds for the operands of `op` in one order or the other.
bool matchEitherOrder(
    BinaryOp op, llvm::function_ref<bool(mlir::Value, mlir::Value)> matches);

/// Whether the value is a weight (or a constant in its place) of this rank.
bool isWeight(mlir::Value value, int64_t rank);

/// `value` is the product of `factors` and `constant`. Products of one use are
/// taken apart, divisions by a constant too.
struct Product {
  llvm::SmallVector<mlir::Value> factors;
  double constant = 1;
};
Product getProduct(mlir::Value value);

/// The value before operations that do not change elements or their order:
/// reshapes and broadcasts.
mlir::Value stripReshapes(mlir::Value value);

/// The locations of the matched values' operations in one.
mlir::Location fuseLocations(mlir::ValueRange values);

} // namespace serrano::llm

#endif // SERRANO_DIALECTS_LLM_PASSES_MATCHING_H
