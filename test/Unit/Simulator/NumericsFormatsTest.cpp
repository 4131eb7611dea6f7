//===- NumericsFormatsTest.cpp - number formats ---------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Numerics/Formats.h"
#include "NumericsReference.h"
#include "gtest/gtest.h"
#include <random>

namespace serrano::sim {
namespace {

/// A narrow format of the library beside its definition.
struct Narrow {
  const char *name;
  const reference::Format &format;
  float (*widen)(uint32_t);
  uint32_t (*narrow)(float);
};

constexpr Narrow narrowFormats[] = {
    {"bf16", reference::bf16, [](uint32_t x) { return widenBf16(uint16_t(x)); },
     [](float x) -> uint32_t { return narrowBf16(x); }},
    {"f16", reference::f16, [](uint32_t x) { return widenF16(uint16_t(x)); },
     [](float x) -> uint32_t { return narrowF16(x); }},
    {"f8e4m3", reference::f8e4m3,
     [](uint32_t x) { return widenF8e4m3(uint8_t(x)); },
     [](float x) -> uint32_t { return narrowF8e4m3(x); }},
    {"f8e5m2", reference::f8e5m2,
     [](uint32_t x) { return widenF8e5m2(uint8_t(x)); },
     [](float x) -> uint32_t { return narrowF8e5m2(x); }},
};

class NarrowFormatTest : public testing::TestWithParam<Narrow> {
protected:
  const Narrow &narrow = GetParam();
  const reference::Format &format = narrow.format;

  /// Compares one rounding with the definition.
  void expectRounded(float x) {
    ASSERT_EQ(narrow.narrow(x), reference::encode(format, x))
        << std::hexfloat << x;
  }

  float nextUp(float x) {
    return std::nextafter(x, std::numeric_limits<float>::infinity());
  }
};

TEST_P(NarrowFormatTest, WidensEveryCode) {
  for (uint32_t code = 0; code < 2 * format.signBit(); ++code) {
    long double expected = reference::decode(format, code);
    float actual = narrow.widen(code);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(actual)) << code;
      continue;
    }
    ASSERT_EQ(std::bit_cast<uint32_t>(actual),
              std::bit_cast<uint32_t>(float(expected)))
        << code;
  }
}

TEST_P(NarrowFormatTest, EveryCodeSurvivesARoundTrip) {
  for (uint32_t code = 0; code < 2 * format.signBit(); ++code) {
    long double value = reference::decode(format, code);
    uint32_t expected = code;
    if (std::isnan(value))
      expected = format.nan;
    else if (std::isinf(value) && format.saturates)
      expected = (code & format.signBit()) | format.largestFinite();
    ASSERT_EQ(narrow.narrow(narrow.widen(code)), expected) << code;
  }
}

TEST_P(NarrowFormatTest, RoundsEveryHalfwayPointToEven) {
  for (uint32_t code = 0; code < format.largestFinite(); ++code)
    for (float sign : {1.0f, -1.0f}) {
      auto low = float(reference::decode(format, code));
      auto high = float(reference::decode(format, code + 1));
      float middle = low + (high - low) / 2;
      ASSERT_LT(low, middle);
      ASSERT_LT(middle, high);
      uint32_t signBit = sign < 0 ? format.signBit() : 0;
      ASSERT_EQ(narrow.narrow(sign * middle), signBit | (code + (code & 1)));
      ASSERT_EQ(narrow.narrow(sign * -nextUp(-middle)), signBit | code);
      ASSERT_EQ(narrow.narrow(sign * nextUp(middle)), signBit | (code + 1));
      expectRounded(sign * nextUp(low));
      expectRounded(sign * -nextUp(-high));
    }
}

