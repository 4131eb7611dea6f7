//===- Ring.cpp - ring instructions ------------------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Core.h"
#include "Fault.h"
#include "llvm/ADT/STLExtras.h"
#include <cstring>

using namespace serrano;
using namespace serrano::sim;

static constexpr int64_t slotAlignment = 64;

void Core::execute(const isa::RingSetup &i) {
  Ring &ring = rings[i.ring];
  if (ring.popped != ring.ordered)
    fault("ring {0} still has {1} slots that were ordered and not popped",
          i.ring, ring.ordered - ring.popped);
  begin(SequencerId, Work::Setup);
  copyPending();
  if (origins)
    origins->moveRing(i.ring);
  ring.base = value(i.base);
  ring.slotBytes = count(i.slot_bytes, "slot_bytes");
  ring.slots = i.slots;
  ring.origin = ring.lap = ring.ordered;
  if (ring.slots == 0 || ring.slotBytes == 0)
    fault("ring {0} has {1} slots of {2} bytes; both must be positive", i.ring,
          ring.slots, ring.slotBytes);
  if (ring.base % slotAlignment || ring.slotBytes % slotAlignment)
    fault("ring {0} is misaligned: base {1} and slot_bytes {2} must be "
          "multiples of {3}",
          i.ring, ring.base, ring.slotBytes, slotAlignment);
  check({Memory::Scratchpad, true, ring.base, ring.slots * ring.slotBytes, 1, 0},
        "ring");
  // A place that two rings fill holds what the later one brought.
  int64_t end = ring.base + ring.slots * ring.slotBytes;
  bool shared = llvm::any_of(rings, [&](const Ring &other) {
    return &other != &ring && other.base < end &&
           ring.base < other.base + other.slots * other.slotBytes;
  });
  ring.pending.assign(shared || schedule || known || debugger ? 0 : ring.slots,
                      {});
  if (shared)
    for (Ring &other : rings)
      other.pending.clear();
  pendingBegin = INT64_MAX, pendingEnd = 0;
  for (const Ring &each : rings)
    if (!each.pending.empty()) {
      pendingBegin = std::min(pendingBegin, each.base);
      pendingEnd =
          std::max(pendingEnd, each.base + each.slots * each.slotBytes);
    }
  record.slots.push_back({i.ring, ring.popped - 1, false});
  record.count = ring.slots;
  finish([] {});
}

void Core::copyPending(const Ring::Pending &pending, int64_t address) {
  int64_t bytes = pending.bytes;
  Access write{Memory::Scratchpad, true, address, bytes, 1, bytes};
  std::byte *to = memory.at(Memory::Scratchpad, address);
  perform({write, std::nullopt}, copyNanoseconds(bytes),
          [=, from = pending.from] { std::memcpy(to, from, bytes); });
}

bool Core::touchesPending(const Access &access) const {
  return llvm::any_of(rings, [&](const Ring &ring) {
    return !ring.pending.empty() && access.address < ring.base + ring.slots * ring.slotBytes &&
           access.end() > ring.base;
  });
}

void Core::copyPending() {
  for (Ring &ring : rings)
    for (auto [place, pending] : llvm::enumerate(ring.pending))
      if (pending.from) {
        copyPending(pending, ring.base + int64_t(place) * ring.slotBytes);
        pending = {};
      }
}

/// All that an order reads of HBM, of a table its first block.
Access Core::spanOf(const Order &order) {
  int64_t passes = order.count / order.passCount;
  __int128 along = order.table < 0
                       ? __int128(order.passCount - 1) * order.stride
                       : 0,
           across = __int128(passes - 1) * order.passStride;
  __int128 first = order.source + std::min<__int128>(along, 0) +
                   std::min<__int128>(across, 0);
  __int128 last = order.source + std::max<__int128>(along, 0) +
                  std::max<__int128>(across, 0) +
                  std::max(order.bytes, order.tailBytes);
  // Where it does not fit a memory, no memory is that large.
  constexpr __int128 limit = int64_t(1) << 60;
  int64_t address = int64_t(std::clamp(first, -limit, limit));
  int64_t bytes = int64_t(std::clamp(last - first, __int128(0), limit));
  return {Memory::Hbm, false, address, bytes, 1, bytes};
}

void Core::order(unsigned index, Order order, const Origins::Form &form) {
  Ring &ring = rings[index];
  if (ring.slots == 0)
    fault("ring {0} has no region; ring.setup gives it one", index);
  for (int64_t bytes : {order.bytes, order.tailBytes})
    if (order.count && (bytes <= 0 || bytes > ring.slotBytes))
      fault("a slot of {0} bytes is ordered from ring {1}, whose slots hold 1 "
            "to {2}",
            bytes, index, ring.slotBytes);
  if (int64_t(ring.orders.size()) >= target.queueDepth())
    fault("deadlock: this waits for room in the queue of ring {0}, which "
          "holds {1} orders; {2}; order fewer ahead",
          index, ring.orders.size(), roomNeeded(index));
  if (order.count > INT32_MAX)
    fault("orders {0} slots, expected at most {1}", order.count, INT32_MAX);
  order.word = word();
  order.op = currentOp;
  order.layer = currentLayer;
  order.signal = record.signal;
  order.firstSlot = ring.ordered;
  record.firstSlot = order.firstSlot;
  record.count = order.count;
  record.passCount = order.passCount;
  record.bytes = timing.burstBytes(order.bytes);
  record.tailBytes = timing.burstBytes(order.tailBytes);
  record.hbm = true;
  if (order.slope && order.count && !sweep(spanOf(order), order.slope))
    slopes->fail();
  if (origins)
    origins->touchRing(index);
  // Its slots are filled at any time, in another section perhaps.
  if (origins && order.count)
    memory.allows(spanOf(order)) ? tell(spanOf(order), order.slope, form)
                                 : origins->fail();
  ring.ordered += order.count;
  ring.orders.push_back(order);
  finish([] {});
  fillSlots(index);
}

