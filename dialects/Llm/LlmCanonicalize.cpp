//===- LlmCanonicalize.cpp - folders and canonical forms -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Llm.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/Support/MathExtras.h"
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
  return llvm::map_to_vector(
      elements.getValues<APFloat>(),
      [](const APFloat &v) { return v.convertToDouble(); });
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
    element.convert(elementType.getFloatSemantics(),
                    APFloat::rmNearestTiesToEven, &lossy);
    return element;
  });
  return DenseElementsAttr::get(type, elements);
}

static Attribute makeIntegers(RankedTensorType type, ArrayRef<int64_t> values) {
  unsigned width = type.getElementTypeBitWidth();
  auto elements = llvm::map_to_vector(values, [&](int64_t value) {
    return APInt(width, value, /*isSigned=*/false, /*implicitTrunc=*/true);
  });
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

/// What integers and floats have in common. `Wrapping` is what sums and
/// products are computed in.
template <typename Wrapping, typename T>
static std::optional<T> computeNumber(BinaryKind kind, T x, T y) {
  switch (kind) {
  case BinaryKind::Add:
    return T(Wrapping(x) + Wrapping(y));
  case BinaryKind::Sub:
    return T(Wrapping(x) - Wrapping(y));
  case BinaryKind::Mul:
    return T(Wrapping(x) * Wrapping(y));
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

static std::optional<double> compute(BinaryKind kind, double x, double y) {
  return computeNumber<double>(kind, x, y);
}

static std::optional<int64_t> compute(BinaryKind kind, int64_t x, int64_t y) {
  switch (kind) {
  case BinaryKind::Div:
    if (y == 0 || llvm::divideSignedWouldOverflow(x, y))
      return std::nullopt;
    return computeNumber<uint64_t>(kind, x, y);
  case BinaryKind::And:
    return x & y;
  case BinaryKind::Or:
    return x | y;
  case BinaryKind::Xor:
    return x ^ y;
  default:
    return computeNumber<uint64_t>(kind, x, y);
  }
}

/// `compute` on each pair of elements; one operand may be a single element.
template <typename T>
static std::optional<SmallVector<T>>
computeAll(BinaryKind kind, ArrayRef<T> lhs, ArrayRef<T> rhs) {
  size_t count = std::max(lhs.size(), rhs.size());
  if ((lhs.size() != count && lhs.size() != 1) ||
      (rhs.size() != count && rhs.size() != 1))
    return std::nullopt;
  SmallVector<T> result;
  for (size_t i = 0; i < count; ++i) {
    std::optional<T> value = compute(kind, lhs[lhs.size() == 1 ? 0 : i],
                                     rhs[rhs.size() == 1 ? 0 : i]);
    if (!value)
      return std::nullopt;
    result.push_back(*value);
  }
  return result;
}

OpFoldResult UnaryOp::fold(FoldAdaptor adaptor) {
  if (getKind() == UnaryKind::Not)
    if (auto inner = getOperand().getDefiningOp<UnaryOp>();
        inner && inner.getKind() == UnaryKind::Not)
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
      return isa<IntegerType>(getType().getElementType()) &&
             isSplat(constant, 0);
    default:
      return false;
    }
  };
  if (getLhs().getType() == getType() && isNeutral(rhs, true))
    return getLhs();
  if (getRhs().getType() == getType() && isNeutral(lhs, false))
    return getRhs();
  if (!lhs || !rhs || !getType().hasStaticShape() ||
      getType().getNumElements() > kMaxFoldedElements)
    return {};
  if (std::optional<SmallVector<double>> l = getFloats(lhs), r = getFloats(rhs);
      l && r)
    if (auto values = computeAll<double>(getKind(), *l, *r);
        values && int64_t(values->size()) == getType().getNumElements())
      return makeFloats(getType(), *values);
  if (std::optional<SmallVector<int64_t>> l = getIntegers(lhs),
      r = getIntegers(rhs);
      l && r)
    if (auto values = computeAll<int64_t>(getKind(), *l, *r);
        values && int64_t(values->size()) == getType().getNumElements())
      return makeIntegers(getType(), *values);
  return {};
}

OpFoldResult SelectOp::fold(FoldAdaptor adaptor) {
  if (isSplat(adaptor.getCondition(), 1) &&
      getTrueValue().getType() == getType())
    return getTrueValue();
  if (isSplat(adaptor.getCondition(), 0) &&
      getFalseValue().getType() == getType())
    return getFalseValue();
  return {};
}

OpFoldResult CastOp::fold(FoldAdaptor adaptor) {
  if (getOperand().getType() == getType())
    return getOperand();
  RankedTensorType type = getType();
  if (std::optional<SmallVector<double>> values =
          getFloats(adaptor.getOperand())) {
    if (isa<FloatType>(type.getElementType()))
      return makeFloats(type, *values);
    bool toBool = type.getElementType().isInteger(1);
    // What a float beyond all integers becomes, the target decides.
    if (!toBool && llvm::any_of(*values, [](double v) {
          return !(std::fabs(v) < std::ldexp(1.0, 63));
        }))
      return {};
    return makeIntegers(type, llvm::map_to_vector(*values, [&](double v) {
                          return toBool ? v != 0 : int64_t(v);
                        }));
  }
  if (std::optional<SmallVector<int64_t>> values =
          getIntegers(adaptor.getOperand())) {
    if (isa<FloatType>(type.getElementType()))
      return makeFloats(type, llvm::map_to_vector(*values, [](int64_t v) {
                          return double(v);
                        }));
    bool toBool = type.getElementType().isInteger(1);
    return makeIntegers(type, llvm::map_to_vector(*values, [&](int64_t v) {
                          return toBool ? v != 0 : v;
                        }));
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
  LogicalResult matchAndRewrite(ReshapeOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getOperand().getDefiningOp<ReshapeOp>();
    if (!inner)
      return failure();
    rewriter.replaceOp(op, rewriter.createOrFold<ReshapeOp>(
                               op.getLoc(), op.getType(), inner.getOperand()));
    return success();
  }
};

/// Leading dimensions that are collapsed before a transposition and expanded
/// after it stay where they are:
///   [a, b, m, n] -> [a * b, m, n] -> [a * b, n, m] -> [a, b, n, m].
struct TransposeOfCollapsed : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp expand,
                                PatternRewriter &rewriter) const override {
    auto transpose = expand.getOperand().getDefiningOp<TransposeOp>();
    if (!transpose || transpose.getPermutation().empty() ||
        transpose.getPermutation().front() != 0)
      return failure();
    auto collapse = transpose.getOperand().getDefiningOp<ReshapeOp>();
    if (!collapse)
      return failure();
    auto from = getExtents(collapse.getOperand()),
         middle = getExtents(collapse.getResult());
    auto to = getExtents(expand.getResult());
    size_t inner = middle.size() - 1;
    if (from.size() < middle.size() || to.size() < middle.size() ||
        ArrayRef(from).take_back(inner) != ArrayRef(middle).drop_front() ||
        ArrayRef(to).take_back(inner) !=
            ArrayRef(getExtents(transpose.getResult())).drop_front())
      return failure();
    // The leading dimensions of the result, then the others as they were.
    SmallVector<ExtentAttr> split(ArrayRef(to).drop_back(inner));
    int64_t leading = split.size();
    llvm::append_range(split, ArrayRef(from).take_back(inner));
    SmallVector<int64_t> permutation =
        llvm::to_vector(llvm::seq<int64_t>(0, leading));
    for (int64_t axis : transpose.getPermutation().drop_front())
      permutation.push_back(axis - 1 + leading);
    Value source = rewriter.createOrFold<ReshapeOp>(
        collapse.getLoc(),
        getTensorType(split, expand.getType().getElementType()),
        collapse.getOperand());
    rewriter.replaceOpWithNewOp<TransposeOp>(expand, source, permutation);
    return success();
  }
};

