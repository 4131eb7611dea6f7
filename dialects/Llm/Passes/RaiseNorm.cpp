//===- RaiseNorm.cpp - recognises normalisations -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Passes/LlmPasses.h"
#include "dialects/Llm/Passes/Matching.h"
#include "dialects/Llm/Passes/Rewriting.h"

namespace serrano::llm {
#define GEN_PASS_DEF_RAISENORM
#include "dialects/Llm/Passes/LlmPasses.h.inc"
} // namespace serrano::llm

using namespace mlir;
using namespace serrano::llm;

/// `x` and `epsilon` of `mean(x^2 over the last dimension) + epsilon`.
static bool matchMeanSquare(Value value, Value &x, float &epsilon) {
  auto sum = getBinary(value, BinaryKind::Add);
  return sum && matchEitherOrder(sum, [&](Value mean, Value constant) {
           std::optional<double> scalar = getScalar(constant);
           auto reduce = mean.getDefiningOp<ReduceOp>();
           if (!scalar || !reduce || reduce.getKind() != ReduceKind::Mean ||
               reduce.getDropAxes() ||
               reduce.getAxes() !=
                   ArrayRef<int64_t>{reduce.getOperand().getType().getRank() -
                                     1})
             return false;
           auto square = reduce.getOperand().getDefiningOp<BinaryOp>();
           if (!square || !((square.getKind() == BinaryKind::Pow &&
                             isScalar(square.getRhs(), 2)) ||
                            (square.getKind() == BinaryKind::Mul &&
                             square.getLhs() == square.getRhs())))
             return false;
           x = square.getLhs();
           epsilon = float(*scalar);
           return true;
         });
}

/// `x` and `epsilon` of `x / sqrt(mean(x^2) + epsilon)`.
static bool matchNormalized(Value value, Value &x, float &epsilon) {
  auto op = value.getDefiningOp<BinaryOp>();
  if (!op)
    return false;
  auto matchRoot = [&](Value root) {
    auto sqrt = getUnary(root, UnaryKind::Sqrt);
    return sqrt && matchMeanSquare(sqrt.getOperand(), x, epsilon);
  };
  if (op.getKind() == BinaryKind::Div)
    return matchRoot(op.getRhs()) && x == op.getLhs();
  return op.getKind() == BinaryKind::Mul &&
         matchEitherOrder(op, [&](Value input, Value factor) {
           bool isInverse = false;
           if (auto reciprocal = getUnary(factor, UnaryKind::Reciprocal))
             isInverse = matchRoot(reciprocal.getOperand());
           else if (auto quotient = getBinary(factor, BinaryKind::Div))
             isInverse =
                 isScalar(quotient.getLhs(), 1) && matchRoot(quotient.getRhs());
           else if (auto power = getBinary(factor, BinaryKind::Pow))
             isInverse = isScalar(power.getRhs(), -0.5) &&
                         matchMeanSquare(power.getLhs(), x, epsilon);
           return isInverse && x == input;
         });
}

/// `weight` and `offset` of `weight` or `weight + offset`.
static bool matchScale(Value value, Value &weight, float &offset) {
  weight = value;
  offset = 0;
  if (auto sum = getBinary(value, BinaryKind::Add))
    matchEitherOrder(sum, [&](Value w, Value constant) {
      std::optional<double> scalar = getScalar(constant);
      if (!scalar)
        return false;
      weight = w;
      offset = float(*scalar);
      return true;
    });
  return isWeight(weight, 1);
}

/// `x - mean(x)`.
static Value matchCentered(Value value) {
  auto difference = getBinary(value, BinaryKind::Sub);
  if (!difference)
    return {};
  auto mean = difference.getRhs().getDefiningOp<ReduceOp>();
  bool matches =
      mean && mean.getKind() == ReduceKind::Mean &&
      mean.getOperand() == difference.getLhs() && !mean.getDropAxes() &&
      mean.getAxes() ==
          ArrayRef<int64_t>{mean.getOperand().getType().getRank() - 1};
  return matches ? difference.getLhs() : Value();
}

namespace {

struct RaiseRmsNorm : OpRewritePattern<BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BinaryOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getKind() != BinaryKind::Mul)
      return failure();
    return success(matchEitherOrder(op, [&](Value normalized, Value factor) {
      Value x, weight;
      float epsilon, offset;
      if (!matchNormalized(normalized, x, epsilon) ||
          !matchScale(factor, weight, offset) || x.getType() != op.getType() ||
          matchCentered(x))
        return false;
      Location loc = fuseLocations({normalized, op});
      rewriter.replaceOp(
          op, RmsNormOp::create(rewriter, loc, op.getType(), x, weight,
                                rewriter.getF32FloatAttr(epsilon),
                                rewriter.getF32FloatAttr(offset))
                  .getResult());
      return true;
    }));
  }
};

struct RaiseLayerNorm : OpRewritePattern<BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BinaryOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getKind() != BinaryKind::Add)
      return failure();
    return success(matchEitherOrder(op, [&](Value scaled, Value bias) {
      auto product = getBinary(scaled, BinaryKind::Mul);
      return product && isWeight(bias, 1) &&
             matchEitherOrder(product, [&](Value normalized, Value scale) {
               Value centered;
               float epsilon;
               if (!isWeight(scale, 1) ||
                   !matchNormalized(normalized, centered, epsilon))
                 return false;
               Value x = matchCentered(centered);
               if (!x || x.getType() != op.getType())
                 return false;
               Location loc = fuseLocations({normalized, op});
               rewriter.replaceOp(
                   op,
                   LayerNormOp::create(rewriter, loc, op.getType(), x, scale,
                                       bias, rewriter.getF32FloatAttr(epsilon))
                       .getResult());
               return true;
             });
    }));
  }
};

/// Norms of heads: exporters collapse [batch, positions, heads * size] to
/// [batch, positions * heads, size] before the norm. It is as well done on
/// [batch, positions, heads, size], where positions stay a dimension.
struct NormBeforeCollapse : OpRewritePattern<RmsNormOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(RmsNormOp op,
                                PatternRewriter &rewriter) const override {
    auto collapse = op.getInput().getDefiningOp<ReshapeOp>();
    if (!collapse)
      return failure();
    auto extents = getExtents(collapse.getOperand()),
         to = getExtents(collapse.getResult());
    std::optional<ExtentAttr> heads =
        extents.empty() ? std::nullopt : extents.back().dividedBy(to.back());
    if (!heads || to.size() > extents.size())
      return failure();
    extents.back() = *heads;
    extents.push_back(to.back());
    RankedTensorType type =
        getTensorType(extents, op.getType().getElementType());
    Value input = ReshapeOp::create(rewriter, collapse.getLoc(), type,
                                    collapse.getOperand());
    Value norm =
        RmsNormOp::create(rewriter, op.getLoc(), type, input, op.getScale(),
                          op.getEpsilonAttr(), op.getScaleOffsetAttr());
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), norm);
    return success();
  }
};

struct RaiseNorm : serrano::llm::impl::RaiseNormBase<RaiseNorm> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<NormBeforeCollapse, RaiseLayerNorm, RaiseRmsNorm>(
        &getContext());
    ReshapeOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(rewriteFunctions(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
