//===- NumericsFunctionsTest.cpp - transcendental functions ---------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every function against glibc's long double, which is good to 2^-63: the
// largest errors here are those that docs/Numerics.md promises.
//
//===----------------------------------------------------------------------===//

#include "Numerics/Activation.h"
#include "Numerics/Exponential.h"
#include "Numerics/Formats.h"
#include "Numerics/Trigonometry.h"
#include "NumericsReference.h"
#include "gtest/gtest.h"
#include <numbers>
#include <random>

namespace serrano::sim {
constexpr float infinity = std::numeric_limits<float>::infinity();

static float sine(float x) {
  return std::fabs(x) < largeAngle ? sinF32(x) : sinF32Large(x);
}

static float cosine(float x) {
  return std::fabs(x) < largeAngle ? cosF32(x) : cosF32Large(x);
}

static long double sigmoid(long double x) { return 1 / (1 + std::exp(-x)); }

/// Where a factor of a limit is infinite, the limit itself.
static long double timesTail(long double x, long double factor) {
  return std::isinf(x) && x < 0 ? -0.0L : x * factor;
}

/// Distance in units of the last place that f32 has at `exact`.
static double ulpError(float actual, long double exact) {
  if (std::isnan(exact) || std::isnan(actual))
    return std::isnan(exact) && std::isnan(actual) ? 0 : HUGE_VAL;
  if (actual == exact)
    return 0;
  // What rounds to infinity has to be infinite.
  if (std::fabs(exact) >= 0x1.ffffffp127L || std::isinf(actual))
    return float(exact) == actual ? 0 : HUGE_VAL;
  int exponent = exact == 0 ? -149 : std::max(std::ilogb(exact) - 23, -149);
  return double(std::ldexp(std::fabs((long double)actual - exact), -exponent));
}

static void expectBits(float actual, float expected) {
  EXPECT_EQ(std::bit_cast<uint32_t>(actual), std::bit_cast<uint32_t>(expected))
      << std::hexfloat << actual << " instead of " << expected;
}

namespace {

struct Function {
  const char *name;
  float (*function)(float);
  long double (*exact)(long double);
  double maxUlp;
};

constexpr Function functions[] = {
    {"exp", expF32, std::exp, 1.01},
    {"log", logF32, std::log, 0.501},
    {"tanh", tanhF32, std::tanh, 0.501},
    {"sigmoid", sigmoidF32, sigmoid, 0.501},
    {"silu", siluF32, [](long double x) { return timesTail(x, sigmoid(x)); },
     0.501},
    {"erf", erfF32, std::erf, 0.501},
    {"gelu", geluF32,
     [](long double x) {
       return timesTail(x,
                        std::erfc(-x / std::numbers::sqrt2_v<long double>) / 2);
     },
     0.501},
    {"gelu_tanh", geluTanhF32,
     [](long double x) {
       long double u = std::sqrt(2 * std::numbers::inv_pi_v<long double>) *
                       (x + 0.044715L * x * x * x);
       return timesTail(x, sigmoid(2 * u));
     },
     0.501},
    {"sin", sine, std::sin, 0.501},
    {"cos", cosine, std::cos, 0.501},
};

class FunctionTest : public testing::TestWithParam<Function> {
protected:
  const Function &function = GetParam();
  double worst = 0;
  float worstAt = 0;

  void check(float x) {
    double error = ulpError(function.function(x), function.exact(x));
    if (error > worst) {
      worst = error;
      worstAt = x;
    }
  }