void Core::execute(const isa::RingFill &i) {
  begin(i, FirstRingId + i.ring, Work::Order);
  int64_t slots = count(i.count, "count"), passes = count(i.passes, "passes");
  int64_t bytes = value(i.bytes);
  order(i.ring, {.count = slots * passes,
                 .source = address(i.src),
                 .slope = slopeOf(i.src),
                 .bytes = bytes,
                 .tailBytes = bytes,
                 .stride = value(i.stride),
                 .passCount = slots,
                 .passStride = value(i.pass_stride)},
        formOf(i.src.reg));
}

void Core::execute(const isa::RingTable &i) {
  begin(i, FirstRingId + i.ring, Work::Order);
  int64_t slots = count(i.count, "count"), passes = count(i.passes, "passes");
  Access table = touchTable(i.table, slots);
  record.accesses
      .clear(); // Each slot's entry is read when that slot is filled.
  order(i.ring, {.count = slots * passes,
                 .source = address(i.src),
                 .slope = slopeOf(i.src),
                 .bytes = value(i.bytes),
                 .tailBytes = value(i.tail_bytes),
                 .stride = value(i.stride),
                 .passCount = slots,
                 .passStride = value(i.pass_stride),
                 .table = table.address,
                 .bound = value(i.bound)},
        formOf(i.src.reg));
}

void Core::fillSlots(unsigned index) {
  Ring &ring = rings[index];
  while (!ring.orders.empty()) {
    const Order &order = ring.orders.front();
    for (int64_t end = order.firstSlot + order.count; ring.filled < end;) {
      if (ring.filled == ring.popped + ring.slots)
        return;
      fillSlot(index, order);
    }
    if (order.signal >= 0)
      ++ringIncrements[order.signal];
    if (schedule)
      schedule->endOrder(index);
    for (Observer *observer : observers)
      observer->orderFilled(index);
    ring.orders.pop_front();
  }
}

void Core::fillSlot(unsigned number, const Order &order) {
  Ring &ring = rings[number];
  SlotFill fill{.ring = number,
                .slot = ring.filled,
                .freedBy = -1,
                .word = order.word,
                .op = order.op,
                .layer = order.layer,
                .accesses = {}};
  if (ring.filled - ring.slots >= ring.origin)
    fill.freedBy = ring.filled - ring.slots;
  ring.slotEnds.push_back(order.bytesOf(ring.filled));
  int64_t place = ring.placeOf(ring.filled++);
  if (schedule)
    schedule->fill(fill, [=, this] { bring(fill, order, place); });
  else
    bring(std::move(fill), order, place);
}

Access Core::source(SlotFill &fill, const Order &order) {
  int64_t bytes = order.bytesOf(fill.slot);
  int64_t index = fill.slot - order.firstSlot;
  int64_t pass = index / order.passCount, i = index % order.passCount;
  __int128 source = order.source + __int128(pass) * order.passStride;
  if (order.table >= 0) {
    int64_t entry = order.table + 4 * i;
    Access word{Memory::Scalar, false, entry, 4, 1, 4};
    if (!known)
      settle({word, std::nullopt});
    int64_t id = known ? 0 : scalarWord(entry);
    if (!known && (id < 0 || id >= order.bound))
      fault("ring {0}: block id {1} is {2}, outside 0 to {3} (ordered by the "
            "ring.table at {4:x})",
            fill.ring, i, id, order.bound - 1, order.word * 8);
    source += __int128(id) * order.stride;
    fill.accesses.push_back(word);
  } else {
    source += __int128(i) * order.stride;
  }
  constexpr __int128 limit = int64_t(1) << 62;
  Access read{Memory::Hbm, false, int64_t(std::clamp(source, -limit, limit)),
              bytes,       1,     bytes};
  check(read, "a slot's source");
  return read;
}

void Core::bring(SlotFill fill, const Order &order, int64_t place) {
  Access read = source(fill, order);
  Access write{Memory::Scratchpad, true, place, read.bytes, 1, read.bytes};
  fill.accesses.push_back(read);
  fill.accesses.push_back(write);
  if (!known)
    copyOrRemember(fill.slot, rings[fill.ring], read, write);
  for (Observer *observer : observers)
    observer->filled(fill);
}

void Core::copyOrRemember(int64_t slot, Ring &ring, const Access &read,
                          const Access &write) {
  int64_t bytes = read.bytes;
  std::byte *from = memory.at(Memory::Hbm, read.address);
  std::byte *to = memory.at(Memory::Scratchpad, write.address);
  Ring::Pending *pending = ring.pendingOf(slot);
  // What it does not cover of the fill before it stays.
  if (pending && pending->bytes > bytes)
    copyPending(*pending, write.address);
  if (pending)
    *pending = {};
  if (pending && memory.isReadOnly(read))
    *pending = {from, read.bytes};
  else
    perform({{read, write}, std::nullopt}, copyNanoseconds(bytes),
            [=] { std::memcpy(to, from, bytes); });
}
