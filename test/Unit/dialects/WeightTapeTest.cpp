//===- WeightTapeTest.cpp - where packed weights lie ----------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/WeightTape.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <map>
#include <random>
#include <set>
#include <tuple>

using namespace serrano::tile;
using testing::ElementsAre;

namespace {

/// The columns of each block: of which weight, from which one on, how many.
std::vector<std::vector<std::array<int64_t, 3>>> segmentsOf(const WeightGroup &group,
                                                            int64_t tileN) {
  std::vector<std::vector<std::array<int64_t, 3>>> result;
  for (const WeightBlock &block : getBlocks(group, tileN)) {
    auto &segments = result.emplace_back();
    int64_t width = 0;
    for (const WeightSegment &segment : block.segments) {
      segments.push_back({int64_t(segment.weight), segment.column, segment.width});
      width += segment.width;
    }
    EXPECT_EQ(block.width, width);
    EXPECT_EQ(block.ends, group.ends && result.size() == getBlocks(group, tileN).size());
  }
  return result;
}

using Segments = std::vector<std::array<int64_t, 3>>;
using Piece = WeightTape::Piece;

} // namespace

TEST(WeightBlocks, ColumnsOfOneGroupFollowEachOther) {
  // 5 + 2 + 9 columns are four blocks of 4: the second and the third have columns of
  // several weights.
  EXPECT_THAT(segmentsOf({8, {5, 2, 9}, false, true}, 4),
              ElementsAre(Segments{{0, 0, 4}}, Segments{{0, 4, 1}, {1, 0, 2}, {2, 0, 1}},
                          Segments{{2, 1, 4}}, Segments{{2, 5, 4}}));
  EXPECT_THAT(segmentsOf({8, {3}, false, false}, 4), ElementsAre(Segments{{0, 0, 3}}));
}

TEST(WeightBlocks, InterleavedOnesTakeTurns) {
  // Each block has columns of one weight; the shorter weight runs out first.
  EXPECT_THAT(segmentsOf({8, {6, 6}, true, true}, 4),
              ElementsAre(Segments{{0, 0, 4}}, Segments{{1, 0, 4}}, Segments{{0, 4, 2}},
                          Segments{{1, 4, 2}}));
  EXPECT_THAT(segmentsOf({8, {9, 4}, true, false}, 4),
              ElementsAre(Segments{{0, 0, 4}}, Segments{{1, 0, 4}}, Segments{{0, 4, 4}},
                          Segments{{0, 8, 1}}));
}

TEST(WeightBlocks, TheNarrowOneCanComeEarlier) {
  EXPECT_THAT(segmentsOf({.k = 8, .n = {5, 4}, .ends = true, .narrowAt = 1}, 4),
              ElementsAre(Segments{{0, 0, 4}}, Segments{{1, 3, 1}},
                          Segments{{0, 4, 1}, {1, 0, 3}}));
}

TEST(WeightTape, RowsGoOnInTheNextSlot) {
  // Slots of 16 x 4 = 64 elements. Rows of 3: 16 of them take 48, 4 more are 60; the 4
  // elements that are left are less than two rows of full width, so the slot is closed.
  WeightTape tape(16, 4);
  EXPECT_THAT(tape.append(24, 3, false),
              ElementsAre(Piece{0, 16, 0, false}, Piece{16, 5, 48, true}, Piece{21, 3, 0, false}));
  EXPECT_EQ(tape.getSlots(), 2);
  EXPECT_EQ(tape.getOffset(), 9);
  // A block of another width goes on right there.
  EXPECT_THAT(tape.append(2, 4, true), ElementsAre(Piece{0, 2, 9, true}));
  EXPECT_EQ(tape.getSlots(), 2);
  EXPECT_EQ(tape.getOffset(), 0);
}

TEST(WeightTape, FullSlotsAreWhole) {
  // As before there were tapes: K and N are multiples of the array's.
  WeightTape tape(8, 8);
  EXPECT_THAT(tape.append(16, 8, false), ElementsAre(Piece{0, 8, 0, true}, Piece{8, 8, 0, true}));
  EXPECT_EQ(tape.getSlots(), 2);
  EXPECT_EQ(tape.getOffset(), 0);
}

TEST(WeightTape, FewRowsAreNotBegunInASlot) {
  // An eighth of the array's 16 rows are 2: one row of 8 that would fit is left free,
  // two are taken.
  WeightTape one(16, 8);
  EXPECT_THAT(one.append(15, 8, false), ElementsAre(Piece{0, 15, 0, true}));
  EXPECT_EQ(one.getOffset(), 0);
  WeightTape two(16, 8);
  EXPECT_THAT(two.append(14, 8, false), ElementsAre(Piece{0, 14, 0, false}));
  EXPECT_THAT(two.append(4, 8, false), ElementsAre(Piece{0, 2, 112, true}, Piece{2, 2, 0, false}));
}

