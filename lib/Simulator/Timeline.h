//===- Timeline.h - when everything happens ------------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_TIMELINE_H
#define SERRANO_SIMULATOR_TIMELINE_H

#include "Core.h"
#include "Fifo.h"
#include "serrano/Simulator/Statistics.h"
#include <array>

namespace serrano::sim {

/// What can be busy: the engine of each queue, and the matrix engine's weight
/// port, which works beside its array.
inline constexpr unsigned weightPortTrack = numQueues;
inline constexpr unsigned numTracks = numQueues + 1;
inline bool isRing(unsigned track) {
  return track >= FirstRingId && track < numQueues;
}
/// "matrix", "weight port", "ring 3", ...
std::string trackName(unsigned track);

/// A moment within a slice, in ticks.
struct Moment {
  int track = -1; ///< -1 if there is none
  int64_t time = 0;
};

/// A piece of work whose time is known, in ticks.
struct Slice {
  unsigned track;
  const Dispatched &instruction; ///< of a ring's slot, the one that popped it
  int64_t start, end;
  int64_t bytes; ///< put on the DMA port
  Moment heldBy; ///< in the slice whose signal, or slot, it had to wait for
};

/// Told of each piece of work when its time is known.
class SliceSink {
public:
  virtual ~SliceSink() = default;
  /// Those of one track do not overlap, and come in order but for rings, whose
  /// slots come when they are popped.
  virtual void slice(const Slice &slice) = 0;
  /// A slot of `ring` was popped, which was full from `from` to `to`, in ticks.
  virtual void slotHeld(unsigned, int64_t, int64_t) {}
};

/// Computes when each instruction is dispatched, starts and completes: a
/// discrete-event model of the queues, the engines and the shared DMA port, fed
/// in program order. Its rules are those of docs/TimingModel.md. Times are
/// ticks (1,024 to a cycle); engines start on whole cycles.
class Timeline final : public Observer {
public:
  Timeline(const TargetModel &target, const TimingModel &timing,
           llvm::ArrayRef<SliceSink *> sinks = {});

  void dispatched(const Dispatched &instruction) override;

  /// Adds the cycle, if the sequencer has spent `scalars` instructions since the
  /// last that it dispatched, the queues, and which increments have happened.
  void inspect(MachineState &state, int64_t scalars) const;

  /// What `leaveOut` compares with.
  struct Round {
    int64_t time; ///< when the sequencer could go on, in ticks
    Statistics statistics;
    /// Of what overlaps are asked for with.
    std::vector<int64_t> addresses;
  };
  Round round(const Positions &positions);
  /// Appends to `out` all that decides when what comes from here on happens,
  /// relative to now and to `positions`, but for addresses: timelines that
  /// append the same compute the same, whole cycles apart. Without sinks.
  void describe(const Positions &positions, std::vector<int64_t> &out);
  /// Whether what overlaps are asked for with has moved along its lines.
  bool onLines(const Round &before, const Positions &positions,
               const Slopes &slopes);
  /// As if `n` more periods like that since `before` had happened, by which the
  /// positions have grown by `period` each time.
  void leaveOut(int64_t n, const Round &before, const Positions &period);

  /// Lets every queue drain; the statistics of the whole run.
  Statistics finish();

private:
  using Ticks = int64_t;
  static constexpr Ticks never = INT64_MAX;
  static constexpr Ticks perCycle = TimingModel::ticksPerCycle;
  /// Up to the next whole cycle.
  static Ticks wholeCycles(Ticks t) {
    return TimingModel::ticksOf(TimingModel::cyclesOf(t));
  }

  /// A dispatched instruction, or a ring's order, that has not started.
  struct Op {
    Dispatched d; ///< without what is not asked for after dispatch
    Ticks dispatched = 0;
    Ticks ready = 0; ///< latest known of dispatch, waits and slots
    WaitCause cause = WaitCause::Dispatch; ///< what `ready` came from
    Moment origin = {};      ///< ... and where that happened
    unsigned unresolved = 0; ///< waits and slots whose time is not known yet
  };

  /// Completions of a counter's increments: the last 64 that are known.
  struct Counter {
    int64_t known = 0;
    std::array<Ticks, 64> times = {};
    std::array<Moment, 64> origins = {};
    unsigned queue = 0;
    struct Waiter {
      int64_t threshold;
      Op *op;
    };
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

    /// When `slot` was freed, `never` if that is not known.
    Ticks freed(int64_t slot) const {
      int64_t i = slot - firstFree;
      return i < int64_t(freeTimes.size()) ? freeTimes[i] : never;
    }
    struct Waiter {
      int64_t slot;
      Op *op;
    };
    std::vector<Waiter> waiters;
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
  };

  /// Results on their way: reads of them in the same queue wait.
  struct PendingWrite {
    Access access = {};
    Ticks completion = 0;
  };

