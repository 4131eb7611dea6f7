//===- Profile.h - quantities over the time of a run ---------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_PROFILE_H
#define SERRANO_SIMULATOR_PROFILE_H

#include "EnergyMeter.h"
#include "Fifo.h"
#include "ScratchpadMap.h"
#include "Timeline.h"
#include <bit>

namespace serrano::sim {

/// Adds up quantities over equal intervals of a run whose length is not known
/// before: when the run gets longer than all intervals, two become one. Memory
/// does not grow with the run.
class TimeSeries {
public:
  static constexpr int64_t maxIntervals = 2048;

  /// Intervals have 2^`shift` ticks to begin with.
  explicit TimeSeries(unsigned shift) : shift(shift) {}

  /// Spreads `amount` evenly from `start` to `end`.
  void add(int64_t start, int64_t end, double amount) {
    // What takes no time belongs to the moment before.
    int64_t first = start >> shift;
    int64_t last = std::max<int64_t>(end - 1, 0) >> shift;
    if (first == last && size_t(last) < values.size())
      values[last] += amount;
    else if (amount != 0)
      spread(start, end, amount);
  }

  int64_t intervalWidth() const { return int64_t(1) << shift; }
  /// Sums of the intervals up to the last that something was added to.
  llvm::ArrayRef<double> sums() const { return values; }
  /// Makes intervals `newWidth` wide: theirs, doubled some times.
  void widen(int64_t newWidth);

private:
  /// As `add`, for any number of intervals, some of which may be new.
  void spread(int64_t start, int64_t end, double amount);

  unsigned shift; ///< log2 of their width
  std::vector<double> values;
};

/// Bandwidth, ring slots, power and the scratchpad's contents over time.
class Profile final : public Observer, public SliceSink {
public:
  /// With `owners` it says of which operator the scratchpad's data is.
  Profile(const EnergyMeter &energy, int64_t scratchpadBytes, bool owners)
      : scratchpad(scratchpadBytes, owners), energy(energy) {}

  void dispatched(const Dispatched &) override {}
  void filled(const SlotFill &fill) override;
  void slice(const Slice &slice) override;
  void slotHeld(unsigned ring, int64_t from, int64_t to) override;

  /// To be called when the run has ended.
  void finish() { scratchpad.finish(); }
  /// Gives all series intervals of one width, in ticks, which it returns.
  int64_t align();

  /// Bytes over the DMA port.
  TimeSeries hbmRead{firstShift}, hbmWrite{firstShift}, local{firstShift};
  TimeSeries picojoules{firstShift}; ///< without static power and fetches
  /// Slots that are full, times ticks.
  std::array<TimeSeries, numRings> slots = filledArray<numRings>();
  ScratchpadMap scratchpad; ///< has columns of its own

private:
  static constexpr unsigned firstShift =
      std::countr_zero(uint64_t(TimingModel::ticksPerCycle));
  template <size_t n>
  static std::array<TimeSeries, n> filledArray() {
    return []<size_t... i>(std::index_sequence<i...>) {
      return std::array<TimeSeries, n>{((void)i, TimeSeries(firstShift))...};
    }(std::make_index_sequence<n>());
  }
  template <typename Visit>
  void forEach(Visit visit);

  const EnergyMeter &energy;
  /// Of slots that are filled in program order and not yet in time.
  std::array<Fifo<double>, numRings> slotPicojoules;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_PROFILE_H
