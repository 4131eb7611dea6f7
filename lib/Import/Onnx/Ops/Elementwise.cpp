//===- Ops/Elementwise.cpp - elementwise ops -*- C++ -*-===//
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

//===----------------------------------------------------------------------===//
// Integers that are known
//===----------------------------------------------------------------------===//

/// Applies `compute` to each pair of elements of two known operands of which
/// one may be a single element. False if an operand is not known or `compute`
/// has no answer.
static bool
computeKnown(Node &node, Type elementType,
             llvm::function_ref<ExtentAttr(ExtentAttr, ExtentAttr)> compute) {
  std::optional<Extents> lhs = node.known(0), rhs = node.known(1);
  if (!lhs || !rhs)
    return false;
  size_t count = std::max(lhs->size(), rhs->size());
  if ((lhs->size() != count && lhs->size() != 1) ||
      (rhs->size() != count && rhs->size() != 1))
    return false;
  Extents result;
  for (size_t i = 0; i < count; ++i) {
    ExtentAttr element = compute((*lhs)[lhs->size() == 1 ? 0 : i],
                                 (*rhs)[rhs->size() == 1 ? 0 : i]);
    if (!element)
      return false;
    result.push_back(element);
  }
  node.resultKnown(0, result, std::max(node.rank(0), node.rank(1)),
                   elementType);
  return true;
}

static ExtentAttr computeKnown(BinaryKind kind, ExtentAttr lhs,
                               ExtentAttr rhs) {
  auto l = lhs.getConstantValue(), r = rhs.getConstantValue();
  auto constant = [&](int64_t value) {
    return ExtentAttr::getConstant(lhs.getContext(), value);
  };
  switch (kind) {
  case BinaryKind::Add:
    return lhs + rhs;
  case BinaryKind::Sub:
    return lhs - rhs;
  case BinaryKind::Mul:
    return lhs * rhs;
  case BinaryKind::Div:
    // The one quotient of 64-bit integers that is none leaves their range.
    if (l && r && llvm::divideSignedWouldOverflow(*l, *r))
      return lhs * -1;
    if (l && r && *r != 0)
      return constant(*l / *r);
    return lhs.dividedBy(rhs).value_or(ExtentAttr());
  case BinaryKind::Min:
    return l && r ? constant(std::min(*l, *r)) : ExtentAttr();
  case BinaryKind::Max:
    return l && r ? constant(std::max(*l, *r)) : ExtentAttr();
  case BinaryKind::And:
    return l && r ? constant(*l & *r) : ExtentAttr();
  case BinaryKind::Or:
    return l && r ? constant(*l | *r) : ExtentAttr();
  default:
    return {};
  }
}

/// The sign of an extent, if it is the same for all sizes: symbols are never
/// negative.
static std::optional<int> signOf(ExtentAttr extent) {
  if (auto value = extent.getConstantValue())
    return *value < 0 ? -1 : *value > 0;
  bool hasConstant = extent.getMonomials().back().empty();
  if (!hasConstant)
    return std::nullopt;
  if (llvm::all_of(extent.getCoefficients(), [](int64_t c) { return c > 0; }))
    return 1;
  if (llvm::all_of(extent.getCoefficients(), [](int64_t c) { return c < 0; }))
    return -1;
  return std::nullopt;
}

static ExtentAttr compareKnown(CompareKind kind, ExtentAttr lhs,
                               ExtentAttr rhs) {
  std::optional<int> sign = signOf(lhs - rhs);
  if (!sign)
    return {};
  bool result = kind == CompareKind::Eq   ? *sign == 0
                : kind == CompareKind::Ne ? *sign != 0
                : kind == CompareKind::Lt ? *sign < 0
                : kind == CompareKind::Le ? *sign <= 0
                : kind == CompareKind::Gt ? *sign > 0
                                          : *sign >= 0;
  return ExtentAttr::getConstant(lhs.getContext(), result);
}

//===----------------------------------------------------------------------===//
// Builders
//===----------------------------------------------------------------------===//

template <UnaryKind kind>
static void buildUnary(Node &node) {
  node.result(0, node.unary(kind, node.value(0)));
}

template <BinaryKind kind>
static void buildBinary(Node &node) {
  if (computeKnown(node, node.elementType(0), [](ExtentAttr l, ExtentAttr r) {
        return computeKnown(kind, l, r);
      }))
    return;
  node.result(0, node.binary(kind, node.value(0), node.value(1)));
}

/// Min and Max take any number of inputs.
template <BinaryKind kind>
static void buildVariadic(Node &node) {
  if (node.inputCount() == 2)
    return buildBinary<kind>(node);
  Value result = node.value(0);
  for (int i = 1; i < node.inputCount(); ++i)
    result = node.binary(kind, result, node.value(i));
  node.result(0, result);
}

template <CompareKind kind>
static void buildCompare(Node &node) {
  if (computeKnown(
          node, IntegerType::get(node.getContext(), 1),
          [](ExtentAttr l, ExtentAttr r) { return compareKnown(kind, l, r); }))
    return;
  node.result(0, node.compare(kind, node.value(0), node.value(1)));
}

static void buildIsNaN(Node &node) {
  node.result(0, node.compare(CompareKind::Ne, node.value(0), node.value(0)));
}

