//===- RaiseAttention.cpp - recognises attention and its masks -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Passes/IndexAnalysis.h"
#include "dialects/Llm/Passes/LlmPasses.h"
#include "dialects/Llm/Passes/Matching.h"
#include "dialects/Llm/Passes/Remarks.h"
#include "dialects/Llm/Passes/Rewriting.h"

#include <cmath>

namespace serrano::llm {
#define GEN_PASS_DEF_RAISEATTENTION
#include "dialects/Llm/Passes/LlmPasses.h.inc"
} // namespace serrano::llm

using namespace mlir;
using namespace serrano::llm;

static constexpr int64_t kSwapHeads[] = {0, 2, 1, 3};

//===----------------------------------------------------------------------===//
// Softmax attention from its parts
//===----------------------------------------------------------------------===//

/// Takes products with constants off `value` and puts them into `scale`.
static Value stripScale(Value value, double &scale) {
  while (auto op = value.getDefiningOp<BinaryOp>()) {
    std::optional<double> rhs = getScalar(op.getRhs()),
                          lhs = getScalar(op.getLhs());
    if (op.getKind() == BinaryKind::Mul && rhs) {
      scale *= *rhs;
      value = op.getLhs();
    } else if (op.getKind() == BinaryKind::Mul && lhs) {
      scale *= *lhs;
      value = op.getRhs();
    } else if (op.getKind() == BinaryKind::Div && rhs) {
      scale /= *rhs;
      value = op.getLhs();
    } else {
      break;
    }
  }
  return value;
}

/// The probabilities before rows that are all NaN, since no key takes part,
/// are replaced by zeros.
static Value stripNanGuard(Value value) {
  auto select = value.getDefiningOp<SelectOp>();
  if (!select || !isScalar(select.getTrueValue(), 0))
    return value;
  auto isNan = select.getCondition().getDefiningOp<CompareOp>();
  bool matches = isNan && isNan.getKind() == CompareKind::Ne &&
                 isNan.getLhs() == isNan.getRhs() &&
                 isNan.getLhs() == select.getFalseValue();
  return matches ? select.getFalseValue() : value;
}

/// [batch, kv_heads, positions, size] behind its repetition to more heads by
/// reshape, broadcast and reshape.
static Value stripRepeat(Value value) {
  auto merge = value.getDefiningOp<ReshapeOp>();
  auto repeat =
      merge ? merge.getOperand().getDefiningOp<BroadcastOp>() : BroadcastOp();
  if (!repeat)
    return value;
  auto from = getExtents(repeat.getOperand()),
       to = getExtents(repeat.getResult()), merged = getExtents(value);
  if (from.size() != 5 || to.size() != 5 || merged.size() != 4 ||
      !from[2].isConstant(1) || merged[1] != to[1] * to[2])
    return value;
  for (int i : {0, 1, 3, 4})
    if (from[i] != to[i] || (i != 1 && to[i] != merged[i < 2 ? i : i - 1]))
      return value;
  Value source = repeat.getOperand();
  SmallVector<ExtentAttr> unrepeated{from[0], from[1], from[3], from[4]};
  if (auto split = source.getDefiningOp<ReshapeOp>();
      split && getExtents(split.getOperand()) == unrepeated)
    return split.getOperand();
  return value;
}

/// The value whose transposition by [0, 1, 3, 2] is `value`.
static Value transposeLast(Value value, PatternRewriter &rewriter) {
  return TransposeOp::create(rewriter, value.getLoc(), value,
                             ArrayRef<int64_t>{0, 1, 3, 2});
}

/// Brings [batch, heads, positions, size] into the order that llm.attention
/// has.
static Value swapHeads(Value value, PatternRewriter &rewriter) {
  return TransposeOp::create(rewriter, value.getLoc(), value, kSwapHeads);
}

