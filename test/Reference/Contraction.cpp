//===- Contraction.cpp - contractions and norms of the reference evaluator -*-
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

/// `out[m, n] += sum_k a[m, k] * b[k, n]`, all row-major.
static void multiply(const float *a, const float *b, float *out, int64_t m,
                     int64_t k, int64_t n) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < k; ++j) {
      float factor = a[i * k + j];
      for (int64_t l = 0; l < n; ++l)
        out[i * n + l] += factor * b[j * n + l];
    }
}

static Tensor matmul(const Tensor &lhs, const Tensor &rhs,
                     ArrayRef<int64_t> shape) {
  Tensor result = Tensor::makeFloats(shape);
  int64_t m = shape[shape.size() - 2], n = shape.back(), k = lhs.shape.back();
  ArrayRef<int64_t> outer = shape.drop_back(2);
  SmallVector<int64_t> left = broadcastStrides(ArrayRef(lhs.shape).drop_back(2),
                                               outer),
                       right = broadcastStrides(
                           ArrayRef(rhs.shape).drop_back(2), outer),
                       strides = stridesOf(outer);
  int64_t count = 1;
  for (int64_t extent : outer)
    count *= extent;
  for (int64_t matrix = 0; matrix < count; ++matrix) {
    int64_t l = 0, r = 0;
    for (size_t axis = 0; axis < outer.size(); ++axis) {
      int64_t index = matrix / strides[axis] % outer[axis];
      l += index * left[axis];
      r += index * right[axis];
    }
    multiply(&lhs.floats[l * m * k], &rhs.floats[r * k * n],
             &result.floats[matrix * m * n], m, k, n);
  }
  return result;
}

static Tensor linear(const Tensor &input, const Tensor &weight,
                     const Tensor *bias, ArrayRef<int64_t> shape) {
  Tensor result = Tensor::makeFloats(shape);
  int64_t k = weight.shape[0], n = weight.shape[1],
          m = k ? input.size() / k : 0;
  if (bias)
    for (int64_t i = 0; i < m * n; ++i)
      result.floats[i] = bias->floats[i % n];
  multiply(input.floats.data(), weight.floats.data(), result.floats.data(), m,
           k, n);
  return result;
}

static Tensor rmsNorm(const Tensor &input, const Tensor &scale, double epsilon,
                      float scaleOffset) {
  Tensor result = input;
  int64_t features = input.shape.back();
  for (int64_t row = 0; row + features <= input.size(); row += features) {
    double squares = 0;
    for (int64_t i = 0; i < features; ++i)
      squares += double(input.floats[row + i]) * input.floats[row + i];
    double factor = 1 / std::sqrt(squares / features + epsilon);
    for (int64_t i = 0; i < features; ++i)
      result.floats[row + i] = float(input.floats[row + i] * factor) *
                               (scale.floats[i] + scaleOffset);
  }
  return result;
}

static Tensor layerNorm(const Tensor &input, const Tensor &scale,
                        const Tensor *bias, double epsilon) {
  Tensor result = input;
  int64_t features = input.shape.back();
  for (int64_t row = 0; row + features <= input.size(); row += features) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < features; ++i)
      sum += input.floats[row + i];
    double mean = sum / features;
    for (int64_t i = 0; i < features; ++i)
      squares +=
          (input.floats[row + i] - mean) * (input.floats[row + i] - mean);
    double factor = 1 / std::sqrt(squares / features + epsilon);
    for (int64_t i = 0; i < features; ++i)
      result.floats[row + i] =
          float((input.floats[row + i] - mean) * factor) * scale.floats[i] +
          (bias ? bias->floats[i] : 0);
  }
  return result;
}

static Tensor rope(const Tensor &input, const Tensor &cosine,
                   const Tensor &sine) {
  Tensor result = input;
  int64_t size = input.shape.back(),
          heads = input.shape[input.shape.size() - 2],
          half = cosine.shape.back();
  SmallVector<int64_t> rows(input.shape.begin(), input.shape.end() - 2);
  SmallVector<int64_t> strides = stridesOf(rows),
                       table = broadcastStrides(
                           ArrayRef(cosine.shape).drop_back(), rows);
  int64_t count = input.size() / std::max<int64_t>(size * heads, 1);
  for (int64_t row = 0; row < count; ++row) {
    int64_t tableRow = 0;
    for (size_t axis = 0; axis < rows.size(); ++axis)
      tableRow += row / strides[axis] % rows[axis] * table[axis];
    for (int64_t head = 0; head < heads; ++head)
      for (int64_t i = 0; i < half; ++i) {
        int64_t low = (row * heads + head) * size + i, high = low + half;
        float c = cosine.floats[tableRow * half + i],
              s = sine.floats[tableRow * half + i];
        result.floats[low] = input.floats[low] * c - input.floats[high] * s;
        result.floats[high] = input.floats[high] * c + input.floats[low] * s;
      }
  }
  return result;
}

