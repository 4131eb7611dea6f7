//===- TimingModel.h - what one instruction costs ---------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TARGET_TIMINGMODEL_H
#define SERRANO_TARGET_TIMINGMODEL_H

#include "serrano/Target/TargetModel.h"

namespace serrano {

/// What each instruction costs on a target, as pure integer functions: the
/// simulator times with them what ran, the compiler chooses with them. Engine
/// times are in core cycles; byte transfers are in ticks, because a cycle can
/// be too coarse for them. Sizes and counts must not be negative. How the costs
/// combine to the time of a program is in docs/TimingModel.md.
class TimingModel {
public:
  /// 1,024 ticks are one core cycle.
  static constexpr int64_t ticksPerCycle = 1024;
  static constexpr int64_t ticksOf(int64_t cycles) {
    return cycles * ticksPerCycle;
  }
  /// Rounded up.
  static constexpr int64_t cyclesOf(int64_t ticks) {
    return (ticks + ticksPerCycle - 1) / ticksPerCycle;
  }

  explicit TimingModel(const TargetModel &target);

  //===--- Matrix engine ---===//

  /// Cycles for which loading k x n weights occupies the weight port; none if
  /// the tile is empty.
  int64_t loadWeights(int64_t k, int64_t n, NumberFormat format) const;

  /// Cycles from the start of a matmul to the earliest start of the next one:
  /// m rows of k against n columns, at least the shortest interval, slower if
  /// the format or a port is slower; none if m is 0. `accumulate`: the results
  /// are added to what the accumulators hold. The target must be able to
  /// multiply the format.
  int64_t matmulInterval(int64_t m, int64_t k, int64_t n, NumberFormat format,
                         bool accumulate) const;

  /// Cycles from the end of a matmul's interval to its last result being in the
  /// accumulators: fill and drain of the array.
  int64_t matmulLatency() const { return arrayRows + arrayColumns; }

  //===--- Vector engine ---===//

  /// Cycles for which an instruction over rows x cols elements occupies the
  /// engine. The widest operand has elements of `widestBytes` (1, 2 or 4); it
  /// goes over the elements `passes` times.
  int64_t vectorInterval(int64_t rows, int64_t cols, int64_t widestBytes,
                         bool transcendental = false, int64_t passes = 1) const;

  /// Cycles from the end of an instruction to the start of one that reads its
  /// result.
  int64_t vectorLatency() const { return vectorLatencyCycles; }

  //===--- DMA ---===//

  /// Cycles from the moment a transfer may start to its first byte on the port.
  int64_t dmaStartup() const { return dmaStartupCycles; }

  /// Cycles from a transfer's last byte on the port to its completion, if it
  /// reads or writes the memory of the chip.
  int64_t dmaLatency() const { return dmaLatencyCycles; }

  /// What a contiguous row counts for: rounded up to whole bursts.
  int64_t burstBytes(int64_t rowBytes) const {
    return (rowBytes + burst - 1) / burst * burst;
  }

  /// The largest piece of a transfer that goes without giving another queue its
  /// turn.
  int64_t grainBytes() const { return grain; }

  /// Ticks for which one core's DMA moves `bytes` (already rounded to bursts)
  /// from or to the memory of the chip, when `sharingCores` cores have their
  /// equal part of its bandwidth: the slowest of the DMA port, that part, and
  /// the bytes in flight per latency.
  int64_t hbmTicks(int64_t bytes, int64_t sharingCores = 1) const;

  /// Ticks for which a grain of `bytes` from or to the memory of the chip, of
  /// one core that is alone, occupies its port: `hbmTicks` rounded up to what 12
  /// significant bits of a whole grain are multiples of, which is less than
  /// 0.05 % of that more. The fractions of a cycle at which grains end are few
  /// then, and come round.
  int64_t grainTicks(int64_t bytes) const;

  /// Ticks for which `bytes` occupy the memory of the chip itself, whoever
  /// moves them. For arbitration between cores.
  int64_t memoryTicks(int64_t bytes) const;

  /// Ticks for which a copy between memories of one core occupies the DMA port.
  int64_t localTicks(int64_t bytes) const;

  //===--- Instruction fetch ---===//

  /// A program longer than the instruction memory is fetched by such pages.
  int64_t instructionPageBytes() const { return pageBytes; }
  /// Ticks for which the fetch of one page moves bytes; it is there
  /// `dmaLatency()` cycles after that.
  int64_t instructionPageTicks() const { return hbmTicks(pageBytes); }

private:
  /// Bytes per cycle of one core's DMA when no other core moves anything.
  Ratio coreRate;
  Ratio memoryRate;
  PerFormat<Ratio> macRate;
  int64_t arrayRows, arrayColumns, shortestInterval;
  int64_t weightPort, movingPort, accumulatorRead, accumulatorWrite;
  /// Indexed by transcendental, then by 4-byte elements.
  int64_t lanes[2][2] = {};
  int64_t vectorStartupCycles, vectorLatencyCycles;
  int64_t dmaPort, dmaStartupCycles, dmaLatencyCycles;
  int64_t burst, grain, pageBytes;
};

} // namespace serrano

#endif // SERRANO_TARGET_TIMINGMODEL_H
