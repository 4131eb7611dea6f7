//===- Ring.cpp - ring instructions ------------------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Core.h"
#include "Fault.h"
#include <cstring>

using namespace serrano;
using namespace serrano::sim;

static constexpr int64_t slotAlignment = 64;

void Core::execute(const isa::RingSetup &i) {
  Ring &ring = rings[i.ring];
  if (ring.popped != ring.ordered)
    fault("ring {0} still has {1} slots that were ordered and not popped", i.ring,
          ring.ordered - ring.popped);
  begin(SequencerId, Work::Setup);
  ring.base = value(i.base);
  ring.slotBytes = count(i.slot_bytes, "slot_bytes");
  ring.slots = i.slots;
  ring.origin = ring.ordered;
  if (ring.slots == 0 || ring.slotBytes == 0)
    fault("ring {0} has {1} slots of {2} bytes; both must be positive", i.ring, ring.slots,
          ring.slotBytes);
  if (ring.base % slotAlignment || ring.slotBytes % slotAlignment)
    fault("ring {0} is misaligned: base {1} and slot_bytes {2} must be multiples of {3}", i.ring,
          ring.base, ring.slotBytes, slotAlignment);
  memory.check({Memory::Scratchpad, true, ring.base, ring.slots * ring.slotBytes, 1, 0}, "ring");
  record.slots.push_back({i.ring, ring.popped - 1, false});
  record.count = ring.slots;
  finish();
}

void Core::order(unsigned index, Order order) {
  Ring &ring = rings[index];
  if (ring.slots == 0)
    fault("ring {0} has no region; ring.setup gives it one", index);
  for (int64_t bytes : {order.bytes, order.tailBytes})
    if (order.count && (bytes <= 0 || bytes > ring.slotBytes))
      fault("a slot of {0} bytes is ordered from ring {1}, whose slots hold 1 to {2}", bytes, index,
            ring.slotBytes);
  if (int64_t(ring.orders.size()) >= target.queueDepth())
    fault("ring {0} already holds {1} orders, whose slots only later pops make room for; order fewer "
          "ahead",
          index, ring.orders.size());
  order.word = word();
  order.signal = record.signal;
  order.firstSlot = ring.ordered;
  record.firstSlot = order.firstSlot;
  record.count = order.count;
  record.bytes = timing.burstBytes(order.bytes);
  record.tailBytes = timing.burstBytes(order.tailBytes);
  record.hbm = true;
  ring.ordered += order.count;
  if (order.count)
    ring.orders.push_back(order);
  else if (order.signal >= 0)
    ++ringIncrements[order.signal];
  finish();
  fillSlots(index);
}

void Core::execute(const isa::RingFill &i) {
  begin(i, FirstRingId + i.ring, Work::Order);
  int64_t slots = count(i.count, "count"), passes = count(i.passes, "passes");
  int64_t bytes = value(i.bytes);
  order(i.ring, {0, -1, 0, slots * passes, address(i.src), bytes, bytes, value(i.stride), slots,
                 value(i.pass_stride), -1, 0});
}

void Core::execute(const isa::RingTable &i) {
  begin(i, FirstRingId + i.ring, Work::Order);
  int64_t slots = count(i.count, "count");
  Access table{Memory::Scalar, false, value(i.table), 4, slots, 4};
  if (slots && table.address % 4)
    fault("table is misaligned: address {0} must be a multiple of 4", table.address);
  touch(table, "table");
  record.accesses.clear(); // Each slot's entry is read when that slot is filled.
  order(i.ring, {0, -1, 0, slots, address(i.src), value(i.bytes), value(i.tail_bytes),
                 value(i.stride), 0, 0, table.address, value(i.bound)});
}

void Core::fillSlots(unsigned index) {
  Ring &ring = rings[index];
  while (ring.filled < ring.ordered && ring.filled < ring.popped + ring.slots) {
    Order &order = ring.orders.front();
    int64_t i = ring.filled - order.firstSlot;
    bool last = i == order.count - 1;
    int64_t bytes = last ? order.tailBytes : order.bytes;
    SlotFill fill{index, ring.filled, -1, order.word, i == 0, last, {}};
    if (ring.filled - ring.slots >= ring.origin)
      fill.freedBy = ring.filled - ring.slots;

    int64_t source = order.source;
    if (order.table >= 0) {
      int64_t entry = order.table + 4 * i;
      int64_t id = scalarWord(entry);
      if (id < 0 || id >= order.bound)
        fault("ring {0}: block id {1} is {2}, outside 0 to {3} (ordered by the ring.table at {4:x})",
              index, i, id, order.bound - 1, order.word * 8);
      source += id * order.stride;
      fill.accesses.push_back({Memory::Scalar, false, entry, 4, 1, 4});
    } else {
      source += i / order.passCount * order.passStride + i % order.passCount * order.stride;
    }
    Access read{Memory::Hbm, false, source, bytes, 1, bytes};
    memory.check(read, "src");
    int64_t place = ring.placeOf(ring.filled);
    fill.accesses.push_back(read);
    fill.accesses.push_back({Memory::Scratchpad, true, place, bytes, 1, bytes});
    std::memcpy(memory.at(Memory::Scratchpad, place), memory.at(Memory::Hbm, source), bytes);
    ring.slotEnds.push_back(bytes);
    ++ring.filled;
    if (last) {
      if (order.signal >= 0)
        ++ringIncrements[order.signal];
      ring.orders.pop_front();
    }
    for (Observer *observer : observers)
      observer->filled(fill);
  }
}
