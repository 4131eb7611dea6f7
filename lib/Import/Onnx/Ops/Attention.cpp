//===- Ops/Attention.cpp - attention and rotary embedding -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Graph.h"
#include "../OpTable.h"

#include <cmath>

using namespace mlir;
using namespace serrano::llm;
using namespace serrano::onnx_import;

/// Between ONNX's [batch, heads, positions, size] and [batch, positions, heads,
/// size].
static Value swapHeads(Node &node, Value value) {
  return node.transpose(value, {0, 2, 1, 3});
}

static void requireRank(Node &node, int index, int64_t rank) {
  if (node.rank(index) != rank)
    node.fail(llvm::formatv("input {0} has shape {1}; expected rank {2}", index,
                            toString(node.extents(index)), rank));
}

/// [batch, positions, heads * size] as [batch, positions, heads, size].
static Value splitHeads(Node &node, Value value, int64_t heads) {
  Extents extents = node.extents(value);
  std::optional<int64_t> features;
  if (extents.size() == 3)
    features = extents.back().getConstantValue();
  if (!features || heads < 1 || *features % heads != 0)
    node.fail(llvm::formatv("cannot split shape {0} in {1} heads",
                            toString(extents), heads));
  return node.reshape(value, {extents[0], extents[1], node.extent(heads),
                              node.extent(*features / heads)});
}

static Value joinHeads(Node &node, Value value) {
  Extents extents = node.extents(value);
  return node.reshape(value, {extents[0], extents[1], extents[2] * extents[3]});
}

struct AttentionParameters {
  Value mask, keyMask;
  float scale = 0, softcap = 0;
  bool causal = false;
  int64_t window = 0;
};

/// Operands and result are [batch, positions, heads, size].
static Value attention(Node &node, Value query, Value key, Value value,
                       const AttentionParameters &p) {
  Extents q = node.extents(query), k = node.extents(key),
          v = node.extents(value);
  Extents result =
      node.infer([&](ShapeInference &s) { return s.attention(q, k, v); });
  auto &builder = node.getBuilder();
  auto size = q[3].getConstantValue();
  if (!size)
    node.fail("the head size '" + q[3].str() + "' is not constant");
  float scale = p.scale != 0 ? p.scale : 1.0f / std::sqrt(float(*size));
  return AttentionOp::create(
      builder, getTensorType(result, node.elementType(0)), query, key, value,
      p.mask, p.keyMask, builder.getF32FloatAttr(scale),
      p.causal ? builder.getUnitAttr() : UnitAttr(),
      p.window ? builder.getI64IntegerAttr(p.window) : IntegerAttr(),
      p.softcap != 0 ? builder.getF32FloatAttr(p.softcap) : FloatAttr());
}

/// A table's rows at these positions, both as [batch or 1, positions, half].
static Value rowsAt(Node &node, Value table, Value positions) {
  Extents result = node.infer([&](ShapeInference &s) {
    return s.gather(node.extents(table), node.extents(positions), 0);
  });
  Type elementType = cast<RankedTensorType>(table.getType()).getElementType();
  return GatherOp::create(node.getBuilder(), getTensorType(result, elementType),
                          table, positions, /*axis=*/0);
}

static Value rope(Node &node, Value input, Value cosine, Value sine) {
  Extents x = node.extents(input), c = node.extents(cosine);
  bool fits = c.size() == 3 && node.extents(sine) == c && x.size() == 4;
  for (int i = 0; fits && i < 2; ++i)
    fits = c[i].isConstant(1) || node.graph.getSolver().equate(x[i], c[i]);
  if (!fits)
    node.fail(llvm::formatv("cosines of shape {0} and sines of shape {1} do "
                            "not fit an input of shape {2}",
                            toString(c), toString(node.extents(sine)),
                            toString(x)));
  return RopeOp::create(node.getBuilder(), input.getType(), input, cosine,
                        sine);
}

//===----------------------------------------------------------------------===//
// ONNX's own
//===----------------------------------------------------------------------===//

static void buildRotaryEmbedding(Node &node) {
  node.require("interleaved", 0, 0);
  Value input = node.value(0);
  bool hasHeads = node.rank(0) == 4;
  input = hasHeads ? swapHeads(node, input)
                   : splitHeads(node, input, node.integer("num_heads", 0));
  Value cosine = node.value(1), sine = node.value(2);
  if (node.has(3)) {
    Value positions = node.value(3);
    cosine = rowsAt(node, cosine, positions);
    sine = rowsAt(node, sine, positions);
  }
  Value result = rope(node, input, cosine, sine);
  node.result(0, hasHeads ? swapHeads(node, result) : joinHeads(node, result));
}

