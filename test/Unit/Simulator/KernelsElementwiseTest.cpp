//===- KernelsElementwiseTest.cpp - v.unary, v.binary, v.ternary and kin --===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelsFixture.h"
#include "Numerics/Activation.h"
#include "Numerics/Exponential.h"
#include "Numerics/Trigonometry.h"

using serrano::isa::BinaryFunction;
using serrano::isa::TernaryFunction;
using serrano::isa::UnaryFunction;

namespace serrano::sim {
static float referenceUnary(UnaryFunction fn, float a) {
  bool large = !(std::fabs(a) < largeAngle);
  switch (fn) {
  case UnaryFunction::Copy:
    return a;
  case UnaryFunction::Neg:
    return -a;
  case UnaryFunction::Abs:
    return std::fabs(a);
  case UnaryFunction::Sqrt:
    return float(std::sqrt((long double)a));
  case UnaryFunction::Rsqrt:
    return float(1 / (long double)float(std::sqrt((long double)a)));
  case UnaryFunction::Reciprocal:
    return float(1 / (long double)a);
  case UnaryFunction::Exp:
    return expF32(a);
  case UnaryFunction::Log:
    return logF32(a);
  case UnaryFunction::Tanh:
    return tanhF32(a);
  case UnaryFunction::Sigmoid:
    return sigmoidF32(a);
  case UnaryFunction::Erf:
    return erfF32(a);
  case UnaryFunction::Sin:
    return large ? sinF32Large(a) : sinF32(a);
  case UnaryFunction::Cos:
    return large ? cosF32Large(a) : cosF32(a);
  case UnaryFunction::Floor:
    return std::floor(a);
  case UnaryFunction::Ceil:
    return std::ceil(a);
  case UnaryFunction::Round:
    return float(std::rint((long double)a));
  case UnaryFunction::Not:
    return a == 0;
  case UnaryFunction::Isnan:
    return std::isnan(a);
  case UnaryFunction::Silu:
    return siluF32(a);
  case UnaryFunction::Gelu:
    return geluF32(a);
  case UnaryFunction::GeluTanh:
    return geluTanhF32(a);
  }
  return 0;
}

/// Functions that an integer operand does not take to f32, in 64 bits.
static std::optional<int64_t> referenceUnary(UnaryFunction fn, int64_t a) {
  switch (fn) {
  case UnaryFunction::Copy:
  case UnaryFunction::Floor:
  case UnaryFunction::Ceil:
  case UnaryFunction::Round:
    return a;
  case UnaryFunction::Neg:
    return -a;
  case UnaryFunction::Abs:
    return std::abs(a);
  case UnaryFunction::Not:
    return a == 0;
  case UnaryFunction::Isnan:
    return 0;
  default:
    return std::nullopt;
  }
}

static float referenceBinary(BinaryFunction fn, float a, float b) {
  bool nan = std::isnan(a) || std::isnan(b);
  switch (fn) {
  case BinaryFunction::Add:
    return a + b;
  case BinaryFunction::Sub:
    return a - b;
  case BinaryFunction::Mul:
    return a * b;
  case BinaryFunction::Div:
    return a / b;
  case BinaryFunction::Max:
    if (nan)
      return NAN;
    return a != b ? std::max(a, b) : std::signbit(a) ? b : a;
  case BinaryFunction::Min:
    if (nan)
      return NAN;
    return a != b ? std::min(a, b) : std::signbit(a) ? a : b;
  case BinaryFunction::Pow:
    return powF32(a, b);
  case BinaryFunction::Mod:
    return a - b * std::floor(a / b);
  case BinaryFunction::Eq:
    return a == b;
  case BinaryFunction::Lt:
    return a < b;
  case BinaryFunction::Le:
    return a <= b;
  default:
    ADD_FAILURE() << "not a function of floating-point numbers";
    return 0;
  }
}

static int64_t referenceBinary(BinaryFunction fn, int64_t a, int64_t b) {
  switch (fn) {
  case BinaryFunction::Add:
    return a + b;
  case BinaryFunction::Sub:
    return a - b;
  case BinaryFunction::Mul:
    return a * b;
  case BinaryFunction::Div:
    return b == 0 ? -1 : a / b;
  case BinaryFunction::Max:
    return std::max(a, b);
  case BinaryFunction::Min:
    return std::min(a, b);
  case BinaryFunction::Mod:
    return b == 0 ? a : ((a % b) + b) % b;
  case BinaryFunction::Eq:
    return a == b;
  case BinaryFunction::Lt:
    return a < b;
  case BinaryFunction::Le:
    return a <= b;
  case BinaryFunction::And:
    return a & b;
  case BinaryFunction::Or:
    return a | b;
  case BinaryFunction::Xor:
    return a ^ b;
  case BinaryFunction::Shl:
    return a << (b & 31);
  case BinaryFunction::Shr:
    return a >> (b & 31);
  case BinaryFunction::Pow:
    ADD_FAILURE() << "not a function of integers";
  }
  return 0;
}

/// Calls `body(r, c)` for each element.
template <typename Body>
static void forEach(const TestTile &tile, Body body) {
  for (int64_t r = 0; r < tile.rows; ++r)
    for (int64_t c = 0; c < tile.cols; ++c)
      body(r, c);
}

namespace {

class ElementwiseTest : public SimdTest {
protected:
  void checkUnary(UnaryFunction fn, const TestTile &before, TestTile &a) {
    TestTile actual = before, expected = before;
    unary(fn, actual.view(), a.view(), a.rows, a.cols);
    forEach(expected, [&](int64_t r, int64_t c) {
      std::optional<int64_t> integer;
      if (isa::isInteger(a.dtype))
        integer = referenceUnary(fn, int64_t(a.integer(r, c)));
      if (integer)
        expected.store(r, c, int32_t(*integer));
      else
        expected.store(r, c, referenceUnary(fn, a.value(r, c)));
    });
    expectSame(actual, expected);
  }

