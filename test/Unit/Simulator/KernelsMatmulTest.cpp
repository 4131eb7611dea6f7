//===- KernelsMatmulTest.cpp - mx.load and mx.mul -------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelsFixture.h"
#include <cfloat>

namespace serrano::sim {
namespace {

/// One mx.mul with all its operands in a test's own memory.
struct Case {
  isa::DType weightType, srcType;
  int64_t m, k, n;
  bool accumulate = false, transposeWeights = false, transposeSrc = false;
  RowLimit limit = {};

  int64_t weightsOfRow(int64_t r) const {
    return limit.enabled
               ? std::clamp<int64_t>(limit.limit + r / limit.group, 0, k)
               : k;
  }
};

} // namespace

/// x rounded to nearest even to f32, where x counts units of 2^-unit.
static float roundToF32(__int128 x, int unit) {
  bool negative = x < 0;
  unsigned __int128 magnitude = negative ? -(unsigned __int128)x : x;
  int bits = 0;
  while (bits < 127 && magnitude >> bits)
    ++bits;
  int dropped = std::max(bits - 24, 0);
  unsigned __int128 kept = magnitude >> dropped;
  unsigned __int128 rest = magnitude - (kept << dropped);
  unsigned __int128 half = dropped ? (unsigned __int128)1 << (dropped - 1) : 0;
  if (dropped && (rest > half || (rest == half && (kept & 1))))
    ++kept;
  auto result = float(std::ldexp((long double)kept, dropped - unit));
  return negative ? -result : result;
}

/// x as a number of units of 2^-unit.
static __int128 toUnits(float x, int unit) {
  int exponent;
  float fraction = std::frexp(x, &exponent);
  auto mantissa = __int128(std::ldexp(fraction, 24));
  int shift = exponent - 24 + unit;
  EXPECT_TRUE(mantissa == 0 || (shift >= 0 && shift < 103)) << x;
  return shift > 0 ? mantissa << shift : mantissa;
}

/// chain + four products, exact in integers and rounded once. Numbers are
/// finite, chains between 2^-56 and 2^40.
static float addGroupExactly(float chain, const float *x, const float *w,
                             int count) {
  constexpr int unit = 84;
  __int128 sum = toUnits(chain, unit);
  for (int i = 0; i < count; ++i) // products of 8 bits are exact in f32
    sum += toUnits(x[i] * w[i], unit);
  return roundToF32(sum, unit);
}

namespace {

class MatmulTest : public SimdTest {
protected:
  /// Element (i, j) of a tile that may lie transposed.
  static float element(const TestTile &tile, bool transposed, int64_t i,
                       int64_t j) {
    return transposed ? tile.value(j, i) : tile.value(i, j);
  }

  static float referenceChain(const Case &c, const TestTile &weights,
                              const TestTile &src, float chain, int64_t r,
                              int64_t column) {
    int64_t last = c.weightsOfRow(r);
    if (isa::sizeOf(c.weightType) != 1) {
      for (int64_t k = 0; k < last; ++k)
        chain =
            std::fma(element(src, c.transposeSrc, r, k),
                     element(weights, c.transposeWeights, k, column), chain);
      return chain;
    }
    for (int64_t k = 0; k < last; k += 4) {
      float x[4], w[4];
      int count = int(std::min<int64_t>(4, last - k));
      for (int i = 0; i < count; ++i) {
        x[i] = element(src, c.transposeSrc, r, k + i);
        w[i] = element(weights, c.transposeWeights, k + i, column);
      }
      chain = addGroupExactly(chain, x, w, count);
    }
    return chain;
  }

  static uint32_t referenceSum(const Case &c, const TestTile &weights,
                               const TestTile &src, uint32_t sum, int64_t r,
                               int64_t column) {
    for (int64_t k = 0; k < c.weightsOfRow(r); ++k) {
      int32_t x = c.transposeSrc ? src.integer(k, r) : src.integer(r, k);
      int32_t w = c.transposeWeights ? weights.integer(column, k)
                                     : weights.integer(k, column);
      sum += uint32_t(x * w);
    }
    return sum;
  }

  static TestTile weightsOf(const Case &c) {
    return c.transposeWeights ? TestTile(c.weightType, c.n, c.k)
                              : TestTile(c.weightType, c.k, c.n);
  }

  static TestTile srcOf(const Case &c) {
    return c.transposeSrc ? TestTile(c.srcType, c.k, c.m)
                          : TestTile(c.srcType, c.m, c.k);
  }

  static TestTile dstOf(const Case &c) {
    return TestTile(isa::isInteger(c.weightType) ? isa::DType::I32
                                                 : isa::DType::F32,
                    c.m, c.n);
  }

