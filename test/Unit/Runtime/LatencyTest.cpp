//===- LatencyTest.cpp - times between those that are predicted --------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Runtime/Latency.h"
#include "gtest/gtest.h"

using namespace serrano;

TEST(LatencyTest, IsAStraightLineBetweenKnots) {
  LatencyFunction function;
  function.knots = {{1, 100}, {5, 140}, {6, 200}};
  EXPECT_EQ(function.cyclesAt(1), 100);
  EXPECT_EQ(function.cyclesAt(4), 130);
  EXPECT_EQ(function.cyclesAt(5), 140);
  EXPECT_EQ(function.cyclesAt(6), 200);
}

// Of steps of up to 512 tokens, each of which takes 10 cycles and one for each token before
// the step.
TEST(LatencyTest, TheLastStepOfAPromptSeesAllTokensBeforeIt) {
  auto stepCycles = [](int64_t added, int64_t context) { return added * (10 + context - added); };
  Latency latency;
  latency.stepTokens = 512;
  latency.longest = 8192;
  latency.firstToken.knots = {{1, stepCycles(1, 1)}, {512, stepCycles(512, 512)}};
  latency.promptStep.knots = {{512, stepCycles(512, 512)}, {8192, stepCycles(512, 8192)}};
  EXPECT_EQ(latency.firstTokenCycles(100), stepCycles(100, 100));
  EXPECT_EQ(latency.firstTokenCycles(1024), stepCycles(512, 512) + stepCycles(512, 1024));
  EXPECT_EQ(latency.firstTokenCycles(700), stepCycles(512, 512) + stepCycles(188, 700));
  EXPECT_EQ(latency.firstTokenCycles(1025),
            stepCycles(512, 512) + stepCycles(512, 1024) + stepCycles(1, 1025));
}
