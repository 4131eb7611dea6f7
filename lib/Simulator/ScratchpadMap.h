//===- ScratchpadMap.h - who holds the scratchpad when -------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_SCRATCHPADMAP_H
#define SERRANO_SIMULATOR_SCRATCHPADMAP_H

#include "Timeline.h"
#include <bit>

namespace serrano::sim {

/// A picture of the scratchpad over time: for each block of addresses and each
/// interval, the operator whose data is there. Data is there from the
/// beginning of its write to the end of its last read. As for `TimeSeries`,
/// intervals grow with the run.
class ScratchpadMap {
public:
  static constexpr int64_t maxBlocks = 256, maxColumns = 1024;

  explicit ScratchpadMap(int64_t scratchpadBytes);

  void slice(const Slice &slice);
  void filled(const SlotFill &fill);
  /// The slot whose slice came last of this ring.
  void slotHeld(unsigned ring, int64_t from, int64_t to);
  /// Draws what is still there.
  void finish();

  int64_t bytesPerBlock() const { return blockBytes; }
  int64_t columnWidth() const { return int64_t(1) << shift; } ///< ticks
  /// By column, of a block: 0 if it is free, else the operator's index + 1.
  llvm::ArrayRef<uint32_t> row(size_t block) const { return rows[block].cells; }
  size_t numBlocks() const { return rows.size(); }
  /// By column, the bytes of the blocks that are not free.
  std::vector<double> bytesInUse() const;

private:
  struct Block {
    std::vector<uint32_t> cells;
    uint32_t op = 0; ///< whose data is there, + 1
    int64_t from = 0, until = 0;
  };
  void draw(Block &block, uint32_t cell, int64_t from, int64_t until);
  template <typename Visit>
  void forBlocks(const Access &access, Visit visit);

  int64_t blockBytes;
  /// log2 of a column's ticks.
  unsigned shift = std::countr_zero(uint64_t(TimingModel::ticksPerCycle));
  std::vector<Block> rows;
  struct RingState {
    std::deque<Access> filled; ///< places of slots that are not popped
    uint32_t op = 0;           ///< who popped the last
    int64_t start = 0;         ///< when its fill began
  };
  std::array<RingState, numRings> rings;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_SCRATCHPADMAP_H
