//===- Timeline.cpp - when everything happens --------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Timeline.h"
#include "Fault.h"
#include "llvm/ADT/bit.h"

using namespace serrano;
using namespace serrano::sim;

std::string serrano::sim::trackName(unsigned track) {
  return track == weightPortTrack ? "weight port" : queueName(track);
}

Timeline::Timeline(const TargetModel &target, const TimingModel &timing,
                   llvm::ArrayRef<SliceSink *> sinks)
    : timing(timing), queueDepth(target.queueDepth()),
      dispatchTicks((perCycle + target.dispatchesPerCycle() - 1) /
                    target.dispatchesPerCycle()),
      startupTicks(TimingModel::ticksOf(timing.dmaStartup())),
      instructionPages(target.instructionMemoryBytes() /
                       timing.instructionPageBytes()),
      sinks(sinks.begin(), sinks.end()) {
  residentPages.assign(instructionPages, ~0u);
  enteredPlaces.resize(instructionPages);
  static_assert(numQueues <= 32);
  cached.fill(never);
  for (Queue &queue : queues)
    queue.ops = Fifo<Op>(queueDepth);
  statistics = nothing();
}

Statistics Timeline::nothing() {
  Statistics result;
  for (unsigned track = 0; track < numTracks; ++track)
    result.engines.push_back({.name = trackName(track)});
  return result;
}

Statistics Timeline::exchange(Statistics other) {
  lastLayers = {};
  return std::exchange(statistics, std::move(other));
}

//===----------------------------------------------------------------------===//
// Dependences
//===----------------------------------------------------------------------===//

/// One more of the times that `op` depends on is known.
void Timeline::settle(Op &op, Ticks time, WaitCause cause, Moment origin) {
  if (time > op.ready) {
    op.ready = time;
    op.cause = cause;
    op.origin = origin;
  }
}

/// Collects the times that are known and registers for those that are not.
void Timeline::resolve(Op &op, const Dispatched &d) {
  for (const CounterWait &wait : d.waits) {
    Counter &counter = counters[wait.counter];
    if (wait.threshold <= counter.known) {
      settle(op, counter.times[wait.threshold % 64], WaitCause::Counter,
             origins[wait.counter][wait.threshold % 64]);
      continue;
    }
    ++op.unresolved;
    counter.waiters.push_back(lastOf(d.queue, wait.threshold));
  }
  if (d.work == Work::Setup)
    return;
  for (const SlotUse &use : d.slots) {
    Ring &ring = rings[use.ring];
    if (use.slot < ring.filledUpTo) {
      const Ring::Fill &fill = ring.fills[use.slot - ring.firstFill];
      settle(op, fill.time, WaitCause::Slot,
             middle(FirstRingId + use.ring, fill.start, fill.end));
      continue;
    }
    ++op.unresolved;
    ring.waiters.push_back(lastOf(d.queue, use.slot));
  }
}

void Timeline::increment(unsigned index, Ticks time, Moment origin) {
  Counter &counter = counters[index];
  int64_t n = ++counter.known;
  counter.times[n % 64] = time;
  origins[index][n % 64] = origin;
  llvm::erase_if(counter.waiters, [&](const Waiter &waiter) {
    if (waiter.number != n)
      return false;
    Op &op = opOf(waiter);
    settle(op, time, WaitCause::Counter, origin);
    --op.unresolved;
    dirty |= 1u << waiter.queue;
    return true;
  });
}

void Timeline::slotFilled(unsigned index, Ring::Fill fill) {
  Ring &ring = rings[index];
  int64_t slot = ring.filledUpTo++;
  ring.fills.extend() = fill;
  // Of slots that many ago nobody asks any more, but `ring.setup` for the last.
  while (ring.firstFill < ring.filledUpTo - ring.slots) {
    ring.fills.pop_front();
    ++ring.firstFill;
  }
  // The next slot needs what `slots` before it freed.
  while (ring.freeTimes.size() > 1 &&
         ring.firstFree < ring.filledUpTo - ring.slots) {
    ring.freeTimes.pop_front();
    ++ring.firstFree;
  }
  llvm::erase_if(ring.waiters, [&](const Waiter &waiter) {
    if (waiter.number != slot)
      return false;
    Op &op = opOf(waiter);
    settle(op, fill.time, WaitCause::Slot,
           middle(FirstRingId + index, fill.start, fill.end));
    --op.unresolved;
    dirty |= 1u << waiter.queue;
    return true;
  });
}

