//===- LlmTensorOps.cpp - verifiers of tensor operations -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/ResultVerification.h"

using namespace mlir;
using namespace serrano::llm;

static Type elementTypeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

static bool isBool(Type type) { return type.isInteger(1); }

LogicalResult UnaryOp::verify() {
  Type type = elementTypeOf(getOperand());
  switch (getKind()) {
  case UnaryKind::Not:
    if (isBool(type))
      return success();
    return emitOpError() << "'not' takes booleans, found " << type;
  case UnaryKind::Neg:
  case UnaryKind::Abs:
  case UnaryKind::Relu:
    if (!isBool(type))
      return success();
    break;
  default:
    if (isa<FloatType>(type))
      return success();
  }
  return emitOpError() << "'" << stringifyUnaryKind(getKind())
                       << "' does not take " << type;
}

LogicalResult BinaryOp::verify() {
  Type lhs = elementTypeOf(getLhs()), rhs = elementTypeOf(getRhs());
  bool logical = llvm::is_contained(
      {BinaryKind::And, BinaryKind::Or, BinaryKind::Xor}, getKind());
  if (lhs != rhs && getKind() != BinaryKind::Pow)
    return emitOpError() << "'" << stringifyBinaryKind(getKind())
                         << "' has operands of " << lhs << " and " << rhs;
  if (logical != isBool(lhs))
    return emitOpError() << "'" << stringifyBinaryKind(getKind())
                         << "' does not take " << lhs;
  ShapeInference shapes;
  return verifyResult(
      *this, shapes,
      shapes.broadcast(getExtents(getLhs()), getExtents(getRhs())), lhs);
}

LogicalResult CompareOp::verify() {
  if (elementTypeOf(getLhs()) != elementTypeOf(getRhs()))
    return emitOpError() << "has operands of " << elementTypeOf(getLhs())
                         << " and " << elementTypeOf(getRhs());
  ShapeInference shapes;
  return verifyResult(
      *this, shapes,
      shapes.broadcast(getExtents(getLhs()), getExtents(getRhs())),
      IntegerType::get(getContext(), 1));
}

LogicalResult SelectOp::verify() {
  if (elementTypeOf(getTrueValue()) != elementTypeOf(getFalseValue()))
    return emitOpError() << "chooses between " << elementTypeOf(getTrueValue())
                         << " and " << elementTypeOf(getFalseValue());
  ShapeInference shapes;
  FailureOr<Extents> values =
      shapes.broadcast(getExtents(getTrueValue()), getExtents(getFalseValue()));
  if (succeeded(values))
    values = shapes.broadcast(getExtents(getCondition()), *values);
  return verifyResult(*this, shapes, values, elementTypeOf(getTrueValue()));
}

LogicalResult CastOp::verify() {
  if (getExtents(getOperand()) == getExtents(getResult()))
    return success();
  return emitOpError() << "changes the shape from "
                       << toString(getExtents(getOperand())) << " to "
                       << toString(getExtents(getResult()));
}

LogicalResult MatmulOp::verify() {
  if (elementTypeOf(getLhs()) != elementTypeOf(getRhs()))
    return emitOpError() << "multiplies " << elementTypeOf(getLhs()) << " by "
                         << elementTypeOf(getRhs());
  ShapeInference shapes;
  return verifyResult(*this, shapes,
                      shapes.matmul(getExtents(getLhs()), getExtents(getRhs())),
                      elementTypeOf(getLhs()));
}

LogicalResult ReduceOp::verify() {
  ShapeInference shapes;
  return verifyResult(
      *this, shapes,
      shapes.reduce(getExtents(getOperand()), getAxes(), getDropAxes()),
      elementTypeOf(getOperand()));
}

LogicalResult SoftmaxOp::verify() {
  int64_t rank = getOperand().getType().getRank();
  if (int64_t(getAxis()) >= 0 && int64_t(getAxis()) < rank)
    return success();
  return emitOpError() << "axis " << getAxis() << " is outside rank " << rank;
}

LogicalResult ReshapeOp::verify() {
  Extents from = getExtents(getOperand()), to = getExtents(getResult());
  if (elementTypeOf(getOperand()) != elementTypeOf(getResult()))
    return emitOpError() << "changes the element type";
  if (haveEqualProducts(from, to))
    return success();
  return emitOpError() << "changes the number of elements from "
                       << toString(from) << " to " << toString(to);
}

LogicalResult TransposeOp::verify() {
  ShapeInference shapes;
  return verifyResult(
      *this, shapes,
      shapes.transpose(getExtents(getOperand()), getPermutation()),
      elementTypeOf(getOperand()));
}

void TransposeOp::build(OpBuilder &, OperationState &state, Value operand,
                        ArrayRef<int64_t> permutation) {
  Extents from = getExtents(operand);
  Extents to =
      llvm::map_to_vector(permutation, [&](int64_t i) { return from[i]; });
  state.addOperands(operand);
  state.getOrAddProperties<Properties>().permutation =
      DenseI64ArrayAttr::get(state.getContext(), permutation);
  state.addTypes(getTensorType(to, elementTypeOf(operand)));
}

LogicalResult BroadcastOp::verify() {
  ShapeInference shapes;
  return verifyResult(
      *this, shapes,
      shapes.broadcast(getExtents(getOperand()), getExtents(getResult())),
      elementTypeOf(getOperand()));
}

LogicalResult ConcatOp::verify() {
  SmallVector<Extents> operands;
  for (Value operand : getOperands())
    operands.push_back(getExtents(operand));
  ShapeInference shapes;
  FailureOr<Extents> result = shapes.concat(operands, getAxis());
  return verifyResult(*this, shapes, result,
                      operands.empty() ? Type()
                                       : elementTypeOf(getOperands().front()));
}

LogicalResult SliceOp::verify() {
  Extents from = getExtents(getOperand()), to = getExtents(getResult());
  ArrayRef<ExtentAttr> offsets = getOffsets().getExtents();
  if (from.size() != to.size() || offsets.size() != from.size() ||
      getSteps().size() != from.size())
    return emitOpError() << "needs an offset, a step and an extent for each of "
                         << from.size() << " dimensions";
  for (size_t i = 0; i < from.size(); ++i) {
    int64_t step = getSteps()[i];
    if (step == 0)
      return emitOpError() << "has step 0 in dimension " << i;
    auto size = from[i].getConstantValue(), count = to[i].getConstantValue(),
         offset = offsets[i].getConstantValue();
    if (!size || !count || !offset || *count == 0)
      continue;
    int64_t last = *offset + (*count - 1) * step;
    if (std::min(*offset, last) < 0 || std::max(*offset, last) >= *size)
      return emitOpError() << "reads elements " << *offset << " to " << last
                           << " of dimension " << i << ", which has " << *size;
  }
  return success();
}

LogicalResult GatherOp::verify() {
  ShapeInference shapes;
  return verifyResult(*this, shapes,
                      shapes.gather(getExtents(getOperand()),
                                    getExtents(getIndices()), getAxis()),
                      elementTypeOf(getOperand()));
}

LogicalResult GatherNdOp::verify() {
  ShapeInference shapes;
  return verifyResult(
      *this, shapes,
      shapes.gatherNd(getExtents(getOperand()), getExtents(getIndices())),
      elementTypeOf(getOperand()));
}
