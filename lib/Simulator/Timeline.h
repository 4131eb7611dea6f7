//===- Timeline.h - when everything happens ------------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_TIMELINE_H
#define SERRANO_SIMULATOR_TIMELINE_H

#include "Core.h"
#include "StatisticsPart.h"
#include "TimelineState.h"
#include "llvm/ADT/BitVector.h"

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
class Timeline final : public Observer, private TimelineState {
public:
  Timeline(const TargetModel &target, const TimingModel &timing,
           llvm::ArrayRef<SliceSink *> sinks = {});

  void dispatched(const Dispatched &instruction) override;

  /// Adds the cycle, if the sequencer has spent `scalars` instructions since the
  /// last that it dispatched, the queues, and which increments have happened.
  void inspect(MachineState &state, int64_t scalars) const;

  /// Where the sequencer could go on, in ticks.
  int64_t time() const { return now; }
  const TimelineState &state() const { return *this; }
  using TimelineState::Ticks;
  /// Whether what the queue hands over moves bytes.
  static bool isMover(unsigned queue) {
    return queue == DmaInId || queue == DmaOutId || queue >= FirstRingId;
  }
  /// What costs are added to from here on is `other`; what they were added to.
  Statistics exchange(Statistics other);
  /// What costs nothing.
  static Statistics nothing();

  /// Adds `n` times what a part of a run cost, of layers larger by `offset`.
  void add(const StatisticsPart &part, int64_t offset, int64_t n = 1) {
    part.addTo(statistics, offset, n);
  }
  /// Adds what `n` more such parts cost, each `slope` layers after the one
  /// before.
  void addMore(const StatisticsPart &part, int64_t n, int64_t slope) {
    part.addMoreTo(statistics, n, slope);
  }

  /// Queues of rings that are in the middle of an order here too, as bits.
  uint32_t streamingQueues(const Positions &positions) const;
  /// Times up to this one decide nothing any more but by having passed, if
  /// queues of `streams` are in the middle of an order or do nothing.
  Ticks past(uint32_t streams) const;
  /// Whether nothing in those queues waits for what has not happened yet.
  bool streamsAlone(uint32_t streams) const;
  /// Rings in the middle of an order that do nothing until an instruction that
  /// has not been dispatched frees a slot of theirs, as bits, and since when. It
  /// is for their own statistics alone.
  uint32_t restingStreams(const Positions &positions);
  Ticks restsSince(unsigned r) const { return movers[FirstRingId + r].dataEnd; }
  /// A ring has rested for so much longer than statistics say.
  void addRest(unsigned r, Ticks ticks) {
    statistics.engines[FirstRingId + r].waitCycles[unsigned(
        WaitCause::Engine)] += double(ticks) / perCycle;
  }
  void setRestsSince(unsigned r, Ticks time) {
    movers[FirstRingId + r].dataEnd = time;
  }
  /// Queues of rings that do nothing until something else happens, as bits: those
  /// that have done nothing since then, or those that are not streams.
  uint32_t sleepingQueues(const Positions &positions,
                          std::optional<Ticks> since = std::nullopt);
  /// Rings that do nothing until an instruction that has not been dispatched
  /// orders slots of theirs or frees them, as bits.
  uint32_t idleRings(const Positions &positions);
  /// Appends to `out` all that decides when what comes from here on happens,
  /// relative to now and to `positions`, but for addresses: timelines that
  /// append the same compute the same, whole cycles apart. Without sinks.
  /// Queues of `sleeping` are described by since when they wait, `idle` rings
  /// are not, nor since when `resting` streams do, nor pages.
  void describe(const Positions &positions, uint32_t sleeping, uint32_t idle,
                uint32_t resting, std::vector<int64_t> &out);
  /// Appends what an idle ring `r` is, and how long it waits, at a time `now`.
  void describe(unsigned r, const RingParts &parts, Ticks now, Ticks past,
                const Positions &positions, std::vector<int64_t> &out) const;
  RingParts ringParts(unsigned r) const;
  void setRingParts(unsigned r, const RingParts &parts);
  /// Appends what decides which reads wait for writes of their own queue.
  void describeOverlaps(const Positions &positions, std::vector<int64_t> &out);

