//===- Ops/Movement.cpp - ops that move elements -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Graph.h"
#include "../OpTable.h"

using namespace mlir;
using namespace serrano::llm;
using namespace serrano::onnx_import;

static void buildTranspose(Node &node) {
  SmallVector<int64_t> reversed =
      llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, node.rank(0))));
  node.result(0, node.transpose(node.value(0),
                                node.integers("perm").value_or(reversed)));
}

static void buildConcat(Node &node) {
  int64_t axis = node.normalizeAxis(node.integer("axis", 0), node.rank(0));
  Extents all;
  bool isKnown = node.rank(0) == 1;
  for (int i = 0; isKnown && i < node.inputCount(); ++i) {
    std::optional<Extents> known = node.known(i);
    isKnown = known.has_value();
    if (known)
      all.append(*known);
  }
  if (isKnown)
    return node.resultKnown(0, all, 1, node.elementType(0));
  SmallVector<Value> operands;
  for (int i = 0; i < node.inputCount(); ++i)
    operands.push_back(node.value(i));
  node.result(0, node.concat(operands, axis));
}

static void buildSplit(Node &node) {
  int64_t axis = node.normalizeAxis(node.integer("axis", 0), node.rank(0));
  Extents from = node.extents(0);
  int64_t parts = node.proto.output_size();
  Extents sizes;
  if (node.has(1)) {
    sizes = node.requireKnown(1, "split");
  } else {
    std::optional<int64_t> size = from[axis].getConstantValue();
    if (!size)
      node.fail(llvm::formatv("cannot split the extent '{0}' in {1} parts",
                              from[axis].str(), parts));
    int64_t each = llvm::divideCeilSigned(*size, parts), rest = *size;
    for (int64_t i = 0; i < parts; ++i) {
      sizes.push_back(node.extent(std::min(rest, each)));
      rest -= std::min(rest, each);
    }
  }
  if (int64_t(sizes.size()) != parts)
    node.fail(llvm::formatv("splits in {0} parts but has {1} outputs",
                            sizes.size(), parts));
  ExtentAttr offset = node.extent(0);
  for (int64_t i = 0; i < parts; ++i) {
    if (node.wants(i))
      node.result(i, node.slice(node.value(0), axis, offset, sizes[i]));
    offset = offset + sizes[i];
  }
  if (offset != from[axis])
    node.fail(llvm::formatv("splits '{0}' elements of an extent of '{1}'",
                            offset.str(), from[axis].str()));
}

/// A slice's start and its number of elements in one dimension.
static std::pair<ExtentAttr, ExtentAttr> sliceRange(Node &node, ExtentAttr size,
                                                    ExtentAttr start,
                                                    ExtentAttr end,
                                                    int64_t step) {
  if (step == 0)
    node.fail("steps contain 0");
  auto constantSize = size.getConstantValue();
  // Bounds beyond the ends mean the ends; INT64_MAX is how exporters write
  // "all".
  auto clamp = [&](ExtentAttr position) {
    auto value = position.getConstantValue();
    if (!value)
      return position;
    int64_t low = step > 0 ? 0 : -1;
    if (constantSize) {
      int64_t p = *value < 0 ? *value + *constantSize : *value;
      return node.extent(std::clamp<int64_t>(
          p, low, step > 0 ? *constantSize : *constantSize - 1));
    }
    if (*value < -(int64_t(1) << 31))
      return node.extent(low);
    if (*value > (int64_t(1) << 31) || (step < 0 && *value == -1))
      return step > 0 ? size : size + -1;
    return *value < 0 ? size + *value : position;
  };
  start = clamp(start);
  end = clamp(end);
  ExtentAttr length = end - start;
  if (auto constant = length.getConstantValue())
    return {start, node.stepsIn(*constant, step)};
  if (step == 1)
    return {start, length};
  if (auto quotient = length.dividedBy(node.extent(step)))
    return {start, *quotient};
  node.fail(llvm::formatv("every {0}th of '{1}' elements is no extent", step,
                          length.str()));
}

