//===- Ops/Reduction.cpp - reductions -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../OpTable.h"

using namespace mlir;
using namespace serrano::llm;
using namespace serrano::onnx_import;

template <ReduceKind kind>
static void buildReduce(Node &node) {
  Value operand = node.value(0);
  std::optional<SmallVector<int64_t>> axes = node.axes(1, node.rank(0));
  if (!axes || axes->empty()) {
    if (node.integer("noop_with_empty_axes", 0))
      return node.result(0, operand);
    axes = llvm::to_vector(llvm::seq<int64_t>(0, node.rank(0)));
  }
  bool dropAxes = !node.integer("keepdims", 1);
  Extents result = node.infer([&](ShapeInference &s) {
    return s.reduce(node.extents(0), *axes, dropAxes);
  });
  node.result(0, ReduceOp::create(node.getBuilder(),
                                  getTensorType(result, node.elementType(0)),
                                  kind, operand, *axes, dropAxes));
}

static void buildSoftmax(Node &node) {
  Value operand = node.value(0);
  int64_t axis = node.normalizeAxis(node.integer("axis", -1), node.rank(0));
  node.result(0, SoftmaxOp::create(node.getBuilder(), operand.getType(),
                                   operand, axis));
}

llvm::ArrayRef<OpEntry> serrano::onnx_import::getReductionOps() {
  static constexpr OpEntry entries[] = {
      {"", "ReduceMax", buildReduce<ReduceKind::Max>},
      {"", "ReduceMean", buildReduce<ReduceKind::Mean>},
      {"", "ReduceMin", buildReduce<ReduceKind::Min>},
      {"", "ReduceSum", buildReduce<ReduceKind::Sum>},
      {"", "Softmax", buildSoftmax},
  };
  return entries;
}
