//===- Node.cpp - a node of an ONNX graph, as op builders see it -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Node.h"
#include "Graph.h"
#include "dialects/Llm/SourceTensors.h"

using namespace mlir;
using namespace serrano::llm;
using namespace serrano::onnx_import;

Node::Node(Graph &graph, const onnx::NodeProto &proto, int64_t opset,
           StringRef name)
    : proto(proto), opset(opset), graph(graph),
      context(graph.getModule().getContext()), name(name) {}

ImplicitLocOpBuilder &Node::getBuilder() {
  if (!builder)
    builder.emplace(NameLoc::get(StringAttr::get(context, name)),
                    graph.getBuilder());
  return *builder;
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

const Operand &Node::operand(int index) const {
  if (!has(index))
    fail(llvm::formatv("input {0} is missing", index));
  if (size_t(index) >= operands.size())
    operands.resize(index + 1);
  if (!operands[index])
    operands[index] = &graph.lookup(proto.input(index));
  return *operands[index];
}

Value Node::value(int index) {
  const Operand &found = operand(index);
  if (found.value)
    return found.value;
  Extents elements = *known(index);
  Operand withValue = found;
  auto isConstant = [](ExtentAttr e) {
    return e.getConstantValue().has_value();
  };
  if (llvm::all_of(elements, isConstant)) {
    unsigned width = found.type.getElementTypeBitWidth();
    auto values = llvm::map_to_vector(elements, [&](ExtentAttr e) {
      return APInt(width, *e.getConstantValue(), false, /*implicitTrunc=*/true);
    });
    withValue.value = arith::ConstantOp::create(
        getBuilder(), DenseElementsAttr::get(found.type, values));
  } else {
    withValue.value =
        ExtentsOp::create(getBuilder(), found.type, dims(elements));
  }
  graph.define(proto.input(index), withValue);
  return withValue.value;
}

Extents Node::extents(int index) const {
  return graph.getSolver().resolve(getExtents(operand(index).type));
}

std::optional<Extents> Node::known(int index) const {
  const Operand &found = operand(index);
  if (!found.known)
    return std::nullopt;
  return graph.getSolver().resolve(*found.known);
}

Extents Node::requireKnown(int index, StringRef what) const {
  if (std::optional<Extents> elements = known(index))
    return *elements;
  fail(llvm::formatv("{0} '{1}' depends on data; expected a constant or a "
                     "function of the inputs' shapes",
                     what, proto.input(index)));
}

ExtentAttr Node::requireNumber(int index, StringRef what) const {
  Extents elements = requireKnown(index, what);
  if (elements.size() != 1)
    fail(llvm::formatv("{0} '{1}' has {2} elements; expected one", what,
                       proto.input(index), elements.size()));
  return elements.front();
}

SmallVector<int64_t> Node::requireConstants(int index, StringRef what) const {
  SmallVector<int64_t> result;
  for (ExtentAttr element : requireKnown(index, what)) {
    std::optional<int64_t> value = element.getConstantValue();
    if (!value)
      fail(llvm::formatv("{0} '{1}' is '{2}'; expected a constant", what,
                         proto.input(index), element.str()));
    result.push_back(*value);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

const onnx::AttributeProto *Node::attribute(StringRef name) const {
  for (const onnx::AttributeProto &attribute : proto.attribute())
    if (attribute.name() == name)
      return &attribute;
  return nullptr;
}

int64_t Node::integer(StringRef name, int64_t byDefault) const {
  const onnx::AttributeProto *found = attribute(name);
  return found ? found->i() : byDefault;
}

float Node::real(StringRef name, float byDefault) const {
  const onnx::AttributeProto *found = attribute(name);
  return found ? found->f() : byDefault;
}

std::string Node::text(StringRef name, StringRef byDefault) const {
  const onnx::AttributeProto *found = attribute(name);
  return found ? found->s() : byDefault.str();
}

std::optional<SmallVector<int64_t>> Node::integers(StringRef name) const {
  const onnx::AttributeProto *found = attribute(name);
  if (!found)
    return std::nullopt;
  return llvm::to_vector(found->ints());
}

void Node::require(StringRef name, int64_t byDefault, int64_t supported) const {
  if (int64_t value = integer(name, byDefault); value != supported)
    fail(llvm::formatv("attribute '{0}' is {1}; only {2} is supported", name,
                       value, supported));
}

int64_t Node::normalizeAxis(int64_t axis, int64_t rank) const {
  if (axis < -rank || axis >= rank)
    fail(llvm::formatv("axis {0} is outside rank {1}; expected {2} to {3}",
                       axis, rank, -rank, rank - 1));
  return axis < 0 ? axis + rank : axis;
}

std::optional<SmallVector<int64_t>> Node::axes(int input, int64_t rank) const {
  std::optional<SmallVector<int64_t>> result = integers("axes");
  if (!result && has(input))
    result = requireConstants(input, "axes");
  if (!result)
    return std::nullopt;
  for (int64_t &axis : *result)
    axis = normalizeAxis(axis, rank);
  llvm::sort(*result);
  return result;
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

void Node::checkNumbers(ArrayRef<ExtentAttr> extents) const {
  for (ExtentAttr extent : extents)
    if (std::optional<StringRef> problem = extent.getProblem())
      fail("a number that it computes " + problem->str());
}

void Node::checkShape(ArrayRef<ExtentAttr> shape) const {
  if (std::optional<std::string> problem = findProblem(shape))
    fail(*problem);
}

void Node::result(int index, Value value) {
  checkShape(getExtents(value));
  if (!wants(index))
    return;
  if (!graph.isInFunctionBody())
    addSourceTensor(value, proto.output(index));
  graph.define(
      proto.output(index),
      Operand{value, cast<RankedTensorType>(value.getType()), std::nullopt});
}

void Node::resultKnown(int index, Extents elements, int64_t rank,
                       Type elementType) {
  checkNumbers(elements);
  if (!wants(index))
    return;
  SmallVector<int64_t> shape(rank, elements.size());
  graph.define(proto.output(index),
               Operand{Value(), RankedTensorType::get(shape, elementType),
                       std::move(elements)});
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

ExtentAttr Node::stepsIn(int64_t length, int64_t step) const {
  if (llvm::divideSignedWouldOverflow(length, step))
    return extent(length) * -1;
  return extent(std::max<int64_t>(0, llvm::divideCeilSigned(length, step)));
}

Extents
Node::infer(llvm::function_ref<FailureOr<Extents>(ShapeInference &)> infer) {
  ShapeInference inference([&](ExtentAttr l, ExtentAttr r) {
    return graph.getSolver().equate(l, r);
  });
  FailureOr<Extents> result = infer(inference);
  if (failed(result))
    fail(inference.getError());
  Extents resolved = graph.getSolver().resolve(*result);
  checkShape(resolved);
  return resolved;
}

Extents Node::extents(Value value) const {
  return graph.getSolver().resolve(getExtents(value));
}

static Type elementTypeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

Value Node::scalar(double value, Type elementType) {
  auto type = RankedTensorType::get({}, elementType);
  if (isa<FloatType>(elementType))
    return arith::ConstantOp::create(
        getBuilder(), DenseElementsAttr::get(
                          type, getBuilder().getFloatAttr(elementType, value)));
  return arith::ConstantOp::create(
      getBuilder(),
      DenseElementsAttr::get(
          type, APInt(elementType.getIntOrFloatBitWidth(), int64_t(value),
                      /*isSigned=*/true, /*implicitTrunc=*/true)));
}

Value Node::unary(UnaryKind kind, Value operand) {
  return UnaryOp::create(getBuilder(), operand.getType(), kind, operand);
}

Value Node::binary(BinaryKind kind, Value lhs, Value rhs) {
  if (elementTypeOf(lhs) != elementTypeOf(rhs) && kind != BinaryKind::Pow)
    fail(llvm::formatv("operands have different element types, {0} and {1}",
                       elementTypeOf(lhs), elementTypeOf(rhs)));
  // Most have operands of one shape, which was checked when they were made.
  if (lhs.getType() == rhs.getType())
    return BinaryOp::create(getBuilder(), lhs.getType(), kind, lhs, rhs);
  Extents result = infer([&](ShapeInference &s) {
    return s.broadcast(extents(lhs), extents(rhs));
  });
  return BinaryOp::create(
      getBuilder(), getTensorType(result, elementTypeOf(lhs)), kind, lhs, rhs);
}

Value Node::compare(CompareKind kind, Value lhs, Value rhs) {
  Extents result = infer([&](ShapeInference &s) {
    return s.broadcast(extents(lhs), extents(rhs));
  });
  return CompareOp::create(getBuilder(),
                           getTensorType(result, getBuilder().getI1Type()),
                           kind, lhs, rhs);
}

Value Node::select(Value condition, Value trueValue, Value falseValue) {
  Extents result = infer([&](ShapeInference &s) -> FailureOr<Extents> {
    FailureOr<Extents> values =
        s.broadcast(extents(trueValue), extents(falseValue));
    return failed(values) ? values : s.broadcast(extents(condition), *values);
  });
  return SelectOp::create(getBuilder(),
                          getTensorType(result, elementTypeOf(trueValue)),
                          condition, trueValue, falseValue);
}

Value Node::cast(Value operand, Type elementType) {
  if (elementTypeOf(operand) == elementType)
    return operand;
  return CastOp::create(getBuilder(),
                        getTensorType(extents(operand), elementType), operand);
}

Value Node::reshape(Value operand, ArrayRef<ExtentAttr> to) {
  checkShape(to);
  Extents from = extents(operand);
  if (!haveEqualProducts(from, to)) {
    ExtentAttr count = product(context, from), wanted = product(context, to);
    if (!graph.getSolver().equate(count, wanted))
      fail(llvm::formatv("cannot reshape {0} to {1}: {2} elements against {3}",
                         toString(from), toString(to), count.str(),
                         wanted.str()));
  }
  return ReshapeOp::create(
      getBuilder(),
      getTensorType(graph.getSolver().resolve(to), elementTypeOf(operand)),
      operand);
}

Value Node::transpose(Value operand, ArrayRef<int64_t> permutation) {
  Extents result = infer([&](ShapeInference &s) {
    return s.transpose(extents(operand), permutation);
  });
  return TransposeOp::create(
      getBuilder(), getTensorType(result, elementTypeOf(operand)), operand,
      getBuilder().getDenseI64ArrayAttr(permutation));
}

Value Node::broadcast(Value operand, ArrayRef<ExtentAttr> to) {
  Extents result = infer(
      [&](ShapeInference &s) { return s.broadcast(extents(operand), to); });
  RankedTensorType type = getTensorType(result, elementTypeOf(operand));
  return type == operand.getType()
             ? operand
             : BroadcastOp::create(getBuilder(), type, operand).getResult();
}

Value Node::concat(ValueRange operands, int64_t axis) {
  auto shapes =
      llvm::map_to_vector(operands, [&](Value v) { return extents(v); });
  Extents result =
      infer([&](ShapeInference &s) { return s.concat(shapes, axis); });
  return ConcatOp::create(
      getBuilder(), getTensorType(result, elementTypeOf(operands.front())),
      operands, axis);
}

Value Node::slice(Value operand, int64_t axis, ExtentAttr offset,
                  ExtentAttr size) {
  Extents result = extents(operand), offsets(result.size(), extent(0));
  result[axis] = size;
  offsets[axis] = offset;
  checkShape(result);
  return SliceOp::create(getBuilder(),
                         getTensorType(result, elementTypeOf(operand)), operand,
                         dims(offsets),
                         getBuilder().getDenseI64ArrayAttr(
                             SmallVector<int64_t>(result.size(), 1)));
}

Value Node::iota(ExtentAttr start, ExtentAttr size, int64_t step,
                 Type elementType) {
  checkShape(size);
  return IotaOp::create(getBuilder(), getTensorType({size}, elementType),
                        dims({start}), getBuilder().getI64IntegerAttr(step));
}