static void buildSlice(Node &node) {
  Extents from = node.extents(0), to(from),
          offsets(from.size(), node.extent(0));
  Extents starts = node.requireKnown(1, "starts"),
          ends = node.requireKnown(2, "ends");
  SmallVector<int64_t> axes = llvm::to_vector(
                           llvm::seq<int64_t>(0, starts.size())),
                       steps(from.size(), 1);
  if (node.has(3))
    axes = node.requireConstants(3, "axes");
  SmallVector<int64_t> given(starts.size(), 1);
  if (node.has(4))
    given = node.requireConstants(4, "steps");
  if (ends.size() != starts.size() || axes.size() != starts.size() ||
      given.size() != starts.size())
    node.fail(llvm::formatv("has {0} starts, {1} ends, {2} axes and {3} steps",
                            starts.size(), ends.size(), axes.size(),
                            given.size()));
  for (size_t i = 0; i < axes.size(); ++i) {
    int64_t axis = node.normalizeAxis(axes[i], from.size());
    steps[axis] = given[i];
    std::tie(offsets[axis], to[axis]) =
        sliceRange(node, from[axis], starts[i], ends[i], given[i]);
  }
  std::optional<Extents> known = node.known(0);
  auto first = from.size() == 1 ? offsets[0].getConstantValue() : std::nullopt;
  auto count = from.size() == 1 ? to[0].getConstantValue() : std::nullopt;
  if (known && first && count) {
    Extents part;
    for (int64_t i = 0; i < *count; ++i)
      part.push_back((*known)[*first + i * steps[0]]);
    return node.resultKnown(0, part, 1, node.elementType(0));
  }
  node.result(0, SliceOp::create(
                     node.getBuilder(), getTensorType(to, node.elementType(0)),
                     node.value(0), node.dims(offsets),
                     node.getBuilder().getDenseI64ArrayAttr(steps)));
}

static void buildGather(Node &node) {
  int64_t axis = node.normalizeAxis(node.integer("axis", 0), node.rank(0));
  if (std::optional<Extents> known = node.known(0), indices = node.known(1);
      known && indices && node.rank(0) == 1) {
    Extents part;
    for (int64_t index : node.requireConstants(1, "indices"))
      part.push_back((*known)[node.normalizeAxis(index, known->size())]);
    return node.resultKnown(0, part, node.rank(1), node.elementType(0));
  }
  Value operand = node.value(0), indices = node.value(1);
  Extents result = node.infer([&](ShapeInference &s) {
    return s.gather(node.extents(0), node.extents(1), axis);
  });
  node.result(0, GatherOp::create(node.getBuilder(),
                                  getTensorType(result, node.elementType(0)),
                                  operand, indices, axis));
}

static void buildGatherNd(Node &node) {
  node.require("batch_dims", 0, 0);
  Value operand = node.value(0), indices = node.value(1);
  Extents result = node.infer([&](ShapeInference &s) {
    return s.gatherNd(node.extents(0), node.extents(1));
  });
  node.result(0, GatherNdOp::create(node.getBuilder(),
                                    getTensorType(result, node.elementType(0)),
                                    operand, indices));
}

/// Zeroes what is not in the triangle, by comparing row and column numbers.
static void buildTrilu(Node &node) {
  Value input = node.value(0);
  Extents extents = node.extents(0);
  if (extents.size() < 2)
    node.fail("input has rank " + std::to_string(extents.size()) +
              "; expected 2 or more");
  ExtentAttr k = node.has(1) ? node.requireNumber(1, "k") : node.extent(0);
  ExtentAttr rows = extents[extents.size() - 2], columns = extents.back();
  Type index = IntegerType::get(node.getContext(), 64);
  // Element (row, column) is kept if column - row >= k (upper) or <= k (lower).
  Value row =
      node.reshape(node.iota(k, rows, 1, index), {rows, node.extent(1)});
  Value column = node.iota(node.extent(0), columns, 1, index);
  Value isKept =
      node.compare(node.integer("upper", 1) ? CompareKind::Ge : CompareKind::Le,
                   column, row);
  node.result(0,
              node.select(isKept, input, node.scalar(0, node.elementType(0))));
}

/// Repeats whole tensors: [a, b] tiled (m, n) is [1, a, 1, b] broadcast to
/// [m, a, n, b].
static void buildTile(Node &node) {
  Value input = node.value(0);
  Extents extents = node.extents(0), repeats = node.requireKnown(1, "repeats"),
          split, repeated, result;
  if (repeats.size() != extents.size())
    node.fail(llvm::formatv("has {0} repeats for rank {1}", repeats.size(),
                            extents.size()));
  for (auto [extent, repeat] : llvm::zip(extents, repeats)) {
    split.append({node.extent(1), extent});
    repeated.append({repeat, extent});
    result.push_back(repeat * extent);
  }
  node.result(0,
              node.reshape(node.broadcast(node.reshape(input, split), repeated),
                           result));
}

llvm::ArrayRef<OpEntry> serrano::onnx_import::getMovementOps() {
  static constexpr OpEntry entries[] = {
      {"", "Concat", buildConcat},       {"", "Gather", buildGather},
      {"", "GatherND", buildGatherNd},   {"", "Slice", buildSlice},
      {"", "Split", buildSplit},         {"", "Tile", buildTile},
      {"", "Transpose", buildTranspose}, {"", "Trilu", buildTrilu},
  };
  return entries;
}
