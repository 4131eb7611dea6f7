//===- Matching.cpp - recognising values in patterns -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Passes/Matching.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace serrano::llm;

std::optional<double> serrano::llm::getScalar(Value value) {
  DenseElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) || !elements.isSplat())
    return std::nullopt;
  if (isa<FloatType>(elements.getElementType()))
    return elements.getSplatValue<APFloat>().convertToDouble();
  if (elements.getElementType().isInteger(1))
    return elements.getSplatValue<bool>();
  return double(elements.getSplatValue<APInt>().getSExtValue());
}

bool serrano::llm::isScalar(Value value, double expected) {
  std::optional<double> scalar = getScalar(value);
  return scalar && std::abs(*scalar - expected) <= 1e-6 * std::abs(expected);
}

bool serrano::llm::matchEitherOrder(
    BinaryOp op, llvm::function_ref<bool(Value, Value)> matches) {
  return matches(op.getLhs(), op.getRhs()) || matches(op.getRhs(), op.getLhs());
}

bool serrano::llm::isWeight(Value value, int64_t rank) {
  return cast<RankedTensorType>(value.getType()).getRank() == rank &&
         isa_and_nonnull<GetWeightOp, arith::ConstantOp>(value.getDefiningOp());
}

static void collectFactors(Value value, Product &product, bool isRoot) {
  if (std::optional<double> scalar = getScalar(value)) {
    product.constant *= *scalar;
    return;
  }
  auto op = value.getDefiningOp<BinaryOp>();
  if (op && (isRoot || op->hasOneUse())) {
    if (op.getKind() == BinaryKind::Mul) {
      collectFactors(op.getLhs(), product, false);
      collectFactors(op.getRhs(), product, false);
      return;
    }
    if (std::optional<double> divisor = getScalar(op.getRhs());
        op.getKind() == BinaryKind::Div && divisor) {
      product.constant /= *divisor;
      collectFactors(op.getLhs(), product, false);
      return;
    }
  }
  product.factors.push_back(value);
}

Product serrano::llm::getProduct(Value value) {
  Product product;
  collectFactors(value, product, /*isRoot=*/true);
  return product;
}

Value serrano::llm::stripReshapes(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<ReshapeOp, BroadcastOp>(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

Location serrano::llm::fuseLocations(ValueRange values) {
  SmallVector<Location> locations =
      llvm::map_to_vector(values, [](Value value) { return value.getLoc(); });
  return FusedLoc::get(values.front().getContext(), locations);
}
