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
#include <type_traits>
#include <utility>

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
/// bf16 weights are read from memory once, fastest in its order: a whole row of
/// 128 at a time, though not all of its chains may fit the registers.
static constexpr int registersOfOneBf16Row = 128 / lanes;

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

/// Columns of V registers in their order.
template <int V, typename Lanes, typename T>
struct InOrder {
  static HWY_INLINE void load(const T *weights, Lanes (&row)[V]) {
    std::memcpy(row, weights, sizeof(row));
  }
  static HWY_INLINE void arrange(Lanes (&)[V]) {}
  static HWY_INLINE void restore(Lanes (&)[V]) {}
};

/// Columns of bf16 weights, which are the upper halves of f32: each word holds
/// two. Two registers hold the even and the odd ones of their columns, which
/// takes a shift and a mask, where widening in order takes two of the widening
/// and two shifts.
template <int V>
struct EvenAndOdd {
  static_assert(V % 2 == 0);
  using Indices = std::make_integer_sequence<int, int(lanes)>;

  static HWY_INLINE void load(const uint16_t *weights, FloatLanes (&row)[V]) {
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v += 2) {
      WordLanes pairs;
      std::memcpy(&pairs, weights + v * lanes, sizeof(pairs));
      // Not std::bit_cast, which is not compiled for this target.
      row[v] = __builtin_bit_cast(FloatLanes, pairs << 16);
      row[v + 1] = __builtin_bit_cast(FloatLanes, pairs & 0xffff0000u);
    }
  }
  static HWY_INLINE void arrange(FloatLanes (&chain)[V]) {
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v += 2)
      apart(chain[v], chain[v + 1], Indices());
  }
  static HWY_INLINE void restore(FloatLanes (&chain)[V]) {
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v += 2)
      together(chain[v], chain[v + 1], Indices());
  }

private:
  template <int... i>
  static HWY_INLINE void apart(FloatLanes &low, FloatLanes &high,
                               std::integer_sequence<int, i...>) {
    FloatLanes even = __builtin_shufflevector(low, high, (2 * i)...);
    high = __builtin_shufflevector(low, high, (2 * i + 1)...);
    low = even;
  }
  template <int... i>
  static HWY_INLINE void together(FloatLanes &even, FloatLanes &odd,
                                  std::integer_sequence<int, i...>) {
    constexpr int n = int(lanes);
    FloatLanes low =
        __builtin_shufflevector(even, odd, (i / 2 + i % 2 * n)...);
    odd = __builtin_shufflevector(even, odd, (n / 2 + i / 2 + i % 2 * n)...);
    even = low;
  }
};

/// One register of bf16 weights, widened in order.
struct Widened {
  static HWY_INLINE void load(const uint16_t *weights, FloatLanes (&row)[1]) {
    using HalfLanes = uint16_t __attribute__((vector_size(registerBytes / 2)));
    HalfLanes halves;
    std::memcpy(&halves, weights, sizeof(halves));
    row[0] = __builtin_bit_cast(
        FloatLanes, __builtin_convertvector(halves, WordLanes) << 16);
  }
  static HWY_INLINE void arrange(FloatLanes (&)[1]) {}
  static HWY_INLINE void restore(FloatLanes (&)[1]) {}
};

/// How V registers hold columns of weights that are stored as W.
template <int V, typename Lanes, typename W>
using Columns =
    std::conditional_t<!std::is_same_v<W, uint16_t>, InOrder<V, Lanes, W>,
                       std::conditional_t<V == 1, Widened,
                                          EvenAndOdd<(V + 1) / 2 * 2>>>;

static HWY_INLINE FloatLanes finish(FloatLanes chain) {
  FloatLanes nan = std::bit_cast<float>(canonicalNan) - FloatLanes{};
  return chain != chain ? nan : chain;
}

static HWY_INLINE WordLanes finish(WordLanes chain) { return chain; }

namespace {

/// Rows of weights from some column on.
template <typename W>
struct Weights {
  const W *rows;
  int64_t step;  ///< elements from one row to the next
  int64_t ahead; ///< ... to those that are most likely used next

  Weights from(int64_t column) const { return {rows + column, step, ahead}; }
};

} // namespace

/// The first `columns` results of a row into V registers, and back. Most often
/// they fill the registers.
template <int V, typename Lanes, typename T>
static HWY_INLINE void loadResults(const T *results, int64_t columns,
                                   Lanes (&row)[V]) {
  if (columns >= V * lanes) {
    std::memcpy(row, results, sizeof(row));
    return;
  }
  T some[V * lanes] = {};
  std::memcpy(some, results, size_t(columns) * sizeof(T));
  std::memcpy(row, some, sizeof(row));
}