  static void check(const Case &c, TestTile &weights, TestTile &src,
                    TestTile &dst) {
    SCOPED_TRACE(testing::Message()
                 << "types " << int(c.weightType) << " and " << int(c.srcType)
                 << ", m " << c.m << ", k " << c.k << ", n " << c.n
                 << ", accumulate " << c.accumulate << ", transposed "
                 << c.transposeWeights << " and " << c.transposeSrc
                 << ", limit " << c.limit.enabled << " " << c.limit.limit);
    TestTile expected = dst;
    for (int64_t r = 0; r < c.m; ++r)
      for (int64_t column = 0; column < c.n; ++column)
        if (isa::isInteger(c.weightType))
          expected.setCode(r, column,
                           referenceSum(c, weights, src,
                                        c.accumulate ? dst.code(r, column) : 0,
                                        r, column));
        else
          expected.store(
              r, column,
              referenceChain(c, weights, src,
                             c.accumulate ? dst.value(r, column) : 0.0f, r,
                             column));
    TestTile before = dst;
    for (bool constant : {true, false}) {
      dst = before;
      WeightTile tile;
      TileView view = weights.view();
      view.constant = constant;
      tile.load(view, c.k, c.n, c.transposeWeights);
      EXPECT_EQ(tile.k(), c.k);
      EXPECT_EQ(tile.n(), c.n);
      matmul(tile, dst.view(), src.view(), c.m, c.accumulate, c.transposeSrc,
             c.limit);
      expectSame(dst, expected);
    }
  }

  void checkOrdinary(const Case &c) {
    TestTile weights = weightsOf(c), src = srcOf(c), dst = dstOf(c);
    check(c, weights.fillOrdinary(random), src.fillOrdinary(random),
          dst.fillOrdinary(random));
  }

  /// All codes but those of Inf and NaN.
  void fillFinite(TestTile &tile) {
    const reference::Format &format = reference::formatOf(tile.dtype);
    for (int64_t r = 0; r < tile.rows; ++r)
      for (int64_t c = 0; c < tile.cols; ++c)
        tile.setCode(r, c,
                     uint32_t(random() % (format.largestFinite() + 1)) |
                         (random() % 2 ? format.signBit() : 0));
  }

