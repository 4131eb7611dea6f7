//===- TimelineRounds.cpp - when everything happens: rounds left out ---- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Timeline.h"

using namespace serrano;
using namespace serrano::sim;

/// Nothing can happen before the last dispatch, and what waited for anything
/// was dispatched itself; the longest that a rule looks back from there is the
/// start-up of a transfer, which overlaps with the bytes before it.
Timeline::Ticks Timeline::past(uint32_t streams) const {
  Ticks first = now - dispatchTicks;
  for (unsigned q = 0; q < numQueues; ++q)
    for (size_t i = 0; i < queues[q].ops.size(); ++i)
      if (!(streams >> q & 1))
        first = std::min(first, queues[q].ops[i].dispatched);
  return first - TimingModel::ticksOf(timing.dmaStartup());
}

/// When an order in the middle of its slots was dispatched and could begin is
/// over: its next slot follows the one before.
uint32_t Timeline::streamingQueues(const Positions &positions) const {
  uint32_t result = 0;
  for (unsigned q = FirstRingId; q < numQueues; ++q)
    if (positions.isStream(q - FirstRingId) && !queues[q].ops.empty() &&
        movers[q].slotsDone > 0)
      result |= 1u << q;
  return result;
}

bool Timeline::streamsAlone(uint32_t streams) const {
  for (auto [q, queue] : llvm::enumerate(queues))
    for (size_t i = 0; streams >> q & 1 && i < queue.ops.size(); ++i)
      if (queue.ops[i].unresolved)
        return false;
  return true;
}

/// What waits for a slot to be popped, or for a counter, may wait through any
/// number of rounds: since when is for its own statistics alone. A stream that
/// has moved something since comes to wait anew in each round.
uint32_t Timeline::sleepingQueues(const Positions &positions, Ticks since) {
  uint32_t streams = streamingQueues(positions);
  uint32_t result = 0;
  for (unsigned q = FirstRingId; q < numQueues; ++q)
    if (!queues[q].ops.empty() && nextMover(q) == never &&
        (!(streams >> q & 1) || movers[q].dataEnd < since))
      result |= 1u << q;
  return result;
}

void Timeline::describe(const Positions &positions, uint32_t sleeping,
                        std::vector<int64_t> &out) {
  uint32_t streams = streamingQueues(positions);
  Ticks past = this->past(streams | sleepingQueues(positions, 0));
  auto add = [&](std::initializer_list<int64_t> values) {
    out.insert(out.end(), values);
  };
  auto at = [&](Ticks time) {
    return time == never ? never : std::max(time, past) - now;
  };
  auto addOp = [&](const Op &op) {
    const Dispatched &d = op.d;
    add({d.word, d.op, d.queue, int64_t(d.work), d.signal, d.interval, d.bytes,
         d.hbm, d.write, d.passCount, d.tailBytes, d.multiplies,
         int64_t(d.format), op.unresolved, int64_t(d.slots.size())});
    if (sleeping >> d.queue & 1)
      return add({d.layer, d.firstSlot, d.count, op.dispatched, op.ready});
    if (streams >> d.queue & 1)
      return out.push_back(d.layer);
    int64_t firstSlot = 0;
    if (d.work == Work::Order)
      firstSlot = positions.popped[d.queue - FirstRingId] - d.firstSlot;
    add({positions.layer - d.layer, firstSlot, d.count, at(op.dispatched),
         at(op.ready), int64_t(op.cause)});
    for (const SlotUse &use : d.slots)
      add({use.ring, positions.popped[use.ring] - use.slot, use.pop});
  };
  auto addAccess = [&](const Access &access) {
    add({int64_t(access.memory), access.write, access.bytes, access.rows,
         access.stride});
  };
  auto addWaiters = [&](int64_t position, const std::vector<Waiter> &waiters) {
    for (const Waiter &waiter : waiters)
      add({position - waiter.number, waiter.queue,
           waiter.op - queues[waiter.queue].removed});
    out.push_back(never);
  };

  add({now % perCycle, now - past, at(portFree), now - frontier, streams,
       sleeping});
  for (unsigned q = 0; q < numQueues; ++q) {
    const Queue &queue = queues[q];
    add({at(queue.lastIssue), at(queue.lastCompletion), at(queue.freeAt),
         at(queue.lastRemoval), int64_t(queue.ops.size())});
    for (size_t i = 0; i < queue.ops.size(); ++i) {
      const Op &op = queue.ops[i];
      addOp(op);
      if (q != VectorId && q != DmaInId)
        continue;
      // HBM is never asked whether a write to it is on its way.
      for (const Access &access : op.d.accesses)
        if (access.memory != Memory::Hbm)
          addAccess(access);
      out.push_back(-1);
    }
    for (size_t i = 0; i < queue.pending.size(); ++i)
      if (queue.pending[i].completion > past) {
        addAccess(queue.pending[i].access);
        out.push_back(at(queue.pending[i].completion));
      }
    out.push_back(-1);
    const Mover &mover = movers[q];
    add({mover.moving, at(mover.startupEnd), at(mover.dataEnd),
         (streams & ~sleeping) >> q & 1 ? 0 : mover.slotsDone});
    // What it has waited since then, its next slot tells.
    if ((streams & ~sleeping) >> q & 1)
      out.push_back(std::max(mover.dataEnd, queue.ops[0].dispatched) - now);
    if (mover.moving)
      add({mover.request - now, mover.sliceStart - now, mover.left});
  }
  for (unsigned c = 0; c < numCounters; ++c) {
    const Counter &counter = counters[c];
    out.push_back(positions.increments[c] - counter.known);
    int64_t oldest = std::max<int64_t>(counter.known - 64, 0);
    for (int64_t n = counter.known; n > oldest && counter.times[n % 64] > past;
         --n)
      out.push_back(at(counter.times[n % 64]));
    out.push_back(never);
    addWaiters(positions.increments[c], counter.waiters);
  }
  for (unsigned r = 0; r < numRings; ++r) {
    const Ring &ring = rings[r];
    int64_t popped = positions.popped[r];
    // The first slots of a region wait for none; later that is forgotten.
    int64_t origin = std::max(ring.origin, ring.filledUpTo - ring.slots);
    add({ring.slots, popped - origin, popped - ring.filledUpTo,
         popped - ring.firstFill, popped - ring.firstFree,
         int64_t(ring.fills.size()), int64_t(ring.freeTimes.size())});
    for (size_t i = 0; i < ring.fills.size(); ++i) {
      const Ring::Fill &fill = ring.fills[i];
      out.push_back(fill.popped);
      if (!fill.popped)
        add({at(fill.time), fill.end - fill.start, fill.bytes, fill.word,
             fill.op, positions.layerOfSlot(r, fill.layer)});
    }
    for (size_t i = 0; i < ring.freeTimes.size(); ++i)
      out.push_back(at(ring.freeTimes[i]));
    addWaiters(popped, ring.waiters);
  }
  add({currentSet, at(weightsReady[0]), at(weightsReady[1]), at(useEnd[0]),
       at(useEnd[1]), at(weightPortFree)});
  out.insert(out.end(), residentPages.begin(), residentPages.end());
}

