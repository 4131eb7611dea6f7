//===- ScoreboardTest.cpp - which effects have to wait for which ----------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Scoreboard.h"
#include <gtest/gtest.h>
#include <random>
#include <set>

using namespace serrano::sim;

namespace {

class ScoreboardTest : public testing::Test {
protected:
  static Access read(Memory memory, int64_t address, int64_t bytes,
                     int64_t rows = 1, int64_t stride = 0) {
    return normalized({memory, false, address, bytes, rows, stride});
  }
  static Access write(Memory memory, int64_t address, int64_t bytes,
                      int64_t rows = 1, int64_t stride = 0) {
    return normalized({memory, true, address, bytes, rows, stride});
  }
  TaskSet conflicts(llvm::ArrayRef<Access> accesses, int64_t task) const {
    return board.conflicts({accesses, std::nullopt}, task);
  }
  void enter(llvm::ArrayRef<Access> accesses, int64_t task) {
    board.enter({accesses, std::nullopt}, task);
  }

  std::unique_ptr<MemorySystem> memory = llvm::cantFail(
      MemorySystem::create({1 << 20, 1 << 18, 1 << 14, 1 << 22}, "", {}));
  Scoreboard board{*memory};
};

constexpr Memory memories[] = {Memory::Scratchpad, Memory::Accumulators,
                               Memory::Scalar, Memory::Hbm};

TEST_F(ScoreboardTest, ReadersWaitForTheWriter) {
  int64_t task = 0;
  for (Memory m : memories) {
    enter(write(m, 64, 64), task);
    EXPECT_EQ(conflicts(read(m, 100, 4), task + 1), bitOf(task));
    EXPECT_EQ(conflicts(read(m, 8192, 4), task + 1), 0u);
    ++task;
  }
}

TEST_F(ScoreboardTest, WritersWaitForReadersAndTheWriter) {
  int64_t t = 0;
  for (Memory m : memories) {
    enter(write(m, 64, 64), t);
    enter(read(m, 64, 32), t + 1);
    enter(read(m, 96, 32), t + 2);
    EXPECT_EQ(conflicts(read(m, 64, 64), t + 3), bitOf(t));
    EXPECT_EQ(conflicts(write(m, 64, 64), t + 3),
              bitOf(t) | bitOf(t + 1) | bitOf(t + 2));
    // What came before a write is of no interest after it.
    enter(write(m, 64, 64), t + 3);
    EXPECT_EQ(conflicts(write(m, 64, 64), t + 4), bitOf(t + 3));
    t += 4;
  }
}

TEST_F(ScoreboardTest, RowsLeaveOutWhatIsBetweenThem) {
  constexpr int64_t stride = 1 << 14;
  enter(write(Memory::Scratchpad, 0, 128, 8, stride), 0);
  EXPECT_EQ(conflicts(read(Memory::Scratchpad, 3 * stride, 8), 1), bitOf(0));
  EXPECT_EQ(conflicts(read(Memory::Scratchpad, 3 * stride + 4096, 8), 1), 0u);
  EXPECT_EQ(conflicts(read(Memory::Scratchpad, 4096, 8, 7, stride), 1), 0u);
}

TEST_F(ScoreboardTest, TilesSideBySideInTheAccumulatorsAreApart) {
  // 128 columns of f32 of four tiles in each row.
  for (int64_t tile = 0; tile < 4; ++tile) {
    Access access = write(Memory::Accumulators, tile * 512, 512, 8, 2048);
    EXPECT_EQ(conflicts(access, tile), 0u);
    enter(access, tile);
  }
}

TEST_F(ScoreboardTest, SetsOfWeightsAreApart) {
  board.enter({{}, WeightsUse{0, true}}, 0);
  board.enter({{}, WeightsUse{0, false}}, 1);
  EXPECT_EQ(board.conflicts({{}, WeightsUse{1, true}}, 2), 0u);
  EXPECT_EQ(board.conflicts({{}, WeightsUse{0, false}}, 2), bitOf(0));
  EXPECT_EQ(board.conflicts({{}, WeightsUse{0, true}}, 2), bitOf(0) | bitOf(1));
}

TEST_F(ScoreboardTest, TasksThatLeftTheWindowAreForgotten) {
  Access r = read(Memory::Scratchpad, 0, 4), w = write(Memory::Scratchpad, 0, 4);
  enter(w, 5);
  enter(r, 6);
  enter(r, 7);
  EXPECT_EQ(conflicts(w, 5 + windowSize), bitOf(6) | bitOf(7));
  EXPECT_EQ(conflicts(w, 6 + windowSize), bitOf(7));
  EXPECT_EQ(conflicts(r, 5 + windowSize), 0u);
  EXPECT_EQ(conflicts(w, 7 + windowSize), 0u);
  // Bits of tasks that have left are not those that have them now.
  enter(r, 6 + windowSize);
  EXPECT_EQ(conflicts(w, 7 + windowSize), bitOf(6 + windowSize));
  EXPECT_EQ(conflicts(w, 6 + 3 * windowSize), 0u);
}

/// Whether two accesses touch a common byte, row by row.
bool meet(const Access &a, const Access &b) {
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t j = 0; j < b.rows; ++j) {
      int64_t x = a.address + i * a.stride, y = b.address + j * b.stride;
      if (a.memory == b.memory && x < y + b.bytes && y < x + a.bytes)
        return true;
    }
  return false;
}

/// Against all accesses of the window, compared with each other.
TEST_F(ScoreboardTest, FindsEveryConflict) {
  std::mt19937 random(1);
  auto below = [&](int64_t n) { return int64_t(random() % uint64_t(n)); };
  std::vector<std::vector<Access>> tasks;
  /// For each task those of its window that are over when it begins.
  std::vector<std::set<int64_t>> over;
  int64_t found = 0;
  for (int64_t task = 0; task < 5000; ++task) {
    std::vector<Access> accesses;
    for (int64_t i = below(3); i >= 0; --i)
      accesses.push_back(normalized({memories[below(4)], below(2) != 0,
                                     below(128) * 64, 1 + below(256),
                                     1 + below(3), below(16) * 128}));
    TaskSet direct = conflicts(accesses, task);
    int64_t oldest = std::max<int64_t>(0, task - windowSize + 1);
    std::set<int64_t> &all = over.emplace_back();
    for (int64_t before = oldest; before < task; ++before)
      if (direct & bitOf(before)) {
        all.insert(before);
        all.insert(over[before].lower_bound(oldest), over[before].end());
      }
    for (int64_t before = oldest; before < task; ++before)
      for (const Access &a : tasks[before])
        for (const Access &b : accesses)
          if ((a.write || b.write) && meet(a, b)) {
            ++found;
            EXPECT_TRUE(all.count(before)) << before << " and " << task;
          }
    enter(accesses, task);
    tasks.push_back(accesses);
  }
  EXPECT_GT(found, 1000);
}

} // namespace
