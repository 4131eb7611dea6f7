//===- AllocationTest.cpp - tests of the allocation problem -----*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Schedule/AllocationSolver.h"
#include "llvm/ADT/STLExtras.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <random>

using namespace serrano;
using testing::HasSubstr;

namespace {

constexpr int64_t unlimited = int64_t(1) << 40;

/// Why a problem or its solution is refused; "" if it is not.
std::string text(llvm::Error error) { return llvm::toString(std::move(error)); }

std::vector<int64_t> addresses(const AllocationProblem &problem) {
  std::vector<int64_t> result;
  for (const auto &buffer : problem.buffers())
    result.push_back(buffer.address.value_or(-1));
  return result;
}

} // namespace

TEST(AllocationCheck, RefusesWhatMakesNoSense) {
  auto checked = [](AllocationProblem::Buffer buffer) {
    AllocationProblem problem(1024, 64);
    problem.add(std::move(buffer));
    std::string result = text(problem.check());
    EXPECT_EQ(text(allocateGreedily(problem)), result);
    return result;
  };
  EXPECT_EQ(checked({"a", 64, 0, 1, 960}), "");
  EXPECT_EQ(checked({"a", -1, 0, 1}), "a has -1 bytes; expected at least 0");
  EXPECT_EQ(checked({"a", 1, 3, 2}), "a is alive from 3 to 2; expected an end "
                                     "that is not before the beginning");
  EXPECT_EQ(checked({"a", 1025, 0, 1}),
            "a of 1025 bytes does not fit the memory's 1024");
  EXPECT_EQ(checked({"a", 4, 0, 1, 32}),
            "a is at address 32; expected a multiple of 64");
  EXPECT_EQ(checked({"a", 4, 0, 1, -64}),
            "a is at address -64; expected a multiple of 64");
  EXPECT_EQ(checked({"a", 65, 0, 1, 960}),
            "a ends at 1025, beyond the memory's 1024 bytes");
}

TEST(AllocationCheck, RefusesGivenPlacesThatOverlap) {
  AllocationProblem problem(1024, 64);
  problem.add({"a", 100, 0, 2, 0});
  problem.add({"b", 100, 1, 3, 64});
  EXPECT_EQ(text(problem.check()),
            "a at 0 and b at 64 are alive together and overlap");
  EXPECT_EQ(text(allocateGreedily(problem)),
            "a at 0 and b at 64 are alive together and overlap");
}

TEST(AllocationVerify, FindsPlantedFaults) {
  AllocationProblem right(1024, 64);
  right.add({"a", 100, 0, 2, 0});
  right.add({"b", 100, 1, 3, 128});
  right.add({"c", 100, 2, 4, 0});
  EXPECT_EQ(text(right.verify()), "");

  auto with = [&](size_t index, int64_t address) {
    AllocationProblem wrong = right;
    wrong.place(index, address);
    return text(wrong.verify());
  };
  EXPECT_EQ(with(1, 64), "a at 0 and b at 64 are alive together and overlap");
  // `a` is no longer alive when `c` is, but `b` is.
  EXPECT_EQ(with(2, 128),
            "b at 128 and c at 128 are alive together and overlap");
  EXPECT_EQ(with(2, 33), "c is at address 33; expected a multiple of 64");
  EXPECT_EQ(with(2, -64), "c is at address -64; expected a multiple of 64");
  EXPECT_EQ(with(2, 960), "c ends at 1060, beyond the memory's 1024 bytes");

  AllocationProblem open(1024, 64);
  open.add({"a", 100, 0, 2});
  EXPECT_EQ(text(open.verify()), "a has no address");
}

TEST(AllocationVerify, OneByteIsEnough) {
  AllocationProblem problem(1024, 1);
  problem.add({"a", 10, 0, 1, 0});
  problem.add({"b", 10, 0, 1, 10});
  EXPECT_EQ(text(problem.verify()), "");
  problem.place(1, 9);
  EXPECT_EQ(text(problem.verify()),
            "a at 0 and b at 9 are alive together and overlap");
}

