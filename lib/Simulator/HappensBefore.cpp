//===- HappensBefore.cpp - races and reads of unwritten bytes ----------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HappensBefore.h"
#include "Fault.h"

using namespace serrano;
using namespace serrano::sim;

void HappensBefore::join(Clock &clock, const Clock &other) {
  for (unsigned q = 0; q < numQueues; ++q)
    clock[q] = std::max(clock[q], other[q]);
}

void HappensBefore::joinWaits(Clock &clock, const Dispatched &d) {
  for (const CounterWait &wait : d.waits)
    join(clock, counters[wait.counter].last[wait.threshold % 64]);
}

void HappensBefore::signal(int counter, const Clock &clock) {
  if (counter < 0)
    return;
  Increments &increments = counters[counter];
  increments.last[++increments.count % 64] = clock;
}

void HappensBefore::dispatched(const Dispatched &d) {
  // An order's waits hold back its own slots, not those ordered before it.
  if (d.work == Work::Order) {
    Clock clock = clocks[SequencerId];
    joinWaits(clock, d);
    rings[d.queue - FirstRingId].orders.push_back({clock, d.signal});
    return;
  }
  Clock &clock = clocks[d.queue];
  join(clock, clocks[SequencerId]);
  joinWaits(clock, d);
  if (d.work == Work::Setup) {
    // Several queues have popped perhaps.
    join(clock, rings[d.slots.front().ring].allPops);
    return;
  }
  for (const SlotUse &use : d.slots)
    join(clock, rings[use.ring].fills[use.slot - rings[use.ring].firstFill]);
  Event event{d.queue, d.word, ++clock[d.queue]};
  for (const Access &access : d.accesses)
    check(access, clock, event);
  signal(d.signal, clock);
  for (const SlotUse &use : d.slots) {
    if (!use.pop)
      continue;
    Ring &ring = rings[use.ring];
    ring.fills.pop_front();
    ++ring.firstFill;
    ring.pops.push_back(clock);
    join(ring.allPops, clock);
  }
}

void HappensBefore::filled(const SlotFill &fill) {
  unsigned queue = FirstRingId + fill.ring;
  Ring &ring = rings[fill.ring];
  Clock &clock = clocks[queue];
  join(clock, ring.orders.front().clock);
  if (fill.freedBy >= 0) {
    while (ring.firstPop < fill.freedBy) {
      ring.pops.pop_front();
      ++ring.firstPop;
    }
    join(clock, ring.pops.front());
  }
  Event event{queue, fill.word, ++clock[queue]};
  for (const Access &access : fill.accesses)
    check(access, clock, event);
  ring.fills.push_back(clock);
}

void HappensBefore::orderFilled(unsigned index) {
  Ring &ring = rings[index];
  Clock &clock = clocks[FirstRingId + index];
  const Order &order = ring.orders.front();
  join(clock, order.clock);
  signal(order.signal, clock);
  ring.orders.pop_front();
}

void HappensBefore::scalarAccess(const Site &site, const Access &access) {
  Clock &clock = clocks[SequencerId];
  Event event{SequencerId, site.word, ++clock[SequencerId]};
  check(access, clock, event);
}

void HappensBefore::check(const Access &request, const Clock &clock,
                          Event event) {
  Access access = normalized(request);
  // Nothing can write the weights, so their reads need no record.
  if (access.memory == Memory::Hbm && !access.write &&
      memory.isReadOnly(access))
    return;
  Shadow &shadow = shadows[unsigned(access.memory)];
  for (int64_t row = 0; row < access.rows; ++row) {
    int64_t begin = access.address + row * access.stride;
    visit(shadow, access.memory, access.write, begin, begin + access.bytes,
          clock, event);
  }
}

/// Cuts the segment at `it` so that one starts at `address`, inside it.
HappensBefore::Shadow::iterator
HappensBefore::split(Shadow &shadow, Shadow::iterator it, int64_t address) {
  Segment rest = it->second;
  it->second.end = address;
  return shadow.emplace_hint(std::next(it), address, std::move(rest));
}

void HappensBefore::visit(Shadow &shadow, Memory where, bool write,
                          int64_t begin, int64_t end, const Clock &clock,
                          Event event) {
  auto concurrent = [&](const Event &other) {
    return other.index && other.queue != event.queue &&
           clock[other.queue] < other.index;
  };
  auto it = shadow.lower_bound(begin);
  if (it != shadow.begin() && std::prev(it)->second.end > begin)
    it = split(shadow, std::prev(it), begin);

  for (int64_t at = begin; at < end;) {
    int64_t gapEnd = it == shadow.end() ? end : std::min(end, it->first);
    if (at < gapEnd) // Bytes that nobody has touched.
      it = shadow.emplace_hint(it, at, Segment{gapEnd, {}, {}});
    if (it->second.end > end)
      split(shadow, it, end);
    Segment &segment = it->second;
    if (checks.init && !write && !segment.writer.index &&
        (where == Memory::Scratchpad || where == Memory::Accumulators))
      fault("reads {0} bytes {1} to {2}, which were never written",
            memoryName(where), it->first, segment.end - 1);
    if (checks.races) {
      if (concurrent(segment.writer))
        race(where, it->first, segment.end, segment.writer, true, event, write);
      if (write)
        for (const Event &reader : segment.readers)
          if (concurrent(reader))
            race(where, it->first, segment.end, reader, false, event, true);
    }
    if (write) {
      segment.writer = event;
      segment.readers.clear();
    } else {
      auto same = llvm::find_if(segment.readers, [&](const Event &r) {
        return r.queue == event.queue;
      });
      if (same == segment.readers.end())
        segment.readers.push_back(event);
      else
        *same = event;
    }
    at = segment.end;
    ++it;
  }
  if (!write)
    return;
  // One writer, one segment.
  auto first = shadow.find(begin);
  first->second.end = end;
  shadow.erase(std::next(first), shadow.lower_bound(end));
}

void HappensBefore::race(Memory where, int64_t begin, int64_t end, Event first,
                         bool firstWrites, Event second,
                         bool secondWrites) const {
  fault("race on {0} bytes {1} to {2}: {3} {4} them in the {5} queue, {6} {7} "
        "them in the {8} "
        "queue, and neither waits for the other; let the second wait for a "
        "counter that the {5} "
        "queue increments at or after the first",
        memoryName(where), begin, end - 1, describe(first.word),
        firstWrites ? "writes" : "reads", queueName(first.queue),
        describe(second.word), secondWrites ? "writes" : "reads",
        queueName(second.queue));
}
