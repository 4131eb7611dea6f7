//===- RaiseLinear.cpp - recognises projections and embeddings -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Passes/LlmPasses.h"
#include "dialects/Llm/Passes/Matching.h"
#include "dialects/Llm/Passes/Rewriting.h"

namespace serrano::llm {
#define GEN_PASS_DEF_RAISELINEAR
#include "dialects/Llm/Passes/LlmPasses.h.inc"
} // namespace serrano::llm

using namespace mlir;
using namespace serrano::llm;

namespace {

struct MatmulByWeight : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    if (!isWeight(op.getRhs(), 2))
      return failure();
    rewriter.replaceOpWithNewOp<LinearOp>(op, op.getType(), op.getLhs(),
                                          op.getRhs(), Value());
    return success();
  }
};

struct AddBias : OpRewritePattern<BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BinaryOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getKind() != BinaryKind::Add)
      return failure();
    return success(matchEitherOrder(op, [&](Value product, Value bias) {
      auto linear = product.getDefiningOp<LinearOp>();
      if (!linear || linear.getBias() || !linear->hasOneUse() ||
          !isWeight(bias, 1) ||
          getExtents(bias).back() != getExtents(linear.getWeight()).back() ||
          linear.getType() != op.getType())
        return false;
      Location loc = fuseLocations({linear, op});
      rewriter.replaceOp(op, LinearOp::create(rewriter, loc, op.getType(),
                                              linear.getInput(),
                                              linear.getWeight(), bias)
                                 .getResult());
      return true;
    }));
  }
};

/// A projection does not care how many dimensions are before the last one:
/// collapsing them can wait until after it, where it meets the expansion.
struct ProjectBeforeCollapse : OpRewritePattern<LinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LinearOp op,
                                PatternRewriter &rewriter) const override {
    auto collapse = op.getInput().getDefiningOp<ReshapeOp>();
    if (!collapse || collapse.getType().getRank() != 2)
      return failure();
    // The dimensions that make up the rows; the others make up the features.
    auto from = getExtents(collapse.getOperand()),
         to = getExtents(collapse.getResult());
    size_t leading = 2;
    while (leading < from.size() &&
           product(op.getContext(), ArrayRef(from).take_front(leading)) !=
               to[0])
      ++leading;
    if (leading >= from.size())
      return failure();
    SmallVector<ExtentAttr> extents(ArrayRef(from).take_front(leading));
    extents.push_back(to[1]);
    Value input = rewriter.createOrFold<ReshapeOp>(
        collapse.getLoc(),
        getTensorType(extents, collapse.getType().getElementType()),
        collapse.getOperand());
    extents.back() = getExtents(op.getWeight()).back();
    Value linear =
        LinearOp::create(rewriter, op.getLoc(),
                         getTensorType(extents, op.getType().getElementType()),
                         input, op.getWeight(), op.getBias());
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getType(), linear);
    return success();
  }
};

struct GatherRows : OpRewritePattern<GatherOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(GatherOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getAxis() != 0 || !isWeight(op.getOperand(), 2) ||
        !isa<FloatType>(op.getOperand().getType().getElementType()))
      return failure();
    rewriter.replaceOpWithNewOp<EmbeddingOp>(op, op.getType(), op.getOperand(),
                                             op.getIndices());
    return success();
  }
};

struct RaiseLinear : serrano::llm::impl::RaiseLinearBase<RaiseLinear> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<MatmulByWeight, AddBias, ProjectBeforeCollapse, GatherRows>(
        &getContext());
    ReshapeOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(rewriteFunctions(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
