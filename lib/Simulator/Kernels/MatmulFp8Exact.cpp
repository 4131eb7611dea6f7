//===- MatmulFp8Exact.cpp - e4m3 groups whose chains are exact in f64 -----===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Products of two e4m3 numbers are multiples of 2^-18 below 2^18. As long as
// the chain is a multiple of 2^-18 below 2^34, the chain and four products add
// up in f64 without any rounding, in any order, fused or not; what is left of
// the ISA's step is to round to f32 after each fourth. A chain that starts from
// 0, or from what other e4m3 products left, is of that kind.
//
//===----------------------------------------------------------------------===//

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/Simulator/Kernels/MatmulFp8Exact.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "Matmul.h"
#include "Numerics/Formats.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

HWY_BEFORE_NAMESPACE();
namespace serrano::sim {
namespace HWY_NAMESPACE {

/// Columns in one register of f64: 2, 4 or 8.
static constexpr int registerBytes = HWY_MAX_BYTES < 64 ? HWY_MAX_BYTES : 64;
static constexpr int64_t lanes = registerBytes / 8;
static constexpr int rowsAtOnce = 4;
static constexpr int registersAtOnce = 2;
static constexpr int registersOfOneRow = 8;

using Doubles = double __attribute__((vector_size(registerBytes)));
using Floats = float __attribute__((vector_size(registerBytes / 2)));

static HWY_INLINE Doubles widen(const float *src) {
  Floats values;
  std::memcpy(&values, src, sizeof(values));
  return __builtin_convertvector(values, Doubles);
}

/// The chains of R rows by V registers of columns, of which `columns` exist.
/// `src` holds the moving operand from firstK on.
template <int R, int V>
static void multiplyBlock(const float *weights, int64_t weightStep,
                          const double *src, int64_t srcStep, float *dst,
                          const RowBlock<float> &block, int64_t columns) {
  // Exact both ways.
#pragma clang fp contract(fast)
  constexpr int64_t width = V * lanes;
  size_t bytes = size_t(std::min(columns, width)) * sizeof(float);
  float results[R][width] = {};
  for (int r = 0; r < R; ++r)
    std::memcpy(results[r], dst + r * block.dstStep, bytes);
  Doubles chain[R][V];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v)
      chain[r][v] = widen(results[r] + v * lanes) + 0.0; // -0 becomes +0
  int64_t count = block.lastK - block.firstK;
  for (int64_t group = 0; group < count; group += 4) {
    int64_t end = std::min(group + 4, count);
    for (int64_t k = group; k < end; ++k) {
      Doubles row[V];
      for (int v = 0; v < V; ++v)
        row[v] = widen(weights + k * weightStep + v * lanes);
#pragma clang loop unroll(full)
      for (int r = 0; r < R; ++r)
#pragma clang loop unroll(full)
        for (int v = 0; v < V; ++v)
          chain[r][v] += src[r * srcStep + k] * row[v];
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < R; ++r)
#pragma clang loop unroll(full)
      for (int v = 0; v < V; ++v)
        chain[r][v] = __builtin_convertvector(
            __builtin_convertvector(chain[r][v], Floats), Doubles);
  }
  for (int r = 0; r < R; ++r) {
    for (int64_t c = 0; c < width; ++c)
      results[r][c] = canonical(float(chain[r][c / lanes][c % lanes]));
    std::memcpy(dst + r * block.dstStep, results[r], bytes);
  }
}

/// Rows from `first` on, R at a time, then those that are left.
template <int R, int V>
static void multiplyStrip(const float *weights, int64_t weightStep,
                          const double *src, int64_t first, float *dst,
                          const RowBlock<float> &block, int64_t columns) {
  int64_t srcStep = block.lastK - block.firstK, r = first;
  for (; r + R <= block.rows; r += R)
    multiplyBlock<R, V>(weights, weightStep, src + r * srcStep, srcStep,
                        dst + r * block.dstStep, block, columns);
  if constexpr (R > 1)
    multiplyStrip<R - 1, V>(weights, weightStep, src, r, dst, block, columns);
}

/// Columns from `first` on in strips of V registers, then in narrower ones. A
/// strip stays within a row of weights, which is padded.
template <int R, int V>
static void multiplyColumns(const WeightTile &tile, const double *src,
                            const RowBlock<float> &block, int64_t first) {
  const float *weights = tile.floats() + block.firstK * tile.rowStep();
  int64_t c = first;
  for (; c < tile.n() && c + V * lanes <= tile.rowStep(); c += V * lanes)
    multiplyStrip<R, V>(weights + c, tile.rowStep(), src, 0, block.dst + c,
                        block, tile.n() - c);
  if constexpr (V > 1)
    multiplyColumns<R, V / 2>(tile, src, block, c);
}

/// Whether chains that start like this stay exact in f64: they move by less
/// than 2^20 with each group of four.
static bool startsExactly(const RowBlock<float> &block, int64_t n) {
  constexpr int64_t largestK = 4 << 13;
  bool exact = block.lastK - block.firstK <= largestK;
  for (int64_t r = 0; r < block.rows && exact; ++r)
    for (int64_t c = 0; c < n; ++c) {
      float start = block.dst[r * block.dstStep + c];
      float units = start * 0x1p18f;
      exact &= std::fabs(start) < 0x1p33f && std::rint(units) == units;
    }
  return exact;
}

static bool multiplyExactly(const WeightTile &tile,
                            const RowBlock<float> &block) {
  if (!startsExactly(block, tile.n()))
    return false;
  int64_t count = block.lastK - block.firstK;
  auto src = std::make_unique_for_overwrite<double[]>(
      size_t(block.rows * std::max<int64_t>(count, 0)));
  for (int64_t r = 0; r < block.rows; ++r)
    for (int64_t k = 0; k < count; ++k)
      src[r * count + k] =
          block.src[r * block.rowStep + (block.firstK + k) * block.kStep];
  if (block.rows == 1)
    multiplyColumns<1, registersOfOneRow>(tile, src.get(), block, 0);
  else
    multiplyColumns<rowsAtOnce, registersAtOnce>(tile, src.get(), block, 0);
  return true;
}

} // namespace HWY_NAMESPACE
} // namespace serrano::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace serrano::sim {

HWY_EXPORT(multiplyExactly);

bool multiplyRowsE4m3(const WeightTile &weights, const RowBlock<float> &block) {
  return HWY_DYNAMIC_DISPATCH(multiplyExactly)(weights, block);
}

} // namespace serrano::sim
#endif // HWY_ONCE
