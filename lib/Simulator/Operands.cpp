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
  return n;
}

void Core::touch(Access access, const char *operand) {
  access = normalized(access);
  if (access.empty())
    return;
  memory.check(access, operand);
  record.accesses.push_back(access);
}

TileView Core::tile(const isa::Tile &t, int64_t rows, int64_t cols, bool write,
                    const char *operand) {
  int64_t size = isa::sizeOf(t.dtype);
  int64_t offset = int64_t(uint64_t(registers[t.reg]) + t.offset);
  int64_t rowBytes = t.broadcast ? size : cols * size;
  bool empty = rows == 0 || cols == 0;
  int64_t extent = empty ? 0 : (rows - 1) * int64_t(t.stride) + rowBytes;

  Memory space = t.space == isa::TileSpace::Acc ? Memory::Accumulators : Memory::Scratchpad;
  int64_t address = offset;
  if (t.space == isa::TileSpace::Ring || t.space == isa::TileSpace::Pop) {
    Ring &ring = rings[t.ring];
    bool pop = t.space == isa::TileSpace::Pop;
    if (write)
      fault("{0} is a ring's slot, which only the ring writes", operand);
    if (ring.popped == ring.ordered)
      fault("{0} reads ring {1}, which is empty: every slot ordered so far has been popped",
            operand, unsigned(t.ring));
    for (const SlotUse &use : record.slots)
      if (use.ring == t.ring && use.pop)
        fault("{0} uses ring {1}, whose slot another operand pops; only the last may",
              operand, unsigned(t.ring));
    int64_t valid = ring.slotEnds.front();
    if (offset < 0 || offset + extent > valid)
      fault("{0} reads bytes {1} to {2} of a slot of ring {3} that holds {4}", operand, offset,
            offset + extent, unsigned(t.ring), valid);
    address = ring.placeOf(ring.popped) + offset;
    record.slots.push_back({t.ring, ring.popped, pop});
  }
  if (address % size || (rows > 1 && t.stride % size))
    fault("{0} is misaligned: address {1} and stride {2} must be multiples of {3} for {4}", operand,
          address, t.stride, size, isa::stringify(t.dtype));
  if (!empty)
    touch({space, write, address, rowBytes, rows, int64_t(t.stride)}, operand);
  return {memory.at(space, empty ? 0 : address), int64_t(t.stride), t.dtype, t.broadcast};
}