TEST_P(NarrowFormatTest, OverflowsOrSaturates) {
  auto largest = float(reference::decode(format, format.largestFinite()));
  auto before = float(reference::decode(format, format.largestFinite() - 1));
  float half = (largest - before) / 2;
  uint32_t beyond = format.largestFinite() + (format.saturates ? 0 : 1);
  float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(narrow.narrow(-nextUp(-(largest + half))), format.largestFinite());
  EXPECT_EQ(narrow.narrow(largest + half), beyond);
  EXPECT_EQ(narrow.narrow(std::numeric_limits<float>::max()), beyond);
  EXPECT_EQ(narrow.narrow(infinity), beyond);
  EXPECT_EQ(narrow.narrow(-infinity), format.signBit() | beyond);
}

TEST_P(NarrowFormatTest, WritesTheCanonicalNan) {
  for (uint32_t bits : {0x7f800001u, 0x7fc00000u, 0x7fffffffu, 0xff800001u,
                        0xffc00000u, 0xffffffffu})
    EXPECT_EQ(narrow.narrow(std::bit_cast<float>(bits)), format.nan);
}

TEST_P(NarrowFormatTest, RoundsEdgesAndRandomNumbers) {
  for (float x : reference::edgeValues())
    expectRounded(x);
  std::mt19937 random(1);
  for (int i = 0; i < 500000; ++i)
    expectRounded(std::bit_cast<float>(uint32_t(random())));
}

/// The nearest f32 to an integer may lie in the middle between two narrow
/// numbers where the integer does not.
TEST_P(NarrowFormatTest, RoundsIntegersOnce) {
  std::mt19937 random(2);
  auto expectInteger = [&](int32_t x) {
    ASSERT_EQ(narrow.narrow(toFloatForNarrowing(x)),
              reference::encode(format, x))
        << x;
  };
  for (int32_t x = -70000; x <= 70000; ++x)
    expectInteger(x);
  for (int i = 0; i < 200000; ++i)
    expectInteger(int32_t(random()) >> (random() % 32));
  for (int shift = 8; shift < 23; ++shift)
    for (int32_t middle = 0; middle < 256; ++middle)
      for (int32_t offset : {-1, 0, 1}) {
        expectInteger(((256 + middle) << shift) + offset);
        expectInteger(-((256 + middle) << shift) + offset);
      }
  expectInteger(INT32_MAX);
  expectInteger(INT32_MIN);
}

INSTANTIATE_TEST_SUITE_P(Formats, NarrowFormatTest,
                         testing::ValuesIn(narrowFormats),
                         [](const testing::TestParamInfo<Narrow> &info) {
                           return info.param.name;
                         });

TEST(FormatsTest, MakesNanCanonical) {
  EXPECT_EQ(
      std::bit_cast<uint32_t>(canonical(std::bit_cast<float>(0xff800001u))),
      0x7fc00000u);
  EXPECT_EQ(std::bit_cast<uint32_t>(canonical(-0.0f)), 0x80000000u);
}

TEST(FormatsTest, ConvertsToIntegersTowardsZeroAndSaturates) {
  EXPECT_EQ(toInteger(2.99f), 2);
  EXPECT_EQ(toInteger(-2.99f), -2);
  EXPECT_EQ(toInteger(0x1.fffffep30f), 2147483520);
  EXPECT_EQ(toInteger(0x1p31f), INT32_MAX);
  EXPECT_EQ(toInteger(-0x1p31f), INT32_MIN);
  EXPECT_EQ(toInteger(-0x1.000002p31f), INT32_MIN);
  EXPECT_EQ(toInteger(std::numeric_limits<float>::infinity()), INT32_MAX);
  EXPECT_EQ(toInteger(-std::numeric_limits<float>::infinity()), INT32_MIN);
  EXPECT_EQ(toInteger(std::numeric_limits<float>::quiet_NaN()), 0);
  EXPECT_EQ(saturateI8(127), 127);
  EXPECT_EQ(saturateI8(128), 127);
  EXPECT_EQ(saturateI8(-129), -128);
  EXPECT_EQ(saturateU8(256), 255);
  EXPECT_EQ(saturateU8(-1), 0);
}

} // namespace
} // namespace serrano::sim
