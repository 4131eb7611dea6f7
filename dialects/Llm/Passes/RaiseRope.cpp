//===- RaiseRope.cpp - recognises rotary position embedding -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Passes/ConstantTable.h"
#include "dialects/Llm/Passes/LlmPasses.h"
#include "dialects/Llm/Passes/Matching.h"
#include "dialects/Llm/Passes/Rewriting.h"

namespace serrano::llm {
#define GEN_PASS_DEF_RAISEROPE
#include "dialects/Llm/Passes/LlmPasses.h.inc"
} // namespace serrano::llm

using namespace mlir;
using namespace serrano::llm;

//===----------------------------------------------------------------------===//
// Angles
//===----------------------------------------------------------------------===//

/// Both halves of `concat(half, half)` along the last dimension.
static Value matchDoubled(Value value) {
  auto concat = value.getDefiningOp<ConcatOp>();
  if (!concat || concat.getOperands().size() != 2 ||
      concat.getOperands()[0] != concat.getOperands()[1] ||
      int64_t(concat.getAxis()) != concat.getType().getRank() - 1)
    return {};
  return concat.getOperands()[0];
}

/// `positions` (integers) and `frequencies` (a weight) of their outer product,
/// whose last dimension is that of the frequencies.
static bool matchOuterProduct(Value value, Value &positions,
                              Value &frequencies) {
  if (auto transpose = value.getDefiningOp<TransposeOp>()) {
    // [batch, frequencies, positions] is brought into order.
    if (transpose.getPermutation() != ArrayRef<int64_t>{0, 2, 1})
      return false;
    value = transpose.getOperand();
  }
  Operation *op = value.getDefiningOp();
  auto product = dyn_cast_or_null<BinaryOp>(op);
  if (!isa_and_nonnull<MatmulOp>(op) &&
      !(product && product.getKind() == BinaryKind::Mul))
    return false;
  for (auto [p, f] : {std::pair(0, 1), std::pair(1, 0)}) {
    auto isPosition = stripReshapes(op->getOperand(p)).getDefiningOp<CastOp>();
    Value weight = stripReshapes(op->getOperand(f));
    if (!isPosition ||
        !isWeight(weight, cast<RankedTensorType>(weight.getType()).getRank()))
      continue;
    positions = stripReshapes(isPosition.getOperand());
    frequencies = weight;
    return isa<IntegerType>(
        cast<RankedTensorType>(positions.getType()).getElementType());
  }
  return false;
}

