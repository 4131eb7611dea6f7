//===- Ops/Shape.cpp - ops that make and change shapes -*- C++ -*-===//
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

static void buildShape(Node &node) {
  Extents extents = node.extents(0);
  int64_t rank = extents.size();
  auto clamp = [&](int64_t position) {
    return std::clamp<int64_t>(position < 0 ? position + rank : position, 0,
                               rank);
  };
  int64_t start = clamp(node.integer("start", 0)),
          end = std::max(start, clamp(node.integer("end", rank)));
  node.resultKnown(0, Extents(ArrayRef(extents).slice(start, end - start)), 1,
                   IntegerType::get(node.getContext(), 64));
}

static void buildSize(Node &node) {
  Extents extents = node.extents(0);
  node.resultKnown(0, {product(node.getContext(), extents)}, 0,
                   IntegerType::get(node.getContext(), 64));
}

static void buildConstant(Node &node) {
  Graph &graph = node.graph;
  const std::string &name = node.proto.output(0);
  onnx::TensorProto tensor;
  if (const auto *attribute = node.attribute("value")) {
    graph.define(name, graph.importTensor(attribute->t(), name,
                                          node.getBuilder().getLoc()));
    return;
  }
  if (const auto *attribute = node.attribute("value_float")) {
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    tensor.add_float_data(attribute->f());
  } else if (const auto *attribute = node.attribute("value_int")) {
    tensor.set_data_type(onnx::TensorProto::INT64);
    tensor.add_int64_data(attribute->i());
  } else if (const auto *attribute = node.attribute("value_ints")) {
    tensor.set_data_type(onnx::TensorProto::INT64);
    *tensor.mutable_int64_data() = attribute->ints();
    tensor.add_dims(attribute->ints_size());
  } else if (const auto *attribute = node.attribute("value_floats")) {
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    *tensor.mutable_float_data() = attribute->floats();
    tensor.add_dims(attribute->floats_size());
  } else {
    node.fail("it has no dense numeric value; sparse and text constants are "
              "not supported");
  }
  graph.define(name,
               graph.importTensor(tensor, name, node.getBuilder().getLoc()));
}

static void buildConstantOfShape(Node &node) {
  Extents shape = node.requireKnown(0, "shape");
  onnx::TensorProto zero;
  zero.set_data_type(onnx::TensorProto::FLOAT);
  zero.add_dims(1);
  zero.add_float_data(0);
  const auto *attribute = node.attribute("value");
  DenseElementsAttr element =
      node.graph.getStore().read(attribute ? attribute->t() : zero);
  Type type = element.getElementType();
  auto count = shape.size() == 1 ? shape[0].getConstantValue() : std::nullopt;
  if (isa<IntegerType>(type) &&
      (shape.empty() || (count && *count >= 0 && *count <= 64))) {
    int64_t value = type.isInteger(1)
                        ? element.getSplatValue<bool>()
                        : element.getSplatValue<APInt>().getSExtValue();
    return node.resultKnown(
        0, Extents(shape.empty() ? 1 : *count, node.extent(value)),
        shape.size(), type);
  }
  auto scalarType = RankedTensorType::get({}, type);
  Value scalar =
      arith::ConstantOp::create(node.getBuilder(), element.reshape(scalarType));
  node.result(0, node.broadcast(scalar, shape));
}

static void buildRange(Node &node) {
  ExtentAttr start = node.requireNumber(0, "start"),
             limit = node.requireNumber(1, "limit");
  ExtentAttr delta = node.requireNumber(2, "delta");
  int64_t step = delta.getConstantValue().value_or(0);
  if (step == 0)
    node.fail(llvm::formatv("delta is '{0}'; expected a constant other than 0",
                            delta.str()));
  ExtentAttr length = limit - start;
  if (auto constant = length.getConstantValue()) {
    length = node.stepsIn(*constant, step);
  } else if (auto quotient = length.dividedBy(node.extent(step))) {
    length = *quotient;
  } else {
    node.fail(
        llvm::formatv("its length is '{0}' divided by {1}, which is no extent",
                      length.str(), step));
  }
  node.result(0, node.iota(start, length, step, node.elementType(0)));
}

//===----------------------------------------------------------------------===//
// Reshaping
//===----------------------------------------------------------------------===//

