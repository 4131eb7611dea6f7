//===- Slopes.cpp - how values change from round to round --------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Slopes.h"
#include "Dispatch.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

using namespace serrano::sim;

Slopes::Slopes(const Snapshot &before, const Snapshot &now, int64_t limit)
    : limit(limit) {
  registers[0] = 0;
  for (unsigned r = 1; r < registers.size(); ++r)
    registers[r] =
        int64_t(uint64_t(now.registers[r]) - uint64_t(before.registers[r]));
  initialRegisters = registers;
  if (before.scalars == now.scalars)
    return;
  size_t end = std::min(before.scalars.size(), now.scalars.size());
  for (size_t address = 0; address < end; address += 4)
    if (before.known.contains(address) && now.known.contains(address))
      if (int64_t slope = int64_t(now.word(address)) - before.word(address))
        initialWords[address] = slope;
}

void Slopes::keepLess(int64_t a, int64_t slopeA, int64_t b, int64_t slopeB) {
  if (slopeA == slopeB && slopeA == 0)
    return;
  // Registers wrap around; lines that come near to that are not followed.
  constexpr __int128 bound = int64_t(1) << 62;
  for (auto [value, slope] : {std::pair(a, slopeA), std::pair(b, slopeB)}) {
    __int128 last = value + __int128(slope) * limit;
    if (value < -bound || value > bound || last < -bound || last > bound)
      return fail();
  }
  __int128 gap = __int128(b) - a, slope = __int128(slopeB) - slopeA;
  // a < b for as long as gap > 0, a >= b for as long as gap <= 0.
  if (gap > 0 && slope < 0)
    limit = int64_t(std::min<__int128>(limit, (gap - 1) / -slope));
  else if (gap <= 0 && slope > 0)
    limit = int64_t(std::min<__int128>(limit, -gap / slope));
}

void Slopes::keepInt32(int64_t value, int64_t slope) {
  if (slope == 0)
    return;
  if (value < INT32_MIN || value > INT32_MAX)
    return fail();
  keepLess(value, slope, int64_t(INT32_MAX) + 1, 0);
  keepLess(value, slope, INT32_MIN, 0);
}

void Slopes::mark(int64_t slope) {
  if (layer && *layer != slope)
    fail();
  layer = slope;
}

void Slopes::touch(unsigned queue, const Access &access, const Access &swept,
                   int64_t slope) {
  auto [it, isNew] =
      touches.try_emplace(keyOf(queue, access), Touch{false, swept, slope});
  if (!isNew && (it->second.isSlot || it->second.slope != slope))
    fail();
}

void Slopes::touchSlot(unsigned queue, const Access &access) {
  auto [it, isNew] =
      touches.try_emplace(keyOf(queue, access), Touch{true, access, 0});
  if (!isNew && !it->second.isSlot)
    fail();
}

bool Slopes::keepOverlaps(unsigned queue, Memory memory) const {
  // Many that move are not worth comparing each with each.
  constexpr size_t most = 1 << 20;
  llvm::SmallVector<const Touch *> reads, writes;
  int64_t begin = INT64_MAX, end = INT64_MIN; // Of all that move.
  for (const auto &[key, touch] : touches) {
    if (std::get<0>(key) != queue || touch.swept.memory != memory || touch.isSlot)
      continue;
    (touch.swept.write ? writes : reads).push_back(&touch);
    if (touch.slope) {
      begin = std::min(begin, touch.swept.address);
      end = std::max(end, touch.swept.end());
    }
  }
  auto isApart = [&](const Touch *touch) {
    return touch->swept.end() <= begin || touch->swept.address >= end;
  };
  llvm::erase_if(reads, isApart);
  llvm::erase_if(writes, isApart);
  if (reads.size() * writes.size() > most)
    return false;
  for (const Touch *write : writes)
    for (const Touch *read : reads)
      if (write->slope != read->slope && overlap(write->swept, read->swept))
        return false;
  return true;
}

bool Slopes::keepOverlaps() const {
  for (unsigned queue : {unsigned(DmaInId), unsigned(VectorId)})
    for (Memory memory : {Memory::Scratchpad, Memory::Accumulators, Memory::Scalar})
      if (!keepOverlaps(queue, memory))
        return false;
  return true;
}

bool Slopes::isOnLine(unsigned queue, const Access &access,
                      int64_t difference) const {
  auto it = touches.find(keyOf(queue, access));
  return it != touches.end() &&
         (it->second.isSlot || it->second.slope == difference);
}