static void buildWhere(Node &node) {
  std::optional<Extents> condition = node.known(0), yes = node.known(1),
                         no = node.known(2);
  if (condition && yes && no) {
    size_t count = std::max({condition->size(), yes->size(), no->size()});
    auto at = [&](const Extents &list, size_t i) {
      return list[list.size() == 1 ? 0 : i];
    };
    Extents result;
    for (size_t i = 0; i < count; ++i)
      result.push_back(at(*condition, i).isConstant(0) ? at(*no, i)
                                                       : at(*yes, i));
    return node.resultKnown(
        0, result, std::max({node.rank(0), node.rank(1), node.rank(2)}),
        node.elementType(1));
  }
  node.result(0, node.select(node.value(0), node.value(1), node.value(2)));
}

static void castTo(Node &node, Type type) {
  std::optional<Extents> known = node.known(0);
  if (known && isa<IntegerType>(type)) {
    bool toBool = type.isInteger(1) && !node.elementType(0).isInteger(1);
    if (!toBool)
      return node.resultKnown(0, *known, node.rank(0), type);
    Extents result;
    for (ExtentAttr element : *known)
      if (ExtentAttr isSet =
              compareKnown(CompareKind::Ne, element, node.extent(0)))
        result.push_back(isSet);
    if (result.size() == known->size())
      return node.resultKnown(0, result, node.rank(0), type);
  }
  node.result(0, node.cast(node.value(0), type));
}

static void buildCast(Node &node) {
  castTo(node,
         node.graph.getStore().elementTypeOf(int32_t(node.integer("to", 0))));
}

static void buildCastLike(Node &node) { castTo(node, node.elementType(1)); }

static void buildClip(Node &node) {
  Value result = node.value(0);
  if (node.has(1))
    result = node.binary(BinaryKind::Max, result, node.value(1));
  if (node.has(2))
    result = node.binary(BinaryKind::Min, result, node.value(2));
  node.result(0, result);
}

static void buildGelu(Node &node) {
  std::string approximate = node.text("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    node.fail("attribute 'approximate' is '" + approximate +
              "'; expected 'none' or 'tanh'");
  node.result(0, node.unary(approximate == "tanh" ? UnaryKind::GeluTanh
                                                  : UnaryKind::GeluErf,
                            node.value(0)));
}

static void buildFastGelu(Node &node) {
  Value input = node.value(0);
  if (node.has(1))
    input = node.binary(BinaryKind::Add, input, node.value(1));
  node.result(0, node.unary(UnaryKind::GeluTanh, input));
}

static void buildIdentity(Node &node) {
  Operand same = node.operand(0);
  node.graph.define(node.proto.output(0), same);
}

llvm::ArrayRef<OpEntry> serrano::onnx_import::getElementwiseOps() {
  static constexpr OpEntry entries[] = {
      {"", "Abs", buildUnary<UnaryKind::Abs>},
      {"", "Add", buildBinary<BinaryKind::Add>},
      {"", "And", buildBinary<BinaryKind::And>},
      {"", "Cast", buildCast},
      {"", "CastLike", buildCastLike},
      {"", "Clip", buildClip},
      {"", "Cos", buildUnary<UnaryKind::Cos>},
      {"", "Div", buildBinary<BinaryKind::Div>},
      {"", "Equal", buildCompare<CompareKind::Eq>},
      {"", "Erf", buildUnary<UnaryKind::Erf>},
      {"", "Exp", buildUnary<UnaryKind::Exp>},
      {"", "Gelu", buildGelu},
      {"", "Greater", buildCompare<CompareKind::Gt>},
      {"", "GreaterOrEqual", buildCompare<CompareKind::Ge>},
      {"", "Identity", buildIdentity},
      {"", "IsNaN", buildIsNaN},
      {"", "Less", buildCompare<CompareKind::Lt>},
      {"", "LessOrEqual", buildCompare<CompareKind::Le>},
      {"", "Log", buildUnary<UnaryKind::Log>},
      {"", "Max", buildVariadic<BinaryKind::Max>},
      {"", "Min", buildVariadic<BinaryKind::Min>},
      {"", "Mul", buildBinary<BinaryKind::Mul>},
      {"", "Neg", buildUnary<UnaryKind::Neg>},
      {"", "Not", buildUnary<UnaryKind::Not>},
      {"", "Or", buildBinary<BinaryKind::Or>},
      {"", "Pow", buildBinary<BinaryKind::Pow>},
      {"", "Reciprocal", buildUnary<UnaryKind::Reciprocal>},
      {"", "Relu", buildUnary<UnaryKind::Relu>},
      {"", "Sigmoid", buildUnary<UnaryKind::Sigmoid>},
      {"", "Sin", buildUnary<UnaryKind::Sin>},
      {"", "Sqrt", buildUnary<UnaryKind::Sqrt>},
      {"", "Sub", buildBinary<BinaryKind::Sub>},
      {"", "Tanh", buildUnary<UnaryKind::Tanh>},
      {"", "Where", buildWhere},
      {"", "Xor", buildBinary<BinaryKind::Xor>},
      {"com.microsoft", "FastGelu", buildFastGelu},
      {"com.microsoft", "Gelu", buildGelu},
  };
  return entries;
}
