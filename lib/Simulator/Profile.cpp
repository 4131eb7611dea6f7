//===- Profile.cpp - quantities over the time of a run ------------------ -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Profile.h"

using namespace serrano;
using namespace serrano::sim;

void TimeSeries::spread(int64_t start, int64_t end, double amount) {
  int64_t last = std::max<int64_t>(end - 1, 0);
  while (last >> shift >= maxIntervals)
    widen(2 * intervalWidth());
  int64_t first = start >> shift, final = last >> shift;
  if (size_t(final) >= values.size())
    values.resize(final + 1);
  if (start >= end || first == final) {
    values[final] += amount;
    return;
  }
  double rate = amount / double(end - start);
  values[first] += rate * double(((first + 1) << shift) - start);
  double whole = rate * double(intervalWidth());
  for (int64_t i = first + 1; i < final; ++i)
    values[i] += whole;
  values[final] += rate * double(end - (final << shift));
}

void TimeSeries::widen(int64_t newWidth) {
  for (; intervalWidth() < newWidth; ++shift) {
    for (size_t i = 0; i < values.size(); ++i)
      if (i % 2)
        values[i / 2] += values[i];
      else
        values[i / 2] = values[i];
    values.resize((values.size() + 1) / 2);
  }
}

void Profile::filled(const SlotFill &fill) {
  slotPicojoules[fill.ring].push_back(energy.of(fill).total());
  scratchpad.filled(fill);
}

void Profile::slice(const Slice &slice) {
  const Dispatched &d = slice.instruction;
  scratchpad.slice(slice);
  if (slice.bytes)
    (isRing(slice.track) ? hbmRead
     : !d.hbm            ? local
     : d.write           ? hbmWrite
                         : hbmRead)
        .add(slice.start, slice.end, double(slice.bytes));
  double amount;
  if (isRing(slice.track)) {
    Fifo<double> &waiting = slotPicojoules[slice.track - FirstRingId];
    amount = waiting.front();
    waiting.pop_front();
  } else {
    amount = energy.of(d).total();
  }
  picojoules.add(slice.start, slice.end, amount);
}

void Profile::slotHeld(unsigned ring, int64_t from, int64_t to) {
  slots[ring].add(from, to, double(to - from));
  scratchpad.slotHeld(ring, from, to);
}

template <typename Visit>
void Profile::forEach(Visit visit) {
  for (TimeSeries *series : {&hbmRead, &hbmWrite, &local, &picojoules})
    visit(*series);
  for (TimeSeries &series : slots)
    visit(series);
}

int64_t Profile::align() {
  int64_t width = 0;
  forEach(
      [&](const TimeSeries &s) { width = std::max(width, s.intervalWidth()); });
  forEach([&](TimeSeries &s) { s.widen(width); });
  return width;
}
