//===- MatmulFp8.cpp - one step of a chain for four k, summed exactly -----===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A product of two fp8 numbers has at most 8 significant bits. With e4m3 on at
// least one side, four products lie between 2^-25 and 2^27 and their sum is an
// f64 without any rounding. With e5m2 on both sides they lie between 2^-32 and
// 2^34: their integer parts and their fractions are summed separately, each
// exactly. In both cases the sum is added to the chain in f64 with rounding to
// odd, from which the one rounding to f32 is what it would be from the exact
// number (Boldo & Melquiond 2008, "Emulation of FMA and correctly rounded
// sums").
//
//===----------------------------------------------------------------------===//

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/Simulator/Kernels/MatmulFp8.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "Matmul.h"
#include "Numerics/Formats.h"
#include <cmath>
#include <limits>
#include <vector>

HWY_BEFORE_NAMESPACE();
namespace serrano::sim {
namespace HWY_NAMESPACE {

namespace {

/// value + error = the exact sum (Knuth's TwoSum); error is 0 if the sum is
/// not finite.
struct ExactSum {
  double value, error;
};

} // namespace

static HWY_INLINE ExactSum twoSum(double a, double b) {
  double sum = a + b;
  double part = sum - a;
  double error = (a - (sum - part)) + (b - part);
  return {sum,
          std::fabs(sum) <= std::numeric_limits<double>::max() ? error : 0.0};
}

/// a + b, rounded to odd: if inexact, the neighbour whose last bit is 1.
static HWY_INLINE double addOdd(double a, double b) {
  ExactSum sum = twoSum(a, b);
  auto bits = std::bit_cast<uint64_t>(sum.value);
  uint64_t outwards = (sum.error > 0.0) == (sum.value > 0.0) ? 1 : ~uint64_t(0);
  bool move = sum.error != 0.0 && (bits & 1) == 0;
  return std::bit_cast<double>(bits + (move ? outwards : 0));
}

/// Four products, of numbers of which one is e4m3, added to the chain.
static HWY_INLINE float addProducts(float chain, const double *x, double w0,
                                    double w1, double w2, double w3) {
  double sum = x[0] * w0 + 0.0; // an exact zero is +0
  sum += x[1] * w1;
  sum += x[2] * w2;
  sum += x[3] * w3;
  return float(addOdd(double(chain), sum));
}

/// The integer nearest to a number below 2^51.
static HWY_INLINE double integerPart(double x) {
  constexpr double magic = 0x1.8p52;
  return (x + magic) - magic;
}

/// Four products of e5m2 numbers added to the chain.
static HWY_INLINE float addProductsE5m2(float chain, const double *x, double w0,
                                        double w1, double w2, double w3) {
  double p0 = x[0] * w0, p1 = x[1] * w1, p2 = x[2] * w2, p3 = x[3] * w3;
  double i0 = integerPart(p0), i1 = integerPart(p1), i2 = integerPart(p2),
         i3 = integerPart(p3);
  double integers = ((i0 + i1) + i2) + i3;
  // Not a number if a product is infinite: then only the integers count.
  double fractions = (((p0 - i0) + (p1 - i1)) + (p2 - i2)) + (p3 - i3);
  ExactSum sum = twoSum(integers, fractions == fractions ? fractions : 0.0);
  ExactSum total = twoSum(double(chain), sum.value);
  return float(addOdd(total.value, addOdd(total.error, sum.error)));
}

/// chain[c] becomes chain[c] + x[0] w0[c] + .. + x[3] w3[c], rounded once.
template <float (*addFour)(float, const double *, double, double, double,
                           double)>
static void addGroup(float *HWY_RESTRICT chain, const double *HWY_RESTRICT x,
                     const float *HWY_RESTRICT w0, const float *HWY_RESTRICT w1,
                     const float *HWY_RESTRICT w2, const float *HWY_RESTRICT w3,
                     int64_t n) {
  for (int64_t c = 0; c < n; ++c)
    chain[c] = addFour(chain[c], x, w0[c], w1[c], w2[c], w3[c]);
}

static void multiplyFp8(const WeightTile &tile, const RowBlock<float> &block,
                        bool bothE5m2) {
  auto addFour = bothE5m2 ? addGroup<addProductsE5m2> : addGroup<addProducts>;
  int64_t n = tile.n();
  // What a group that is cut multiplies: +0 by +0.
  std::vector<float> zeros(size_t(n), 0.0f);
  for (int64_t k = block.firstK; k < block.lastK; k += 4) {
    const float *row[4];
    for (int64_t i = 0; i < 4; ++i)
      row[i] = k + i < block.lastK ? tile.floats() + (k + i) * tile.rowStep()
                                   : zeros.data();
    for (int64_t r = 0; r < block.rows; ++r) {
      double x[4] = {};
      for (int64_t i = 0; i < std::min<int64_t>(4, block.lastK - k); ++i)
        x[i] = block.src[r * block.rowStep + (k + i) * block.kStep];
      addFour(block.dst + r * block.dstStep, x, row[0], row[1], row[2], row[3],
              n);
    }
  }
  for (int64_t r = 0; r < block.rows; ++r)
    for (int64_t c = 0; c < n; ++c) {
      float &result = block.dst[r * block.dstStep + c];
      result = canonical(result);
    }
}

} // namespace HWY_NAMESPACE
} // namespace serrano::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace serrano::sim {

HWY_EXPORT(multiplyFp8);

void multiplyRowsFp8(const WeightTile &weights, const RowBlock<float> &block,
                     bool bothE5m2) {
  HWY_DYNAMIC_DISPATCH(multiplyFp8)(weights, block, bothE5m2);
}

} // namespace serrano::sim
#endif // HWY_ONCE
