//===- WeightTape.h - where packed weights lie in a stream's slots -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_TILE_WEIGHTTAPE_H
#define SERRANO_DIALECTS_TILE_WEIGHTTAPE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

namespace serrano::tile {

/// Columns of weights with the same number of rows, that one kernel takes in one
/// go.
struct WeightGroup {
  int64_t k = 0;
  llvm::SmallVector<int64_t, 3> n; ///< columns of each weight
  /// A block of each weight in turn, instead of all columns one after the other.
  bool interleaved = false;
  /// What comes after it begins with a slot of its own.
  bool ends = true;
  /// The place of the last block, which is narrower than the array; -1 for it to stay last.
  int64_t narrowAt = -1;
};

/// A part of a block: columns of one weight.
struct WeightSegment {
  size_t weight; ///< of the group
  int64_t column, width;
};

/// Columns that are multiplied at once, at most those of the array.
struct WeightBlock {
  llvm::SmallVector<WeightSegment, 2> segments;
  int64_t width = 0;
  bool ends = false; ///< the last one of a group that ends
};

/// The blocks of a group, in order.
llvm::SmallVector<WeightBlock> getBlocks(const WeightGroup &group, int64_t tileN);

/// The slots of a stream of packed weights, one after the other, written like a
/// tape: a block's rows, as wide as the block, follow each other without gaps and
/// go on in the next slot. So K and N need not be multiples of the array's sizes,
/// and no byte is moved that is not a weight.
class WeightTape {
public:
  /// Rows of a block that lie in one slot and are multiplied at once.
  struct Piece {
    int64_t row, rows;
    int64_t offset; ///< elements from the beginning of the slot
    bool last;      ///< nothing comes after it in the slot
    bool operator==(const Piece &) const = default;
  };

  WeightTape(int64_t tileK, int64_t tileN) : tileK(tileK), tileN(tileN) {}

  /// Appends a block of `k` rows; with `ends` the last slot is closed.
  llvm::SmallVector<Piece> append(int64_t k, int64_t width, bool ends);
  /// The same without saying where.
  void skip(int64_t k, int64_t width, bool ends);

  /// Slots that have been begun.
  int64_t getSlots() const { return closed + (offset > 0); }
  /// Elements of the open slot that are taken; 0 if none is open.
  int64_t getOffset() const { return offset; }

private:
  /// Fewer rows of full width than this are left free: a product of so few
  /// would take the array as long as a whole one.
  bool isFull() const { return tileK * tileN - offset < std::max<int64_t>(tileK / 8, 1) * tileN; }
  void close() {
    ++closed;
    offset = 0;
  }

  int64_t tileK, tileN;
  int64_t closed = 0, offset = 0;
};

} // namespace serrano::tile

#endif // SERRANO_DIALECTS_TILE_WEIGHTTAPE_H
