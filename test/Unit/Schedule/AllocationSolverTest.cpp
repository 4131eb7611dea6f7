//===- AllocationSolverTest.cpp - tests of the solvers ----------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Schedule/AllocationSolver.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <numeric>
#include <random>

using namespace serrano;

namespace {

constexpr int64_t unlimited = int64_t(1) << 40;
using Random = std::mt19937;

std::string text(llvm::Error error) { return llvm::toString(std::move(error)); }

AllocationResult solved(AllocationProblem &problem, int64_t steps) {
  llvm::Expected<AllocationResult> result = solve(problem, {steps});
  if (!result) {
    ADD_FAILURE() << text(result.takeError());
    return {};
  }
  EXPECT_EQ(text(problem.verify()), "");
  EXPECT_EQ(result->height, problem.height());
  EXPECT_LE(result->lowerBound, result->height);
  EXPECT_GE(result->lowerBound, problem.lowerBound());
  EXPECT_LE(result->steps, steps);
  return *result;
}

/// The smallest height, by placing the buffers in every order, each on top of
/// the highest of those before it that are alive with it: for each solution one
/// of these orders gives one that is no higher.
int64_t smallestHeight(const AllocationProblem &problem) {
  const auto &buffers = problem.buffers();
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  int64_t best = unlimited;
  do {
    std::vector<int64_t> tops(buffers.size(), 0);
    int64_t height = 0;
    for (size_t i = 0; i < order.size(); ++i) {
      const auto &buffer = buffers[order[i]];
      int64_t address = 0;
      for (size_t j = 0; j < i; ++j) {
        const auto &other = buffers[order[j]];
        if (std::max(buffer.begin, other.begin) <
            std::min(buffer.end, other.end))
          address = std::max(address, tops[order[j]]);
      }
      tops[order[i]] = address + buffer.bytes;
      height = std::max(height, tops[order[i]]);
    }
    best = std::min(best, height);
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

/// A rectangle of `times` x `bytes` that is cut at random into `count` buffers:
/// they fill it, so that its height is the smallest there is.
AllocationProblem cutRectangle(Random &random, int64_t times, int64_t bytes,
                               size_t count) {
  struct Piece {
    int64_t begin, end, low, high;
  };
  std::vector<Piece> pieces{{0, times, 0, bytes}};
  while (pieces.size() < count) {
    Piece &piece = pieces[random() % pieces.size()];
    Piece other = piece;
    bool inTime = random() % 2;
    int64_t &from = inTime ? other.begin : other.low;
    int64_t &to = inTime ? piece.end : piece.high;
    int64_t length = inTime ? piece.end - piece.begin : piece.high - piece.low;
    if (length < 2)
      continue;
    from = to = (inTime ? piece.begin : piece.low) + 1 +
                int64_t(random() % (length - 1));
    pieces.push_back(other);
  }
  std::shuffle(pieces.begin(), pieces.end(), random);
  AllocationProblem problem(unlimited, 1);
  for (const Piece &piece : pieces)
    problem.add({"piece", piece.high - piece.low, piece.begin, piece.end});
  return problem;
}

} // namespace

TEST(AllocationSolver, FindsWhatNoGreedyOrderFinds) {
  // A pinwheel: five buffers that fill 3 x 3 with none that goes across.
  AllocationProblem problem(unlimited, 64);
  problem.add({"long at the bottom", 64, 0, 2});
  problem.add({"high on the right", 128, 2, 3});
  problem.add({"long at the top", 64, 1, 3});
  problem.add({"high on the left", 128, 0, 1});
  problem.add({"centre", 64, 1, 2});
  AllocationResult result = solved(problem, 1000);
  EXPECT_EQ(result.height, 192);
  EXPECT_TRUE(result.isOptimal());
}

TEST(AllocationSolver, AgreesWithEveryOrder) {
  // Of few buffers all orders can be tried.
  Random random(5);
  for (int round = 0; round < 200; ++round) {
    AllocationProblem problem(unlimited, 1);
    for (int i = 0; i < 7; ++i) {
      int64_t begin = int64_t(random() % 6);
      problem.add({"b", 1 + int64_t(random() % 4), begin,
                   begin + 1 + int64_t(random() % 4)});
    }
    int64_t expected = smallestHeight(problem);
    AllocationResult result = solved(problem, 100000);
    EXPECT_EQ(result.height, expected) << "round " << round;
    EXPECT_EQ(result.lowerBound, expected) << "round " << round;
  }
}

TEST(AllocationSolver, ProvesThatWhatIsAliveIsNotEnough) {
  // At no time are more than 6 bytes alive, but no order gets along with them.
  AllocationProblem problem(unlimited, 1);
  const int64_t buffers[][3] = {{3, 0, 1}, {2, 3, 5}, {2, 4, 7}, {1, 2, 3},
                                {1, 5, 7}, {3, 6, 10}, {3, 7, 9}, {2, 4, 6},
                                {3, 3, 4}, {1, 0, 4}};
  for (auto [bytes, begin, end] : buffers)
    problem.add({"b", bytes, begin, end});
  EXPECT_EQ(problem.lowerBound(), 6);
  EXPECT_EQ(smallestHeight(problem), 7);
  AllocationResult result = solved(problem, 100000);
  EXPECT_EQ(result.height, 7);
  EXPECT_EQ(result.lowerBound, 7);
}

TEST(AllocationSolver, RoundsSizesUpToTheAlignment) {
  AllocationProblem problem(unlimited, 64);
  problem.add({"a", 1, 0, 2});
  problem.add({"b", 65, 0, 2});
  EXPECT_EQ(solved(problem, 100).height, 64 + 128);
}

TEST(AllocationSolver, CutRectanglesAreFilledAgain) {
  Random random(6);
  for (int round = 0; round < 60; ++round) {
    size_t count = 2 + round % 15;
    AllocationProblem problem = cutRectangle(random, 40, 1000, count);
    AllocationResult result = solved(problem, 20000);
    EXPECT_EQ(result.height, 1000) << count << " pieces, round " << round;
  }
}

TEST(AllocationSolver, LargeCutRectanglesAreNearlyFilled) {
  Random random(7);
  for (size_t count : {30, 60, 120, 240}) {
    AllocationProblem problem = cutRectangle(random, 200, 100000, count);
    AllocationResult result = solved(problem, 20000);
    // The optimum is known, so the bound that is reported cannot be above it.
    EXPECT_EQ(result.lowerBound, 100000) << count;
    EXPECT_LE(result.height, 120000) << count;
  }
}

TEST(AllocationSolver, StepsAreABudgetAndNoClock) {
  Random random(8);
  AllocationProblem problem = cutRectangle(random, 200, 100000, 120);
  AllocationProblem again = problem, none = problem;
  AllocationResult first = solved(problem, 5000), second = solved(again, 5000);
  EXPECT_EQ(first.steps, second.steps);
  for (auto [a, b] : llvm::zip_equal(problem.buffers(), again.buffers()))
    EXPECT_EQ(a.address, b.address);
  // Without steps greedy placement is all.
  EXPECT_EQ(solved(none, 0).steps, 0);
  EXPECT_GE(none.height(), problem.height());
}

TEST(AllocationSolver, GivenAddressesStay) {
  AllocationProblem problem(unlimited, 64);
  problem.add({"given", 64, 0, 9, 128});
  problem.add({"fits below", 128, 0, 9});
  problem.add({"does not", 64, 0, 9});
  AllocationResult result = solved(problem, 1000);
  EXPECT_EQ(*problem.buffers()[0].address, 128);
  EXPECT_EQ(result.height, 256);
  EXPECT_TRUE(result.isOptimal());
}

TEST(AllocationSolver, RefusesWhatMakesNoSenseAndWhatDoesNotFit) {
  AllocationProblem bad(1024, 64);
  bad.add({"a", -1, 0, 1});
  EXPECT_EQ(text(solve(bad).takeError()),
            "a has -1 bytes; expected at least 0");

  AllocationProblem full(128, 64);
  full.add({"a", 128, 0, 2});
  full.add({"b", 64, 1, 3});
  EXPECT_EQ(text(solve(full).takeError()),
            "b of 64 bytes does not fit: what is alive with it takes up to 128 "
            "of the memory's 128 bytes");
}

TEST(AllocationSolver, UsesAllOfTheCapacity) {
  // What greedy placement needs more for fits for all that.
  AllocationProblem problem(192, 64);
  problem.add({"long at the bottom", 64, 0, 2});
  problem.add({"high on the right", 128, 2, 3});
  problem.add({"long at the top", 64, 1, 3});
  problem.add({"high on the left", 128, 0, 1});
  problem.add({"centre", 64, 1, 2});
  EXPECT_EQ(solved(problem, 1000).height, 192);
}

TEST(AllocationSolver, TakesTheFirstPlacementThatIsSmallEnough) {
  AllocationProblem problem(1024, 64);
  problem.add({"long at the bottom", 64, 0, 2});
  problem.add({"high on the right", 128, 2, 3});
  problem.add({"long at the top", 64, 1, 3});
  problem.add({"high on the left", 128, 0, 1});
  problem.add({"centre", 64, 1, 2});
  AllocationProblem greedy = problem, tight = problem;
  ASSERT_EQ(text(allocateGreedily(greedy)), "");
  ASSERT_GT(greedy.height(), 192);
  AllocationResult result = llvm::cantFail(solve(problem, {1000, greedy.height()}));
  EXPECT_EQ(result.height, greedy.height());
  EXPECT_EQ(result.lowerBound, 192);
  EXPECT_EQ(result.steps, 0);
  for (auto [a, b] : llvm::zip_equal(problem.buffers(), greedy.buffers()))
    EXPECT_EQ(a.address, b.address);
  EXPECT_EQ(llvm::cantFail(solve(tight, {1000, 192})).height, 192);
}

TEST(AllocationPeak, NamesWhatIsAliveWhenMostIs) {
  AllocationProblem problem(unlimited, 1);
  problem.add({"early", 10, 0, 4});
  problem.add({"late", 10, 4, 8});
  problem.add({"no bytes", 0, 0, 9});
  problem.add({"beside late", 5, 6, 7});
  problem.add({"beside early", 4, 0, 4});
  EXPECT_EQ(problem.lowerBound(), 15);
  EXPECT_EQ(problem.aliveAtPeak(), (std::vector<size_t>{1, 3}));
  EXPECT_TRUE(AllocationProblem(1024, 1).aliveAtPeak().empty());
}

TEST(DivideRest, GivesEqualBytesInWholeSlots) {
  std::vector<RingShare> rings{{"a", 256, 2, 1023}, {"b", 512, 2, 1023}};
  ASSERT_EQ(text(divideRest(16384 + 100, rings)), "");
  EXPECT_EQ(rings[0].slots, 32);
  EXPECT_EQ(rings[1].slots, 16);
}

TEST(DivideRest, WhatOneCannotTakeGoesToTheOthers) {
  std::vector<RingShare> rings{{"a", 64, 2, 100}, {"b", 64, 2, 4}};
  ASSERT_EQ(text(divideRest(64 * 40, rings)), "");
  EXPECT_EQ(rings[1].slots, 4);
  EXPECT_EQ(rings[0].slots, 36);
}

TEST(DivideRest, SaysWhichRingGetsTooFew) {
  std::vector<RingShare> rings{{"a", 64, 2, 100}, {"b", 512, 2, 100}};
  EXPECT_EQ(text(divideRest(1024, rings)),
            "b has room for 1 slots of 512 bytes; expected at least 2");
  EXPECT_EQ(text(divideRest(1024, {})), "");
}