/// Reduces or normalises along `axes`, which are brought last.
static Tensor reduce(ReduceOp op, const Tensor &source,
                     ArrayRef<int64_t> shape) {
  bool isFloat = source.isFloat;
  SmallVector<int64_t> kept(source.shape);
  int64_t count = 1;
  for (int64_t axis : op.getAxes()) {
    count *= kept[axis];
    kept[axis] = 1;
  }
  SmallVector<int64_t> strides = broadcastStrides(kept, source.shape),
                       sourceStrides = stridesOf(source.shape);
  std::vector<double> sums;
  Tensor result =
      isFloat ? Tensor::makeFloats(shape) : Tensor::makeIntegers(shape);
  ReduceKind kind = op.getKind();
  double start = kind == ReduceKind::Max   ? -INFINITY
                 : kind == ReduceKind::Min ? INFINITY
                                           : 0;
  sums.assign(result.size(), start);
  for (int64_t i = 0; i < source.size(); ++i) {
    int64_t to = 0;
    for (size_t axis = 0; axis < kept.size(); ++axis)
      to += i / sourceStrides[axis] % source.shape[axis] * strides[axis];
    double x = isFloat ? source.floats[i] : double(source.integers[i]);
    sums[to] = kind == ReduceKind::Max   ? std::max(sums[to], x)
               : kind == ReduceKind::Min ? std::min(sums[to], x)
                                         : sums[to] + x;
  }
  for (int64_t i = 0; i < result.size(); ++i) {
    double value = kind == ReduceKind::Mean ? sums[i] / count : sums[i];
    if (isFloat)
      result.floats[i] = float(value);
    else
      result.integers[i] = int64_t(value);
  }
  return result;
}

static Tensor softmax(const Tensor &source, int64_t axis) {
  Tensor result = source;
  int64_t stride = stridesOf(source.shape)[axis], extent = source.shape[axis];
  for (int64_t i = 0; i < source.size(); ++i) {
    if (i / stride % extent != 0)
      continue;
    double highest = -INFINITY, sum = 0;
    for (int64_t j = 0; j < extent; ++j)
      highest = std::max(highest, double(source.floats[i + j * stride]));
    for (int64_t j = 0; j < extent; ++j)
      sum += std::exp(source.floats[i + j * stride] - highest);
    for (int64_t j = 0; j < extent; ++j)
      result.floats[i + j * stride] =
          float(std::exp(source.floats[i + j * stride] - highest) / sum);
  }
  return result;
}

bool serrano::reference::evaluateContraction(Operation &op,
                                             ArrayRef<const Tensor *> operands,
                                             ArrayRef<int64_t> shape,
                                             Tensor &result) {
  if (isa<MatmulOp>(op))
    result = matmul(*operands[0], *operands[1], shape);
  else if (isa<LinearOp>(op))
    result = linear(*operands[0], *operands[1],
                    operands.size() > 2 ? operands[2] : nullptr, shape);
  else if (auto norm = dyn_cast<RmsNormOp>(op))
    result =
        rmsNorm(*operands[0], *operands[1], norm.getEpsilon().convertToDouble(),
                norm.getScaleOffset().convertToFloat());
  else if (auto norm = dyn_cast<LayerNormOp>(op))
    result = layerNorm(*operands[0], *operands[1],
                       operands.size() > 2 ? operands[2] : nullptr,
                       norm.getEpsilon().convertToDouble());
  else if (isa<RopeOp>(op))
    result = rope(*operands[0], *operands[1], *operands[2]);
  else if (auto reduction = dyn_cast<ReduceOp>(op))
    result = reduce(reduction, *operands[0], shape);
  else if (auto normalized = dyn_cast<SoftmaxOp>(op))
    result = softmax(*operands[0], normalized.getAxis());
  else
    return false;
  return true;
}