void Timeline::slotPopped(unsigned ring, Ring::Fill &fill,
                          const Dispatched &popper) {
  fill.popped = true;
  book(popper, [&](Costs &costs) {
    ++costs.instructions;
    costs.dmaCycles += double(fill.end - fill.start) / perCycle;
    costs.hbmReadBytes += fill.bytes;
  });
  for (SliceSink *sink : sinks)
    sink->slice({FirstRingId + ring, popper, fill.start, fill.end, fill.bytes,
                 fill.heldBy});
}

/// Queues retire in order: `time` is when `d` is done by itself.
void Timeline::complete(Queue &queue, unsigned id, const Dispatched &d,
                        Ticks time) {
  queue.lastCompletion = std::max(queue.lastCompletion, time);
  if (id < FirstRingId && queue.lastCompletion > frontier) {
    book(d, [&](Costs &costs) {
      costs.criticalCycles +=
          double(queue.lastCompletion - frontier) / perCycle;
    });
    frontier = queue.lastCompletion;
  }
  if (d.signal >= 0)
    increment(d.signal, queue.lastCompletion,
              d.work == Work::None ? Moment() : queue.lastSlice);
  for (const SlotUse &use : d.slots) {
    if (!use.pop)
      continue;
    // Queues that pop the same ring need not complete in program order.
    Ring &ring = rings[use.ring];
    size_t i = use.slot - ring.firstFree;
    while (i >= ring.freeTimes.size())
      ring.freeTimes.push_back(never);
    ring.freeTimes[i] = queue.lastCompletion;
    Ring::Fill &fill = ring.fills[use.slot - ring.firstFill];
    slotPopped(use.ring, fill, d);
    for (SliceSink *sink : sinks)
      sink->slotHeld(use.ring, fill.time, queue.lastCompletion);
    dirty |= 1u << (FirstRingId + use.ring);
  }
}

Timeline::Ticks Timeline::afterPending(unsigned id, const Accesses &accesses) {
  Ticks result = 0;
  const Fifo<PendingWrite> &pending = queues[id].pending;
  for (size_t i = 0; i < pending.size(); ++i)
    for (const Access &read : accesses)
      if (!read.write && pending[i].completion > result &&
          overlap(read, pending[i].access))
        result = pending[i].completion;
  return result;
}

void Timeline::remember(unsigned id, const Accesses &accesses,
                        Ticks completion) {
  Queue &queue = queues[id];
  while (!queue.pending.empty() &&
         queue.pending.front().completion <= queue.lastIssue)
    queue.pending.pop_front();
  for (const Access &access : accesses)
    if (access.write && access.memory != Memory::Hbm)
      queue.pending.push_back({access, completion});
}

//===----------------------------------------------------------------------===//
// The sequencer
//===----------------------------------------------------------------------===//

/// Instruction memory holds whole pages, direct-mapped; dispatch stops for a
/// page that is not there.
void Timeline::fetchPages(const Dispatched &d, Ticks &time) {
  for (uint32_t page : d.pages) {
    uint32_t place = page % instructionPages;
    uint32_t &resident = residentPages[place];
    if (!enteredPlaces[place]) {
      enteredPlaces.set(place);
      pageEntries.push_back({place, page, resident == page});
    }
    if (resident == page)
      continue;
    resident = page;
    time = wholeCycles(time + timing.instructionPageTicks()) +
           TimingModel::ticksOf(timing.dmaLatency());
    statistics.fetchBytes += timing.instructionPageBytes();
  }
}