template <int V, typename Lanes, typename T>
static HWY_INLINE void storeResults(const Lanes (&row)[V], T *results,
                                    int64_t columns) {
  if (columns >= V * lanes) {
    std::memcpy(results, row, sizeof(row));
    return;
  }
  T some[V * lanes];
  std::memcpy(some, row, sizeof(row));
  std::memcpy(results, some, size_t(columns) * sizeof(T));
}

/// The chains of R rows by V registers of columns, of which `columns` exist,
/// from the first k to the last.
template <int R, int V, typename Lanes, typename W, typename T>
static void multiplyBlock(Weights<W> weights, const T *src, T *dst,
                          const RowBlock<T> &block, int64_t columns) {
  using Layout = Columns<V, Lanes, W>;
  Lanes chain[R][V];
#pragma clang loop unroll(full)
  for (int r = 0; r < R; ++r) {
    loadResults(dst + r * block.dstStep, columns, chain[r]);
    Layout::arrange(chain[r]);
  }
  src += block.firstK * block.kStep;
  const W *weightRow = weights.rows + block.firstK * weights.step;
  for (int64_t k = block.firstK; k < block.lastK; ++k) {
    if constexpr (R == 1 || std::is_same_v<W, uint16_t>)
#pragma clang loop unroll(full)
      for (int64_t i = 0; i < V * lanes; i += 64 / sizeof(W))
        __builtin_prefetch(weightRow + weights.ahead + i);
    Lanes row[V];
    Layout::load(weightRow, row);
#pragma clang loop unroll(full)
    for (int r = 0; r < R; ++r) {
      Lanes x = decltype(row[0][0] + 0)(src[r * block.rowStep]) - Lanes{};
#pragma clang loop unroll(full)
      for (int v = 0; v < V; ++v)
        chain[r][v] = step(chain[r][v], x, row[v]);
    }
    src += block.kStep;
    weightRow += weights.step;
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < R; ++r) {
#pragma clang loop unroll(full)
    for (int v = 0; v < V; ++v)
      chain[r][v] = finish(chain[r][v]);
    Layout::restore(chain[r]);
    storeResults(chain[r], dst + r * block.dstStep, columns);
  }
}

/// All rows of a strip of V registers of columns, R rows at a time, then those
/// that are left.
template <int R, int V, typename Lanes, typename W, typename T>
static void multiplyStrip(Weights<W> weights, int64_t firstRow, T *dst,
                          const RowBlock<T> &block, int64_t columns) {
  int64_t r = firstRow;
  for (; r + R <= block.rows; r += R) {
    multiplyBlock<R, V, Lanes>(weights, block.src + r * block.rowStep,
                               dst + r * block.dstStep, block, columns);
    weights.ahead = 0; // They have been fetched.
  }
  if constexpr (R > 1)
    multiplyStrip<R - 1, V, Lanes>(weights, r, dst, block, columns);
}

/// Columns from `first` on in strips of R rows by V registers, then in narrower
/// ones. A strip stays within a row of weights, which is padded if it is a copy.
template <int R, int V, typename Lanes, typename W, typename T>
static void multiplyColumns(Weights<W> weights, const WeightTile &tile,
                            const RowBlock<T> &block, int64_t first) {
  int64_t c = first;
  int64_t last = tile.borrowed() ? tile.n() : tile.rowStep();
  for (; c < tile.n() && c + V * lanes <= last; c += V * lanes)
    multiplyStrip<R, V, Lanes>(weights.from(c), 0, block.dst + c, block,
                               tile.n() - c);
  if constexpr (V > 1)
    multiplyColumns<R, V / 2, Lanes>(weights, tile, block, c);
}

template <typename Lanes, typename W, typename T>
static void multiply(const W *rows, const WeightTile &tile,
                     const RowBlock<T> &block) {
  // Weights of the program stand, most often, in the order of their use.
  int64_t step = tile.rowStep();
  Weights<W> weights{rows, step, tile.borrowed() ? tile.k() * step : 0};
  constexpr int oneRow = std::is_same_v<W, uint16_t> ? registersOfOneBf16Row
                                                     : registersOfOneRow;
  if (block.rows == 1)
    multiplyColumns<1, oneRow, Lanes>(weights, tile, block, 0);
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
