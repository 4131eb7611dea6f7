//===- LlmCanonicalize.cpp - folders and canonical forms -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Llm.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include <cmath>

using namespace mlir;
using namespace serrano::llm;

/// Constants with more elements are not computed with.
static constexpr int64_t kMaxFoldedElements = 64;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// The elements of a small constant of floats, in f64.
static std::optional<SmallVector<double>> getFloats(Attribute attribute) {
  auto elements = dyn_cast_or_null<DenseFPElementsAttr>(attribute);
  if (!elements || elements.getNumElements() > kMaxFoldedElements)
    return std::nullopt;
  return llvm::map_to_vector(elements.getValues<APFloat>(), [](const APFloat &v) { return v.convertToDouble(); });
}

static std::optional<SmallVector<int64_t>> getIntegers(Attribute attribute) {
  auto elements = dyn_cast_or_null<DenseIntElementsAttr>(attribute);
  if (!elements || elements.getNumElements() > kMaxFoldedElements)
    return std::nullopt;
  bool isBool = elements.getElementType().isInteger(1);
  return llvm::map_to_vector(elements.getValues<APInt>(), [&](const APInt &v) {
    return isBool ? int64_t(v.getZExtValue()) : v.getSExtValue();
  });
}

static Attribute makeFloats(RankedTensorType type, ArrayRef<double> values) {
  auto elementType = cast<FloatType>(type.getElementType());
  auto elements = llvm::map_to_vector(values, [&](double value) {
    APFloat element(value);
    bool lossy;
    element.convert(elementType.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lossy);
    return element;
  });
  return DenseElementsAttr::get(type, elements);
}

static Attribute makeIntegers(RankedTensorType type, ArrayRef<int64_t> values) {
  unsigned width = type.getElementTypeBitWidth();
  auto elements = llvm::map_to_vector(
      values, [&](int64_t value) { return APInt(width, value, /*isSigned=*/false, /*implicitTrunc=*/true); });
  return DenseElementsAttr::get(type, elements);
}

/// Whether all elements of a constant are `value`.
static bool isSplat(Attribute attribute, double value) {
  auto elements = dyn_cast_or_null<DenseElementsAttr>(attribute);
  if (!elements || !elements.isSplat())
    return false;
  if (auto floats = dyn_cast<DenseFPElementsAttr>(elements))
    return floats.getSplatValue<APFloat>().convertToDouble() == value;
  if (elements.getElementType().isInteger(1))
    return double(elements.getSplatValue<bool>()) == value;
  return isa<IntegerType>(elements.getElementType()) &&
         double(elements.getSplatValue<APInt>().getSExtValue()) == value;
}

static std::optional<double> compute(UnaryKind kind, double x) {
  switch (kind) {
  case UnaryKind::Neg:
    return -x;
  case UnaryKind::Abs:
    return std::fabs(x);
  case UnaryKind::Sqrt:
    return std::sqrt(x);
  case UnaryKind::Reciprocal:
    return 1.0 / x;
  default:
    // Where libraries round differently, the target decides.
    return std::nullopt;
  }
}

static std::optional<double> compute(BinaryKind kind, double x, double y) {
  switch (kind) {
  case BinaryKind::Add:
    return x + y;
  case BinaryKind::Sub:
    return x - y;
  case BinaryKind::Mul:
    return x * y;
  case BinaryKind::Div:
    return x / y;
  case BinaryKind::Min:
    return std::min(x, y);
  case BinaryKind::Max:
    return std::max(x, y);
  default:
    return std::nullopt;
  }
}

static std::optional<int64_t> compute(BinaryKind kind, int64_t x, int64_t y) {
  switch (kind) {
  case BinaryKind::Add:
    return x + y;
  case BinaryKind::Sub:
    return x - y;
  case BinaryKind::Mul:
    return x * y;
  case BinaryKind::Div:
    return y == 0 ? std::nullopt : std::optional(x / y);
  case BinaryKind::Min:
    return std::min(x, y);
  case BinaryKind::Max:
    return std::max(x, y);
  case BinaryKind::And:
    return x & y;
  case BinaryKind::Or:
    return x | y;
  case BinaryKind::Xor:
    return x ^ y;
  default:
    return std::nullopt;
  }
}

