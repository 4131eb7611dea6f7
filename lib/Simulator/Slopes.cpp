//===- Slopes.cpp - how values change from round to round --------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Slopes.h"

using namespace serrano::sim;

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

bool Slopes::keepOverlaps() const {
  // Many that move are not worth comparing each with each.
  constexpr size_t most = 512;
  bool isMoving = false;
  for (const auto &[key, touch] : touches)
    isMoving |= touch.slope != 0;
  if (!isMoving)
    return true;
  if (touches.size() > most)
    return false;
  for (const auto &[keyA, a] : touches)
    for (const auto &[keyB, b] : touches)
      if (a.swept.write && !b.swept.write && !b.isSlot && a.slope != b.slope &&
          std::get<0>(keyA) == std::get<0>(keyB) && overlap(a.swept, b.swept))
        return false;
  return true;
}

bool Slopes::isOnLine(unsigned queue, const Access &access,
                      int64_t difference) const {
  auto it = touches.find(keyOf(queue, access));
  return it != touches.end() &&
         (it->second.isSlot || it->second.slope == difference);
}
