//===- Scoreboard.h - which effects have to wait for which ---- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_SCOREBOARD_H
#define SERRANO_SIMULATOR_SCOREBOARD_H

#include "MemorySystem.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/bit.h"
#include <array>
#include <vector>

namespace serrano::sim {

/// Tasks of the last `windowSize` numbers, as bits: bit n % windowSize is task
/// n.
using TaskSet = uint64_t;
inline constexpr int64_t windowSize = 64;
inline constexpr TaskSet bitOf(int64_t task) {
  return TaskSet(1) << (task % windowSize);
}

/// The use of a copy of weights that the matrix engine holds.
struct WeightsUse {
  unsigned set;
  bool write;
};
/// So many sets of weights exist at a time.
inline constexpr unsigned numWeightSets = 32;

/// Everything that a task reads and writes.
struct Touched {
  llvm::ArrayRef<Access> accesses; ///< normalized
  std::optional<WeightsUse> weights;
};

/// Remembers for every piece of memory which of the last tasks wrote and read
/// it, and so which of them a new one has to come after: those that wrote what
/// it reads, and those that wrote or read what it writes (Thornton 1964, the
/// scoreboard of the CDC 6600). A piece is larger than most accesses, so
/// a task may have to wait without need, but never the other way round.
class Scoreboard {
public:
  explicit Scoreboard(const MemorySystem &memory);

  /// Of the tasks before `task` those that conflict, and `task` itself if a
  /// part of it that has been entered does.
  TaskSet conflicts(const Touched &touched, int64_t task) const;
  /// Enters what the latest task touches.
  void enter(const Touched &touched, int64_t task);

private:
  struct Piece {
    int64_t writer = -2 * windowSize;
    int64_t lastReader = -2 * windowSize;
    TaskSet readers = 0; ///< since the writer, of the window of `lastReader`
  };

  static TaskSet readersOf(const Piece &piece, int64_t task);
  static TaskSet conflictsWith(const Piece &piece, bool write, int64_t task);
  static void enter(Piece &piece, bool write, int64_t task);
  /// Calls `visit` with each piece that an access touches.
  template <typename Visit>
  void forEachPiece(const Access &access, Visit visit) const;

  const MemorySystem &memory;
  std::array<std::vector<Piece>, numMemories> pieces;
  std::array<Piece, numWeightSets> weights;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_SCOREBOARD_H