TEST(WeightTape, EveryElementLiesOnceAndNothingIsLeftFree) {
  std::mt19937 random(7);
  auto upTo = [&](int64_t most) { return int64_t(1 + random() % most); };
  for (int run = 0; run < 300; ++run) {
    int64_t tileK = int64_t(1) << random() % 6, tileN = int64_t(1) << random() % 6;
    WeightTape tape(tileK, tileN), other(tileK, tileN);
    // Where elements lie: slot, and element of it.
    std::set<std::pair<int64_t, int64_t>> places;
    std::map<int64_t, int64_t> taken; // Of each slot.
    std::set<int64_t> ended;
    int64_t elements = 0;
    for (int group = 0, groups = upTo(4); group < groups; ++group) {
      WeightGroup shape;
      shape.k = upTo(3 * tileK);
      for (int64_t i = 0, weights = upTo(3); i < weights; ++i)
        shape.n.push_back(upTo(3 * tileN));
      shape.interleaved = random() % 2;
      shape.ends = group + 1 == groups || random() % 2;
      if (!shape.interleaved && random() % 2)
        shape.narrowAt = upTo(getBlocks(shape, tileN).size()) - 1;
      std::set<std::tuple<int64_t, int64_t>> columns; // Weight and column.
      for (const WeightBlock &block : getBlocks(shape, tileN)) {
        ASSERT_LE(block.width, tileN);
        for (const WeightSegment &segment : block.segments)
          for (int64_t col = segment.column; col < segment.column + segment.width; ++col)
            ASSERT_TRUE(columns.insert({int64_t(segment.weight), col}).second);
        int64_t before = tape.getSlots() - (tape.getOffset() > 0), row = 0;
        ASSERT_EQ(tape.getOffset(), other.getOffset());
        llvm::SmallVector<Piece> pieces = tape.append(shape.k, block.width, block.ends);
        other.skip(shape.k, block.width, block.ends);
        int64_t slot = before;
        for (const Piece &piece : pieces) {
          // Rows in order, no more than the array has, right behind what is there.
          ASSERT_EQ(piece.row, row);
          ASSERT_GE(piece.rows, 1);
          ASSERT_LE(piece.rows, tileK);
          ASSERT_EQ(piece.offset, taken[slot]);
          row += piece.rows;
          for (int64_t i = 0; i < piece.rows * block.width; ++i)
            ASSERT_TRUE(places.insert({slot, piece.offset + i}).second);
          taken[slot] += piece.rows * block.width;
          ASSERT_LE(taken[slot], tileK * tileN);
          if (piece.last)
            ++slot;
        }
        ASSERT_EQ(row, shape.k);
        elements += shape.k * block.width;
        if (block.ends) {
          ended.insert(slot - 1);
          ASSERT_TRUE(pieces.back().last);
          ASSERT_EQ(tape.getOffset(), 0);
        }
        ASSERT_EQ(tape.getSlots(), slot + (tape.getOffset() > 0));
        ASSERT_EQ(tape.getSlots(), other.getSlots());
      }
      int64_t all = 0;
      for (int64_t n : shape.n)
        all += n;
      ASSERT_EQ(int64_t(columns.size()), all);
    }
    ASSERT_EQ(int64_t(places.size()), elements);
    ASSERT_EQ(int64_t(taken.size()), tape.getSlots());
    // Only what ends leaves more than a few rows free.
    for (auto [slot, used] : taken)
      if (!ended.count(slot))
        ASSERT_LT(tileK * tileN - used, std::max<int64_t>(tileK / 8, 1) * tileN);
  }
}

TEST(WeightTape, LongBlocksAreSkippedWhole) {
  // A vocabulary's worth of rows, from the beginning of a slot and from within one.
  for (int64_t before : {0, 3}) {
    WeightTape tape(128, 128), other(128, 128);
    if (before) {
      tape.append(before, 128, false);
      other.skip(before, 128, false);
    }
    for (bool ends : {false, true}) {
      tape.append(4000, 128, ends);
      other.skip(4000, 128, ends);
      EXPECT_EQ(tape.getSlots(), other.getSlots());
      EXPECT_EQ(tape.getOffset(), other.getOffset());
    }
    // 8,003 rows at most are 63 slots of 128.
    EXPECT_EQ(tape.getSlots(), 63);
  }
}
