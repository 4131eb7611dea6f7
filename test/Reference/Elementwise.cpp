//===- Elementwise.cpp - elementwise operations of the reference evaluator -*-
//C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include <cmath>

using namespace mlir;
using namespace serrano::llm;
using namespace serrano::reference;

static double compute(UnaryKind kind, double x) {
  switch (kind) {
  case UnaryKind::Neg:
    return -x;
  case UnaryKind::Abs:
    return std::fabs(x);
  case UnaryKind::Sqrt:
    return std::sqrt(x);
  case UnaryKind::Reciprocal:
    return 1 / x;
  case UnaryKind::Exp:
    return std::exp(x);
  case UnaryKind::Log:
    return std::log(x);
  case UnaryKind::Sin:
    return std::sin(x);
  case UnaryKind::Cos:
    return std::cos(x);
  case UnaryKind::Erf:
    return std::erf(x);
  case UnaryKind::Tanh:
    return std::tanh(x);
  case UnaryKind::Sigmoid:
    return 1 / (1 + std::exp(-x));
  case UnaryKind::Relu:
    return x > 0 ? x : 0;
  case UnaryKind::Not:
    return x == 0;
  case UnaryKind::Silu:
    return x / (1 + std::exp(-x));
  case UnaryKind::GeluErf:
    return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
  case UnaryKind::GeluTanh:
    return x / 2 *
           (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  }
  return 0;
}

template <typename T>
static T compute(BinaryKind kind, T x, T y) {
  switch (kind) {
  case BinaryKind::Add:
    return x + y;
  case BinaryKind::Sub:
    return x - y;
  case BinaryKind::Mul:
    return x * y;
  case BinaryKind::Div:
    return x / y;
  case BinaryKind::Pow:
    return T(std::pow(double(x), double(y)));
  case BinaryKind::Min:
    return std::min(x, y);
  case BinaryKind::Max:
    return std::max(x, y);
  case BinaryKind::And:
    return x != 0 && y != 0;
  case BinaryKind::Or:
    return x != 0 || y != 0;
  case BinaryKind::Xor:
    return (x != 0) != (y != 0);
  }
  return 0;
}

template <typename T>
static bool compute(CompareKind kind, T x, T y) {
  switch (kind) {
  case CompareKind::Eq:
    return x == y;
  case CompareKind::Ne:
    return x != y;
  case CompareKind::Lt:
    return x < y;
  case CompareKind::Le:
    return x <= y;
  case CompareKind::Gt:
    return x > y;
  case CompareKind::Ge:
    return x >= y;
  }
  return false;
}

static Tensor broadcastTo(const Tensor &source, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides = broadcastStrides(source.shape, shape);
  return gatherElements(source, shape, [&](ArrayRef<int64_t> index) {
    int64_t position = 0;
    for (auto [i, stride] : llvm::zip(index, strides))
      position += i * stride;
    return position;
  });
}

static bool isBoolResult(Operation &op) {
  return cast<RankedTensorType>(op.getResult(0).getType())
      .getElementType()
      .isInteger(1);
}

bool serrano::reference::evaluateElementwise(Operation &op,
                                             ArrayRef<const Tensor *> operands,
                                             ArrayRef<int64_t> shape,
                                             Tensor &result) {
  if (auto unary = dyn_cast<UnaryOp>(op)) {
    result = *operands[0];
    for (float &x : result.floats)
      x = float(compute(unary.getKind(), x));
    for (int64_t &x : result.integers)
      x = int64_t(compute(unary.getKind(), double(x)));
    return true;
  }
  if (isa<CastOp>(op)) {
    const Tensor &source = *operands[0];
    bool toFloat = isa<FloatType>(
        cast<RankedTensorType>(op.getResult(0).getType()).getElementType());
    result = toFloat ? Tensor::makeFloats(shape) : Tensor::makeIntegers(shape);
    for (int64_t i = 0; i < source.size(); ++i) {
      if (toFloat)
        result.floats[i] =
            source.isFloat ? source.floats[i] : float(source.integers[i]);
      else if (isBoolResult(op))
        result.integers[i] =
            source.isFloat ? source.floats[i] != 0 : source.integers[i] != 0;
      else
        result.integers[i] =
            source.isFloat ? int64_t(source.floats[i]) : source.integers[i];
    }
    return true;
  }
  if (isa<BinaryOp, CompareOp>(op)) {
    Tensor lhs = broadcastTo(*operands[0], shape),
           rhs = broadcastTo(*operands[1], shape);
    auto binary = dyn_cast<BinaryOp>(op);
    auto comparison = dyn_cast<CompareOp>(op);
    if (binary && lhs.isFloat) {
      result = Tensor::makeFloats(shape);
      for (size_t i = 0; i < lhs.floats.size(); ++i)
        result.floats[i] = compute<float>(binary.getKind(), lhs.floats[i],
                                          rhs.isFloat ? rhs.floats[i]
                                                      : float(rhs.integers[i]));
      return true;
    }
    result = Tensor::makeIntegers(shape);
    for (int64_t i = 0; i < lhs.size(); ++i)
      result.integers[i] =
          binary        ? compute<int64_t>(binary.getKind(), lhs.integers[i],
                                           rhs.integers[i])
          : lhs.isFloat ? compute<float>(comparison.getKind(), lhs.floats[i],
                                         rhs.floats[i])
                        : compute<int64_t>(comparison.getKind(),
                                           lhs.integers[i], rhs.integers[i]);
    return true;
  }
  if (isa<SelectOp>(op)) {
    Tensor condition = broadcastTo(*operands[0], shape);
    result = broadcastTo(*operands[1], shape);
    Tensor no = broadcastTo(*operands[2], shape);
    for (int64_t i = 0; i < condition.size(); ++i) {
      if (condition.integers[i] != 0)
        continue;
      if (result.isFloat)
        result.floats[i] = no.floats[i];
      else
        result.integers[i] = no.integers[i];
    }
    return true;
  }
  if (isa<BroadcastOp>(op)) {
    result = broadcastTo(*operands[0], shape);
    return true;
  }
  return false;
}
