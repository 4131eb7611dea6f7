//===- Operands.cpp - reading operands, with bounds and alignment ------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Core.h"
#include "Fault.h"

using namespace serrano;
using namespace serrano::sim;

int64_t Core::count(isa::Value v, const char *name) const {
  int64_t n = value(v);
  if (n < 0)
    fault("{0} is {1}, expected a number that is not negative", name, n);
  if (n > INT32_MAX)
    fault("{0} is {1}, expected at most {2}", name, n, INT32_MAX);
  return n;
}

void Core::refuseData(uint8_t reg) const {
  fault("r{0} comes from scalar memory that lengths alone do not determine, and "
        "is more than an address in hbm: the time depends on data; run it with "
        "inputs instead of predicting",
        unsigned(reg));
}

void Core::touch(const Access &request, const char *operand, int64_t slope,
                 const Origins::Form &form) {
  if (request.empty())
    return;
  check(request, operand);
  Access access = normalized(request);
  if (access.memory == Memory::Scratchpad && access.address < pendingEnd &&
      access.end() > pendingBegin && touchesPending(access))
    copyPending();
  if (slopes)
    follow(access, slope);
  if (origins)
    tell(access, slope, form);
  if (known && access.write && access.memory == Memory::Scalar)
    known->set(access.address, access.end() - access.address, false);
  record.accesses.push_back(access);
}

Access Core::touchTable(isa::Value v, int64_t entries) {
  Access table{Memory::Scalar, false, lineValue(v), 4, entries, 4};
  if (entries && table.address % 4)
    fault("table is misaligned: address {0} must be a multiple of 4",
          table.address);
  touch(table, "table", slopeOf(v), formOf(v.reg));
  return table;
}

std::optional<Access> Core::sweep(Access access, int64_t slope) const {
  constexpr __int128 bound = int64_t(1) << 60;
  __int128 way = __int128(slope) * slopes->periods();
  if (slope == 0)
    return access;
  if (slope < -bound || slope > bound || way < -bound || way > bound)
    return std::nullopt;
  int64_t end = access.end() + std::max<int64_t>(int64_t(way), 0);
  access.address += std::min<int64_t>(int64_t(way), 0);
  access.bytes = end - access.address;
  access.rows = 1;
  access.stride = access.bytes;
  if (!memory.allows(access))
    return std::nullopt;
  return access;
}

void Core::follow(const Access &access, int64_t slope) {
  std::optional<Access> swept = sweep(access, slope);
  if (!swept)
    return slopes->fail();
  if (access.memory == Memory::Hbm)
    return;
  // What the period before left on its way meets what this one does.
  if (slope) {
    swept->address -= std::max<int64_t>(slope, 0);
    swept->bytes += std::abs(slope);
    swept->stride = swept->bytes;
  }
  // Which place of a ring a slot has is no part of what periods have in common:
  // it must not matter which of them an engine's result overwrites.
  if (access.write && overlapsRing(*swept))
    slopes->fail();
  if (record.queue == VectorId || record.queue == DmaInId)
    slopes->touch(record.queue, access, *swept, slope);
}

void Core::tell(const Access &access, int64_t slope,
                const Origins::Form &form) {
  Access swept = access;
  if (slopes)
    swept = sweep(access, slope).value_or(access);
  if (access.write && access.memory == Memory::Scalar)
    origins->forget(access.address, access.end() - access.address);
  // As with periods, it must not matter which place of a ring a slot has.
  if (access.write && overlapsRing(swept))
    origins->fail();
  origins->touch(record.queue, form, swept);
}

bool Core::overlapsRing(const Access &access) const {
  return access.memory == Memory::Scratchpad &&
         llvm::any_of(rings, [&](const Ring &ring) {
           return access.address < ring.base + ring.slots * ring.slotBytes &&
                  ring.base < access.end();
         });
}

void Core::touchRow(const Access &access, const char *operand) {
  check(access, operand);
  if (!schedule)
    record.accesses.push_back(normalized(access));
}

