//===- CoreState.h - where the sequencer is -------------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_CORESTATE_H
#define SERRANO_SIMULATOR_CORESTATE_H

#include "Fifo.h"
#include "Positions.h"
#include "serrano/Isa/Instructions.h"
#include "llvm/ADT/SmallVector.h"
#include <array>
#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

namespace serrano::sim {

/// All that decides what the sequencer does from here on, but for the values of
/// registers and scalar memory.
struct CoreState {
  /// A command to a ring: slots [firstSlot, firstSlot + count) of it.
  struct Order {
    uint32_t word = 0, op = 0;
    int64_t layer = 0;
    int signal = -1;
    int64_t firstSlot = 0, count = 0;
    int64_t source = 0;
    int64_t slope = 0; ///< of the source, from period to period
    int64_t bytes = 0, tailBytes = 0, stride = 0;
    int64_t passCount = 0, passStride = 0;
    int64_t table = -1, bound = 0; ///< of a table; table is -1 for a range

    int64_t bytesOf(int64_t slot) const {
      bool last = (slot - firstSlot) % passCount == passCount - 1;
      return last ? tailBytes : bytes;
    }
  };
  struct Ring {
    int64_t base = 0, slotBytes = 0, slots = 0;
    int64_t origin = 0; ///< first slot since `ring.setup`; it lies at base
    int64_t lap = 0;    ///< the last slot at base that is not after `popped`
    int64_t ordered = 0, filled = 0, popped = 0;
    std::deque<Order> orders;     ///< those not yet filled to the end
    Fifo<int64_t> slotEnds;       ///< valid bytes of the slots not yet popped
    /// What was filled into a place of the ring but stands in the program's
    /// weights: it is read there, and copied when an instruction addresses the
    /// scratchpad where it should be.
    struct Pending {
      std::byte *from = nullptr;
      int64_t bytes = 0;
    };
    /// By place; empty if regions are shared, effects put off or left out, or a
    /// debugger looks.
    std::vector<Pending> pending;

    /// It is the ring that has done the same with slots of numbers larger by
    /// `by`, ordered so many layers later, but for where its places began.
    void move(int64_t by, int64_t layers) {
      origin += by;
      lap += by;
      ordered += by;
      filled += by;
      popped += by;
      for (Order &order : orders) {
        order.firstSlot += by;
        order.layer += layers;
      }
    }
    /// Appends to `out` its slots and orders, relative to `layer`. What is
    /// ordered from a stream is not told, nor are the instructions that ordered:
    /// copies of one in several places order the same, and only faults name them.
    void describe(bool isStream, int64_t layer,
                  std::vector<int64_t> &out) const;

    /// Which of the ring's places a slot has that is not popped and no more
    /// than `slots` after the last one that is.
    int64_t indexOf(int64_t slot) const {
      int64_t index = slot - lap;
      return index < slots ? index : index - slots;
    }
    /// Of the oldest order that has not been filled to its end.
    int64_t slotsToFill() const {
      return orders.front().firstSlot + orders.front().count - filled;
    }
    int64_t placeOf(int64_t slot) const {
      return base + indexOf(slot) * slotBytes;
    }
    Pending *pendingOf(int64_t slot) {
      return pending.empty() ? nullptr : &pending[indexOf(slot)];
    }
  };

  struct LoopState {
    uint32_t firstIndex, endIndex;
    int64_t iteration, count;
    uint8_t indexRegister;
    unsigned callDepth;
    int64_t began;     ///< after how many instructions, the round in hand
    int64_t lastRound; ///< instructions of the one before it, 0 in the first
  };
  struct CallState {
    uint32_t callee, returnIndex;
  };
  struct WeightsInfo {
    int64_t k, n;
    isa::DType dtype;
    unsigned set;
    bool constant; ///< and not copied, most likely
  };

  /// Of a prediction, the registers whose values come from data, as bits. They
  /// are computed with 0 in the place of what is not known.
  uint64_t unknown = 0;
  uint32_t current = 0; ///< index of the instruction in hand
  uint32_t next = 0;    ///< index of the one after it
  llvm::SmallVector<LoopState, 8> loops;
  llvm::SmallVector<CallState, 8> returns;
  uint32_t currentOp = 0;
  int64_t currentLayer = 0;
  int64_t scalarCycles = 0; ///< since the last instruction that was dispatched
  uint32_t currentPage = ~0u;
  uint32_t pageBegin = 0, pageWords = 0; ///< its words
  llvm::SmallVector<uint32_t, 1> pages; ///< entered since then

  std::array<int64_t, numCounters> increments = {}; ///< dispatched so far
  std::array<int, numCounters> counterQueue; ///< who increments it, -1 unknown
  /// Of a ring's counters, the increments whose slots have all been filled.
  std::array<int64_t, numCounters> ringIncrements = {};
  std::array<Ring, numRings> rings;
  std::optional<WeightsInfo> dispatchedWeights; ///< of the last one dispatched

  CoreState() { counterQueue.fill(-1); }

  /// The numbers of counters, slots and layers so far.
  Positions positions() const;
  /// Appends to `out` this state relative to `positions()`: cores that append
  /// the same, and have the same values, do the same. Of `idle` rings, as bits,
  /// only the places are told. Who increments counters is not: of two states of
  /// one run the later knows all that the earlier knew.
  void describe(uint32_t idle, std::vector<int64_t> &out) const;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_CORESTATE_H
