//===- Reduce.cpp - v.reduce ----------------------------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/Simulator/Kernels/Reduce.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "Numerics/Arithmetic.h"
#include "Reduction.h"
#include "Rows.h"
#include "llvm/Support/ErrorHandling.h"
#include <algorithm>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace serrano::sim {
namespace HWY_NAMESPACE {

static float addStep(float chain, float a) { return chain + a; }
static float squareStep(float chain, float a) { return std::fma(a, a, chain); }
static int32_t squareStep(int32_t chain, int32_t a) {
  return wrapAdd(chain, wrapMul(a, a));
}
static int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }
static int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }

template <typename T, T (*step)(T, T)>
static void extend(T *HWY_RESTRICT chain, const T *HWY_RESTRICT a, int64_t n) {
  T local[reductionChains];
  for (int64_t j = 0; j < reductionChains; ++j)
    local[j] = chain[j];
  int64_t i = 0;
  for (; i + reductionChains <= n; i += reductionChains)
#pragma clang loop unroll(full)
    for (int64_t j = 0; j < reductionChains; ++j)
      local[j] = step(local[j], a[i + j]);
  for (int64_t j = 0; j < reductionChains; ++j)
    chain[j] = local[j];
  for (int64_t j = 0; i + j < n; ++j)
    chain[j] = step(chain[j], a[i + j]);
}

/// The first `half` chains take those after them, and so on.
template <typename T, T (*combine)(T, T), int64_t half>
static HWY_INLINE void foldHalf(T *chain) {
#pragma clang loop unroll(full)
  for (int64_t j = 0; j < half; ++j)
    chain[j] = combine(chain[j], chain[j + half]);
  if constexpr (half > 1)
    foldHalf<T, combine, half / 2>(chain);
}

template <typename T, T (*combine)(T, T)>
static T fold(const T *chain) {
  T local[reductionChains];
  std::copy_n(chain, reductionChains, local);
  foldHalf<T, combine, reductionChains / 2>(local);
  return local[0];
}

static Reduction<float> chooseFloat(isa::ReduceFunction fn) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  switch (fn) {
  case isa::ReduceFunction::Sum:
    return {0.0f, extend<float, addStep>, addStep,
            fold<float, addStep>};
  case isa::ReduceFunction::Sumsq:
    return {0.0f, extend<float, squareStep>, addStep,
            fold<float, addStep>};
  case isa::ReduceFunction::Max:
    return {-infinity, extend<float, maximum>, maximum,
            fold<float, maximum>};
  case isa::ReduceFunction::Min:
    return {infinity, extend<float, minimum>, minimum,
            fold<float, minimum>};
  }
  llvm_unreachable("not a reduction");
}

static Reduction<int32_t> chooseInteger(isa::ReduceFunction fn) {
  switch (fn) {
  case isa::ReduceFunction::Sum:
    return {0, extend<int32_t, wrapAdd>, wrapAdd,
            fold<int32_t, wrapAdd>};
  case isa::ReduceFunction::Sumsq:
    return {0, extend<int32_t, squareStep>, wrapAdd,
            fold<int32_t, wrapAdd>};
  case isa::ReduceFunction::Max:
    return {INT32_MIN, extend<int32_t, larger>, larger,
            fold<int32_t, larger>};
  case isa::ReduceFunction::Min:
    return {INT32_MAX, extend<int32_t, smaller>, smaller,
            fold<int32_t, smaller>};
  }
  llvm_unreachable("not a reduction");
}

} // namespace HWY_NAMESPACE
} // namespace serrano::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace serrano::sim {

HWY_EXPORT(chooseFloat);
HWY_EXPORT(chooseInteger);

Reduction<float> floatReduction(isa::ReduceFunction fn) {
  return HWY_DYNAMIC_DISPATCH(chooseFloat)(fn);
}

Reduction<int32_t> integerReduction(isa::ReduceFunction fn) {
  return HWY_DYNAMIC_DISPATCH(chooseInteger)(fn);
}

template <typename T>
static T reduceRow(const Reduction<T> &reduction, const RowReader<T> &reader,
                   int64_t r, int64_t cols) {
  RowReduction<T> row(reduction);
  T buffer[chunkSize];
  for (int64_t c = 0; c < cols; c += chunkSize) {
    int64_t n = std::min(chunkSize, cols - c);
    row.extend(reader.read(r, c, n, buffer), n);
  }
  return row.result();
}

/// dst[r] = reduced, or combine(dst[r], reduced): both in T.
template <typename T>
static void reduceIn(const Reduction<T> &reduction, bool accumulate,
                     const TileView &dst, const TileView &a, int64_t rows,
                     int64_t cols) {
  RowReader<T> reader(a);
  RowWriter<T> writer(dst);
  for (int64_t r = 0; r < rows; ++r) {
    T result = reduceRow(reduction, reader, r, cols);
    if (accumulate) {
      T held;
      RowReader<T>(dst).readInto(r, 0, 1, &held);
      result = reduction.combine(held, result);
    }
    writer.write(r, 0, 1, &result);
  }
}

/// Integers are reduced in i32. If dst holds floating-point numbers to combine
/// with, that last step is between an integer and one of them: in f32.
static void combineIntegersWithFloats(isa::ReduceFunction fn,
                                      const TileView &dst, const TileView &a,
                                      int64_t rows, int64_t cols) {
  Reduction<int32_t> reduction = integerReduction(fn);
  CombineFunction<float> combine = floatReduction(fn).combine;
  RowReader<int32_t> reader(a);
  RowReader<float> dstReader(dst);
  RowWriter<float> writer(dst);
  for (int64_t r = 0; r < rows; ++r) {
    float held;
    dstReader.readInto(r, 0, 1, &held);
    float result = combine(held, float(reduceRow(reduction, reader, r, cols)));
    writer.write(r, 0, 1, &result);
  }
}

void reduce(isa::ReduceFunction fn, bool accumulate, const TileView &dst,
            const TileView &a, int64_t rows, int64_t cols) {
  if (!isa::isInteger(a.dtype))
    reduceIn(floatReduction(fn), accumulate, dst, a, rows, cols);
  else if (accumulate && !isa::isInteger(dst.dtype))
    combineIntegersWithFloats(fn, dst, a, rows, cols);
  else
    reduceIn(integerReduction(fn), accumulate, dst, a, rows, cols);
}

} // namespace serrano::sim
#endif // HWY_ONCE
