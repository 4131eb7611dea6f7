//===- MatmulChains.cpp - one step of a chain for each k ------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/Simulator/Kernels/MatmulChains.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "Matmul.h"
#include "Numerics/Formats.h"
#include <algorithm>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace serrano::sim {
namespace HWY_NAMESPACE {

/// Columns in one register of this target: 4, 8 or 16, all of which divide the
/// step of a `WeightTile`.
static constexpr int registerBytes = HWY_MAX_BYTES < 64 ? HWY_MAX_BYTES : 64;
static constexpr int64_t lanes = registerBytes / 4;

/// The chains that fit the registers, beside one row of weights and a broadcast
/// element of the moving operand: 6 rows of 4 registers where there are 32, of
/// 2 where there are 16. A single row has 8, to hide the latency of an fma.
static constexpr int rowsAtOnce = 6;
static constexpr int registersAtOnce = lanes == 16 ? 4 : 2;
static constexpr int registersOfOneRow = 8;

using FloatLanes = float __attribute__((vector_size(registerBytes)));
using WordLanes = uint32_t __attribute__((vector_size(registerBytes)));

static HWY_INLINE FloatLanes step(FloatLanes chain, FloatLanes x,
                                  FloatLanes weights) {
  return __builtin_elementwise_fma(x, weights, chain);
}

/// Modulo 2^32, whatever the sign.
static HWY_INLINE WordLanes step(WordLanes chain, WordLanes x,
                                 WordLanes weights) {
  return chain + x * weights;
}

/// A register of weights, widened from what they are stored as.
static HWY_INLINE FloatLanes loadLanes(const float *weights) {
  FloatLanes result;
  std::memcpy(&result, weights, sizeof(result));
  return result;
}

static HWY_INLINE WordLanes loadLanes(const int32_t *weights) {
  WordLanes result;
  std::memcpy(&result, weights, sizeof(result));
  return result;
}

/// bf16 is the upper half of f32.
static HWY_INLINE FloatLanes loadLanes(const uint16_t *weights) {
  using HalfLanes = uint16_t __attribute__((vector_size(registerBytes / 2)));
  HalfLanes halves;
  std::memcpy(&halves, weights, sizeof(halves));
  // Not std::bit_cast, which is not compiled for this target.
  return __builtin_bit_cast(FloatLanes,
                            __builtin_convertvector(halves, WordLanes) << 16);
}

static HWY_INLINE FloatLanes finish(FloatLanes chain) {
  FloatLanes nan = std::bit_cast<float>(canonicalNan) - FloatLanes{};
  return chain != chain ? nan : chain;
}

static HWY_INLINE WordLanes finish(WordLanes chain) { return chain; }

/// The chains of R rows by V registers of columns, of which `columns` exist,
/// from the first k to the last.
template <int R, int V, typename Lanes, typename W, typename T>
static void multiplyBlock(const W *weights, int64_t weightStep, const T *src,
                          T *dst, const RowBlock<T> &block, int64_t columns) {
  constexpr int64_t width = V * lanes;
  size_t bytes = size_t(std::min(columns, width)) * sizeof(T);
  T results[R][width] = {};
  for (int r = 0; r < R; ++r)
    std::memcpy(results[r], dst + r * block.dstStep, bytes);
  Lanes chain[R][V];
  std::memcpy(chain, results, sizeof(chain));
  src += block.firstK * block.kStep;
  weights += block.firstK * weightStep;
  for (int64_t k = block.firstK; k < block.lastK; ++k) {
    Lanes row[V];
#pragma clang loop unroll(full)
    for (int v = 0; v < V; ++v)
      row[v] = loadLanes(weights + v * lanes);
#pragma clang loop unroll(full)
    for (int r = 0; r < R; ++r) {
      Lanes x = decltype(row[0][0] + 0)(src[r * block.rowStep]) - Lanes{};
#pragma clang loop unroll(full)
      for (int v = 0; v < V; ++v)
        chain[r][v] = step(chain[r][v], x, row[v]);
    }
    src += block.kStep;
    weights += weightStep;
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < R; ++r)
#pragma clang loop unroll(full)
    for (int v = 0; v < V; ++v)
      chain[r][v] = finish(chain[r][v]);
  std::memcpy(results, chain, sizeof(chain));
  for (int r = 0; r < R; ++r)
    std::memcpy(dst + r * block.dstStep, results[r], bytes);
}

/// All rows of a strip of V registers of columns, R rows at a time, then those
/// that are left.
template <int R, int V, typename Lanes, typename W, typename T>
static void multiplyStrip(const W *weights, int64_t weightStep,
                          int64_t firstRow, T *dst, const RowBlock<T> &block,
                          int64_t columns) {
  int64_t r = firstRow;
  for (; r + R <= block.rows; r += R)
    multiplyBlock<R, V, Lanes>(weights, weightStep,
                               block.src + r * block.rowStep,
                               dst + r * block.dstStep, block, columns);
  if constexpr (R > 1)
    multiplyStrip<R - 1, V, Lanes>(weights, weightStep, r, dst, block, columns);
}

/// Columns from `first` on in strips of R rows by V registers, then in narrower
/// ones. A strip stays within a row of weights, which is padded if it is a copy.
template <int R, int V, typename Lanes, typename W, typename T>
static void multiplyColumns(const W *weights, const WeightTile &tile,
                            const RowBlock<T> &block, int64_t first) {
  int64_t c = first;
  int64_t last = tile.borrowed() ? tile.n() : tile.rowStep();
  for (; c < tile.n() && c + V * lanes <= last; c += V * lanes)
    multiplyStrip<R, V, Lanes>(weights + c, tile.rowStep(), 0, block.dst + c,
                               block, tile.n() - c);
  if constexpr (V > 1)
    multiplyColumns<R, V / 2, Lanes>(weights, tile, block, c);
}

template <typename Lanes, typename W, typename T>
static void multiply(const W *weights, const WeightTile &tile,
                     const RowBlock<T> &block) {
  if (block.rows == 1)
    multiplyColumns<1, registersOfOneRow, Lanes>(weights, tile, block, 0);
  else
    multiplyColumns<rowsAtOnce, registersAtOnce, Lanes>(weights, tile, block,
                                                        0);
}

static void multiplyFloats(const WeightTile &tile,
                           const RowBlock<float> &block) {
  if (!tile.borrowed())
    multiply<FloatLanes>(tile.floats(), tile, block);
  else if (tile.dtype() == isa::DType::F32)
    multiply<FloatLanes>(reinterpret_cast<const float *>(tile.borrowed()), tile,
                         block);
  else
    multiply<FloatLanes>(reinterpret_cast<const uint16_t *>(tile.borrowed()),
                         tile, block);
}

static void multiplyIntegers(const WeightTile &tile,
                             const RowBlock<int32_t> &block) {
  multiply<WordLanes>(tile.integers(), tile, block);
}

} // namespace HWY_NAMESPACE
} // namespace serrano::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace serrano::sim {

HWY_EXPORT(multiplyFloats);
HWY_EXPORT(multiplyIntegers);

void multiplyRows(const WeightTile &weights, const RowBlock<float> &block) {
  HWY_DYNAMIC_DISPATCH(multiplyFloats)(weights, block);
}

void multiplyRows(const WeightTile &weights, const RowBlock<int32_t> &block) {
  HWY_DYNAMIC_DISPATCH(multiplyIntegers)(weights, block);
}

} // namespace serrano::sim
#endif // HWY_ONCE
