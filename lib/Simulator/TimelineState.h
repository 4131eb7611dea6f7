//===- TimelineState.h - what is on its way on the chip -------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_TIMELINESTATE_H
#define SERRANO_SIMULATOR_TIMELINESTATE_H

#include "Dispatch.h"
#include "Fifo.h"
#include "Positions.h"
#include "serrano/Simulator/Statistics.h"
#include "serrano/Target/TimingModel.h"
#include <array>
#include <vector>

namespace serrano::sim {

/// A moment within a slice, in ticks.
struct Moment {
  int track = -1; ///< -1 if there is none
  int64_t time = 0;
};

/// All that decides when what `Timeline` is told of from here on happens, but for
/// the pages in the instruction memory. Times are in ticks.
struct TimelineState {
  using Ticks = int64_t;
  static constexpr Ticks never = INT64_MAX;

  /// A dispatched instruction, or a ring's order, that has not started.
  struct Op {
    Dispatched d; ///< without what is not asked for after dispatch
    Ticks dispatched = 0;
    Ticks ready = 0; ///< latest known of dispatch, waits and slots
    WaitCause cause = WaitCause::Dispatch; ///< what `ready` came from
    Moment origin = {};      ///< ... and where that happened
    unsigned unresolved = 0; ///< waits and slots whose time is not known yet

    /// As if dispatched `shift` later, when positions are larger by `by`.
    void move(Ticks shift, const Positions &by);
  };

  /// Who waits for an increment, or for a slot, of a number.
  struct Waiter {
    int64_t number;
    unsigned queue;
    int64_t op; ///< which of all instructions that the queue ever had
  };

  /// Completions of a counter's increments: the last 64 that are known.
  struct Counter {
    int64_t known = 0;
    std::array<Ticks, 64> times = {};
    std::vector<Waiter> waiters;
  };

  /// Slots of a ring: when each was filled and freed, from slot `first` on.
  struct Ring {
    struct Fill {
      Ticks time = 0;           ///< of completion
      Ticks start = 0, end = 0; ///< on the DMA port
      int64_t bytes = 0;
      Moment heldBy;
      uint32_t word = 0, op = 0; ///< of the order
      int64_t layer = 0;
      bool popped = false;
    };
    int64_t slots = 0, origin = 0, filledUpTo = 0;
    int64_t firstFill = 0, firstFree = 0; ///< numbers of the deques' fronts
    Fifo<Fill> fills;
    Fifo<Ticks> freeTimes; ///< `never` for what is not known yet
    std::vector<Waiter> waiters;

    /// When `slot` was freed, `never` if that is not known.
    Ticks freed(int64_t slot) const {
      int64_t i = slot - firstFree;
      return i < int64_t(freeTimes.size()) ? freeTimes[i] : never;
    }
    /// As if everything had happened `shift` later, to slots of numbers larger
    /// by `slots`, which were ordered so many layers later.
    void move(Ticks shift, int64_t slots, int64_t layers);
  };

  /// A queue that moves bytes.
  struct Mover {
    bool moving = false;   ///< the head's data phase has begun
    Ticks request = 0;     ///< when its next grain was asked for
    int64_t left = 0;      ///< bytes of the transfer not yet on the port
    int64_t slotsDone = 0; ///< of the order at the head
    Ticks startupEnd = 0;  ///< of the last transfer
    Ticks dataEnd = 0;
    Ticks sliceStart = 0;

    void move(Ticks shift);
  };

  /// Results on their way: reads of them in the same queue wait.
  struct PendingWrite {
    Access access = {};
    Ticks completion = 0;
  };

  struct Queue {
    Fifo<Op> ops; ///< has room for all from the beginning: they stay in place
    int64_t removed = 0; ///< how many have left it
    Ticks lastIssue = 0;
    Ticks lastCompletion = 0;
    Ticks freeAt = 0;      ///< the engine's
    Ticks lastRemoval = 0; ///< when an entry last left the queue
    Moment lastSlice;
    Fifo<PendingWrite> pending;

    /// As if everything had happened `shift` later, but for what is in it.
    void move(Ticks shift);
  };

  /// All that is of one ring.
  struct RingParts {
    Ring ring;
    Queue queue;
    Mover mover;

    /// Of `r`: as if everything had happened `shift` later, when positions are
    /// larger by `by`.
    void move(unsigned r, Ticks shift, const Positions &by);
  };

  Ticks now = 0; ///< when the sequencer can dispatch next
  Ticks portFree = 0;
  Ticks frontier = 0; ///< the latest completion outside of rings
  std::array<Queue, numQueues> queues;
  std::array<Mover, numQueues> movers;
  std::array<Counter, numCounters> counters;
  std::array<Ring, numRings> rings;
  uint32_t occupied = 0; ///< queues with instructions, as bits

  // The matrix engine's two sets of weights.
  unsigned currentSet = 0;
  Ticks weightsReady[2] = {}, useEnd[2] = {};
  Ticks weightPortFree = 0;

  /// Whether the queue is of a ring in the middle of an order that is in the
  /// middle here too.
  bool isStreaming(unsigned queue, const Positions &positions) const;

  /// Makes it the state that is the same `shift` later, when positions are
  /// larger by `by`. Queues of `sleeping` wait since the same time, and so do
  /// orders of a stream behind its first.
  void move(Ticks shift, const Positions &by, uint32_t sleeping);
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_TIMELINESTATE_H