void Timeline::describeSleep(uint32_t sleeping,
                             std::vector<int64_t> &out) const {
  for (unsigned q = FirstRingId; q < numQueues; ++q) {
    if (!(sleeping >> q & 1))
      continue;
    out.push_back(std::max(movers[q].dataEnd, queues[q].ops[0].dispatched) -
                  now);
    for (size_t i = 0; i < queues[q].ops.size(); ++i) {
      const Op &op = queues[q].ops[i];
      out.insert(out.end(),
                 {op.dispatched - now, op.ready - now, int64_t(op.cause)});
    }
  }
}

std::vector<std::pair<unsigned, Access *>>
Timeline::overlappable(const Positions &positions) {
  Ticks past =
      this->past(streamingQueues(positions) | sleepingQueues(positions, 0));
  std::vector<std::pair<unsigned, Access *>> result;
  for (unsigned q : {unsigned(DmaInId), unsigned(VectorId)}) {
    Queue &queue = queues[q];
    for (size_t i = 0; i < queue.pending.size(); ++i)
      if (queue.pending[i].completion > past)
        result.push_back({q, &queue.pending[i].access});
    for (size_t i = 0; i < queue.ops.size(); ++i)
      for (Access &access : queue.ops[i].d.accesses)
        if (access.memory != Memory::Hbm)
          result.push_back({q, &access});
  }
  return result;
}

void Timeline::describeOverlaps(const Positions &positions,
                                std::vector<int64_t> &out) {
  std::vector<std::pair<unsigned, const Access *>> writes;
  for (auto [q, access] : overlappable(positions)) {
    if (access->write) {
      out.insert(out.end(), {q, int64_t(access->memory), access->address});
      writes.push_back({q, access});
      continue;
    }
    // Of a read it matters only which writes before it it meets.
    for (auto [i, write] : llvm::enumerate(writes))
      if (write.first == q && overlap(*write.second, *access))
        out.push_back(-int64_t(i) - 1);
    out.push_back(never);
  }
}

std::vector<int64_t> Timeline::addresses(const Positions &positions) {
  std::vector<int64_t> result;
  for (auto [queue, access] : overlappable(positions))
    result.push_back(access->address);
  return result;
}

bool Timeline::onLines(const std::vector<int64_t> &before,
                       const Positions &positions, const Slopes &slopes) {
  auto accesses = overlappable(positions);
  if (accesses.size() != before.size())
    return false;
  for (auto [entry, address] : llvm::zip(accesses, before))
    if (!slopes.isOnLine(entry.first, *entry.second,
                         entry.second->address - address))
      return false;
  return slopes.keepOverlaps();
}

