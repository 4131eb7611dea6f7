//===- TimelineDescription.cpp - when everything happens: states -------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Timeline.h"

using namespace serrano;
using namespace serrano::sim;

/// From when on it matters since when instruction `i` of a queue waits: its mover
/// had other bytes before. Those that are yet to move when the last instruction
/// is dispatched have not gone by then. Of other engines it always matters.
static Timeline::Ticks busyUntil(unsigned q, size_t i,
                                 const TimelineState::Queue &queue,
                                 const TimelineState::Mover &mover,
                                 Timeline::Ticks lastDispatch) {
  if (!Timeline::isMover(q))
    return INT64_MIN / 2;
  bool isBehindBytes = i > 0 && queue.ops.front().d.movesBytes();
  return isBehindBytes ? std::max(mover.dataEnd, lastDispatch) : mover.dataEnd;
}

/// Nothing can happen before the last dispatch, and what waited for anything did
/// so since it was dispatched itself and was the first; the longest that a rule
/// looks back from there is the start-up of a transfer, which overlaps with the
/// bytes before it.
Timeline::Ticks Timeline::past(uint32_t streams) const {
  Ticks lastDispatch = now - dispatchTicks, first = lastDispatch;
  for (unsigned q = 0; q < numQueues; ++q)
    for (size_t i = 0; i < queues[q].ops.size(); ++i)
      if (!(streams >> q & 1)) {
        Ticks busy = busyUntil(q, i, queues[q], movers[q], lastDispatch);
        first = std::min(first, std::max(queues[q].ops[i].dispatched, busy));
      }
  return first - startupTicks;
}

/// The core has come to later orders if the pops of earlier ones have been
/// dispatched and not executed.
bool TimelineState::isStreaming(unsigned q, const Positions &positions) const {
  if (q < FirstRingId || !positions.isStream(q - FirstRingId) ||
      queues[q].ops.empty() || movers[q].slotsDone == 0)
    return false;
  return queues[q].ops.front().d.firstSlot ==
         positions.streamBegins[q - FirstRingId];
}

/// When an order in the middle of its slots was dispatched and could begin is
/// over: its next slot follows the one before.
uint32_t Timeline::streamingQueues(const Positions &positions) const {
  uint32_t result = 0;
  for (unsigned q = FirstRingId; q < numQueues; ++q)
    if (isStreaming(q, positions))
      result |= 1u << q;
  return result;
}

bool Timeline::waitsForPops(unsigned r, const Positions &positions) {
  unsigned q = FirstRingId + r;
  if (!queues[q].ops.empty() && nextMover(q) != never)
    return false;
  for (int64_t slot = rings[r].firstFree; slot < positions.popped[r]; ++slot)
    if (rings[r].freed(slot) == never)
      return false;
  return true;
}