namespace {

struct RaiseSoftmaxAttention : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    auto softmax = stripNanGuard(op.getLhs()).getDefiningOp<SoftmaxOp>();
    if (!softmax || softmax.getType().getRank() != 4 || softmax.getAxis() != 3)
      return failure();
    double scale = 1, softcap = 0;
    Value scores = softmax.getOperand(), mask;
    if (auto sum = getBinary(scores, BinaryKind::Add)) {
      // The scores are the side with a product behind them.
      auto isScores = [&](Value side) {
        double ignored;
        Value stripped = stripScale(side, ignored);
        if (auto tanh = getUnary(stripped, UnaryKind::Tanh))
          stripped = stripScale(tanh.getOperand(), ignored);
        return bool(stripped.getDefiningOp<MatmulOp>());
      };
      if (!matchEitherOrder(sum, [&](Value lhs, Value rhs) {
            scores = lhs;
            mask = rhs;
            return isScores(lhs);
          }))
        return failure();
    }
    double outer = 1;
    Value capped = stripScale(scores, outer);
    if (auto tanh = getUnary(capped, UnaryKind::Tanh)) {
      softcap = outer;
      scores = stripScale(tanh.getOperand(), scale);
      scale *= softcap;
    } else {
      scores = capped;
      scale = outer;
    }
    auto product = scores.getDefiningOp<MatmulOp>();
    if (!product)
      return failure();
    Value query = stripScale(product.getLhs(), scale),
          keyTransposed = stripScale(product.getRhs(), scale);
    // The transposition and the repetition of heads come in this order.
    Value key;
    if (auto transpose = keyTransposed.getDefiningOp<TransposeOp>();
        transpose &&
        transpose.getPermutation() == ArrayRef<int64_t>{0, 1, 3, 2})
      key = stripRepeat(stripScale(transpose.getOperand(), scale));
    else
      key = transposeLast(keyTransposed, rewriter);
    Value value = stripRepeat(op.getRhs());
    // Exporters multiply query and key by rounded roots of the scale.
    if (auto size = getExtents(key).back().getConstantValue())
      if (double usual = 1 / std::sqrt(double(*size));
          std::abs(scale - usual) <= 1e-6 * usual)
        scale = usual;
    auto extents = getExtents(op.getResult());
    Location loc = fuseLocations({product, softmax, op});
    Type resultType =
        getTensorType({extents[0], extents[2], extents[1], extents[3]},
                      op.getType().getElementType());
    Value result = AttentionOp::create(
        rewriter, loc, resultType, swapHeads(query, rewriter),
        swapHeads(key, rewriter), swapHeads(value, rewriter), mask, Value(),
        rewriter.getF32FloatAttr(float(scale)), UnitAttr(), IntegerAttr(),
        softcap != 0 ? rewriter.getF32FloatAttr(float(softcap)) : FloatAttr());
    rewriter.replaceOpWithNewOp<TransposeOp>(op, result, kSwapHeads);
    return success();
  }
};

/// ONNX's Attention has no repeated heads of its own, but exporters repeat them
/// before it.
struct UnrepeatHeads : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    auto strip = [](Value operand) -> Value {
      auto transpose = operand.getDefiningOp<TransposeOp>();
      if (!transpose || transpose.getPermutation() != ArrayRef(kSwapHeads))
        return {};
      Value source = stripRepeat(transpose.getOperand());
      return source == transpose.getOperand() ? Value() : source;
    };
    Value key = strip(op.getKey()), value = strip(op.getValue());
    if (!key || !value)
      return failure();
    Value newKey = swapHeads(key, rewriter),
          newValue = swapHeads(value, rewriter);
    rewriter.modifyOpInPlace(op, [&] {
      op.getKeyMutable().assign(newKey);
      op.getValueMutable().assign(newValue);
    });
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

/// What a mask turned out to be.
struct MaskMeaning {
  bool causal = false;
  int64_t window = 0;
  /// An argument [batch, keys or more]; null if no key is padding.
  Value keyMask;
  /// Why the mask is not one that attention has attributes for.
  std::string problem;
};