/// `compute` on each pair of elements; one operand may be a single element.
template <typename T>
static std::optional<SmallVector<T>> computeAll(BinaryKind kind, ArrayRef<T> lhs, ArrayRef<T> rhs) {
  size_t count = std::max(lhs.size(), rhs.size());
  if ((lhs.size() != count && lhs.size() != 1) || (rhs.size() != count && rhs.size() != 1))
    return std::nullopt;
  SmallVector<T> result;
  for (size_t i = 0; i < count; ++i) {
    std::optional<T> value = compute(kind, lhs[lhs.size() == 1 ? 0 : i], rhs[rhs.size() == 1 ? 0 : i]);
    if (!value)
      return std::nullopt;
    result.push_back(*value);
  }
  return result;
}

OpFoldResult UnaryOp::fold(FoldAdaptor adaptor) {
  if (getKind() == UnaryKind::Not)
    if (auto inner = getOperand().getDefiningOp<UnaryOp>(); inner && inner.getKind() == UnaryKind::Not)
      return inner.getOperand();
  std::optional<SmallVector<double>> values = getFloats(adaptor.getOperand());
  if (!values)
    return {};
  for (double &value : *values) {
    std::optional<double> result = compute(getKind(), value);
    if (!result)
      return {};
    value = *result;
  }
  return makeFloats(getType(), *values);
}

OpFoldResult BinaryOp::fold(FoldAdaptor adaptor) {
  Attribute lhs = adaptor.getLhs(), rhs = adaptor.getRhs();
  // Neutral elements, where the other operand is not broadcast.
  auto isNeutral = [&](Attribute constant, bool onTheRight) {
    switch (getKind()) {
    case BinaryKind::Mul:
    case BinaryKind::And:
      return isSplat(constant, 1);
    case BinaryKind::Div:
      return onTheRight && isSplat(constant, 1);
    case BinaryKind::Or:
      return isSplat(constant, 0);
    case BinaryKind::Add:
      // -0 + 0 is +0, so this holds for integers only.
      return isa<IntegerType>(getType().getElementType()) && isSplat(constant, 0);
    default:
      return false;
    }
  };
  if (getLhs().getType() == getType() && isNeutral(rhs, true))
    return getLhs();
  if (getRhs().getType() == getType() && isNeutral(lhs, false))
    return getRhs();
  if (!lhs || !rhs || !getType().hasStaticShape() || getType().getNumElements() > kMaxFoldedElements)
    return {};
  if (std::optional<SmallVector<double>> l = getFloats(lhs), r = getFloats(rhs); l && r)
    if (auto values = computeAll<double>(getKind(), *l, *r); values && int64_t(values->size()) == getType().getNumElements())
      return makeFloats(getType(), *values);
  if (std::optional<SmallVector<int64_t>> l = getIntegers(lhs), r = getIntegers(rhs); l && r)
    if (auto values = computeAll<int64_t>(getKind(), *l, *r); values && int64_t(values->size()) == getType().getNumElements())
      return makeIntegers(getType(), *values);
  return {};
}

OpFoldResult SelectOp::fold(FoldAdaptor adaptor) {
  if (isSplat(adaptor.getCondition(), 1) && getTrueValue().getType() == getType())
    return getTrueValue();
  if (isSplat(adaptor.getCondition(), 0) && getFalseValue().getType() == getType())
    return getFalseValue();
  return {};
}