  void checkBinary(BinaryFunction fn, const TestTile &before, TestTile &a,
                   TestTile &b) {
    bool integers = isa::isInteger(a.dtype) && isa::isInteger(b.dtype) &&
                    fn != BinaryFunction::Pow;
    TestTile actual = before, expected = before;
    binary(fn, actual.view(), a.view(), b.view(), actual.rows, actual.cols);
    forEach(expected, [&](int64_t r, int64_t c) {
      if (integers)
        expected.store(r, c,
                       int32_t(referenceBinary(fn, int64_t(a.integer(r, c)),
                                               int64_t(b.integer(r, c)))));
      else
        expected.store(r, c, referenceBinary(fn, a.value(r, c), b.value(r, c)));
    });
    expectSame(actual, expected);
  }
};

constexpr int unaryFunctions = int(UnaryFunction::GeluTanh) + 1;
constexpr int binaryFunctions = int(BinaryFunction::Shr) + 1;

TEST_P(ElementwiseTest, UnaryOfEveryTypeIntoEveryType) {
  for (int fn = 0; fn < unaryFunctions; ++fn)
    for (isa::DType from : allTypes)
      for (isa::DType to : allTypes) {
        SCOPED_TRACE(testing::Message()
                     << "function " << fn << " of type " << int(from)
                     << " into type " << int(to));
        TestTile a(from, 2, 75), dst(to, 2, 75);
        checkUnary(UnaryFunction(fn), dst, a.fillExtreme(random));
        checkUnary(UnaryFunction(fn), dst, a.fillOrdinary(random, 8));
        if (HasFailure())
          return;
      }
}

TEST_P(ElementwiseTest, BinaryOfEveryPairOfTypes) {
  for (int fn = 0; fn < binaryFunctions; ++fn)
    for (isa::DType left : allTypes)
      for (isa::DType right : allTypes) {
        bool integers = isa::isInteger(left) && isa::isInteger(right);
        if (BinaryFunction(fn) >= BinaryFunction::And && !integers)
          continue;
        SCOPED_TRACE(testing::Message() << "function " << fn << " of types "
                                        << int(left) << " and " << int(right));
        TestTile a(left, 2, 45), b(right, 2, 45);
        TestTile dst(integers ? isa::DType::I32 : isa::DType::F32, 2, 45);
        checkBinary(BinaryFunction(fn), dst, a.fillExtreme(random),
                    b.fillExtreme(random));
        checkBinary(BinaryFunction(fn), dst, a.fillOrdinary(random),
                    b.fillOrdinary(random));
        if (HasFailure())
          return;
      }
}

TEST_P(ElementwiseTest, BroadcastOperandsAndRowsLongerThanAChunk) {
  TestTile a(isa::DType::Bf16, 3, 1100), b(isa::DType::F32, 3, 1100, 1, true);
  TestTile dst(isa::DType::Bf16, 3, 1100);
  checkBinary(BinaryFunction::Mul, dst, a.fillExtreme(random),
              b.fillOrdinary(random));
  TestTile joined(isa::DType::Bf16, 3, 700, 0);
  TestTile joinedDst(isa::DType::F32, 3, 700, 0);
  checkUnary(UnaryFunction::Silu, joinedDst, joined.fillExtreme(random));
}

TEST_P(ElementwiseTest, ResultInPlace) {
  for (isa::DType dtype : allTypes) {
    TestTile a(dtype, 2, 600), b(dtype, 2, 600);
    a.fillExtreme(random);
    b.fillExtreme(random);
    TestTile expected = a;
    binary(BinaryFunction::Sub, expected.view(), a.view(), b.view(), 2, 600);
    TestTile left = a, right = b;
    binary(BinaryFunction::Sub, left.view(), left.view(), b.view(), 2, 600);
    binary(BinaryFunction::Sub, right.view(), a.view(), right.view(), 2, 600);
    expectSame(left, expected);
    expectSame(right, expected);
  }
}

TEST_P(ElementwiseTest, Scalar) {
  for (isa::DType dtype : allTypes)
    for (BinaryFunction fn : {BinaryFunction::Sub, BinaryFunction::Div,
                              BinaryFunction::Pow, BinaryFunction::Lt})
      for (bool reverse : {false, true})
        for (float imm : {2.75f, -0.0f, 1e20f, INFINITY}) {
          TestTile a(dtype, 2, 40), dst(dtype, 2, 40);
          a.fillExtreme(random);
          TestTile actual = dst, expected = dst;
          scalar(fn, reverse, actual.view(), a.view(), imm, 2, 40);
          bool integers = isa::isInteger(dtype) && fn != BinaryFunction::Pow;
          // 2.75 is the integer 2, 1e20 the largest one.
          TestTile other(integers ? isa::DType::I32 : isa::DType::F32, 2, 40);
          other.storeAll(imm);
          binary(fn, expected.view(), reverse ? other.view() : a.view(),
                 reverse ? a.view() : other.view(), 2, 40);
          expectSame(actual, expected);
        }
}

TEST_P(ElementwiseTest, Ternary) {
  for (isa::DType dtype : {isa::DType::F32, isa::DType::F16, isa::DType::I32}) {
    TestTile a(dtype, 2, 300), b(dtype, 2, 300), c(dtype, 2, 300);
    a.fillExtreme(random);
    b.fillExtreme(random);
    c.fillExtreme(random);
    TestTile fused(dtype, 2, 300), selected(dtype, 2, 300);
    TestTile expectedFused = fused, expectedSelected = selected;
    ternary(TernaryFunction::Fma, fused.view(), a.view(), b.view(), c.view(), 2,
            300);
    ternary(TernaryFunction::Select, selected.view(), a.view(), b.view(),
            c.view(), 2, 300);
    forEach(a, [&](int64_t r, int64_t i) {
      float x = a.value(r, i), y = b.value(r, i), z = c.value(r, i);
      if (isa::isInteger(dtype)) {
        expectedFused.setCode(r, i, a.code(r, i) * b.code(r, i) + c.code(r, i));
        expectedSelected.setCode(r, i,
                                 a.code(r, i) ? b.code(r, i) : c.code(r, i));
        return;
      }
      expectedFused.store(r, i, std::fma(x, y, z));
      expectedSelected.store(r, i, x != 0 ? y : z);
    });
    expectSame(fused, expectedFused);
    expectSame(selected, expectedSelected);
  }
}

/// A mask is of another type than what it selects.
TEST_P(ElementwiseTest, SelectByIntegerMask) {
  TestTile mask(isa::DType::U8, 1, 3), a(isa::DType::F32, 1, 3),
      b(isa::DType::F32, 1, 3), dst(isa::DType::F32, 1, 3);
  for (int64_t c = 0; c < 3; ++c) {
    mask.store(0, c, c == 1 ? 255 : 0);
    a.store(0, c, 1.5L);
    b.store(0, c, -0.0L);
  }
  ternary(TernaryFunction::Select, dst.view(), mask.view(), a.view(), b.view(),
          1, 3);
  EXPECT_EQ(dst.code(0, 0), 0x80000000u);
  EXPECT_EQ(dst.code(0, 1), 0x3fc00000u);
  EXPECT_EQ(dst.code(0, 2), 0x80000000u);
}

TEST_P(ElementwiseTest, Fill) {
  for (isa::DType dtype : allTypes)
    for (float imm : {-1.75f, 1e30f, NAN}) {
      TestTile actual(dtype, 3, 520), expected(dtype, 3, 520);
      fill(actual.view(), imm, 3, 520);
      expected.storeAll(imm);
      expectSame(actual, expected);
    }
}

TEST_P(ElementwiseTest, IotaWrapsAndConverts) {
  for (isa::DType dtype : allTypes) {
    TestTile actual(dtype, 3, 600), expected(dtype, 3, 600);
    int64_t start = INT32_MAX - 700, rowStep = -5000000000, colStep = 3;
    iota(actual.view(), start, rowStep, colStep, 3, 600);
    forEach(expected, [&](int64_t r, int64_t c) {
      expected.store(r, c, int32_t(start + r * rowStep + c * colStep));
    });
    expectSame(actual, expected);
  }
}

TEST_P(ElementwiseTest, EmptyTilesChangeNothing) {
  TestTile a(isa::DType::F32, 2, 2), dst(isa::DType::F32, 2, 2);
  TestTile before = dst;
  unary(UnaryFunction::Copy, dst.view(), a.view(), 0, 2);
  unary(UnaryFunction::Copy, dst.view(), a.view(), 2, 0);
  fill(dst.view(), 1, 2, 0);
  expectSame(dst, before);
}

SERRANO_INSTANTIATE_SIMD_TEST(ElementwiseTest);

} // namespace
} // namespace serrano::sim