static MaskMeaning interpretMask(AttentionOp op) {
  MLIRContext *context = op.getContext();
  MaskMeaning meaning;
  auto symbol = [&](StringRef name) {
    return ExtentAttr::getSymbol(context, name);
  };
  ExtentAttr batch = symbol("$batch"), head = symbol("$head"),
             query = symbol("$query"), key = symbol("$key");
  auto mask = getExtents(op.getMask());
  SmallVector<ExtentAttr> indices{batch, head, query, key};
  indices.erase(indices.begin(), indices.end() - mask.size());
  for (auto [extent, index] : llvm::zip(mask, indices))
    if (extent.isConstant(1))
      index = ExtentAttr::getConstant(context, 0);
  IndexAnalysis analysis(context);
  std::optional<Element> element = analysis.evaluate(op.getMask(), indices);
  if (!element) {
    meaning.problem = analysis.getProblem();
    return meaning;
  }
  // Anything this low has no weight in a softmax over scores of models.
  constexpr double kMasked = -1e4;
  // A mask of what is left out, as from the upper triangle, is the mask of the
  // opposite: a single condition has one.
  if (!element->integer && element->conditions.size() == 1 &&
      element->whenFalse == 0) {
    element->conditions[0].isNegated = !element->conditions[0].isNegated;
    std::swap(element->whenTrue, element->whenFalse);
  }
  if (element->integer || element->whenTrue != 0 ||
      (!element->conditions.empty() && element->whenFalse > kMasked)) {
    meaning.problem = "its values are not 0 and minus infinity";
    return meaning;
  }
  ExtentAttr past = getExtents(op.getKey())[1] - getExtents(op.getQuery())[1];
  ExtentAttr distance = query + past - key;
  for (const Condition &condition : element->conditions) {
    if (condition.kind == Condition::IsSet && !condition.isNegated &&
        condition.indices.size() == 2 && condition.indices[0] == batch &&
        condition.indices[1] == key &&
        (!meaning.keyMask || meaning.keyMask == condition.tensor)) {
      meaning.keyMask = condition.tensor;
      continue;
    }
    if (condition.kind == Condition::AtMostZero) {
      // Not (value <= 0) is 1 - value <= 0.
      ExtentAttr value =
          condition.isNegated ? condition.value * -1 + 1 : condition.value;
      if (value == distance * -1) {
        meaning.causal = true;
        continue;
      }
      if (auto constant = (value - distance).getConstantValue();
          constant && *constant < 0) {
        // distance - window + 1 <= 0
        meaning.window = 1 - *constant;
        continue;
      }
      meaning.problem = "it keeps keys where " + value.str() + " <= 0";
      return meaning;
    }
    meaning.problem = "it looks up an input at unexpected indices";
    return meaning;
  }
  if (meaning.window && !meaning.causal)
    meaning.problem = "it has a window but is not causal";
  return meaning;
}

struct RaiseAttention : serrano::llm::impl::RaiseAttentionBase<RaiseAttention> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RaiseSoftmaxAttention, UnrepeatHeads>(&getContext());
    TransposeOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(rewriteFunctions(getOperation(), std::move(patterns))))
      return signalPassFailure();
    getOperation().walk([&](AttentionOp op) {
      if (op.getMask())
        raiseMask(op);
    });
    // What computed the masks.
    for (auto function : getOperation().getOps<func::FuncOp>())
      eraseDeadOperations(function);
  }

  void raiseMask(AttentionOp op) {
    // Layers share their mask, or have masks that are computed alike.
    auto [found, isNew] = meanings.try_emplace(op.getMask());
    if (isNew)
      found->second = interpretMask(op);
    const MaskMeaning &meaning = found->second;
    if (!meaning.problem.empty()) {
      if (isNew)
        remarkUnrecognised(op.getLoc(), "llm-raise-attention",
                           "MaskNotRecognised",
                           "attention keeps its mask as an operand: " +
                               meaning.problem);
      return;
    }
    OpBuilder builder(op);
    Value keyMask = meaning.keyMask;
    if (keyMask) {
      auto extents = getExtents(keyMask);
      ExtentAttr keys = getExtents(op.getKey())[1];
      // The model may not say that its mask has as many entries as there are
      // keys.
      if (extents[1] != keys) {
        extents[1] = keys;
        ExtentAttr zero = ExtentAttr::getConstant(&getContext(), 0);
        keyMask = SliceOp::create(
            builder, op.getLoc(),
            getTensorType(
                extents,
                cast<RankedTensorType>(keyMask.getType()).getElementType()),
            keyMask, DimsAttr::get(&getContext(), {zero, zero}),
            builder.getDenseI64ArrayAttr({1, 1}));
      }
    }
    op.getMaskMutable().clear();
    if (keyMask)
      op.getKeyMaskMutable().assign(keyMask);
    if (meaning.causal)
      op.setCausal(true);
    if (meaning.window)
      op.setWindow(meaning.window);
  }

  DenseMap<Value, MaskMeaning> meanings;
};

} // namespace
