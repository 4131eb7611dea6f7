//===- CacheGraph.cpp - a decoder graph with a functional cache -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Passes/CacheGraph.h"
#include "dialects/Llm/Passes/Remarks.h"

using namespace mlir;
using namespace serrano::llm;

/// The operand of a transposition of heads and positions.
static Value matchSwap(Value value) {
  auto swap = value.getDefiningOp<TransposeOp>();
  return swap && swap.getPermutation() == ArrayRef<int64_t>{0, 2, 1, 3}
             ? swap.getOperand()
             : Value();
}

/// The keys (or values) that are appended to an argument: `operand` and they
/// are [batch, positions, heads, size], past and present ones have heads before
/// positions. `present` is the concatenation.
static Value matchAppend(Value operand, Value &present) {
  Value all = matchSwap(operand);
  auto append = all ? all.getDefiningOp<ConcatOp>() : ConcatOp();
  if (!append || append.getAxis() != 2 || append.getOperands().size() != 2 ||
      !isa<BlockArgument>(append.getOperands()[0]))
    return {};
  present = append;
  return matchSwap(append.getOperands()[1]);
}

std::optional<CachedLayer> CacheGraph::matchLayer(AttentionOp op) {
  Value presentKey, presentValue;
  Value key = matchAppend(op.getKey(), presentKey),
        value = matchAppend(op.getValue(), presentValue);
  if (!key || !value)
    return std::nullopt;
  presents.insert(presentKey);
  presents.insert(presentValue);
  return CachedLayer{op, key, value};
}

/// The arguments that `value` is computed from.
static SetVector<BlockArgument> getSources(Value value) {
  SetVector<BlockArgument> sources;
  SetVector<Value> worklist;
  worklist.insert(value);
  for (size_t i = 0; i < worklist.size(); ++i) {
    Value next = worklist[i];
    if (auto argument = dyn_cast<BlockArgument>(next))
      sources.insert(argument);
    else
      worklist.insert_range(next.getDefiningOp()->getOperands());
  }
  return sources;
}

LogicalResult CacheGraph::checkLayers() {
  AttentionOp first = layers.front().attention;
  auto query = getExtents(first.getQuery()), key = getExtents(first.getKey());
  batch = query[0];
  length = query[1];
  past = key[1] - length;
  for (const CachedLayer &layer : layers) {
    AttentionOp op = layer.attention;
    auto fail = [&](const Twine &why) -> LogicalResult {
      remarkUnrecognised(op.getLoc(), "llm-promote-cache", "CacheNotPromoted",
                         "the cache is not promoted: " + why);
      return failure();
    };
    if (op.getMask())
      return fail("this attention has a mask that was not recognised");
    if (!op.getCausal())
      return fail("this attention is not causal");
    auto q = getExtents(op.getQuery()), k = getExtents(op.getKey());
    if (q[0] != batch || q[1] != length || k[1] != length + past)
      return fail("this attention has other batch or sequence extents than the "
                  "first one");
    if (k != getExtents(op.getValue()) || k[2] != key[2] || k[3] != key[3])
      return fail("this attention has keys of shape " + toString(k) +
                  " and values of shape " +
                  toString(getExtents(op.getValue())) +
                  ", the first one keys of shape " + toString(key));
    // Sequences of a step are not padded, so a mask that says which keys are
    // padding has nothing to say. It must come from an argument for that
    // purpose.
    if (op.getKeyMask())
      for (BlockArgument source : getSources(op.getKeyMask()))
        if (!isa<IntegerType>(
                cast<RankedTensorType>(source.getType()).getElementType()) ||
            getExtents(source) == SmallVector<ExtentAttr>{batch, length})
          return fail("this attention's key mask is not computed from an "
                      "attention mask input");
  }
  return success();
}

FailureOr<CacheGraph> CacheGraph::analyze(func::FuncOp function) {
  CacheGraph graph;
  SmallVector<AttentionOp> others;
  function.walk([&](AttentionOp op) {
    if (std::optional<CachedLayer> layer = graph.matchLayer(op))
      graph.layers.push_back(*layer);
    else
      others.push_back(op);
  });
  if (graph.layers.empty())
    return graph;
  if (!others.empty()) {
    remarkUnrecognised(
        others.front().getLoc(), "llm-promote-cache", "CacheNotPromoted",
        "the cache is not promoted: this attention does not append to past "
        "keys and values that are arguments, others do");
    return failure();
  }
  if (failed(graph.checkLayers()))
    return failure();
  auto returned = cast<func::ReturnOp>(function.front().getTerminator());
  for (auto [index, value] : llvm::enumerate(returned.getOperands()))
    if (!graph.presents.remove(value))
      graph.outputs.push_back(index);
  if (!graph.presents.empty()) {
    remarkUnrecognised(
        graph.presents.front().getLoc(), "llm-promote-cache",
        "CacheNotPromoted",
        "the cache is not promoted: these keys or values are appended to past "
        "ones but no result");
    return failure();
  }
  return graph;
}