TEST(Allocation, BuffersThatAreAliveTogetherLieBesideEachOther) {
  AllocationProblem problem(unlimited, 64);
  problem.add({"small", 10, 0, 2});
  problem.add({"large", 100, 0, 2});
  ASSERT_EQ(text(allocateGreedily(problem)), "");
  // The largest first; 100 bytes take 128 up to the next multiple of 64.
  EXPECT_EQ(addresses(problem), (std::vector<int64_t>{128, 0}));
  EXPECT_EQ(problem.height(), 192);
  EXPECT_EQ(problem.lowerBound(), 192);
}

TEST(Allocation, LivesThatTouchShareBytes) {
  AllocationProblem problem(unlimited, 64);
  problem.add({"first", 64, 0, 5});
  problem.add({"second", 64, 5, 9});
  ASSERT_EQ(text(allocateGreedily(problem)), "");
  EXPECT_EQ(addresses(problem), (std::vector<int64_t>{0, 0}));
  EXPECT_EQ(problem.lowerBound(), 64);
}

TEST(Allocation, FillsHoles) {
  AllocationProblem problem(unlimited, 64);
  problem.add({"low", 64, 0, 9, 0});
  problem.add({"high", 64, 0, 9, 192});
  problem.add({"fits", 128, 0, 9});
  problem.add({"too large", 129, 0, 9});
  ASSERT_EQ(text(allocateGreedily(problem)), "");
  EXPECT_EQ(addresses(problem), (std::vector<int64_t>{0, 192, 64, 256}));
}

TEST(Allocation, GivenAddressesStay) {
  AllocationProblem problem(unlimited, 64);
  problem.add({"given", 64, 0, 9, 0});
  problem.add({"open", 640, 0, 9});
  ASSERT_EQ(text(allocateGreedily(problem)), "");
  EXPECT_EQ(addresses(problem), (std::vector<int64_t>{0, 64}));
}

TEST(Allocation, BuffersWithoutBytesOrLifeAreInNobodysWay) {
  AllocationProblem problem(128, 64);
  problem.add({"whole", 128, 0, 9});
  problem.add({"no bytes", 0, 0, 9});
  problem.add({"no life", 128, 3, 3});
  // Inside the first one.
  problem.add({"no bytes, given", 0, 0, 9, 64});
  EXPECT_EQ(problem.lowerBound(), 128);
  ASSERT_EQ(text(allocateGreedily(problem)), "");
  EXPECT_EQ(text(problem.verify()), "");
}

TEST(Allocation, SaysWhatDoesNotFit) {
  AllocationProblem problem(256, 64);
  problem.add({"early", 256, 0, 2});
  problem.add({"a", 128, 2, 4});
  problem.add({"b", 100, 2, 3});
  problem.add({"c", 10, 2, 4});
  // 128 + 128 bytes are alive with `c`, at 2; 256 of others are not.
  EXPECT_EQ(text(allocateGreedily(problem)),
            "c of 10 bytes does not fit: what is alive with it takes up to 256 "
            "of the memory's 256 "
            "bytes");
}

TEST(Allocation, SolvesWhatItSolvedTheSameWay) {
  AllocationProblem problem(unlimited, 64);
  for (int64_t i = 0; i < 20; ++i)
    problem.add({"b", 64 + 32 * (i % 7), i / 2, i / 2 + 3});
  AllocationProblem again = problem;
  ASSERT_EQ(text(allocateGreedily(problem)), "");
  ASSERT_EQ(text(allocateGreedily(again)), "");
  EXPECT_EQ(addresses(problem), addresses(again));
  std::vector<int64_t> before = addresses(problem);
  ASSERT_EQ(text(allocateGreedily(problem)), "");
  EXPECT_EQ(addresses(problem), before);
}

