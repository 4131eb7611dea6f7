//===- Statistics.h - what a run cost ------------------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_STATISTICS_H
#define SERRANO_SIMULATOR_STATISTICS_H

#include "llvm/ADT/StringRef.h"
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

/// Costs of one source operator, over all its repetitions.
struct OperatorStatistics {
  std::string name;
  int64_t instructions = 0;
  double matrixCycles = 0, weightCycles = 0, vectorCycles = 0, dmaCycles = 0;
  int64_t hbmReadBytes = 0, hbmWriteBytes = 0, multiplies = 0;
  /// Cycles in which the matrix or vector engine waited for this operator.
  double waitCycles = 0;
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

  /// As JSON text; keys carry their unit.
  std::string toJson() const;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_STATISTICS_H
