//===- ProfileTest.cpp - quantities over the time of a run ----------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Profile.h"
#include "gtest/gtest.h"
#include <numeric>
#include <random>

using namespace serrano;
using namespace serrano::sim;

namespace {

constexpr int64_t cycle = TimingModel::ticksPerCycle;

TEST(TimeSeries, KeepsSumsWhileItsIntervalsGrow) {
  TimeSeries series(std::countr_zero(uint64_t(cycle)));
  series.add(0, 0, 8); // takes no time
  series.add(0, 4 * cycle, 4);
  EXPECT_EQ(series.sums(), llvm::ArrayRef<double>({9, 1, 1, 1}));
  series.add(cycle / 2, 5 * cycle / 2, 2);
  EXPECT_EQ(series.sums(), llvm::ArrayRef<double>({9.5, 2, 1.5, 1}));
  int64_t far = 4 * TimeSeries::maxIntervals * cycle;
  series.add(far - cycle, far, 3);
  EXPECT_EQ(series.intervalWidth(), 4 * cycle);
  ASSERT_EQ(series.sums().size(), size_t(TimeSeries::maxIntervals));
  EXPECT_EQ(series.sums().front(), 14);
  EXPECT_EQ(series.sums().back(), 3);
  series.add(0, far, 1);
  EXPECT_EQ(std::accumulate(series.sums().begin(), series.sums().end(), 0.0),
            18);
}

/// Gives `map` an instruction of operator `op` that writes or reads one place.
void access(ScratchpadMap &map, uint32_t op, Access place, int64_t start,
            int64_t end) {
  Dispatched instruction;
  instruction.op = op;
  instruction.accesses.push_back(place);
  map.slice({VectorId, instruction, start, end, 0, {}});
}

TEST(ScratchpadMap, HoldsDataFromItsWriteToItsLastRead) {
  ScratchpadMap map(1 << 16, /*owners=*/true);
  ASSERT_EQ(map.numBlocks(), 256u);
  ASSERT_EQ(map.bytesPerBlock(), 256);
  // Three rows with a block between them, which stays free.
  Access rows{Memory::Scratchpad, true, 0, 256, 3, 512};
  access(map, 6, rows, 2 * cycle, 3 * cycle);
  rows.write = false;
  access(map, 7, rows, 4 * cycle, 6 * cycle);
  access(map, 7, {Memory::Scratchpad, true, 300, 600, 1, 0}, 8 * cycle,
         9 * cycle);
  map.finish();
  EXPECT_EQ(map.row(0), llvm::ArrayRef<uint32_t>({0, 0, 7, 7, 7, 7}));
  EXPECT_EQ(map.row(1), llvm::ArrayRef<uint32_t>({0, 0, 0, 0, 0, 0, 0, 0, 8}));
  EXPECT_EQ(map.row(2), llvm::ArrayRef<uint32_t>({0, 0, 7, 7, 7, 7, 0, 0, 8}));
  EXPECT_EQ(map.row(5), llvm::ArrayRef<uint32_t>());
  EXPECT_EQ(map.bytesInUse(),
            std::vector<double>({0, 0, 768, 768, 768, 768, 0, 0, 768}));
}

TEST(ScratchpadMap, CountsTheSameWithAndWithoutOwners) {
  constexpr int64_t bytes = 7 << 14;
  ScratchpadMap map(bytes, /*owners=*/true), counts(bytes, /*owners=*/false);
  ASSERT_LE(map.numBlocks(), size_t(ScratchpadMap::maxBlocks));
  std::mt19937_64 random(1);
  auto below = [&](int64_t n) { return int64_t(random() % uint64_t(n)); };
  int64_t now = 0;
  for (int i = 0; i < 20000; ++i) {
    now += below(10 * cycle);
    Access place{Memory::Scratchpad, below(2) == 0, below(bytes / 2),
                 1 + below(1000),    1 + below(8),  below(5000)};
    int64_t end = now + below(100 * cycle);
    for (ScratchpadMap *each : {&map, &counts})
      access(*each, uint32_t(i), place, now, end);
  }
  map.finish();
  counts.finish();
  std::vector<double> expected;
  for (size_t block = 0; block < map.numBlocks(); ++block) {
    llvm::ArrayRef<uint32_t> row = map.row(block);
    expected.resize(std::max(expected.size(), row.size()));
    for (auto [column, op] : llvm::enumerate(row))
      if (op)
        expected[column] += double(map.bytesPerBlock());
  }
  EXPECT_GT(map.columnWidth(), 64 * cycle);
  EXPECT_EQ(map.bytesInUse(), expected);
  EXPECT_EQ(counts.bytesInUse(), expected);
  EXPECT_EQ(counts.columnWidth(), map.columnWidth());
}

} // namespace