static void buildAttention(Node &node) {
  node.require("qk_matmul_output_mode", 0, 0);
  if (node.wants(3))
    node.fail("output 3 ('" + node.proto.output(3) + "') is not supported");
  if (node.has(6))
    node.fail("input 6 ('" + node.proto.input(6) +
              "', nonpad_kv_seqlen) is not supported");
  bool hasHeads = node.rank(0) == 4;
  auto prepare = [&](int index, StringRef attribute) {
    Value value = node.value(index);
    requireRank(node, index, hasHeads ? 4 : 3);
    return hasHeads ? value
                    : swapHeads(node, splitHeads(node, value,
                                                 node.integer(attribute, 0)));
  };
  Value query = prepare(0, "q_num_heads"), key = prepare(1, "kv_num_heads"),
        value = prepare(2, "kv_num_heads");
  AttentionParameters parameters;
  parameters.scale = node.real("scale", 0);
  parameters.softcap = node.real("softcap", 0);
  parameters.causal = node.integer("is_causal", 0);
  if (node.has(4)) {
    key = node.concat({node.value(4), key}, 2);
    value = node.concat({node.value(5), value}, 2);
  } else if (parameters.causal &&
             node.extents(query)[2] != node.extents(key)[2]) {
    node.fail("attribute 'is_causal' is 1 for '" +
              node.extents(query)[2].str() + "' queries and '" +
              node.extents(key)[2].str() +
              "' keys; expected as many of both, or past keys as an input");
  }
  node.result(1, key);
  node.result(2, value);
  if (node.has(3)) {
    Value mask = node.value(3);
    Type type = node.elementType(0);
    if (node.elementType(3).isInteger(1))
      mask =
          node.select(mask, node.scalar(0, type), node.scalar(-INFINITY, type));
    parameters.mask = mask;
  }
  Value result = attention(node, swapHeads(node, query), swapHeads(node, key),
                           swapHeads(node, value), parameters);
  node.result(0, hasHeads ? swapHeads(node, result) : joinHeads(node, result));
}

//===----------------------------------------------------------------------===//
// ONNX Runtime's
//===----------------------------------------------------------------------===//

/// Rotates query and key, appends key and value to the past ones, attends
/// causally. Keys beyond seqlens_k, the padding of shorter sequences, are
/// masked.
/// Positions count on from the past ones, as for sequences without padding in
/// the past, which is what a step over a paged cache has.
static void buildGroupQueryAttention(Node &node) {
  node.require("rotary_interleaved", 0, 0);
  node.require("smooth_softmax", 0, 0);
  for (int i = 9; i < node.inputCount(); ++i)
    if (node.has(i))
      node.fail(llvm::formatv("input {0} ('{1}') is not supported", i,
                              node.proto.input(i)));
  if (!node.has(3) || !node.has(4))
    node.fail("inputs past_key and past_value are missing");
  int64_t heads = node.integer("num_heads", 0),
          kvHeads = node.integer("kv_num_heads", 0);
  requireRank(node, 0, 3);
  requireRank(node, 3, 4);
  Value query = node.value(0), key, value;
  if (node.has(1)) {
    key = node.value(1);
    value = node.value(2);
  } else {
    std::optional<int64_t> features = node.extents(0).back().getConstantValue();
    bool areCounts = heads > 0 && kvHeads > 0 && features &&
                     heads <= *features && kvHeads <= *features / 2;
    if (!areCounts || *features % (heads + 2 * kvHeads) != 0)
      node.fail("the packed query, key and value of shape " +
                toString(node.extents(0)) + " do not fit the heads");
    int64_t size = *features / (heads + 2 * kvHeads);
    Value packed = query;
    query = node.slice(packed, 2, node.extent(0), node.extent(heads * size));
    key = node.slice(packed, 2, node.extent(heads * size),
                     node.extent(kvHeads * size));
    value = node.slice(packed, 2, node.extent((heads + kvHeads) * size),
                       node.extent(kvHeads * size));
  }
  query = splitHeads(node, query, heads);
  key = splitHeads(node, key, kvHeads);
  value = splitHeads(node, value, kvHeads);
  ExtentAttr past = node.extents(3)[2], length = node.extents(query)[1],
             one = node.extent(1);
  Type index = IntegerType::get(node.getContext(), 64);
  if (node.integer("do_rotary", 0)) {
    Value positions =
        node.reshape(node.iota(past, length, 1, index), {one, length});
    Value cosine = rowsAt(node, node.value(7), positions),
          sine = rowsAt(node, node.value(8), positions);
    query = rope(node, query, cosine, sine);
    key = rope(node, key, cosine, sine);
  }
  Value allKeys = node.concat({node.value(3), swapHeads(node, key)}, 2);
  Value allValues = node.concat({node.value(4), swapHeads(node, value)}, 2);
  node.result(1, allKeys);
  node.result(2, allValues);

  AttentionParameters parameters;
  parameters.scale = node.real("scale", 0);
  parameters.softcap = node.real("softcap", 0);
  parameters.causal = true;
  if (int64_t window = node.integer("local_window_size", -1); window > 0)
    parameters.window = window;
  ExtentAttr total = past + length;
  Value lastKey = node.cast(node.value(5), index);
  ExtentAttr batch = node.extents(query)[0];
  Value slots =
      node.reshape(node.iota(node.extent(0), total, 1, index), {one, total});
  parameters.keyMask =
      node.compare(CompareKind::Le, slots, node.reshape(lastKey, {batch, one}));
  node.result(
      0, joinHeads(node, attention(node, query, swapHeads(node, allKeys),
                                   swapHeads(node, allValues), parameters)));
}

llvm::ArrayRef<OpEntry> serrano::onnx_import::getAttentionOps() {
  static constexpr OpEntry entries[] = {
      {"", "Attention", buildAttention},
      {"", "RotaryEmbedding", buildRotaryEmbedding},
      {"com.microsoft", "GroupQueryAttention", buildGroupQueryAttention},
  };
  return entries;
}
