//===- TimingModel.cpp - what one instruction costs -----------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Target/TimingModel.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace llvm;

namespace serrano {

/// Of a partial result in the accumulators: f32 or i32.
static constexpr int64_t accumulatorElementBytes = 4;

TimingModel::TimingModel(const TargetModel &target)
    : memoryRate(target.memorySustainedBytesPerCycle()),
      arrayRows(target.rows()), arrayColumns(target.columns()),
      shortestInterval(target.shortestMatmulInterval()),
      weightPort(target.weightPortBytesPerCycle()),
      movingPort(target.movingPortBytesPerCycle()),
      accumulatorRead(target.accumulatorReadBytesPerCycle()),
      accumulatorWrite(target.accumulatorWriteBytesPerCycle()),
      vectorStartupCycles(target.vectorStartupCycles()),
      vectorLatencyCycles(target.vectorLatencyCycles()),
      dmaPort(target.dmaPortBytesPerCycle()),
      dmaStartupCycles(target.dmaStartupCycles()),
      dmaLatencyCycles(target.cyclesOf(target.dmaLatencyNs())),
      burst(target.memoryBurstBytes()), grain(target.dmaArbitrationBytes()),
      pageBytes(target.instructionPageBytes()) {
  // Little's law: no more than these bytes are under way within one latency.
  Ratio inFlightRate(target.dmaInFlightBytes(), dmaLatencyCycles);
  coreRate = std::min({Ratio(dmaPort), inFlightRate, memoryRate});
  for (bool transcendental : {false, true})
    for (bool wide : {false, true})
      lanes[transcendental][wide] =
          target.vectorLanes(wide ? 4 : 2, transcendental);
  for (NumberFormat format : numberFormats)
    macRate[format] = target.macRate(format);
}

int64_t TimingModel::loadWeights(int64_t k, int64_t n,
                                 NumberFormat format) const {
  return divideCeil(formatBytes(format, k * n), weightPort);
}

int64_t TimingModel::matmulInterval(int64_t m, int64_t k, int64_t n,
                                    NumberFormat format,
                                    bool accumulate) const {
  assert(macRate[format] != Ratio(0) && "the array lacks this format");
  if (m == 0)
    return 0;
  // A rate above 1 makes the tile deeper, not the rows faster.
  Ratio rowsPerCycle = std::min(Ratio(1), macRate[format]);
  int64_t interval = rowsPerCycle.ceilQuotient(std::max(m, shortestInterval));
  int64_t resultBytes = m * n * accumulatorElementBytes;
  interval = std::max<int64_t>(
      interval, divideCeil(formatBytes(format, m * k), movingPort));
  interval =
      std::max<int64_t>(interval, divideCeil(resultBytes, accumulatorWrite));
  if (accumulate)
    interval =
        std::max<int64_t>(interval, divideCeil(resultBytes, accumulatorRead));
  return interval;
}

int64_t TimingModel::vectorInterval(int64_t rows, int64_t cols,
                                    int64_t widestBytes, bool transcendental,
                                    int64_t passes) const {
  int64_t width = lanes[transcendental][widestBytes == 4];
  int64_t elements = rows * (cols / width);
  // What is left of the rows is packed with that of other rows, each in a slot
  // of a power of two lanes.
  if (int64_t rest = cols % width)
    elements += divideCeil(rows * int64_t(PowerOf2Ceil(rest)), width);
  return vectorStartupCycles + passes * elements;
}

int64_t TimingModel::hbmTicks(int64_t bytes, int64_t sharingCores) const {
  Ratio rate = sharingCores == 1
                   ? coreRate
                   : std::min(coreRate, memoryRate / Ratio(sharingCores));
  return rate.ceilQuotient(ticksOf(bytes));
}

int64_t TimingModel::grainTicks(int64_t bytes) const {
  constexpr unsigned significantBits = 12;
  unsigned width = llvm::bit_width(uint64_t(hbmTicks(grain)));
  unsigned dropped = width > significantBits ? width - significantBits : 0;
  return llvm::alignTo(hbmTicks(bytes), uint64_t(1) << dropped);
}

int64_t TimingModel::memoryTicks(int64_t bytes) const {
  return memoryRate.ceilQuotient(ticksOf(bytes));
}

int64_t TimingModel::localTicks(int64_t bytes) const {
  return divideCeil(ticksOf(bytes), dmaPort);
}

} // namespace serrano
