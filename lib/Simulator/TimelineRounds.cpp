//===- TimelineRounds.cpp - when everything happens: rounds left out ---- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Timeline.h"

using namespace serrano;
using namespace serrano::sim;

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

std::vector<std::pair<unsigned, Access>> Timeline::writesOnTheirWay() const {
  std::vector<std::pair<unsigned, Access>> result;
  for (unsigned q : {unsigned(DmaInId), unsigned(VectorId)}) {
    const Queue &queue = queues[q];
    for (size_t i = 0; i < queue.pending.size(); ++i)
      result.push_back({q, queue.pending[i].access});
    for (size_t i = 0; i < queue.ops.size(); ++i)
      for (const Access &access : queue.ops[i].d.accesses)
        if (access.write && access.memory != Memory::Hbm)
          result.push_back({q, access});
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Leaving out
//===----------------------------------------------------------------------===//

void TimelineState::Op::move(Ticks shift, const Positions &by) {
  dispatched += shift;
  ready += shift;
  d.layer += by.layer;
  if (d.work == Work::Order)
    d.firstSlot += by.popped[d.queue - FirstRingId];
  for (SlotUse &use : d.slots)
    use.slot += by.popped[use.ring];
}

void TimelineState::Queue::move(Ticks shift) {
  for (Ticks *time : {&lastIssue, &lastCompletion, &freeAt, &lastRemoval})
    *time += shift;
  for (size_t i = 0; i < pending.size(); ++i)
    pending[i].completion += shift;
}

void TimelineState::Mover::move(Ticks shift) {
  for (Ticks *time : {&request, &startupEnd, &dataEnd, &sliceStart})
    *time += shift;
}

void TimelineState::Ring::move(Ticks shift, int64_t slots, int64_t layers) {
  for (int64_t *position : {&origin, &filledUpTo, &firstFill, &firstFree})
    *position += slots;
  for (size_t i = 0; i < fills.size(); ++i) {
    Fill &fill = fills[i];
    for (Ticks *time : {&fill.time, &fill.start, &fill.end})
      *time += shift;
    fill.layer += layers;
  }
  for (size_t i = 0; i < freeTimes.size(); ++i)
    if (freeTimes[i] != never)
      freeTimes[i] += shift;
  for (Waiter &waiter : waiters)
    waiter.number += slots;
}

void TimelineState::RingParts::move(unsigned r, Ticks shift,
                                    const Positions &by) {
  ring.move(shift, by.popped[r], by.layer);
  queue.move(shift);
  mover.move(shift);
  for (size_t i = 0; i < queue.ops.size(); ++i)
    queue.ops[i].move(shift, by);
}

void TimelineState::move(Ticks shift, const Positions &by, uint32_t sleeping) {
  for (Ticks *time : {&now, &portFree, &frontier, &weightsReady[0],
                      &weightsReady[1], &useEnd[0], &useEnd[1],
                      &weightPortFree})
    *time += shift;
  for (auto [q, queue] : llvm::enumerate(queues)) {
    // It is still the same instructions that wait, since the same time.
    if (sleeping >> q & 1)
      continue;
    queue.move(shift);
    movers[q].move(shift);
    if (isStreaming(q, by)) {
      // Orders behind its first wait since the same time.
      movers[q].slotsDone += by.popped[q - FirstRingId];
      queue.ops[0].dispatched += shift;
      queue.ops[0].ready += shift;
      continue;
    }
    for (size_t i = 0; i < queue.ops.size(); ++i)
      queue.ops[i].move(shift, by);
  }
  for (auto [counter, grown] : llvm::zip(counters, by.increments)) {
    std::array<Ticks, 64> times = counter.times;
    for (int64_t i = 0; i < 64; ++i)
      counter.times[uint64_t(i + grown) % 64] = times[i] + shift;
    counter.known += grown;
    for (Waiter &waiter : counter.waiters)
      waiter.number += grown;
  }
  for (auto [r, ring] : llvm::enumerate(rings))
    ring.move(shift, by.popped[r], by.isStream(r) ? 0 : by.layer);
}

void Timeline::leaveOut(int64_t n, Ticks start, const Slopes &slopes,
                        const Positions &period, uint32_t sleeping) {
  for (auto [queue, access] : overlappable(period))
    access->address += n * slopes.slopeOf(queue, *access);
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

std::vector<Timeline::PageEntry> Timeline::takePageEntries() {
  enteredPlaces.reset();
  return std::exchange(pageEntries, {});
}

TimelineState::RingParts Timeline::ringParts(unsigned r) const {
  return {rings[r], queues[FirstRingId + r], movers[FirstRingId + r]};
}

void Timeline::setRingParts(unsigned r, const RingParts &parts) {
  unsigned queue = FirstRingId + r;
  rings[r] = parts.ring;
  queues[queue] = parts.queue;
  movers[queue] = parts.mover;
  occupied &= ~(1u << queue);
  if (!queues[queue].ops.empty())
    occupied |= 1u << queue;
  dirty = occupied;
  quietUntil = 0;
}