/// A result that is the input's elements in another shape.
static void reshapeTo(Node &node, ArrayRef<ExtentAttr> shape) {
  std::optional<Extents> known = node.known(0);
  bool isVector =
      shape.size() == 1 && known && shape[0].isConstant(known->size());
  if (known && (shape.empty() || isVector))
    return node.resultKnown(0, *known, shape.size(), node.elementType(0));
  node.result(0, node.reshape(node.value(0), shape));
}

static void buildReshape(Node &node) {
  Extents from = node.extents(0), to = node.requireKnown(1, "shape");
  bool zeroIsZero = node.integer("allowzero", 0);
  std::optional<size_t> inferred;
  for (auto [index, extent] : llvm::enumerate(to)) {
    if (extent.isConstant(0) && !zeroIsZero) {
      if (index >= from.size())
        node.fail(llvm::formatv(
            "shape {0} copies dimension {1} of an input of shape {2}",
            toString(to), index, toString(from)));
      to[index] = from[index];
    } else if (extent.isConstant(-1)) {
      if (inferred)
        node.fail(llvm::formatv("shape {0} leaves more than one extent open",
                                toString(to)));
      inferred = index;
    }
  }
  if (inferred) {
    MLIRContext *context = node.getContext();
    to[*inferred] = node.extent(1);
    std::optional<ExtentAttr> open =
        product(context, from).dividedBy(product(context, to));
    if (!open)
      node.fail(llvm::formatv(
          "cannot reshape {0}: '{1}' elements are not divisible by '{2}'",
          toString(from), product(context, from).str(),
          product(context, to).str()));
    to[*inferred] = *open;
  }
  reshapeTo(node, to);
}

static void buildSqueeze(Node &node) {
  Extents from = node.extents(0), to;
  std::optional<SmallVector<int64_t>> axes = node.axes(1, from.size());
  for (auto [index, extent] : llvm::enumerate(from)) {
    bool squeezed =
        axes ? llvm::is_contained(*axes, int64_t(index)) : extent.isConstant(1);
    if (squeezed && !extent.isConstant(1) &&
        !node.graph.getSolver().equate(extent, node.extent(1)))
      node.fail(llvm::formatv("cannot squeeze dimension {0} of shape {1}",
                              index, toString(from)));
    if (!squeezed)
      to.push_back(extent);
  }
  reshapeTo(node, to);
}

static void buildUnsqueeze(Node &node) {
  Extents from = node.extents(0), to;
  std::optional<SmallVector<int64_t>> given = node.integers("axes");
  SmallVector<int64_t> axes = given ? *given : node.requireConstants(1, "axes");
  int64_t rank = from.size() + axes.size();
  for (int64_t &axis : axes)
    axis = node.normalizeAxis(axis, rank);
  for (int64_t index = 0, next = 0; index < rank; ++index) {
    bool isNew = llvm::is_contained(axes, index);
    if (!isNew && next == int64_t(from.size()))
      node.fail("axes name one dimension twice");
    to.push_back(isNew ? node.extent(1) : from[next++]);
  }
  reshapeTo(node, to);
}

static void buildFlatten(Node &node) {
  Extents from = node.extents(0);
  int64_t rank = from.size(), axis = node.integer("axis", 1);
  axis = axis == rank ? rank : node.normalizeAxis(axis, rank);
  MLIRContext *context = node.getContext();
  reshapeTo(node, {product(context, ArrayRef(from).take_front(axis)),
                   product(context, ArrayRef(from).drop_front(axis))});
}

static void buildExpand(Node &node) {
  node.result(0, node.broadcast(node.value(0), node.requireKnown(1, "shape")));
}

llvm::ArrayRef<OpEntry> serrano::onnx_import::getShapeOps() {
  static constexpr OpEntry entries[] = {
      {"", "Constant", buildConstant},
      {"", "ConstantOfShape", buildConstantOfShape},
      {"", "Expand", buildExpand},
      {"", "Flatten", buildFlatten},
      {"", "Range", buildRange},
      {"", "Reshape", buildReshape},
      {"", "Shape", buildShape},
      {"", "Size", buildSize},
      {"", "Squeeze", buildSqueeze},
      {"", "Unsqueeze", buildUnsqueeze},
  };
  return entries;
}
