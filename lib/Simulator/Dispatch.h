//===- Dispatch.h - what the sequencer hands to an engine ----- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_DISPATCH_H
#define SERRANO_SIMULATOR_DISPATCH_H

#include "Access.h"
#include "serrano/Target/TargetNumbers.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <string>

namespace serrano::sim {

/// The queues of a core, in the order in which ties are decided. The sequencer
/// counts as one: `sync sequencer`, `ring.setup` and `halt` wait in it.
enum QueueId : unsigned {
  SequencerId,
  DmaInId,
  DmaOutId,
  MatrixId,
  VectorId,
  FirstRingId
};
inline constexpr unsigned numRings = 16;
inline constexpr unsigned numQueues = FirstRingId + numRings;
inline constexpr unsigned numCounters = 64;

/// "sequencer", "dma in", "matrix", "ring 3", ...
std::string queueName(unsigned queue);

/// Wait until `counter` has been incremented `threshold` times.
struct CounterWait {
  unsigned counter;
  int64_t threshold;
};

/// The use of a ring's slot; slots are numbered in the order they were ordered.
struct SlotUse {
  unsigned ring;
  int64_t slot;
  bool pop;
};

/// What an engine does with an instruction, as far as time is concerned.
enum class Work : uint8_t {
  None,        ///< nothing: `sync` of a queue
  LoadWeights, ///< `interval` cycles of the weight port
  Multiply,    ///< `interval` cycles of the array
  Vector,      ///< `interval` cycles of the vector engine
  Transfer,    ///< `bytes` over the DMA port, and HBM if `hbm`
  Order,       ///< `count` slots of a ring
  Setup        ///< a ring is given a new region
};

/// What a dispatched instruction is, but for lists.
struct DispatchedNumbers {
  uint32_t word = 0;    ///< address of the instruction
  uint32_t op = 0;      ///< source operator, from `mark`
  int64_t layer = 0;    ///< its layer, from 1; 0 outside of layers
  unsigned queue = SequencerId;
  Work work = Work::None;
  int64_t scalarBefore = 0; ///< cycles the sequencer spent since the last one
  int signal = -1; ///< counter incremented on completion, or -1

  int64_t interval = 0; ///< engine cycles
  int64_t bytes = 0;    ///< of a transfer or a slot, rows rounded up to bursts
  bool hbm = false;     ///< a transfer goes over the memory's port too
  bool write = false;   ///< ... and writes it
  int64_t firstSlot = 0, count = 0; ///< of an order
  int64_t passCount = 0;  ///< slots of one pass of an order
  int64_t tailBytes = 0;  ///< bytes of a pass's last slot, rounded up
  int64_t multiplies = 0; ///< multiply-accumulates done
  NumberFormat format = NumberFormat::F32; ///< of what is multiplied

  /// Whether the DMA port is asked for; an order of no slots does not.
  bool movesBytes() const {
    return work == Work::Transfer || (work == Work::Order && count > 0);
  }
  /// Bytes of an order's slot, or of any other transfer.
  int64_t bytesOf(int64_t slot) const {
    if (tailBytes == bytes)
      return bytes;
    return passCount && slot % passCount == passCount - 1 ? tailBytes : bytes;
  }
};

/// One instruction with its operands read: everything that timing and checking
/// need to know. Instructions that the sequencer finishes by itself have none;
/// they are counted in `scalarBefore` of the next one.
struct Dispatched : DispatchedNumbers {
  llvm::SmallVector<uint32_t, 1> pages; ///< of the program entered since then
  llvm::SmallVector<CounterWait, 2> waits;
  llvm::SmallVector<SlotUse, 2> slots;
  Accesses accesses;

  /// As new, but for the storage.
  void clear() {
    static_cast<DispatchedNumbers &>(*this) = {};
    pages.clear();
    waits.clear();
    slots.clear();
    accesses.clear();
  }
};

/// A ring has filled a slot; said as soon as its order and the pop that freed
/// its place have been dispatched.
struct SlotFill {
  unsigned ring;
  int64_t slot;
  int64_t freedBy; ///< the slot that had its place before, or -1
  uint32_t word;   ///< the instruction that ordered it
  uint32_t op;     ///< its source operator
  int64_t layer;
  Accesses accesses;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_DISPATCH_H