void Timeline::assign(Op &op, const Dispatched &d, Ticks time) {
  static_cast<DispatchedNumbers &>(op.d) = d;
  op.d.slots = d.slots;
  // Of bytes only these two engines ask, and those who look at slices.
  if (d.queue == VectorId || d.queue == DmaInId || !sinks.empty())
    op.d.accesses = d.accesses;
  op.dispatched = op.ready = time;
  op.cause = WaitCause::Dispatch;
  op.origin = {};
  op.unresolved = 0;
  resolve(op, d);
}

void Timeline::dispatched(const Dispatched &d) {
  ++statistics.dispatched;
  Ticks unstalled = now + d.scalarBefore * dispatchTicks;
  Ticks time = unstalled;
  fetchPages(d, time);

  if (d.queue == SequencerId) {
    Op &op = sequencerOp;
    assign(op, d, time);
    while (op.unresolved)
      if (!step(never))
        fault("internal error: dispatch waits for what never happens");
    if (op.ready > time)
      time = wholeCycles(op.ready);
    if (d.work == Work::Setup) {
      const SlotUse &last = d.slots.front();
      Ring &ring = rings[last.ring];
      // Slots are popped by several queues perhaps, so all of them are asked.
      for (int64_t slot = ring.firstFree; slot <= last.slot; ++slot) {
        while (ring.freed(slot) == never)
          if (!step(never))
            fault("internal error: ring.setup waits for what never happens");
        time = std::max(time, wholeCycles(ring.freed(slot)));
      }
      ring.slots = d.count;
      ring.origin = ring.filledUpTo;
    }
  } else {
    Queue &queue = queues[d.queue];
    while (int64_t(queue.ops.size()) >= queueDepth) {
      if (!step(never))
        fault("internal error: a full queue never drains");
      time = std::max(time, wholeCycles(queue.lastRemoval));
    }
  }
  while (step(time)) {
  }
  statistics.dispatchStallCycles += double(time - unstalled) / perCycle;
  now = time + dispatchTicks;
  if (d.queue == SequencerId)
    return;
  assign(queues[d.queue].ops.extend(), d, time);
  // Behind others it changes nothing yet.
  if (queues[d.queue].ops.size() == 1)
    dirty |= 1u << d.queue;
  occupied |= 1u << d.queue;
}

void Timeline::inspect(MachineState &state, int64_t scalars) const {
  state.cycle = TimingModel::cyclesOf(now + scalars * dispatchTicks);
  for (unsigned q = DmaInId; q < numQueues; ++q) {
    const Queue &queue = queues[q];
    state.queues.push_back({queueName(q), int64_t(queue.ops.size()),
                            queue.ops.empty() ? 0 : queue.ops.front().d.word});
  }
  for (MachineState::Counter &counter : state.counters)
    counter.completed = counters[counter.number].known;
}

Statistics Timeline::finish() {
  while (step(never)) {
  }
  Ticks end = now;
  for (Queue &queue : queues) {
    if (!queue.ops.empty())
      fault("internal error: the {0} queue never drains",
            queueName(unsigned(&queue - queues.data())));
    end = std::max(end, queue.lastCompletion);
  }
  // What nobody has used was for the one who ordered it.
  for (auto [index, ring] : llvm::enumerate(rings))
    for (size_t i = 0; i < ring.fills.size(); ++i)
      if (Ring::Fill &fill = ring.fills[i]; !fill.popped) {
        Dispatched orderer;
        orderer.word = fill.word;
        orderer.op = fill.op;
        orderer.layer = fill.layer;
        orderer.work = Work::Order;
        slotPopped(index, fill, orderer);
      }
  statistics.cycles = TimingModel::cyclesOf(end);
  return std::move(statistics);
}

//===----------------------------------------------------------------------===//
// Events
//===----------------------------------------------------------------------===//