/// In the middle of an order there was a slot before the one that waits.
uint32_t Timeline::restingStreams(const Positions &positions) {
  uint32_t streams = streamingQueues(positions);
  uint32_t result = 0;
  for (unsigned r = 0; r < numRings; ++r)
    if (streams >> (FirstRingId + r) & 1 && waitsForPops(r, positions))
      result |= 1u << r;
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
/// number of rounds: since when is for its own statistics alone. What has moved
/// or finished something since comes to wait anew in each round.
uint32_t Timeline::sleepingQueues(const Positions &positions,
                                  std::optional<Ticks> since) {
  uint32_t streams = streamingQueues(positions);
  uint32_t result = 0;
  for (unsigned q = FirstRingId; q < numQueues; ++q) {
    if (queues[q].ops.empty() || nextMover(q) != never)
      continue;
    Ticks last = std::max(movers[q].dataEnd, queues[q].lastRemoval);
    if (since ? last < *since : !(streams >> q & 1))
      result |= 1u << q;
  }
  return result;
}

uint32_t Timeline::idleRings(const Positions &positions) {
  uint32_t result = 0;
  for (auto [r, ring] : llvm::enumerate(rings)) {
    const Queue &queue = queues[FirstRingId + r];
    // What waits, waits for a slot to be freed.
    bool waits = waitsForPops(r, positions);
    for (size_t i = 0; i < queue.ops.size(); ++i)
      waits &= queue.ops[i].unresolved == 0;
    if (waits && ring.slots && !positions.isStream(r))
      result |= 1u << r;
  }
  return result;
}

namespace {
/// Writes down what is on its way, relative to `now`.
class Description {
public:
  using Ticks = TimelineState::Ticks;

  Description(Ticks now, Ticks lastDispatch, Ticks startup, Ticks past,
              const Positions &positions, uint32_t streams, uint32_t sleeping,
              uint32_t resting, std::vector<int64_t> &out)
      : now(now), lastDispatch(lastDispatch), startup(startup), past(past),
        positions(positions), streams(streams), sleeping(sleeping),
        resting(resting), out(out) {}

  void add(std::initializer_list<int64_t> values) {
    out.insert(out.end(), values);
  }
  int64_t at(Ticks time) const {
    return time == TimelineState::never ? time : std::max(time, past) - now;
  }
  void addQueue(unsigned q, const TimelineState::Queue &queue,
                const TimelineState::Mover &mover);
  void addCounter(unsigned c, const TimelineState &state);
  void addRing(unsigned r, const TimelineState::Ring &ring,
               const TimelineState &state);

private:
  /// `busy` is from when on it matters since when it waits.
  void addOp(const TimelineState::Op &op, Ticks busy);
  void addAccess(const Access &access) {
    add({int64_t(access.memory), access.write, access.bytes, access.rows,
         access.stride});
  }
  void addWaiters(int64_t position,
                  const std::vector<TimelineState::Waiter> &waiters,
                  const TimelineState &state) {
    for (const TimelineState::Waiter &waiter : waiters)
      add({position - waiter.number, waiter.queue,
           waiter.op - state.queues[waiter.queue].removed});
    out.push_back(TimelineState::never);
  }

  Ticks now, lastDispatch, startup, past;
  const Positions &positions;
  uint32_t streams, sleeping, resting;
  std::vector<int64_t> &out;
};
} // namespace

void Description::addOp(const TimelineState::Op &op, Ticks busy) {
  const Dispatched &d = op.d;
  add({d.op, d.queue, int64_t(d.work), d.signal, d.interval, d.bytes,
       d.hbm, d.write, d.passCount, d.tailBytes, d.multiplies,
       int64_t(d.format), op.unresolved, int64_t(d.slots.size())});
  if (sleeping >> d.queue & 1)
    return add({d.layer, d.firstSlot, d.count, op.dispatched, op.ready});
  if (streams >> d.queue & 1)
    return out.push_back(d.layer);
  int64_t firstSlot = 0;
  if (d.work == Work::Order)
    firstSlot = positions.popped[d.queue - FirstRingId] - d.firstSlot;
  // A start-up overlaps with the bytes before it, and what is ready before they
  // have gone waits for nothing else.
  add({positions.layer - d.layer, firstSlot, d.count,
       std::max(op.dispatched, busy) - now,
       std::max(op.ready, busy - startup) - now,
       op.ready > busy ? int64_t(op.cause) : -1});
  for (const SlotUse &use : d.slots)
    add({use.ring, positions.popped[use.ring] - use.slot, use.pop});
}

void Description::addQueue(unsigned q, const TimelineState::Queue &queue,
                           const TimelineState::Mover &mover) {
  add({at(queue.lastIssue), at(queue.lastCompletion), at(queue.freeAt),
       at(queue.lastRemoval), int64_t(queue.ops.size())});
  for (size_t i = 0; i < queue.ops.size(); ++i) {
    const TimelineState::Op &op = queue.ops[i];
    addOp(op, busyUntil(q, i, queue, mover, lastDispatch));
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
  bool flows = (streams & ~sleeping) >> q & 1;
  add({mover.moving, at(mover.startupEnd), at(mover.dataEnd),
       flows ? 0 : mover.slotsDone});
  // What it has waited since then, its next slot tells.
  if (flows && !(resting << FirstRingId >> q & 1))
    out.push_back(std::max(mover.dataEnd, queue.ops[0].dispatched) - now);
  if (mover.moving)
    add({mover.request - now, mover.sliceStart - now, mover.left});
}

void Description::addCounter(unsigned c, const TimelineState &state) {
  const TimelineState::Counter &counter = state.counters[c];
  out.push_back(positions.increments[c] - counter.known);
  int64_t oldest = std::max<int64_t>(counter.known - 64, 0);
  for (int64_t n = counter.known; n > oldest && counter.times[n % 64] > past;
       --n)
    out.push_back(at(counter.times[n % 64]));
  out.push_back(TimelineState::never);
  addWaiters(positions.increments[c], counter.waiters, state);
}

void Description::addRing(unsigned r, const TimelineState::Ring &ring,
                          const TimelineState &state) {
  int64_t popped = positions.popped[r];
  // The first slots of a region wait for none; later that is forgotten.
  int64_t origin = std::max(ring.origin, ring.filledUpTo - ring.slots);
  add({ring.slots, popped - origin, popped - ring.filledUpTo,
       popped - ring.firstFill, popped - ring.firstFree,
       int64_t(ring.fills.size()), int64_t(ring.freeTimes.size())});
  for (size_t i = 0; i < ring.fills.size(); ++i) {
    const TimelineState::Ring::Fill &fill = ring.fills[i];
    out.push_back(fill.popped);
    if (!fill.popped)
      add({at(fill.time), fill.end - fill.start, fill.bytes, fill.op,
           positions.layerOfSlot(r, fill.layer)});
  }
  for (size_t i = 0; i < ring.freeTimes.size(); ++i)
    out.push_back(at(ring.freeTimes[i]));
  addWaiters(popped, ring.waiters, state);
}

void Timeline::describe(const Positions &positions, uint32_t sleeping,
                        uint32_t idle, uint32_t resting,
                        std::vector<int64_t> &out) {
  uint32_t streams = streamingQueues(positions);
  Ticks past = this->past(streams | sleepingQueues(positions));
  Description description(now, now - dispatchTicks, startupTicks, past,
                          positions, streams, sleeping, resting, out);
  description.add({now % perCycle, now - past, description.at(portFree),
                   now - frontier, streams, sleeping, idle, resting});
  uint32_t idleQueues = idle << FirstRingId;
  for (unsigned q = 0; q < numQueues; ++q)
    if (!(idleQueues >> q & 1))
      description.addQueue(q, queues[q], movers[q]);
  for (unsigned c = 0; c < numCounters; ++c)
    description.addCounter(c, *this);
  for (unsigned r = 0; r < numRings; ++r)
    if (!(idle >> r & 1))
      description.addRing(r, rings[r], *this);
  description.add({currentSet, description.at(weightsReady[0]),
                   description.at(weightsReady[1]), description.at(useEnd[0]),
                   description.at(useEnd[1]), description.at(weightPortFree)});
}

void Timeline::describe(unsigned r, const RingParts &parts, Ticks now,
                        Ticks past, const Positions &positions,
                        std::vector<int64_t> &out) const {
  Description description(now, now - dispatchTicks, startupTicks, past,
                          positions, 0, 0, 0, out);
  description.addQueue(FirstRingId + r, parts.queue, parts.mover);
  description.addRing(r, parts.ring, *this);
}

std::vector<std::pair<unsigned, Access *>>
Timeline::overlappable(const Positions &positions) {
  Ticks past =
      this->past(streamingQueues(positions) | sleepingQueues(positions));
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
