//===- Ops/Linear.cpp - matrix products -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../OpTable.h"

using namespace mlir;
using namespace serrano::llm;
using namespace serrano::onnx_import;

static Value matmul(Node &node, Value lhs, Value rhs) {
  Extents result = node.infer([&](ShapeInference &s) {
    return s.matmul(node.extents(lhs), node.extents(rhs));
  });
  Type elementType = cast<RankedTensorType>(lhs.getType()).getElementType();
  if (elementType != cast<RankedTensorType>(rhs.getType()).getElementType() ||
      !isa<FloatType>(elementType))
    node.fail("operands have different or integer element types");
  return MatmulOp::create(node.getBuilder(), getTensorType(result, elementType),
                          lhs, rhs);
}

static void buildMatmul(Node &node) {
  Value lhs = node.value(0), rhs = node.value(1);
  Extents left = node.extents(0), right = node.extents(1);
  // A vector is a matrix of one row or column, which the result does not have.
  if (left.size() == 1)
    lhs = node.reshape(lhs, {node.extent(1), left[0]});
  if (right.size() == 1)
    rhs = node.reshape(rhs, {right[0], node.extent(1)});
  Value result = matmul(node, lhs, rhs);
  if (left.size() == 1 || right.size() == 1) {
    Extents extents = node.extents(result);
    if (right.size() == 1)
      extents.pop_back();
    if (left.size() == 1)
      extents.erase(extents.end() - (right.size() == 1 ? 1 : 2));
    result = node.reshape(result, extents);
  }
  node.result(0, result);
}

static void buildGemm(Node &node) {
  Value lhs = node.value(0), rhs = node.value(1);
  if (node.integer("transA", 0))
    lhs = node.transpose(lhs, {1, 0});
  if (node.integer("transB", 0))
    rhs = node.transpose(rhs, {1, 0});
  Value result = matmul(node, lhs, rhs);
  Type type = node.elementType(0);
  if (float alpha = node.real("alpha", 1); alpha != 1)
    result = node.binary(BinaryKind::Mul, result, node.scalar(alpha, type));
  if (node.has(2)) {
    Value bias = node.value(2);
    if (float beta = node.real("beta", 1); beta != 1)
      bias = node.binary(BinaryKind::Mul, bias, node.scalar(beta, type));
    result = node.binary(BinaryKind::Add, result, bias);
  }
  node.result(0, result);
}

llvm::ArrayRef<OpEntry> serrano::onnx_import::getLinearOps() {
  static constexpr OpEntry entries[] = {
      {"", "Gemm", buildGemm},
      {"", "MatMul", buildMatmul},
  };
  return entries;
}