TileView Core::tile(const isa::Tile &t, int64_t rows, int64_t cols, bool write,
                    const char *operand) {
  int64_t size = isa::sizeOf(t.dtype); // A power of two.
  int64_t offset = int64_t(uint64_t(lineOf(t.reg)) + t.offset);
  int64_t slope = slopes ? slopes->registers[t.reg] : 0;
  // Other periods must not be misaligned either.
  if (slope & (size - 1))
    slopes->fail();
  int64_t rowBytes = t.broadcast ? size : cols * size;
  bool empty = rows == 0 || cols == 0;
  int64_t extent = empty ? 0 : (rows - 1) * int64_t(t.stride) + rowBytes;
  if (write && t.broadcast)
    fault("{0} is broadcast, which only an operand that is read can be",
          operand);
  if (write && rows > 1 && int64_t(t.stride) < rowBytes)
    fault("rows of {0} overlap: each has {1} bytes, but the stride is {2}",
          operand, rowBytes, t.stride);

  Memory space = t.space == isa::TileSpace::Acc ? Memory::Accumulators
                                                : Memory::Scratchpad;
  int64_t address = offset;
  TileView view{nullptr, int64_t(t.stride), t.dtype, t.broadcast};
  const Origins::Form &form = formOf(t.reg);
  if (t.space == isa::TileSpace::Ring || t.space == isa::TileSpace::Pop) {
    if (slopes)
      slopes->requireNone(slope);
    if (origins) {
      origins->pin(form);
      origins->touchRing(t.ring);
    }
    Ring &ring = rings[t.ring];
    bool pop = t.space == isa::TileSpace::Pop;
    if (write)
      fault("{0} is a ring's slot, which only the ring writes", operand);
    if (ring.popped == ring.ordered)
      fault("{0} reads ring {1}, which is empty: every slot ordered so far has "
            "been popped",
            operand, unsigned(t.ring));
    for (const SlotUse &use : record.slots)
      if (use.ring == t.ring && use.pop)
        fault("{0} uses ring {1}, whose slot another operand pops; only the "
              "last may",
              operand, unsigned(t.ring));
    // An offset beyond the oldest slot reaches into the ones after it.
    int64_t ahead = offset < ring.slotBytes ? 0 : offset / ring.slotBytes;
    offset -= ahead * ring.slotBytes;
    if (pop && ahead)
      fault("{0} pops ring {1} at an offset beyond the slot's {2} bytes; only "
            "the oldest slot is "
            "popped",
            operand, unsigned(t.ring), ring.slotBytes);
    if (ahead >= ring.ordered - ring.popped || ahead >= ring.slots)
      fault("{0} reads {1} slots after the oldest of ring {2}, which has {3} "
            "slots, {4} of them "
            "ordered and not popped",
            operand, ahead, unsigned(t.ring), ring.slots,
            ring.ordered - ring.popped);
    int64_t valid = ring.slotEnds[ahead];
    if (offset < 0 || offset + extent > valid)
      fault("{0} reads bytes {1} to {2} of a slot of ring {3} that holds {4}",
            operand, offset, offset + extent, unsigned(t.ring), valid);
    int64_t slot = ring.popped + ahead;
    address = ring.placeOf(slot) + offset;
    record.slots.push_back({t.ring, slot, pop});
    Ring::Pending *pending = ring.pendingOf(slot);
    bool constant = pending && pending->from;
    view.data = constant ? pending->from + offset : memory.at(space, address);
    view.constant = constant;
  }
  if (address & (size - 1) || (rows > 1 && t.stride & (size - 1)))
    fault("{0} is misaligned: address {1} and stride {2} must be multiples of "
          "{3} for {4}",
          operand, address, t.stride, size, isa::stringify(t.dtype));
  if (view.data && !empty) {
    record.accesses.push_back(normalized(
        {space, false, address, rowBytes, rows, int64_t(t.stride)}));
    if (slopes && (record.queue == VectorId || record.queue == DmaInId))
      slopes->touchSlot(record.queue, record.accesses.back());
  } else if (!empty) {
    touch({space, write, address, rowBytes, rows, int64_t(t.stride)}, operand,
          slope, form);
  }
  if (!empty)
    rowSteps.push_back(t.stride);
  if (!view.data)
    view.data = memory.at(space, empty ? 0 : address);
  return view;
}