namespace {

using Random = std::mt19937;

/// Buffers of every size and life.
AllocationProblem randomProblem(Random &random) {
  auto below = [&](int64_t n) { return int64_t(random() % n); };
  AllocationProblem problem(unlimited, 1 << below(8));
  int64_t count = 1 + below(60), times = 1 + below(40);
  for (int64_t i = 0; i < count; ++i) {
    int64_t begin = below(times), end = begin + below(times - begin + 1);
    problem.add(
        {"b" + std::to_string(i), below(5) ? below(10000) : 0, begin, end});
  }
  return problem;
}

/// The buffers of a network's layers: some outlive their layer, some are
/// scratch.
AllocationProblem layers(Random &random, int64_t count) {
  AllocationProblem problem(unlimited, 64);
  for (int64_t layer = 0; layer < count; ++layer) {
    int64_t at = 10 * layer;
    problem.add({"residual", 786432, at, at + 12});
    problem.add({"hidden", 393216 * int64_t(1 + random() % 4), at + 2, at + 5});
    problem.add({"scratch", 65536, at + 3, at + 4 + int64_t(random() % 4)});
    problem.add({"statistics", 512, at + 1, at + 9});
  }
  return problem;
}

} // namespace

TEST(AllocationProperty, EverySolutionVerifies) {
  Random random(1);
  for (int round = 0; round < 500; ++round) {
    AllocationProblem problem = randomProblem(random);
    ASSERT_EQ(text(allocateGreedily(problem)), "") << "round " << round;
    EXPECT_EQ(text(problem.verify()), "") << "round " << round;
    EXPECT_GE(problem.height(), problem.lowerBound()) << "round " << round;
  }
}

TEST(AllocationProperty, GivenAddressesAreRespected) {
  Random random(2);
  for (int round = 0; round < 200; ++round) {
    AllocationProblem solved = randomProblem(random);
    ASSERT_EQ(text(allocateGreedily(solved)), "");
    AllocationProblem half(unlimited, solved.alignmentBytes());
    for (AllocationProblem::Buffer buffer : solved.buffers()) {
      if (random() % 2)
        buffer.address.reset();
      half.add(buffer);
    }
    std::vector<int64_t> given = addresses(half);
    ASSERT_EQ(text(allocateGreedily(half)), "") << "round " << round;
    EXPECT_EQ(text(half.verify()), "") << "round " << round;
    for (auto [before, after] : llvm::zip_equal(given, addresses(half)))
      if (before >= 0) {
        EXPECT_EQ(before, after) << "round " << round;
      }
  }
}

TEST(AllocationProperty, EveryByteThatMovesIsFound) {
  // Two buffers that are alive together and moved onto each other are reported.
  Random random(3);
  int planted = 0;
  for (int round = 0; round < 200; ++round) {
    AllocationProblem problem = randomProblem(random);
    ASSERT_EQ(text(allocateGreedily(problem)), "");
    size_t a = random() % problem.buffers().size(),
           b = random() % problem.buffers().size();
    const auto &first = problem.buffers()[a], &second = problem.buffers()[b];
    if (a == b || !first.bytes || !second.bytes ||
        std::max(first.begin, second.begin) >= std::min(first.end, second.end))
      continue;
    problem.place(a, *second.address);
    EXPECT_THAT(text(problem.verify()),
                HasSubstr("are alive together and overlap"));
    ++planted;
  }
  EXPECT_GT(planted, 20);
}

TEST(AllocationProperty, WithinHalfOfTheBound) {
  Random random(4);
  for (int round = 0; round < 50; ++round) {
    AllocationProblem problem = layers(random, 1 + round);
    ASSERT_EQ(text(allocateGreedily(problem)), "");
    EXPECT_LE(problem.height(), problem.lowerBound() * 3 / 2)
        << round << " layers";
  }
}
