//===- Reductions.cpp - how serrano-reduce simplifies operations -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reductions.h"

#include "dialects/Llm/Llm.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Reducer/ReductionPatternInterface.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace serrano;

namespace {

/// Replaces the results of an operation of the llm dialect if the module stays
/// interesting. Each replacement is tried by itself: MLIR 22's reduction-tree
/// begins with all at once and cannot go on from a module that is not
/// interesting any more.
class LlmPattern : public RewritePattern {
public:
  LlmPattern(MLIRContext *context, PatternBenefit benefit, const Tester &tester)
      : RewritePattern(MatchAnyOpTypeTag(), benefit, context), tester(tester) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const final {
    if (op->getNumResults() == 0 ||
        !mlir::isa_and_nonnull<llm::LlmDialect>(op->getDialect()) ||
        !isReducible(op) || !staysInteresting(op))
      return failure();
    replace(op, rewriter);
    return success();
  }

private:
  virtual bool isReducible(Operation *op) const = 0;
  /// What takes the place of `result` of an operation that is reducible.
  virtual Value simpler(Value result, OpBuilder &builder) const = 0;

  void replace(Operation *op, RewriterBase &rewriter) const {
    rewriter.setInsertionPoint(op);
    SmallVector<Value> values;
    for (Value result : op->getResults())
      values.push_back(simpler(result, rewriter));
    rewriter.replaceOp(op, values);
  }

  bool staysInteresting(Operation *op) const {
    IRMapping mapping;
    OwningOpRef<ModuleOp> copy =
        cast<ModuleOp>(op->getParentOfType<ModuleOp>()->clone(mapping));
    IRRewriter rewriter(op->getContext());
    replace(mapping.lookup(op), rewriter);
    // The driver erases what is not used any more; what is interesting must not
    // be among it.
    (void)runRegionDCE(rewriter, copy->getOperation()->getRegions());
    return tester.isInteresting(*copy).first == Tester::Interestingness::True;
  }

  const Tester &tester;
};

class ReplaceByOperand final : public LlmPattern {
  using LlmPattern::LlmPattern;

  static Value operandLike(Value result) {
    for (Value operand : result.getDefiningOp()->getOperands())
      if (operand.getType() == result.getType())
        return operand;
    return {};
  }

  bool isReducible(Operation *op) const override {
    return llvm::all_of(op->getResults(),
                        [](Value result) { return operandLike(result); });
  }

  Value simpler(Value result, OpBuilder &) const override {
    return operandLike(result);
  }
};

/// Zeroes of any shape, known or not, are one element that is broadcast. That
/// is where reduction ends: a broadcast of a constant stays as it is.
class ReplaceByZeroes final : public LlmPattern {
  using LlmPattern::LlmPattern;

  bool isReducible(Operation *op) const override {
    if (auto broadcast = dyn_cast<llm::BroadcastOp>(op))
      return !broadcast.getOperand().getDefiningOp<arith::ConstantOp>();
    return llvm::all_of(op->getResultTypes(), [](Type type) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      return tensor && tensor.getElementType().isIntOrFloat();
    });
  }

  Value simpler(Value result, OpBuilder &builder) const override {
    auto type = cast<RankedTensorType>(result.getType());
    auto elementType = RankedTensorType::get({}, type.getElementType());
    Value zero = arith::ConstantOp::create(
        builder, result.getLoc(),
        cast<TypedAttr>(builder.getZeroAttr(elementType)));
    if (type == elementType)
      return zero;
    return llm::BroadcastOp::create(builder, result.getLoc(), type, zero);
  }
};

class LlmReductions final : public DialectReductionPatternInterface {
public:
  explicit LlmReductions(Dialect *dialect)
      : DialectReductionPatternInterface(dialect) {}

  void populateReductionPatterns(RewritePatternSet &) const override {}

  void populateReductionPatternsWithTester(RewritePatternSet &patterns,
                                           Tester &tester) const override {
    // Zeroes cut off all that led to the operation, so they are tried first.
    patterns.add<ReplaceByZeroes>(patterns.getContext(), /*benefit=*/2, tester);
    patterns.add<ReplaceByOperand>(patterns.getContext(), /*benefit=*/1,
                                   tester);
  }
};

} // namespace

void serrano::registerReductions(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *, llm::LlmDialect *dialect) {
    dialect->addInterfaces<LlmReductions>();
  });
}
