//===- RaiseActivation.cpp - recognises SiLU and GELU -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Passes/LlmPasses.h"
#include "dialects/Llm/Passes/Matching.h"
#include "dialects/Llm/Passes/Rewriting.h"

#include <cmath>

namespace serrano::llm {
#define GEN_PASS_DEF_RAISEACTIVATION
#include "dialects/Llm/Passes/LlmPasses.h.inc"
} // namespace serrano::llm

using namespace mlir;
using namespace serrano::llm;

static bool isNear(double value, double expected) {
  return std::abs(value - expected) <= 1e-5 * std::abs(expected);
}

/// Whether `value` is `constant * x^power`.
static bool isMonomial(Value value, Value x, int power, double constant) {
  Product product = getProduct(value);
  int found = 0;
  for (Value factor : product.factors) {
    if (factor == x)
      ++found;
    else if (auto op = getBinary(factor, BinaryKind::Pow);
             op && op.getLhs() == x && getScalar(op.getRhs()))
      found += int(*getScalar(op.getRhs()));
    else
      return false;
  }
  return found == power && isNear(product.constant, constant);
}

/// Whether `value` is `sqrt(2 / pi) * (x + 0.044715 x^3)`.
static bool isGeluTanhArgument(Value value, Value x) {
  Product product = getProduct(value);
  if (product.factors.size() != 1 ||
      !isNear(product.constant, std::sqrt(2 / M_PI)))
    return false;
  auto sum = getBinary(product.factors[0], BinaryKind::Add);
  return sum && matchEitherOrder(sum, [&](Value linear, Value cubic) {
           return linear == x && isMonomial(cubic, x, 3, 0.044715);
         });
}

/// The kind of GELU if `gate` is `1 + erf(x / sqrt(2))` or `1 + tanh(...)`.
static std::optional<UnaryKind> matchGate(Value gate, Value x) {
  std::optional<UnaryKind> kind;
  if (auto sum = getBinary(gate, BinaryKind::Add))
    matchEitherOrder(sum, [&](Value function, Value one) {
      if (!isScalar(one, 1))
        return false;
      if (auto erf = getUnary(function, UnaryKind::Erf);
          erf && isMonomial(erf.getOperand(), x, 1, std::sqrt(0.5)))
        kind = UnaryKind::GeluErf;
      if (auto tanh = getUnary(function, UnaryKind::Tanh);
          tanh && isGeluTanhArgument(tanh.getOperand(), x))
        kind = UnaryKind::GeluTanh;
      return kind.has_value();
    });
  return kind;
}

namespace {

struct RaiseSilu : OpRewritePattern<BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BinaryOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getKind() != BinaryKind::Mul)
      return failure();
    return success(matchEitherOrder(op, [&](Value x, Value gate) {
      auto sigmoid = getUnary(gate, UnaryKind::Sigmoid);
      if (!sigmoid || sigmoid.getOperand() != x)
        return false;
      Location loc = fuseLocations({gate, op});
      rewriter.replaceOp(
          op, UnaryOp::create(rewriter, loc, op.getType(), UnaryKind::Silu, x)
                  .getResult());
      return true;
    }));
  }
};

/// `x * (1 + f(x)) * 0.5`, its factors in any order.
struct RaiseGelu : OpRewritePattern<BinaryOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BinaryOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getKind() != BinaryKind::Mul)
      return failure();
    Product product = getProduct(op);
    if (product.factors.size() != 2 || !isNear(product.constant, 0.5))
      return failure();
    for (auto [x, gate] : {std::pair(product.factors[0], product.factors[1]),
                           std::pair(product.factors[1], product.factors[0])}) {
      std::optional<UnaryKind> kind = matchGate(gate, x);
      if (!kind || x.getType() != op.getType())
        continue;
      Location loc = fuseLocations({gate, op});
      rewriter.replaceOp(
          op,
          UnaryOp::create(rewriter, loc, op.getType(), *kind, x).getResult());
      return success();
    }
    return failure();
  }
};

struct RaiseActivation
    : serrano::llm::impl::RaiseActivationBase<RaiseActivation> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RaiseSilu, RaiseGelu>(&getContext());
    if (failed(rewriteFunctions(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
