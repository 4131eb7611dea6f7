//===- StatisticsPart.h - what a part of a run cost ------------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_STATISTICSPART_H
#define SERRANO_SIMULATOR_STATISTICSPART_H

#include "serrano/Simulator/Statistics.h"
#include <utility>
#include <vector>

namespace serrano::sim {

/// What a part of a run cost, of that what adds up as it goes on. Cycles are
/// multiples of a tick, so sums do not depend on their order.
class StatisticsPart {
public:
  explicit StatisticsPart(Statistics part);

  /// Adds `n` times this to `total`, what a layer cost to the layer `offset` after
  /// it.
  void addTo(Statistics &total, int64_t offset, int64_t n) const;
  /// Adds what `n` more such parts cost, each `slope` layers after the one
  /// before; this is the first of them.
  void addMoreTo(Statistics &total, int64_t n, int64_t slope) const;

private:
  void addTotals(Statistics &total, int64_t n) const;

  Statistics totals; ///< but for operators and layers
  std::vector<std::pair<size_t, Costs>> operators;
  std::vector<std::pair<int64_t, Costs>> layers;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_STATISTICSPART_H