std::vector<Access> Timeline::writesOnTheirWay(unsigned id) const {
  std::vector<Access> result;
  const Queue &queue = queues[id];
  for (size_t i = 0; i < queue.pending.size(); ++i)
    result.push_back(queue.pending[i].access);
  for (size_t i = 0; i < queue.ops.size(); ++i)
    for (const Access &access : queue.ops[i].d.accesses)
      if (access.write && access.memory != Memory::Hbm)
        result.push_back(access);
  return result;
}

//===----------------------------------------------------------------------===//
// Leaving out
//===----------------------------------------------------------------------===//

void TimelineState::move(Ticks shift, const Positions &by, uint32_t sleeping) {
  for (Ticks *time : {&now, &portFree, &frontier, &weightsReady[0],
                      &weightsReady[1], &useEnd[0], &useEnd[1],
                      &weightPortFree})
    *time += shift;
  for (auto [q, queue] : llvm::enumerate(queues)) {
    // It is still the same instructions that wait, since the same time.
    if (sleeping >> q & 1)
      continue;
    for (Ticks *time : {&queue.lastIssue, &queue.lastCompletion, &queue.freeAt,
                        &queue.lastRemoval})
      *time += shift;
    Mover &mover = movers[q];
    for (Ticks *time : {&mover.request, &mover.startupEnd, &mover.dataEnd,
                        &mover.sliceStart})
      *time += shift;
    bool isStream = q >= FirstRingId && by.isStream(q - FirstRingId) &&
                    !queue.ops.empty() && mover.slotsDone > 0;
    if (isStream)
      mover.slotsDone += by.popped[q - FirstRingId];
    // Orders behind that one wait since the same time.
    for (size_t i = 0; i < (isStream ? 1 : queue.ops.size()); ++i) {
      Op &op = queue.ops[i];
      op.dispatched += shift;
      op.ready += shift;
      if (isStream)
        continue;
      op.d.layer += by.layer;
      if (op.d.work == Work::Order)
        op.d.firstSlot += by.popped[q - FirstRingId];
      for (SlotUse &use : op.d.slots)
        use.slot += by.popped[use.ring];
    }
    for (size_t i = 0; i < queue.pending.size(); ++i)
      queue.pending[i].completion += shift;
  }
  for (auto [counter, grown] : llvm::zip(counters, by.increments)) {
    std::array<Ticks, 64> times = counter.times;
    for (int64_t i = 0; i < 64; ++i)
      counter.times[uint64_t(i + grown) % 64] = times[i] + shift;
    counter.known += grown;
    for (Waiter &waiter : counter.waiters)
      waiter.number += grown;
  }
  for (auto [r, ring] : llvm::enumerate(rings)) {
    int64_t grown = by.popped[r];
    for (int64_t *position :
         {&ring.origin, &ring.filledUpTo, &ring.firstFill, &ring.firstFree})
      *position += grown;
    for (size_t i = 0; i < ring.fills.size(); ++i) {
      Ring::Fill &fill = ring.fills[i];
      for (Ticks *time : {&fill.time, &fill.start, &fill.end})
        *time += shift;
      if (!by.isStream(r))
        fill.layer += by.layer;
    }
    for (size_t i = 0; i < ring.freeTimes.size(); ++i)
      if (ring.freeTimes[i] != never)
        ring.freeTimes[i] += shift;
    for (Waiter &waiter : ring.waiters)
      waiter.number += grown;
  }
}

void Timeline::leaveOut(int64_t n, Ticks start,
                        const std::vector<int64_t> &before,
                        const Positions &period, uint32_t sleeping) {
  for (auto [entry, address] : llvm::zip(overlappable(period), before))
    entry.second->address += n * (entry.second->address - address);
  Positions all = period;
  for (int64_t &increments : all.increments)
    increments *= n;
  for (int64_t &slots : all.popped)
    slots *= n;
  all.layer *= n;
  move(n * (now - start), all, sleeping);
  dirty = occupied;
  quietUntil = 0;
}

void Timeline::restore(const TimelineState &other, Ticks shift,
                       const Positions &by, uint32_t streams) {
  struct Stream {
    unsigned queue;
    Fifo<Op> ops;
    int64_t slotsLeft; ///< done, without those that the ring has filled
  };
  llvm::SmallVector<Stream, 2> kept;
  for (unsigned q = FirstRingId; q < numQueues; ++q)
    if (streams >> q & 1)
      kept.push_back({q, queues[q].ops,
                      movers[q].slotsDone - rings[q - FirstRingId].filledUpTo});
  static_cast<TimelineState &>(*this) = other;
  move(shift, by, /*sleeping=*/0);
  for (const Stream &stream : kept) {
    queues[stream.queue].ops = stream.ops;
    movers[stream.queue].slotsDone =
        stream.slotsLeft + rings[stream.queue - FirstRingId].filledUpTo;
  }
  dirty = occupied;
  quietUntil = 0;
}
