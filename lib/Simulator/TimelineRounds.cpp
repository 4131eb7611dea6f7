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

/// What waits for a slot to be popped, or for a counter, may wait through any
/// number of rounds: since when is for its own statistics alone.
uint32_t Timeline::sleepingQueues() {
  uint32_t result = 0;
  for (unsigned q = FirstRingId; q < numQueues; ++q)
    if (!queues[q].ops.empty() && nextMover(q) == never)
      result |= 1u << q;
  return result;
}

void Timeline::describe(const Positions &positions,
                        std::vector<int64_t> &out) {
  uint32_t streams = streamingQueues(positions);
  uint32_t sleeping = sleepingQueues() & ~streams;
  Ticks past = this->past(streams | sleeping);
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
  auto addWaiter = [&](int64_t distance, const Op *op) {
    const Fifo<Op> &ops = queues[op->d.queue].ops;
    int64_t place = 0;
    while (&ops[place] != op)
      ++place;
    add({distance, op->d.queue, place});
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
         streams >> q & 1 ? 0 : mover.slotsDone});
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
    for (const Counter::Waiter &waiter : counter.waiters)
      addWaiter(positions.increments[c] - waiter.threshold, waiter.op);
    out.push_back(never);
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
    for (const Ring::Waiter &waiter : ring.waiters)
      addWaiter(popped - waiter.slot, waiter.op);
    out.push_back(never);
  }
  add({currentSet, at(weightsReady[0]), at(weightsReady[1]), at(useEnd[0]),
       at(useEnd[1]), at(weightPortFree)});
  out.insert(out.end(), residentPages.begin(), residentPages.end());
}

std::vector<std::pair<unsigned, Access *>>
Timeline::overlappable(const Positions &positions) {
  Ticks past = this->past(streamingQueues(positions) | sleepingQueues());
  std::vector<std::pair<unsigned, Access *>> result;
  for (unsigned q : {unsigned(DmaInId), unsigned(VectorId)}) {
    Queue &queue = queues[q];
    for (size_t i = 0; i < queue.ops.size(); ++i)
      for (Access &access : queue.ops[i].d.accesses)
        if (access.memory != Memory::Hbm)
          result.push_back({q, &access});
    for (size_t i = 0; i < queue.pending.size(); ++i)
      if (queue.pending[i].completion > past)
        result.push_back({q, &queue.pending[i].access});
  }
  return result;
}

bool Timeline::onLines(const Round &before, const Positions &positions,
                       const Slopes &slopes) {
  auto accesses = overlappable(positions);
  if (accesses.size() != before.addresses.size())
    return false;
  for (auto [entry, address] : llvm::zip(accesses, before.addresses))
    if (!slopes.isOnLine(entry.first, *entry.second,
                         entry.second->address - address))
      return false;
  return slopes.keepOverlaps();
}

Timeline::Round Timeline::round(const Positions &positions) {
  Round result{now, statistics, {}};
  for (auto [queue, access] : overlappable(positions))
    result.addresses.push_back(access->address);
  return result;
}

//===----------------------------------------------------------------------===//
// Leaving out
//===----------------------------------------------------------------------===//

/// total += n * (after - before), of all that grows.
static void addPeriods(Costs &total, int64_t n, const Costs &after,
                       const Costs &before) {
  auto add = [&](auto Costs::*member) {
    using T = std::remove_reference_t<decltype(total.*member)>;
    total.*member += T(n) * (after.*member - before.*member);
  };
  add(&Costs::instructions);
  add(&Costs::matrixCycles);
  add(&Costs::weightCycles);
  add(&Costs::vectorCycles);
  add(&Costs::dmaCycles);
  add(&Costs::criticalCycles);
  add(&Costs::hbmReadBytes);
  add(&Costs::hbmWriteBytes);
  add(&Costs::multiplies);
  for (unsigned cause = 0; cause < numWaitCauses; ++cause)
    total.waitCycles[cause] +=
        double(n) * (after.waitCycles[cause] - before.waitCycles[cause]);
}

static void addPeriods(EngineStatistics &total, int64_t n,
                       const EngineStatistics &before) {
  total.instructions += n * (total.instructions - before.instructions);
  total.busyCycles += double(n) * (total.busyCycles - before.busyCycles);
  for (unsigned cause = 0; cause < numWaitCauses; ++cause)
    total.waitCycles[cause] +=
        double(n) * (total.waitCycles[cause] - before.waitCycles[cause]);
  total.bytes += n * (total.bytes - before.bytes);
}