struct TransposeOfTranspose : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getOperand().getDefiningOp<TransposeOp>();
    if (!inner)
      return failure();
    auto permutation =
        llvm::map_to_vector(op.getPermutation(), [&](int64_t axis) {
          return inner.getPermutation()[axis];
        });
    rewriter.replaceOp(op, rewriter.createOrFold<TransposeOp>(
                               op.getLoc(), inner.getOperand(), permutation));
    return success();
  }
};

/// A part of integers that count up counts up.
struct SliceOfIota : OpRewritePattern<SliceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SliceOp op,
                                PatternRewriter &rewriter) const override {
    Value source = op.getOperand();
    if (auto reshape = source.getDefiningOp<ReshapeOp>())
      source = reshape.getOperand();
    auto iota = source.getDefiningOp<IotaOp>();
    auto from = getExtents(op.getOperand());
    if (!iota || product(getContext(), from) != getExtents(iota.getResult())[0])
      return failure();
    // The one dimension that counts; all others have one element.
    size_t axis = 0;
    while (axis + 1 < from.size() && from[axis].isConstant(1))
      ++axis;
    if (from.empty() || from[axis] != getExtents(iota.getResult())[0])
      return failure();
    ExtentAttr start = iota.getStart().getExtents()[0] +
                       op.getOffsets().getExtents()[axis] * iota.getStep();
    RankedTensorType type = getTensorType({getExtents(op.getResult())[axis]},
                                          op.getType().getElementType());
    Value part = IotaOp::create(
        rewriter, op.getLoc(), type, DimsAttr::get(getContext(), start),
        rewriter.getI64IntegerAttr(iota.getStep() * op.getSteps()[axis]));
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), part);
    return success();
  }
};

} // namespace

void SliceOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                          MLIRContext *context) {
  patterns.add<SliceOfIota>(context);
}

void ReshapeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                            MLIRContext *context) {
  patterns.add<ReshapeOfReshape, TransposeOfCollapsed>(context);
}

void TransposeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  patterns.add<TransposeOfTranspose>(context);
}

OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  if (llvm::equal(getPermutation(),
                  llvm::seq<int64_t>(0, getPermutation().size())))
    return getOperand();
  if (auto elements = dyn_cast_or_null<DenseElementsAttr>(adaptor.getOperand());
      elements && elements.isSplat())
    return elements.resizeSplat(getType());
  return {};
}

OpFoldResult BroadcastOp::fold(FoldAdaptor) {
  return getOperand().getType() == getType() ? getOperand() : OpFoldResult();
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  return getOperands().size() == 1 &&
                 getOperands().front().getType() == getType()
             ? getOperands().front()
             : OpFoldResult();
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  bool whole =
      getOperand().getType() == getType() &&
      llvm::all_of(getOffsets().getExtents(),
                   [](ExtentAttr offset) { return offset.isConstant(0); }) &&
      llvm::all_of(getSteps(), [](int64_t step) { return step == 1; });
  return whole ? getOperand() : OpFoldResult();
}