  /// The addresses that overlaps are asked for with.
  std::vector<int64_t> addresses(const Positions &positions);
  /// Whether what overlaps are asked for with has moved from `before` along its
  /// lines.
  bool onLines(const std::vector<int64_t> &before, const Positions &positions,
               const Slopes &slopes);
  /// As if `n` more periods had happened, each as long as that from `start`, with
  /// addresses on the lines of `slopes`; positions have grown by `period`, and
  /// queues of `sleeping` did nothing.
  void leaveOut(int64_t n, Ticks start, const Slopes &slopes,
                const Positions &period, uint32_t sleeping);
  /// Goes on from `other`, `shift` later, with positions larger by `by`. What is
  /// in the queues of `streams` stays.
  void restore(const TimelineState &other, Ticks shift, const Positions &by,
               uint32_t streams);
  /// The writes to memories of the core on their way in queues that ask for
  /// overlaps.
  std::vector<std::pair<unsigned, Access>> writesOnTheirWay() const;

  /// The first page that was entered of those that share a place in the
  /// instruction memory, and whether it was there.
  struct PageEntry {
    uint32_t place, page;
    bool wasResident;
  };
  /// Those since this was asked for last.
  std::vector<PageEntry> takePageEntries();
  /// The pages in the instruction memory, by place, ~0 where there is none.
  const std::vector<uint32_t> &pages() const { return residentPages; }
  void setPages(std::vector<uint32_t> pages) {
    residentPages = std::move(pages);
  }

  /// Lets every queue drain; the statistics of the whole run.
  Statistics finish();

private:
  static constexpr Ticks perCycle = TimingModel::ticksPerCycle;
  /// Up to the next whole cycle.
  static Ticks wholeCycles(Ticks t) {
    return TimingModel::ticksOf(TimingModel::cyclesOf(t));
  }

  /// Whether ring `r` does nothing until an instruction that has not been
  /// dispatched frees a slot of its, or orders some.
  bool waitsForPops(unsigned r, const Positions &positions);

  /// The accesses that overlaps are asked for with, and their queues.
  std::vector<std::pair<unsigned, Access *>>
  overlappable(const Positions &positions);

  Op &opOf(const Waiter &waiter) {
    if (waiter.queue == SequencerId)
      return sequencerOp;
    Queue &queue = queues[waiter.queue];
    return queue.ops[waiter.op - queue.removed];
  }
  /// The instruction that its queue, or the sequencer, was given last.
  Waiter lastOf(unsigned queue, int64_t number) const {
    const Queue &q = queues[queue];
    return {number, queue, q.removed + int64_t(q.ops.size()) - 1};
  }
  /// Puts a dispatched instruction where it waits for its turn.
  void assign(Op &op, const Dispatched &d, Ticks time);
  void resolve(Op &op, const Dispatched &d);
  void settle(Op &op, Ticks time, WaitCause cause, Moment origin);
  void increment(unsigned counter, Ticks time, Moment origin);
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
  Ticks startupTicks;  ///< of a transfer
  int64_t instructionPages;
  std::vector<uint32_t> residentPages; ///< by place in the instruction memory
  std::vector<PageEntry> pageEntries;
  llvm::BitVector enteredPlaces; ///< of `pageEntries`
  llvm::SmallVector<SliceSink *, 2> sinks;

  std::pair<int64_t, Ticks> lastGrain = {0, 0}; ///< bytes from HBM, their time
  std::array<Ticks, numQueues> cached; ///< nextTime, unless it is dirty
  uint32_t awake = 0;   ///< queues of which that is not `never`, as bits
  uint32_t dirty = 0;   ///< queues whose nextTime may have changed, as bits
  Ticks quietUntil = 0; ///< nothing acts before, if nothing is dirty
  Op sequencerOp;
  /// Where the times of `Counter` happened; only slices tell.
  std::array<std::array<Moment, 64>, numCounters> origins = {};

  Statistics statistics;
  /// The layer that each queue booked to last, and its costs.
  std::array<std::pair<int64_t, Costs *>, numQueues> lastLayers = {};
};

template <typename Add>
void Timeline::book(const Dispatched &d, Add add) {
  if (d.op >= statistics.operators.size())
    statistics.operators.resize(d.op + 1);
  add(statistics.operators[d.op]);
  // A queue's instructions follow others of the same layer.
  auto &[layer, costs] = lastLayers[d.queue];
  if (!costs || layer != d.layer) {
    layer = d.layer;
    costs = &statistics.layers[layer];
  }
  add(*costs);
}

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_TIMELINE_H
