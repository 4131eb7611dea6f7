//===- ScratchpadMap.h - who holds the scratchpad when -------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_SCRATCHPADMAP_H
#define SERRANO_SIMULATOR_SCRATCHPADMAP_H

#include "Fifo.h"
#include "Timeline.h"
#include <bit>

namespace serrano::sim {

/// A picture of the scratchpad over time: for each block of addresses and each
/// interval, whether data is there and of which operator. Data is there from
/// the beginning of its write to the end of its last read. As for `TimeSeries`,
/// intervals grow with the run.
class ScratchpadMap {
public:
  static constexpr int64_t maxBlocks = 256, maxColumns = 1024;

  /// Of which operator data is, is remembered if there are to be `owners`.
  ScratchpadMap(int64_t scratchpadBytes, bool owners);

  void slice(const Slice &slice);
  void filled(const SlotFill &fill);
  /// The slot whose slice came last of this ring.
  void slotHeld(unsigned ring, int64_t from, int64_t to);
  /// Draws what is still there.
  void finish();

  int64_t bytesPerBlock() const { return int64_t(1) << blockShift; }
  int64_t columnWidth() const { return int64_t(1) << shift; } ///< ticks
  /// By column, of a block: 0 if it is free, else the operator's index + 1.
  llvm::ArrayRef<uint32_t> row(size_t block) const { return owners[block]; }
  size_t numBlocks() const { return blocks.size(); }
  /// By column, the bytes of the blocks that are not free.
  std::vector<double> bytesInUse() const;

private:
  struct Block {
    uint32_t op = 0; ///< whose data is there, + 1
    int64_t from = 0, until = 0;
  };
  /// The columns in which a block is not free, as bits.
  using Occupied = std::array<uint64_t, maxColumns / 64>;
  void draw(const Block &block, uint32_t op, int64_t from, int64_t until);
  /// Makes one column of two.
  void joinColumns();
  template <typename Visit>
  void forBlocks(const Access &access, Visit visit);

  unsigned blockShift; ///< log2 of a block's bytes
  /// log2 of a column's ticks.
  unsigned shift = std::countr_zero(uint64_t(TimingModel::ticksPerCycle));
  size_t columns = 0; ///< up to the last that was drawn
  std::vector<Block> blocks;
  std::vector<Occupied> occupied;            ///< by block
  std::vector<std::vector<uint32_t>> owners; ///< by block, if they are wanted
  struct RingState {
    Fifo<Access> filled; ///< places of slots that are not popped
    uint32_t op = 0;     ///< who popped the last
    int64_t start = 0;   ///< when its fill began
  };
  std::array<RingState, numRings> rings;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_SCRATCHPADMAP_H