namespace {

/// cos(concat(f, f)) is concat(cos(f), cos(f)), and so are sines and products
/// with a constant: what follows sees each half once.
struct HalveDoubled : RewritePattern {
  HalveDoubled(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    Value half;
    unsigned index = 0;
    if (auto unary = dyn_cast<UnaryOp>(op)) {
      if (unary.getKind() == UnaryKind::Cos ||
          unary.getKind() == UnaryKind::Sin)
        half = matchDoubled(unary.getOperand());
    } else if (auto binary = dyn_cast<BinaryOp>(op);
               binary && binary.getKind() == BinaryKind::Mul) {
      for (index = 0; index < 2 && !half; ++index)
        if (getScalar(binary->getOperand(1 - index)))
          half = matchDoubled(binary->getOperand(index));
      index = half ? index - 1 : 0;
    }
    if (!half)
      return failure();
    Operation *halved = rewriter.clone(*op);
    halved->setOperand(index, half);
    halved->getResult(0).setType(half.getType());
    Value result = halved->getResult(0);
    rewriter.replaceOpWithNewOp<ConcatOp>(
        op, op->getResult(0).getType(), ValueRange{result, result},
        cast<RankedTensorType>(half.getType()).getRank() - 1);
    return success();
  }
};

struct RaiseAngles : OpRewritePattern<UnaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(UnaryOp op,
                                PatternRewriter &rewriter) const override {
    Value positions, frequencies;
    if ((op.getKind() != UnaryKind::Cos && op.getKind() != UnaryKind::Sin) ||
        !matchOuterProduct(op.getOperand(), positions, frequencies))
      return failure();
    auto extents = getExtents(op.getResult());
    int64_t count =
        cast<RankedTensorType>(frequencies.getType()).getNumElements();
    if (!extents.back().isConstant(count))
      return failure();
    auto shape = ArrayRef(extents).drop_back();
    if (!haveEqualProducts(getExtents(positions), shape))
      return failure();
    Type integer = cast<RankedTensorType>(positions.getType()).getElementType();
    positions = rewriter.createOrFold<ReshapeOp>(
        op.getLoc(), getTensorType(shape, integer), positions);
    frequencies = rewriter.createOrFold<ReshapeOp>(
        op.getLoc(),
        RankedTensorType::get(count, op.getType().getElementType()),
        frequencies);
    // Cosine and sine of equal operands become one operation by CSE.
    auto angles = RopeAnglesOp::create(rewriter, op.getLoc(), op.getType(),
                                       op.getType(), positions, frequencies);
    rewriter.replaceOp(op, op.getKind() == UnaryKind::Cos ? angles.getCosine()
                                                          : angles.getSine());
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Rotation
//===----------------------------------------------------------------------===//

/// Whether `value` is `x` with the halves of its last dimension exchanged and
/// the first negated: concat(-x[half:], x[:half]).
static bool isRotatedHalf(Value value, Value x) {
  auto concat = value.getDefiningOp<ConcatOp>();
  if (!concat || concat.getOperands().size() != 2 ||
      int64_t(concat.getAxis()) != concat.getType().getRank() - 1)
    return false;
  auto negated = getUnary(concat.getOperands()[0], UnaryKind::Neg);
  auto low = concat.getOperands()[1].getDefiningOp<SliceOp>();
  auto high =
      negated ? negated.getOperand().getDefiningOp<SliceOp>() : SliceOp();
  auto size = getExtents(x).back().getConstantValue();
  if (!low || !high || low.getOperand() != x || high.getOperand() != x ||
      !size || *size % 2)
    return false;
  auto isHalf = [&](SliceOp slice, int64_t offset) {
    return slice.getOffsets().getExtents().back().isConstant(offset) &&
           slice.getSteps().back() == 1 &&
           getExtents(slice.getResult()).back().isConstant(*size / 2);
  };
  return isHalf(low, 0) && isHalf(high, *size / 2);
}

/// Whether each row of a constant has the same columns twice. The answers are
/// kept: every layer has the same tables.
class DoubledConstants {
public:
  bool contains(GetWeightOp weight) {
    auto [answer, isNew] = answers.try_emplace(weight.getNameAttr());
    if (isNew)
      answer->second = look(weight);
    return answer->second;
  }

private:
  static bool look(GetWeightOp weight) {
    std::string problem;
    auto table = ConstantTable::open(weight, problem);
    if (!table || table->getShape().empty() || table->getShape().back() % 2)
      return false;
    int64_t half = table->getShape().back() / 2;
    SmallVector<int64_t> index(table->getShape().size(), 0);
    while (true) {
      for (int64_t i = 0; i < half; ++i) {
        index.back() = i;
        uint64_t low = table->getBits(index);
        index.back() = i + half;
        if (table->getBits(index) != low)
          return false;
      }
      // The next row.
      int64_t axis = int64_t(index.size()) - 2;
      while (axis >= 0 && ++index[axis] == table->getShape()[axis])
        index[axis--] = 0;
      if (axis < 0)
        return true;
    }
  }

  DenseMap<Attribute, bool> answers;
};

struct RaiseRotation : OpRewritePattern<BinaryOp> {
  RaiseRotation(MLIRContext *context, DoubledConstants &constants)
      : OpRewritePattern(context), constants(constants) {}

  /// A table and the type that rope wants it to have, with each column once.
  struct Table {
    Value source;
    RankedTensorType type;
    bool isDoubled = false; ///< whether `source` has each column twice
  };

  /// The table behind `value`, which has an axis of extent 1 for the heads and
  /// every column twice. A table without a batch is for all of them.
  std::optional<Table> matchTable(Value value, int64_t headAxis) const {
    auto extents = getExtents(value);
    if (extents.empty() || extents.size() > 4)
      return std::nullopt;
    extents.insert(extents.begin(), 4 - extents.size(),
                   ExtentAttr::getConstant(value.getContext(), 1));
    if (!extents[headAxis].isConstant(1))
      return std::nullopt;
    Table table;
    Value unshaped = stripReshapes(value);
    if (Value half = matchDoubled(unshaped)) {
      table.source = half;
    } else if (auto weight = unshaped.getDefiningOp<GetWeightOp>();
               weight && constants.contains(weight)) {
      table.source = weight;
      table.isDoubled = true;
    } else {
      return std::nullopt;
    }
    auto sourceExtents = getExtents(table.source);
    auto columns = sourceExtents.back().getConstantValue();
    if (table.isDoubled)
      sourceExtents.back() =
          ExtentAttr::getConstant(value.getContext(), *columns / 2);
    extents.erase(extents.begin() + headAxis);
    extents.back() = sourceExtents.back();
    if (!haveEqualProducts(sourceExtents, extents))
      return std::nullopt;
    table.type = getTensorType(
        extents, cast<RankedTensorType>(value.getType()).getElementType());
    return table;
  }

  /// What rope reads: a constant's first half, a view of the same bytes.
  static Value makeOperand(const Table &table, Location loc,
                           PatternRewriter &rewriter) {
    Value half = table.source;
    if (table.isDoubled) {
      auto type = cast<RankedTensorType>(half.getType());
      SmallVector<int64_t> shape(type.getShape());
      shape.back() /= 2;
      SmallVector<ExtentAttr> zeros(
          shape.size(), ExtentAttr::getConstant(rewriter.getContext(), 0));
      half = SliceOp::create(
          rewriter, loc, type.clone(shape), half,
          DimsAttr::get(rewriter.getContext(), zeros),
          rewriter.getDenseI64ArrayAttr(SmallVector<int64_t>(shape.size(), 1)));
    }
    return rewriter.createOrFold<ReshapeOp>(loc, table.type, half);
  }

  LogicalResult matchAndRewrite(BinaryOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getKind() != BinaryKind::Add || op.getType().getRank() != 4)
      return failure();
    return success(matchEitherOrder(op, [&](Value straight, Value crossed) {
      auto a = getBinary(straight, BinaryKind::Mul),
           b = getBinary(crossed, BinaryKind::Mul);
      return a && b && matchEitherOrder(a, [&](Value x, Value cosine) {
               return matchEitherOrder(b, [&](Value rotated, Value sine) {
                 if (!isRotatedHalf(rotated, x) || x.getType() != op.getType())
                   return false;
                 // Exporters put the heads before or after the positions.
                 for (int64_t headAxis : {1, 2}) {
                   std::optional<Table> c = matchTable(cosine, headAxis),
                                        s = matchTable(sine, headAxis);
                   if (!c || !s)
                     continue;
                   SmallVector<int64_t> swap{0, 2, 1, 3};
                   Location loc = fuseLocations({straight, crossed, op});
                   Value input =
                       headAxis == 1
                           ? TransposeOp::create(rewriter, loc, x, swap)
                                 .getResult()
                           : x;
                   Value result =
                       RopeOp::create(rewriter, loc, input.getType(), input,
                                      makeOperand(*c, loc, rewriter),
                                      makeOperand(*s, loc, rewriter));
                   rewriter.replaceOp(op, headAxis == 1
                                              ? TransposeOp::create(
                                                    rewriter, loc, result, swap)
                                                    .getResult()
                                              : result);
                   return true;
                 }
                 return false;
               });
             });
    }));
  }

  DoubledConstants &constants;
};

struct RaiseRope : serrano::llm::impl::RaiseRopeBase<RaiseRope> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<HalveDoubled, RaiseAngles>(&getContext());
    DoubledConstants constants;
    patterns.add<RaiseRotation>(&getContext(), constants);
    if (failed(rewriteFunctions(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