  /// One of `choices`.
  int64_t any(std::initializer_list<int64_t> choices) {
    return choices.begin()[random() % choices.size()];
  }
};

/// Kernels treat rows in blocks of 6 and panels of 48, columns in blocks that
/// differ with the target.
TEST_P(MatmulTest, ShapesAndLayouts) {
  struct Types {
    isa::DType weights, src;
  };
  using enum isa::DType;
  for (Types types :
       {Types{F32, F32}, Types{Bf16, Bf16}, Types{F16, F16},
        Types{F8e4m3, F8e4m3}, Types{F8e4m3, F8e5m2}, Types{F8e5m2, F8e5m2},
        Types{I8, I8}, Types{I8, U8}, Types{U8, U8}})
    for (int i = 0; i < 40; ++i) {
      Case c = {.weightType = types.weights,
                .srcType = types.src,
                .m = any({0, 1, 2, 3, 5, 6, 7, 12, 13, 49, 54}),
                .k = any({0, 1, 2, 3, 4, 5, 7, 8, 31, 64, 70}),
                .n = any({0, 1, 3, 8, 15, 16, 17, 32, 33, 63, 64, 65, 128}),
                .accumulate = random() % 2 != 0,
                .transposeWeights = random() % 2 != 0,
                .transposeSrc = random() % 2 != 0};
      checkOrdinary(c);
      c.limit = {.enabled = true,
                 .limit = any({-4, 0, 1, 3, 6, 30, 60, 1000}),
                 .group = any({1, 2, 3, 7})};
      checkOrdinary(c);
      if (HasFailure())
        return;
    }
}

TEST_P(MatmulTest, LongK) {
  for (isa::DType dtype : {isa::DType::F32, isa::DType::F8e4m3, isa::DType::I8})
    for (bool transposeWeights : {false, true})
      checkOrdinary({.weightType = dtype,
                     .srcType = dtype,
                     .m = 3,
                     .k = 600,
                     .n = 20,
                     .transposeWeights = transposeWeights});
}

TEST_P(MatmulTest, DenormalsInfinitiesNanAndZeros) {
  for (isa::DType dtype : {isa::DType::F32, isa::DType::Bf16, isa::DType::F16})
    for (int i = 0; i < 30; ++i) {
      Case c = {.weightType = dtype,
                .srcType = dtype,
                .m = any({1, 7}),
                .k = any({0, 1, 2, 5}),
                .n = any({64, 70}),
                .accumulate = true};
      TestTile weights = weightsOf(c), src = srcOf(c), dst = dstOf(c);
      check(c, weights.fillExtreme(random), src.fillExtreme(random),
            dst.fillExtreme(random));
    }
}

/// All finite codes, with chains that start from 0, cancel the sum or lie at
/// the edge of being rounded up. Where all start from multiples of 2^-18,
/// another kernel runs for e4m3.
TEST_P(MatmulTest, Fp8GroupsAreRoundedOnce) {
  using enum isa::DType;
  for (auto [weightType, srcType] :
       {std::pair(F8e4m3, F8e4m3), std::pair(F8e4m3, F8e5m2),
        std::pair(F8e5m2, F8e4m3), std::pair(F8e5m2, F8e5m2)})
    for (int i = 0; i < 90; ++i) {
      bool fromZero = i % 3 == 0, onlyCancelling = i % 3 == 1;
      Case c = {.weightType = weightType,
                .srcType = srcType,
                .m = any({1, 4, 6}),
                .k = any({1, 3, 4, 8, 30}),
                .n = any({20, 64}),
                .accumulate = !fromZero};
      TestTile weights = weightsOf(c), src = srcOf(c), dst = dstOf(c);
      fillFinite(weights);
      fillFinite(src);
      Case firstGroup = c;
      firstGroup.k = std::min<int64_t>(c.k, 4);
      for (int64_t r = 0; r < c.m; ++r)
        for (int64_t column = 0; column < c.n; ++column) {
          float start =
              -referenceChain(firstGroup, weights, src, 0.0f, r, column);
          if (!onlyCancelling && random() % 2)
            start = std::nextafter(start, random() % 2 ? 1e9f : -1e9f);
          if (!onlyCancelling && random() % 4 == 0)
            start =
                std::ldexp(float(int32_t(random())), int(random() % 64) - 56);
          dst.store(r, column, std::fabs(start) < 0x1p-56f ? 0.0f : start);
        }
      check(c, weights, src, dst);
      if (HasFailure())
        return;
    }
}

TEST_P(MatmulTest, Fp8SpecialNumbers) {
  struct Row {
    float chain, x, w;
    uint32_t expected;
  };
  auto check = [&](isa::DType dtype, Row row) {
    TestTile weights(dtype, 2, 1), src(dtype, 1, 2), dst(isa::DType::F32, 1, 1);
    weights.store(0, 0, row.w);
    weights.store(1, 0, 1);
    src.store(0, 0, row.x);
    src.store(0, 1, 0);
    dst.store(0, 0, row.chain);
    if (std::isinf(row.x)) // which `store` saturates
      src.setCode(0, 0, std::signbit(row.x) ? 0xfc : 0x7c);
    WeightTile tile;
    tile.load(weights.view(), 2, 1, false);
    matmul(tile, dst.view(), src.view(), 1, true, false, {});
    EXPECT_EQ(dst.code(0, 0), row.expected)
        << row.chain << " + " << row.x << " * " << row.w;
  };
  for (isa::DType dtype : {isa::DType::F8e4m3, isa::DType::F8e5m2}) {
    check(dtype, {1.0f, NAN, 1.0f, 0x7fc00000});
    check(dtype, {NAN, 1.0f, 1.0f, 0x7fc00000});
    check(dtype, {-INFINITY, 1.0f, 1.0f, 0xff800000});
    check(dtype, {-0.0f, -1.0f, 0.0f, 0x00000000});
    check(dtype, {FLT_MAX, 256.0f, 256.0f, 0x7f7fffff});
    check(dtype, {0x1p-149f, 0.0f, 1.0f, 0x00000001});
  }
  check(isa::DType::F8e5m2, {1.0f, INFINITY, -2.0f, 0xff800000});
  check(isa::DType::F8e5m2, {INFINITY, INFINITY, -2.0f, 0x7fc00000});
  check(isa::DType::F8e5m2, {1.0f, INFINITY, 0.0f, 0x7fc00000});
}

/// Half a unit of 2^36 and 2^-18 more: rounded up, though f64 does not hold
/// 2^-18 beside 2^36.
TEST_P(MatmulTest, Fp8LargeChainsAreRoundedOnce) {
  for (isa::DType dtype : {isa::DType::F8e4m3, isa::DType::F8e5m2}) {
    Case c = {.weightType = dtype,
              .srcType = dtype,
              .m = 1,
              .k = 2,
              .n = 1,
              .accumulate = true};
    TestTile weights = weightsOf(c), src = srcOf(c), dst = dstOf(c);
    weights.store(0, 0, 64);
    src.store(0, 0, 64);
    weights.store(1, 0, 0x1p-9L);
    src.store(0, 1, 0x1p-9L);
    dst.store(0, 0, 0x1p36L);
    check(c, weights, src, dst);
    EXPECT_EQ(dst.value(0, 0), 0x1.000002p36f);
  }
}

/// The sum of four products that are -0 counts as +0.
TEST_P(MatmulTest, Fp8ZeroSumsArePositive) {
  for (isa::DType dtype : {isa::DType::F8e4m3, isa::DType::F8e5m2})
    for (float elsewhere : {0.0f, 0.1f}) { // a multiple of 2^-18, and none
      TestTile weights(dtype, 4, 2), src(dtype, 1, 4),
          dst(isa::DType::F32, 1, 2);
      weights.storeAll(-0.0L);
      src.storeAll(1);
      dst.store(0, 0, -0.0L);
      dst.store(0, 1, elsewhere);
      WeightTile tile;
      tile.load(weights.view(), 4, 2, false);
      matmul(tile, dst.view(), src.view(), 1, true, false, {});
      EXPECT_EQ(dst.code(0, 0), 0u);
    }
}

TEST_P(MatmulTest, IntegersWrapModulo32Bits) {
  Case c = {.weightType = isa::DType::U8,
            .srcType = isa::DType::I8,
            .m = 2,
            .k = 9,
            .n = 20,
            .accumulate = true};
  TestTile weights = weightsOf(c), src = srcOf(c), dst = dstOf(c);
  weights.storeAll(255);
  src.storeAll(-128);
  dst.storeAll(INT32_MIN);
  check(c, weights, src, dst);
}

/// Cutting a chain in two instructions, or taking rows in other groups, does
/// not change a bit.
TEST_P(MatmulTest, ChainsDoNotDependOnHowTheyAreCut) {
  constexpr int64_t m = 50, k = 64, n = 40;
  for (isa::DType dtype : {isa::DType::Bf16, isa::DType::F8e4m3}) {
    TestTile weights(dtype, k, n), src(dtype, m, k);
    weights.fillOrdinary(random);
    src.fillOrdinary(random);
    TestTile whole(isa::DType::F32, m, n), parts = whole;
    WeightTile tile;
    tile.load(weights.view(), k, n, false);
    matmul(tile, whole.view(), src.view(), m, false, false, {});
    for (int64_t first : {0, 24}) {
      TileView weightPart = weights.view(), srcPart = src.view();
      int64_t count = first == 0 ? 24 : k - 24;
      weightPart.data += first * weightPart.stride;
      srcPart.data += first * isa::sizeOf(dtype);
      tile.load(weightPart, count, n, false);
      for (int64_t r = 0; r < m; r += 17) {
        TileView dstRows = parts.view(), srcRows = srcPart;
        dstRows.data += r * dstRows.stride;
        srcRows.data += r * srcRows.stride;
        matmul(tile, dstRows, srcRows, std::min<int64_t>(17, m - r), first > 0,
               false, {});
      }
    }
    expectSame(parts, whole);
  }
}

/// Rows can be taken apart though their limits differ.
TEST_P(MatmulTest, LimitsCountFromTheFirstRow) {
  constexpr int64_t m = 50, k = 64, n = 48, firstPart = 20;
  for (isa::DType dtype : {isa::DType::Bf16, isa::DType::F8e4m3}) {
    TestTile weights(dtype, k, n), src(dtype, m, k);
    weights.fillOrdinary(random);
    src.fillOrdinary(random);
    TestTile whole(isa::DType::F32, m, n), parts = whole;
    WeightTile tile;
    tile.load(weights.view(), k, n, false);
    RowLimit limit = {.enabled = true, .limit = 9, .group = 3};
    matmul(tile, whole.view(), src.view(), m, false, false, limit);
    matmul(tile, parts.view(), src.view(), firstPart, false, false, limit);
    limit.firstRow = firstPart;
    matmul(tile, parts.view().from(firstPart), src.view().from(firstPart),
           m - firstPart, false, false, limit);
    expectSame(parts, whole);
  }
}

/// The array keeps its weights when their source changes.
TEST_P(MatmulTest, WeightsAreACopy) {
  TestTile weights(isa::DType::F32, 1, 1), src(isa::DType::F32, 1, 1),
      dst(isa::DType::F32, 1, 1);
  weights.storeAll(3);
  src.storeAll(2);
  WeightTile tile;
  tile.load(weights.view(), 1, 1, false);
  weights.storeAll(5);
  matmul(tile, dst.view(), src.view(), 1, false, false, {});
  EXPECT_EQ(dst.value(0, 0), 6.0f);
}

SERRANO_INSTANTIATE_SIMD_TEST(MatmulTest);

} // namespace
} // namespace serrano::sim
