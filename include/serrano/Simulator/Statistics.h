//===- Statistics.h - what a run cost ------------------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_STATISTICS_H
#define SERRANO_SIMULATOR_STATISTICS_H

#include "llvm/ADT/StringRef.h"
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace serrano::sim {

/// What an engine that had an instruction waited for.
enum class WaitCause : uint8_t {
  Dispatch, ///< the instruction had not been dispatched: nothing to do
  Counter,  ///< another queue, through a counter
  Slot,     ///< a ring's slot to be filled
  Result,   ///< its own earlier result
  Engine,   ///< a part of the engine: weights, the DMA's start-up and port, a
            ///< free slot
};
inline constexpr unsigned numWaitCauses = 5;
/// "dispatch", "counter", "slot", "result", "engine".
llvm::StringRef waitCauseName(WaitCause cause);

/// Cycles of one queue's engine, or of the weight port: busy + waiting + idle =
/// the run's cycles. Waiting with cause Dispatch is counted as idle.
struct EngineStatistics {
  std::string name;
  int64_t instructions = 0;
  double busyCycles = 0;
  std::array<double, numWaitCauses> waitCycles = {};
  int64_t bytes = 0; ///< moved over the DMA port, rows rounded up to bursts
};

/// What a part of the program cost: a source operator, a layer.
struct Costs {
  int64_t instructions = 0;
  double matrixCycles = 0, weightCycles = 0, vectorCycles = 0, dmaCycles = 0;
  /// Cycles by which it moved the end of all work before it: these add up to
  /// the run's. Rings work ahead and are not part of it.
  double criticalCycles = 0;
  /// Cycles that the matrix or vector engine waited with it at hand, by cause;
  /// of the weight port, which loads ahead, those for counters and slots.
  std::array<double, numWaitCauses> waitCycles = {};
  int64_t hbmReadBytes = 0, hbmWriteBytes = 0, multiplies = 0;
  double joules = 0; ///< without the static power
};

/// Costs of one source operator, in all its layers.
struct OperatorStatistics : Costs {
  std::string name;
};

/// Joules by component: docs/TimingModel.md says how they are counted.
struct EnergyStatistics {
  double multiplies = 0, scratchpad = 0, accumulators = 0, hbm = 0;
  double fixed = 0; ///< static power for the time of the run

  double total() const {
    return multiplies + scratchpad + accumulators + hbm + fixed;
  }
};

/// The least time that any program needs on one core for the same bytes of HBM
/// and the same multiplications.
struct RoofStatistics {
  double memorySeconds = 0, computeSeconds = 0;

  double seconds() const { return std::max(memorySeconds, computeSeconds); }
};

/// What one run cost.
struct Statistics {
  int64_t cycles = 0;
  double seconds = 0;
  int64_t instructions = 0; ///< executed, of the sequencer too
  int64_t dispatched = 0;   ///< to engines
  int64_t hbmReadBytes = 0, hbmWriteBytes = 0, localBytes = 0, fetchBytes = 0;
  int64_t multiplies = 0;
  /// Cycles for which dispatch was held up by a full queue or a `sync`.
  double dispatchStallCycles = 0;
  std::vector<EngineStatistics> engines;
  std::vector<OperatorStatistics> operators;
  std::map<int64_t, Costs> layers; ///< by layer, from 1; 0 is what is in none
  EnergyStatistics energy;
  RoofStatistics roof;

  /// As JSON text; keys carry their unit.
  std::string toJson() const;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_STATISTICS_H