/// What a period cost a layer, the next costs the layer `slope` after it.
static void addPeriods(std::map<int64_t, Costs> &layers, int64_t n,
                       int64_t slope, const std::map<int64_t, Costs> &before) {
  const std::map<int64_t, Costs> after = layers;
  for (const auto &[layer, costs] : after) {
    auto old = before.find(layer);
    Costs previous = old == before.end() ? Costs() : old->second;
    if (costs.instructions == previous.instructions &&
        costs.criticalCycles == previous.criticalCycles)
      continue;
    if (slope == 0) {
      addPeriods(layers[layer], n, costs, previous);
      continue;
    }
    for (int64_t period = 1; period <= n; ++period)
      addPeriods(layers[layer + period * slope], 1, costs, previous);
  }
}

static void addPeriods(Statistics &total, int64_t n, int64_t layerSlope,
                       const Statistics &before) {
  auto add = [&](auto Statistics::*member) {
    using T = std::remove_reference_t<decltype(total.*member)>;
    total.*member += T(n) * (total.*member - before.*member);
  };
  add(&Statistics::dispatched);
  add(&Statistics::hbmReadBytes);
  add(&Statistics::hbmWriteBytes);
  add(&Statistics::localBytes);
  add(&Statistics::fetchBytes);
  add(&Statistics::multiplies);
  add(&Statistics::dispatchStallCycles);
  for (auto [engine, old] : llvm::zip(total.engines, before.engines))
    addPeriods(engine, n, old);
  for (auto [i, costs] : llvm::enumerate(total.operators)) {
    const Costs after = costs;
    Costs previous;
    if (i < before.operators.size())
      previous = before.operators[i];
    addPeriods(costs, n, after, previous);
  }
  addPeriods(total.layers, n, layerSlope, before.layers);
}

void Timeline::leaveOut(int64_t n, const Round &before,
                        const Positions &period) {
  addPeriods(statistics, n, period.layer, before.statistics);
  for (auto [entry, address] :
       llvm::zip(overlappable(period), before.addresses))
    entry.second->address += n * (entry.second->address - address);
  Ticks shift = n * (now - before.time);
  for (Ticks *time : {&now, &portFree, &frontier, &weightsReady[0],
                      &weightsReady[1], &useEnd[0], &useEnd[1],
                      &weightPortFree})
    *time += shift;
  uint32_t streams = streamingQueues(period);
  uint32_t sleeping = sleepingQueues() & ~streams;
  for (auto [q, queue] : llvm::enumerate(queues)) {
    queue.lastLayer = {-1, nullptr};
    // It is still the same instructions that wait, since the same time.
    if (sleeping >> q & 1)
      continue;
    for (Ticks *time : {&queue.lastIssue, &queue.lastCompletion, &queue.freeAt,
                        &queue.lastRemoval})
      *time += shift;
    bool isStream = streams >> q & 1;
    if (isStream)
      movers[q].slotsDone += n * period.popped[q - FirstRingId];
    // Orders behind that one wait since the same time.
    for (size_t i = 0; i < (isStream ? 1 : queue.ops.size()); ++i) {
      Op &op = queue.ops[i];
      op.dispatched += shift;
      op.ready += shift;
      if (isStream)
        continue;
      op.d.layer += n * period.layer;
      if (op.d.work == Work::Order)
        op.d.firstSlot += n * period.popped[q - FirstRingId];
      for (SlotUse &use : op.d.slots)
        use.slot += n * period.popped[use.ring];
    }
    for (size_t i = 0; i < queue.pending.size(); ++i)
      queue.pending[i].completion += shift;
    Mover &mover = movers[q];
    for (Ticks *time : {&mover.request, &mover.startupEnd, &mover.dataEnd,
                        &mover.sliceStart})
      *time += shift;
  }
  for (auto [counter, grown] : llvm::zip(counters, period.increments)) {
    std::array<Ticks, 64> times = counter.times;
    for (unsigned i = 0; i < 64; ++i)
      counter.times[(i + n * grown) % 64] = times[i] + shift;
    counter.known += n * grown;
    for (Counter::Waiter &waiter : counter.waiters)
      waiter.threshold += n * grown;
  }
  for (auto [r, ring] : llvm::enumerate(rings)) {
    int64_t grown = period.popped[r];
    for (int64_t *position :
         {&ring.origin, &ring.filledUpTo, &ring.firstFill, &ring.firstFree})
      *position += n * grown;
    for (size_t i = 0; i < ring.fills.size(); ++i) {
      Ring::Fill &fill = ring.fills[i];
      for (Ticks *time : {&fill.time, &fill.start, &fill.end})
        *time += shift;
      if (!period.isStream(r))
        fill.layer += n * period.layer;
    }
    for (size_t i = 0; i < ring.freeTimes.size(); ++i)
      if (ring.freeTimes[i] != never)
        ring.freeTimes[i] += shift;
    for (Ring::Waiter &waiter : ring.waiters)
      waiter.slot += n * grown;
  }
  dirty = occupied;
  quietUntil = 0;
}
