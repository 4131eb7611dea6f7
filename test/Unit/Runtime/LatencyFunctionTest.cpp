//===- LatencyFunctionTest.cpp - errors of functions that jump ---------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Runtime/LatencyFunction.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace serrano;

namespace {

/// A time that rises in steps, as that of attention does.
struct Staircase {
  const char *name;
  FunctionLengths lengths;
  int64_t width;  ///< of a step of the softmax, in tokens
  int64_t height; ///< of one, in cycles
  int64_t blockHeight = 0;

  int64_t cyclesAt(int64_t length) const {
    return 10000 + height * ((length - 1) / width) +
           blockHeight * ((length - 1) / lengths.block) + length / 50;
  }
};

class StaircaseTest : public testing::TestWithParam<Staircase> {};

} // namespace

TEST_P(StaircaseTest, NoLengthIsFurtherOffThanSaid) {
  const Staircase &stairs = GetParam();
  const FunctionLengths &lengths = stairs.lengths;
  int64_t predictions = 0;
  auto cycles = [&](int64_t length) -> llvm::Expected<int64_t> {
    EXPECT_TRUE(length % lengths.step == 0 || length == lengths.longest) << length;
    ++predictions;
    return stairs.cyclesAt(length);
  };
  llvm::Expected<LatencyFunction> function = fitLatency(cycles, lengths);
  ASSERT_TRUE(bool(function));
  EXPECT_EQ(predictions, int64_t(function->knots.size()));
  EXPECT_LT(predictions, 64);
  double worst = 0;
  for (int64_t length = lengths.shortest; length <= lengths.longest; length += lengths.step) {
    double exact = double(stairs.cyclesAt(length));
    worst = std::max(worst, std::abs(function->cyclesAt(length) - exact) / exact);
  }
  EXPECT_LE(worst, function->largestError);
  // Nor is more said than the steps allow.
  EXPECT_LT(function->largestError,
            2.5 * double(stairs.height + stairs.blockHeight) / 10000 + 0.005);
}

INSTANTIATE_TEST_SUITE_P(
    Latency, StaircaseTest,
    testing::Values(
        Staircase{"Multiples", {16, 4096, 16, 128, {0, 1, 17}}, 640, 960},
        Staircase{"MultiplesBetweenBlocks", {48, 8208, 48, 128, {0, 1, 49}}, 512, 300, 40},
        Staircase{"MultiplesOfOtherBlocks", {100, 9000, 100, 128, {0, 1, 101}}, 1280, 700, 20},
        Staircase{"LowSteps", {32, 8192, 32, 128, {0, 1, 33}}, 640, 150},
        Staircase{"OneByOne", {1, 4096, 1, 128, {0, 1, 2}}, 640, 960, 100},
        Staircase{"UpToNoMultiple", {64, 8190, 64, 128, {0, 1, 65}}, 384, 200}),
    [](const testing::TestParamInfo<Staircase> &info) { return info.param.name; });

TEST(LatencyFunctionTest, IsExactIfLengthsAreFew) {
  auto cycles = [](int64_t length) -> llvm::Expected<int64_t> {
    return 1000 + length * 7919 % 500; // no line fits it
  };
  llvm::Expected<LatencyFunction> function =
      fitLatency(cycles, {16, 1000, 16, 128, {0, 1, 17}});
  ASSERT_TRUE(bool(function));
  EXPECT_EQ(function->largestError, 0);
  ASSERT_EQ(function->knots.size(), 63u);
  EXPECT_EQ(function->knots[61].length, 992);
  EXPECT_EQ(function->knots.back().length, 1000);
}

TEST(LatencyFunctionTest, HasOneKnotForOneLength) {
  auto cycles = [](int64_t length) -> llvm::Expected<int64_t> { return 40 + length; };
  llvm::Expected<LatencyFunction> function = fitLatency(cycles, {1, 1, 1, 128, {0, 1}});
  ASSERT_TRUE(bool(function));
  ASSERT_EQ(function->knots.size(), 1u);
  EXPECT_EQ(function->cyclesAt(1), 41);
}

TEST(LatencyFunctionTest, SaysWhyALengthCannotBePredicted) {
  auto cycles = [](int64_t length) -> llvm::Expected<int64_t> {
    if (length > 100)
      return llvm::createStringError("no room");
    return length;
  };
  llvm::Expected<LatencyFunction> function = fitLatency(cycles, {1, 4096, 1, 128, {0, 1}});
  ASSERT_FALSE(bool(function));
  EXPECT_EQ(llvm::toString(function.takeError()), "no room");
}