  struct Queue {
    Fifo<Op> ops; ///< has room for all from the beginning: they stay in place
    Ticks lastIssue = 0;
    Ticks lastCompletion = 0;
    Ticks freeAt = 0;      ///< the engine's
    Ticks lastRemoval = 0; ///< when an entry last left the queue
    Moment lastSlice;
    Fifo<PendingWrite> pending;
    std::pair<int64_t, Costs *> lastLayer = {-1, nullptr}; ///< booked to
  };

  /// Times up to this one decide nothing any more but by having passed.
  Ticks past(uint32_t streams) const;
  /// Queues of rings that are in the middle of an order here too, as bits.
  uint32_t streamingQueues(const Positions &positions) const;
  /// The accesses that overlaps are asked for with, and their queues.
  std::vector<std::pair<unsigned, Access *>>
  overlappable(const Positions &positions);
  /// Queues of rings that do nothing until something else happens, as bits.
  uint32_t sleepingQueues();

  static bool isMover(unsigned queue) {
    return queue == DmaInId || queue == DmaOutId || queue >= FirstRingId;
  }

  /// Puts a dispatched instruction where it waits for its turn.
  void assign(Op &op, const Dispatched &d, Ticks time);
  void resolve(Op &op, const Dispatched &d);
  void settle(Op &op, Ticks time, WaitCause cause, Moment origin);
  void increment(unsigned counter, unsigned queue, Ticks time, Moment origin);
  void slotFilled(unsigned ring, Ring::Fill fill);
  /// `popper` has used the slot: its costs are those of that operator.
  void slotPopped(unsigned ring, Ring::Fill &fill, const Dispatched &popper);
  static Moment middle(unsigned track, Ticks start, Ticks end) {
    return {int(track), start + (end - start) / 2};
  }
  void complete(Queue &queue, unsigned id, const Dispatched &d, Ticks time);
  Ticks afterPending(unsigned queue, const Accesses &accesses);
  void remember(unsigned queue, const Accesses &accesses, Ticks completion);
  void fetchPages(const Dispatched &d, Ticks &time);
  /// Calls `add` for the costs of the operator and of the layer.
  template <typename Add>
  void book(const Dispatched &d, Add add);

  /// When the queue could act next, `never` if it has nothing to do.
  Ticks nextTime(unsigned queue);
  Ticks nextMatrix(Op &op);
  Ticks nextVector(Op &op);
  Ticks nextMover(unsigned queue);
  void act(unsigned queue, Ticks time);
  void actMatrix(Ticks time);
  void actVector(Ticks time);
  void actMover(unsigned queue, Ticks time);
  void finishTransfer(unsigned queue, Ticks end);
  /// Performs the earliest action before `limit`; false if there is none.
  bool step(Ticks limit);
  void pop(unsigned queue, Ticks time);
  /// Books work from `start` to `end` on a track that was free at `freeAt`.
  /// What the head waited for beyond its counters and slots was `other`.
  /// The costs of a ring's slot are not booked yet. Returns what held it.
  Moment account(unsigned track, const Op &op, Ticks freeAt, Ticks start,
                 Ticks end, WaitCause other, int64_t bytes = 0);

  const TimingModel &timing;
  int64_t queueDepth;
  Ticks dispatchTicks; ///< of one instruction in the sequencer
  int64_t instructionPages;
  llvm::SmallVector<SliceSink *, 2> sinks;

  Ticks now = 0; ///< when the sequencer can dispatch next
  Ticks portFree = 0;
  std::pair<int64_t, Ticks> lastGrain = {0, 0}; ///< bytes from HBM, their time
  Ticks frontier = 0; ///< the latest completion outside of rings
  std::array<Queue, numQueues> queues;
  std::array<Mover, numQueues> movers;
  std::array<Counter, numCounters> counters;
  std::array<Ring, numRings> rings;
  std::array<Ticks, numQueues> cached; ///< nextTime, unless it is dirty
  uint32_t occupied = 0;               ///< queues with instructions, as bits
  uint32_t dirty = 0;                  ///< those whose nextTime may have changed
  Ticks quietUntil = 0; ///< nothing acts before, if nothing is dirty
  Op sequencerOp;

  // The matrix engine's two sets of weights.
  unsigned currentSet = 0;
  Ticks weightsReady[2] = {}, useEnd[2] = {};
  Ticks weightPortFree = 0;

  std::vector<uint32_t> residentPages;
  Statistics statistics;
};

template <typename Add>
void Timeline::book(const Dispatched &d, Add add) {
  if (d.op >= statistics.operators.size())
    statistics.operators.resize(d.op + 1);
  add(statistics.operators[d.op]);
  // A queue's instructions follow others of the same layer.
  auto &[layer, costs] = queues[d.queue].lastLayer;
  if (!costs || layer != d.layer) {
    layer = d.layer;
    costs = &statistics.layers[layer];
  }
  add(*costs);
}

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_TIMELINE_H