  void TearDown() override {
    EXPECT_LE(worst, function.maxUlp) << "at " << std::hexfloat << worstAt;
    RecordProperty("worst_ulp", std::to_string(worst));
  }
};

TEST_P(FunctionTest, EveryBf16) {
  for (uint32_t code = 0; code < 0x10000; ++code)
    check(widenBf16(uint16_t(code)));
}

TEST_P(FunctionTest, EveryF16) {
  for (uint32_t code = 0; code < 0x10000; ++code)
    check(widenF16(uint16_t(code)));
}

TEST_P(FunctionTest, F32) {
  for (float x : reference::edgeValues())
    check(x);
  // A step that is prime, so that low bits of all kinds occur.
  for (uint64_t bits = 0; bits < (uint64_t(1) << 32); bits += 5003)
    check(std::bit_cast<float>(uint32_t(bits)));
  // Where results are neither tiny nor saturated.
  std::mt19937 random(3);
  std::uniform_real_distribution<float> near(-16.0f, 16.0f);
  for (int i = 0; i < 150000; ++i)
    check(near(random));
}

INSTANTIATE_TEST_SUITE_P(Functions, FunctionTest, testing::ValuesIn(functions),
                         [](const testing::TestParamInfo<Function> &info) {
                           return info.param.name;
                         });

TEST(ExactPointsTest, Exponential) {
  expectBits(expF32(0.0f), 1.0f);
  expectBits(expF32(-0.0f), 1.0f);
  expectBits(expF32(-infinity), 0.0f);
  expectBits(expF32(infinity), infinity);
  expectBits(expF32(std::numeric_limits<float>::lowest()), 0.0f);
  expectBits(logF32(1.0f), 0.0f);
  expectBits(logF32(0.0f), -infinity);
  expectBits(logF32(-0.0f), -infinity);
  expectBits(logF32(infinity), infinity);
  EXPECT_TRUE(std::isnan(logF32(-1.0f)));
}

TEST(ExactPointsTest, Activations) {
  for (float sign : {1.0f, -1.0f}) {
    expectBits(tanhF32(sign * infinity), sign);
    expectBits(tanhF32(sign * 0.0f), sign * 0.0f);
    expectBits(erfF32(sign * infinity), sign);
    expectBits(erfF32(sign * 0.0f), sign * 0.0f);
    expectBits(siluF32(sign * 0.0f), sign * 0.0f);
    expectBits(geluF32(sign * 0.0f), sign * 0.0f);
    expectBits(geluTanhF32(sign * 0.0f), sign * 0.0f);
    expectBits(sigmoidF32(sign * 0.0f), 0.5f);
  }
  expectBits(sigmoidF32(-infinity), 0.0f);
  expectBits(sigmoidF32(infinity), 1.0f);
  for (auto *function : {siluF32, geluF32, geluTanhF32}) {
    expectBits(function(infinity), infinity);
    expectBits(function(-infinity), -0.0f);
  }
}

TEST(ExactPointsTest, Angles) {
  expectBits(sine(0.0f), 0.0f);
  expectBits(sine(-0.0f), -0.0f);
  expectBits(cosine(0.0f), 1.0f);
  EXPECT_TRUE(std::isnan(sine(infinity)));
  EXPECT_TRUE(std::isnan(cosine(-infinity)));
}

/// The f32 numbers that come closest to a multiple of pi/2 in their binade.
TEST(AnglesTest, NearMultiplesOfHalfPi) {
  for (int exponent = 1; exponent < 128; ++exponent) {
    float low = std::ldexp(1.0f, exponent), closest = low;
    long double least = 1;
    std::mt19937 random(exponent);
    for (int i = 0; i < 2000; ++i) {
      float x = std::bit_cast<float>(std::bit_cast<uint32_t>(low) |
                                     (uint32_t(random()) & 0x7fffff));
      long double distance = std::min(std::fabs(std::sin((long double)x)),
                                      std::fabs(std::cos((long double)x)));
      if (distance < least) {
        least = distance;
        closest = x;
      }
    }
    EXPECT_LE(ulpError(sine(closest), std::sin((long double)closest)), 0.501);
    EXPECT_LE(ulpError(cosine(closest), std::cos((long double)closest)), 0.501);
  }
  // Kahan's worst case of f32, 2^-29 away from a multiple.
  float worst = 0x1.f37126p28f * 0x1p-4f;
  EXPECT_LE(ulpError(sine(worst), std::sin((long double)worst)), 0.501);
  EXPECT_LE(ulpError(cosine(worst), std::cos((long double)worst)), 0.501);
}

TEST(PowTest, EdgesAndRandomNumbers) {
  double worst = 0;
  auto check = [&](float x, float y) {
    float actual = powF32(x, y);
    // glibc's long double gives +Inf for (-Inf)^(-2^63).
    long double exact = std::isinf(x)
                            ? std::pow(double(x), double(y))
                            : std::pow((long double)x, (long double)y);
    double error = ulpError(actual, exact);
    worst = std::max(worst, error);
    ASSERT_LE(error, 0.501) << std::hexfloat << x << " ^ " << y;
    if (exact == 0 && actual == 0) {
      ASSERT_EQ(std::signbit(actual), std::signbit(exact));
    }
  };
  std::vector<float> edges = reference::edgeValues();
  for (float extra : {2.0f, 3.0f, -2.0f, -3.0f, 0x1.fffffep23f, 0x1p24f, -1.5f})
    edges.push_back(extra);
  for (float x : edges)
    for (float y : edges)
      check(x, y);
  std::mt19937 random(4);
  std::uniform_real_distribution<float> base(0.0f, 4.0f), power(-60.0f, 60.0f);
  for (int i = 0; i < 200000; ++i) {
    check(base(random), power(random));
    check(std::bit_cast<float>(uint32_t(random())),
          std::bit_cast<float>(uint32_t(random())));
    check(-base(random), float(int(power(random))));
  }
  RecordProperty("worst_ulp", std::to_string(worst));
}

} // namespace
} // namespace serrano::sim