OpFoldResult CastOp::fold(FoldAdaptor adaptor) {
  if (getOperand().getType() == getType())
    return getOperand();
  RankedTensorType type = getType();
  if (std::optional<SmallVector<double>> values = getFloats(adaptor.getOperand())) {
    if (isa<FloatType>(type.getElementType()))
      return makeFloats(type, *values);
    bool toBool = type.getElementType().isInteger(1);
    return makeIntegers(type, llvm::map_to_vector(*values, [&](double v) { return toBool ? v != 0 : int64_t(v); }));
  }
  if (std::optional<SmallVector<int64_t>> values = getIntegers(adaptor.getOperand())) {
    if (isa<FloatType>(type.getElementType()))
      return makeFloats(type, llvm::map_to_vector(*values, [](int64_t v) { return double(v); }));
    bool toBool = type.getElementType().isInteger(1);
    return makeIntegers(type, llvm::map_to_vector(*values, [&](int64_t v) { return toBool ? v != 0 : v; }));
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (getOperand().getType() == getType())
    return getOperand();
  if (auto elements = dyn_cast_or_null<DenseElementsAttr>(adaptor.getOperand()))
    return elements.reshape(getType());
  return {};
}

namespace {

struct ReshapeOfReshape : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getOperand().getDefiningOp<ReshapeOp>();
    if (!inner)
      return failure();
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), inner.getOperand());
    return success();
  }
};

/// Leading dimensions that are collapsed before a transposition and expanded
/// after it stay where they are:
///   [a, b, m, n] -> [a * b, m, n] -> [a * b, n, m] -> [a, b, n, m].
struct TransposeOfCollapsed : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp expand, PatternRewriter &rewriter) const override {
    auto transpose = expand.getOperand().getDefiningOp<TransposeOp>();
    if (!transpose || transpose.getPermutation().empty() || transpose.getPermutation().front() != 0)
      return failure();
    auto collapse = transpose.getOperand().getDefiningOp<ReshapeOp>();
    if (!collapse)
      return failure();
    auto from = getExtents(collapse.getOperand()), middle = getExtents(collapse.getResult());
    if (from.size() < middle.size() ||
        ArrayRef(from).take_back(middle.size() - 1) != ArrayRef(middle).drop_front())
      return failure();
    int64_t leading = from.size() - middle.size() + 1;
    SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, leading));
    for (int64_t axis : transpose.getPermutation().drop_front())
      permutation.push_back(axis - 1 + leading);
    auto result = llvm::map_to_vector(permutation, [&](int64_t axis) { return from[axis]; });
    if (result != getExtents(expand.getResult()))
      return failure();
    rewriter.replaceOpWithNewOp<TransposeOp>(expand, collapse.getOperand(), permutation);
    return success();
  }
};

struct TransposeOfTranspose : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getOperand().getDefiningOp<TransposeOp>();
    if (!inner)
      return failure();
    auto permutation =
        llvm::map_to_vector(op.getPermutation(), [&](int64_t axis) { return inner.getPermutation()[axis]; });
    rewriter.replaceOpWithNewOp<TransposeOp>(op, inner.getOperand(), permutation);
    return success();
  }
};

} // namespace

void ReshapeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<ReshapeOfReshape, TransposeOfCollapsed>(context);
}

void TransposeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<TransposeOfTranspose>(context);
}

OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  if (llvm::equal(getPermutation(), llvm::seq<int64_t>(0, getPermutation().size())))
    return getOperand();
  if (auto elements = dyn_cast_or_null<DenseElementsAttr>(adaptor.getOperand()); elements && elements.isSplat())
    return elements.resizeSplat(getType());
  return {};
}

OpFoldResult BroadcastOp::fold(FoldAdaptor) {
  return getOperand().getType() == getType() ? getOperand() : OpFoldResult();
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  return getOperands().size() == 1 && getOperands().front().getType() == getType() ? getOperands().front()
                                                                                   : OpFoldResult();
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  bool whole = getOperand().getType() == getType() &&
               llvm::all_of(getOffsets().getExtents(), [](ExtentAttr offset) { return offset.isConstant(0); }) &&
               llvm::all_of(getSteps(), [](int64_t step) { return step == 1; });
  return whole ? getOperand() : OpFoldResult();
}
