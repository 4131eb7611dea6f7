//===- Scoreboard.cpp - which effects have to wait for which ------------ -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Scoreboard.h"

using namespace serrano::sim;

/// log2 of a piece's bytes, by memory: half a row of a tile of accumulators, so
/// that neighbouring tiles are apart.
static constexpr unsigned pieceShift[numMemories] = {10, 8, 10, 12};
/// Pieces of HBM that are kept apart; others share.
static constexpr int64_t hbmPieces = 1 << 12;

Scoreboard::Scoreboard(const MemorySystem &memory) : memory(memory) {
  for (unsigned m = 0; m < numMemories; ++m) {
    int64_t count = (memory.size(Memory(m)) >> pieceShift[m]) + 1;
    if (Memory(m) == Memory::Hbm)
      count = hbmPieces;
    pieces[m].resize(count);
  }
}

/// Bits of tasks that have left the window before `task` mean later ones now.
TaskSet Scoreboard::readersOf(const Piece &piece, int64_t task) {
  int64_t gone = task - piece.lastReader;
  if (gone >= windowSize)
    return 0;
  return piece.readers & ~llvm::rotl((TaskSet(1) << gone) - 1,
                                     (piece.lastReader + 1) % windowSize);
}

TaskSet Scoreboard::conflictsWith(const Piece &piece, bool write,
                                  int64_t task) {
  TaskSet result =
      task - piece.writer < windowSize ? bitOf(piece.writer) : TaskSet(0);
  return write ? result | readersOf(piece, task) : result;
}

void Scoreboard::enter(Piece &piece, bool write, int64_t task) {
  if (write) {
    piece = {.writer = task};
    return;
  }
  piece.readers = readersOf(piece, task) | bitOf(task);
  piece.lastReader = task;
}

template <typename Visit>
void Scoreboard::forEachPiece(const Access &access, Visit visit) const {
  if (access.empty())
    return;
  // Nothing writes the weights while a program runs.
  bool hbm = access.memory == Memory::Hbm;
  if (hbm && !access.write && memory.isReadOnly(access))
    return;
  unsigned shift = pieceShift[unsigned(access.memory)];
  int64_t next = 0; // Rows ascend.
  for (int64_t row = 0; row < access.rows; ++row) {
    int64_t begin = access.address + row * access.stride;
    int64_t last = (begin + access.bytes - 1) >> shift;
    for (int64_t i = std::max(next, begin >> shift); i <= last; ++i)
      visit(hbm ? i % hbmPieces : i);
    next = last + 1;
  }
}

TaskSet Scoreboard::conflicts(const Touched &touched, int64_t task) const {
  TaskSet result = 0;
  for (const Access &access : touched.accesses)
    forEachPiece(access, [&](int64_t i) {
      result |= conflictsWith(pieces[unsigned(access.memory)][i], access.write,
                              task);
    });
  if (touched.weights)
    result |= conflictsWith(weights[touched.weights->set],
                            touched.weights->write, task);
  return result;
}

void Scoreboard::enter(const Touched &touched, int64_t task) {
  for (const Access &access : touched.accesses)
    forEachPiece(access, [&](int64_t i) {
      enter(pieces[unsigned(access.memory)][i], access.write, task);
    });
  if (touched.weights)
    enter(weights[touched.weights->set], touched.weights->write, task);
}
