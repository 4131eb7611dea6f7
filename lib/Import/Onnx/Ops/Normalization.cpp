//===- Ops/Normalization.cpp - normalisations -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../OpTable.h"

using namespace mlir;
using namespace serrano::llm;
using namespace serrano::onnx_import;

/// Only the last dimension can be normalised.
static void requireLastAxis(Node &node) {
  int64_t axis = node.normalizeAxis(node.integer("axis", -1), node.rank(0));
  if (axis != node.rank(0) - 1)
    node.fail(llvm::formatv("attribute 'axis' is {0}; only the last dimension "
                            "of rank {1} is supported",
                            axis, node.rank(0)));
}

static void requireUnused(Node &node, int first, int last) {
  for (int i = first; i <= last; ++i)
    if (node.wants(i))
      node.fail(llvm::formatv("output {0} ('{1}') is not supported", i,
                              node.proto.output(i)));
}

static Value rmsNorm(Node &node, Value input, Value scale) {
  if (node.extents(scale).size() != 1)
    node.fail("scale has shape " + toString(node.extents(scale)) +
              "; expected one dimension");
  return RmsNormOp::create(
      node.getBuilder(), input.getType(), input, scale,
      node.getBuilder().getF32FloatAttr(node.real("epsilon", 1e-5f)),
      node.getBuilder().getF32FloatAttr(0));
}

static Value layerNorm(Node &node, Value input, Value scale, Value bias) {
  if (node.extents(scale).size() != 1)
    node.fail("scale has shape " + toString(node.extents(scale)) +
              "; expected one dimension");
  return LayerNormOp::create(
      node.getBuilder(), input.getType(), input, scale, bias,
      node.getBuilder().getF32FloatAttr(node.real("epsilon", 1e-5f)));
}

static void buildRmsNormalization(Node &node) {
  requireLastAxis(node);
  requireUnused(node, 1, 1);
  node.result(0, rmsNorm(node, node.value(0), node.value(1)));
}

static void buildLayerNormalization(Node &node) {
  requireLastAxis(node);
  requireUnused(node, 1, 2);
  node.result(0, layerNorm(node, node.value(0), node.value(1),
                           node.has(2) ? node.value(2) : Value()));
}

/// The norm of input + skip [+ bias], and that sum as output 3.
static void buildSkipSimplifiedLayerNormalization(Node &node) {
  requireUnused(node, 1, 2);
  Value sum = node.binary(BinaryKind::Add, node.value(0), node.value(1));
  if (node.has(3))
    sum = node.binary(BinaryKind::Add, sum, node.value(3));
  node.result(0, rmsNorm(node, sum, node.value(2)));
  node.result(3, sum);
}

static void buildSkipLayerNormalization(Node &node) {
  requireUnused(node, 1, 2);
  Value sum = node.binary(BinaryKind::Add, node.value(0), node.value(1));
  if (node.has(4))
    sum = node.binary(BinaryKind::Add, sum, node.value(4));
  node.result(0, layerNorm(node, sum, node.value(2),
                           node.has(3) ? node.value(3) : Value()));
  node.result(3, sum);
}

llvm::ArrayRef<OpEntry> serrano::onnx_import::getNormalizationOps() {
  // ONNX Runtime's tools write SimplifiedLayerNormalization in ONNX's own
  // domain.
  static constexpr OpEntry entries[] = {
      {"", "LayerNormalization", buildLayerNormalization},
      {"", "RMSNormalization", buildRmsNormalization},
      {"", "SimplifiedLayerNormalization", buildRmsNormalization},
      {"com.microsoft", "SimplifiedLayerNormalization", buildRmsNormalization},
      {"com.microsoft", "SkipLayerNormalization", buildSkipLayerNormalization},
      {"com.microsoft", "SkipSimplifiedLayerNormalization",
       buildSkipSimplifiedLayerNormalization},
  };
  return entries;
}
