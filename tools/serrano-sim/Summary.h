//===- Summary.h - a run's costs for people ------------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TOOLS_SERRANO_SIM_SUMMARY_H
#define SERRANO_TOOLS_SERRANO_SIM_SUMMARY_H

#include "serrano/Runtime/Latency.h"
#include "serrano/Simulator/Statistics.h"
#include "llvm/Support/raw_ostream.h"
#include <optional>

namespace serrano {

/// Prints the operators that cost most with what they waited for, as a table,
/// and a line about the whole run. `tokens`: how many the run computed, if its
/// entry counts them.
void printSummary(llvm::raw_ostream &os, const sim::Statistics &statistics,
                  std::optional<int64_t> tokens);

/// Prints a table of the times of some lengths.
void printLatency(llvm::raw_ostream &os, const Latency &latency);

} // namespace serrano

#endif // SERRANO_TOOLS_SERRANO_SIM_SUMMARY_H
