//===- Slopes.h - how values change from round to round -------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_SLOPES_H
#define SERRANO_SIMULATOR_SLOPES_H

#include "Access.h"
#include "Snapshot.h"
#include "llvm/ADT/DenseMap.h"
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>

namespace serrano::sim {

/// Followed through some rounds of a loop, a *period*: by how much each value
/// that the sequencer computes would be larger one period later. If the slopes
/// at the period's end are those that it began with, then by induction every
/// further period executes the same instructions with values on the same lines,
/// up to `limit` periods. What is not on a line, and what may not be
/// different from one period to the next but is, ends the attempt.
class Slopes {
public:
  /// For a period that begins with the values `now`, one period after
  /// `before`; no more than `limit` follow.
  Slopes(const Snapshot &before, const Snapshot &now, int64_t limit);

  std::array<int64_t, 64> registers;
  /// Whether registers have the slopes that they began with.
  bool haveSameSlopes() const { return registers == initialRegisters; }

  /// Whether what was seen so far allows any period to be left out.
  bool hold() const { return holding && limit > 0; }
  /// For how many periods after this one all decisions are the same.
  int64_t periods() const { return limit; }
  /// Whether nothing was wrong but that the next period decides otherwise.
  bool endHere() const { return holding && limit <= 0; }
  void fail() { holding = false; }
  /// A value that has to be the same in all periods.
  void requireNone(int64_t slope) { holding &= slope == 0; }

  /// Keeps whether a < b.
  void keepLess(int64_t a, int64_t slopeA, int64_t b, int64_t slopeB);
  /// Keeps whether a < b, a == b or a > b.
  void keepOrder(int64_t a, int64_t slopeA, int64_t b, int64_t slopeB) {
    keepLess(a, slopeA, b, slopeB);
    keepLess(b, slopeB, a, slopeA);
  }
  /// Keeps a value representable where only 32 bits of it are stored.
  void keepInt32(int64_t value, int64_t slope);

  /// `mark` names a layer; all of a period have one slope.
  void mark(int64_t slope);
  int64_t layerSlope() const { return layer.value_or(0); }

  /// The sequencer loads the word at `address` of scalar memory; its slope.
  int64_t load(int64_t address) {
    return words
        .try_emplace(address, Word{initialSlope(address), /*isLoadedFirst=*/true})
        .first->second.slope;
  }
  void store(int64_t address, int64_t slope) {
    words.try_emplace(address, Word{0, /*isLoadedFirst=*/false})
        .first->second.slope = slope;
  }
  struct Word {
    int64_t slope;
    /// It was loaded before it was stored.
    bool isLoadedFirst;
  };
  /// Of the word at `address` when the period began.
  int64_t initialSlope(int64_t address) const {
    return initialWords.lookup(address);
  }
  /// Words of scalar memory that a period loads or stores, by address.
  const llvm::DenseMap<int64_t, Word> &scalarWords() const { return words; }

  /// A normalized access to a memory of the core by a queue that asks for
  /// overlaps; `swept` is all that it touches in the period before and in those
  /// that may follow.
  void touch(unsigned queue, const Access &access, const Access &swept,
             int64_t slope);
  /// A ring's slot is read, which no write that is on its way overlaps.
  void touchSlot(unsigned queue, const Access &access);
  /// Whether overlaps of one queue's reads and writes are the same in all
  /// periods.
  bool keepOverlaps() const;
  /// Whether an access that `queue` touched in this period had an address less
  /// by `difference` in the one before, or is of a ring's slot.
  bool isOnLine(unsigned queue, const Access &access, int64_t difference) const;
  /// Of the address of such an access; 0 of a slot, whose place does not matter.
  int64_t slopeOf(unsigned queue, const Access &access) const {
    auto it = touches.find(keyOf(queue, access));
    return it == touches.end() || it->second.isSlot ? 0 : it->second.slope;
  }

private:
  using Key = std::tuple<unsigned, Memory, bool, int64_t, int64_t, int64_t,
                         int64_t>;
  static Key keyOf(unsigned queue, const Access &a) {
    return {queue, a.memory, a.write, a.address, a.bytes, a.rows, a.stride};
  }
  bool keepOverlaps(unsigned queue, Memory memory) const;
  struct Touch {
    bool isSlot;
    Access swept;
    int64_t slope;
  };
  std::map<Key, Touch> touches;
  bool holding = true;
  int64_t limit;
  std::optional<int64_t> layer;
  llvm::DenseMap<int64_t, Word> words;
  std::array<int64_t, 64> initialRegisters;
  llvm::DenseMap<int64_t, int64_t> initialWords; ///< those that change
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_SLOPES_H