Timeline::Ticks Timeline::nextTime(unsigned id) {
  Queue &queue = queues[id];
  if (isMover(id))
    return nextMover(id);
  Op &op = queue.ops.front();
  if (op.unresolved)
    return never;
  if (op.d.work == Work::None)
    return std::max(op.ready, queue.lastIssue);
  return id == MatrixId ? nextMatrix(op) : nextVector(op);
}

bool Timeline::step(Ticks limit) {
  if (!dirty && limit <= quietUntil)
    return false;
  unsigned best = numQueues;
  Ticks bestTime = limit, bestRequest = never, earliest = never;
  for (uint32_t rest = dirty & occupied; rest; rest &= rest - 1) {
    unsigned q = llvm::countr_zero(rest);
    cached[q] = nextTime(q);
    awake = cached[q] == never ? awake & ~(1u << q) : awake | 1u << q;
  }
  for (uint32_t rest = awake & occupied; rest; rest &= rest - 1) {
    unsigned q = llvm::countr_zero(rest);
    Ticks time = cached[q];
    // The port serves grains in the order in which they were asked for.
    if (isMover(q) && movers[q].moving)
      time = std::max(time, portFree);
    earliest = std::min(earliest, time);
    Ticks request = isMover(q) ? cached[q] : time;
    if (time < bestTime ||
        (time == bestTime && best != numQueues && request < bestRequest)) {
      best = q;
      bestTime = time;
      bestRequest = request;
    }
  }
  dirty = 0;
  quietUntil = earliest;
  if (best == numQueues)
    return false;
  dirty = 1u << best;
  act(best, bestTime);
  return true;
}

void Timeline::act(unsigned id, Ticks time) {
  if (isMover(id))
    return actMover(id, time);
  if (queues[id].ops.front().d.work == Work::None)
    return pop(id, time);
  return id == MatrixId ? actMatrix(time) : actVector(time);
}

/// The head leaves its queue, which makes room for dispatch.
void Timeline::pop(unsigned id, Ticks time) {
  Queue &queue = queues[id];
  queue.lastIssue = std::max(queue.lastIssue, time);
  queue.lastRemoval = time;
  queue.ops.pop_front();
  ++queue.removed;
  if (queue.ops.empty())
    occupied &= ~(1u << id);
}

Moment Timeline::account(unsigned track, const Op &op, Ticks freeAt,
                         Ticks start, Ticks end, WaitCause other,
                         int64_t bytes) {
  EngineStatistics &engine = statistics.engines[track];
  double cycles = double(end - start) / perCycle;
  ++engine.instructions;
  engine.busyCycles += cycles;
  // Before the instruction was there, the engine had nothing to do.
  Ticks from = std::max(freeAt, op.dispatched);
  Ticks ready = std::clamp(op.ready, from, std::max(from, start));
  double waited = double(ready - from) / perCycle;
  double waitedLater = double(std::max(start, ready) - ready) / perCycle;
  engine.waitCycles[unsigned(op.cause)] += waited;
  engine.waitCycles[unsigned(other)] += waitedLater;

  queues[op.d.queue].lastSlice = middle(track, start, end);
  bool held = waited > 0 &&
              (op.cause == WaitCause::Counter || op.cause == WaitCause::Slot);
  Moment heldBy = held ? op.origin : Moment();
  if (op.d.work == Work::Order)
    return heldBy;
  book(op.d, [&](Costs &costs) {
    ++costs.instructions;
    (track == MatrixId          ? costs.matrixCycles
     : track == VectorId        ? costs.vectorCycles
     : track == weightPortTrack ? costs.weightCycles
                                : costs.dmaCycles) += cycles;
    bool computes = track == MatrixId || track == VectorId;
    if (computes || track == weightPortTrack)
      costs.waitCycles[unsigned(op.cause)] += waited;
    if (computes)
      costs.waitCycles[unsigned(other)] += waitedLater;
    costs.multiplies += op.d.multiplies;
  });
  statistics.multiplies += op.d.multiplies;
  for (SliceSink *sink : sinks)
    sink->slice({track, op.d, start, end, bytes, heldBy});
  return heldBy;
}
