//===- StatisticsPart.cpp - what a part of a run cost ------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StatisticsPart.h"
#include "llvm/ADT/STLExtras.h"

using namespace serrano::sim;

/// total += n * part, of all of `members` that add up.
template <typename T, typename... Members>
static void addMembers(T &total, int64_t n, const T &part, Members... members) {
  ((total.*members += std::decay_t<decltype(total.*members)>(n) *
                      (part.*members)),
   ...);
}

static void addWaits(std::array<double, numWaitCauses> &total, int64_t n,
                     const std::array<double, numWaitCauses> &part) {
  for (unsigned cause = 0; cause < numWaitCauses; ++cause)
    total[cause] += double(n) * part[cause];
}

static void add(Costs &total, int64_t n, const Costs &part) {
  addMembers(total, n, part, &Costs::instructions, &Costs::matrixCycles,
             &Costs::weightCycles, &Costs::vectorCycles, &Costs::dmaCycles,
             &Costs::criticalCycles, &Costs::hbmReadBytes,
             &Costs::hbmWriteBytes, &Costs::multiplies);
  addWaits(total.waitCycles, n, part.waitCycles);
}

static void add(EngineStatistics &total, int64_t n,
                const EngineStatistics &part) {
  addMembers(total, n, part, &EngineStatistics::instructions,
             &EngineStatistics::busyCycles, &EngineStatistics::bytes);
  addWaits(total.waitCycles, n, part.waitCycles);
}

static bool isNothing(const Costs &costs) {
  return costs.instructions == 0 && costs.criticalCycles == 0 &&
         costs.dmaCycles == 0 && costs.hbmReadBytes == 0 &&
         costs.hbmWriteBytes == 0;
}

StatisticsPart::StatisticsPart(Statistics part) : totals(std::move(part)) {
  for (auto [op, costs] : llvm::enumerate(totals.operators))
    if (!isNothing(costs))
      operators.push_back({op, costs});
  layers.assign(totals.layers.begin(), totals.layers.end());
  totals.operators.clear();
  totals.layers.clear();
}

void StatisticsPart::addTotals(Statistics &total, int64_t n) const {
  addMembers(total, n, totals, &Statistics::dispatched,
             &Statistics::hbmReadBytes, &Statistics::hbmWriteBytes,
             &Statistics::localBytes, &Statistics::fetchBytes,
             &Statistics::multiplies, &Statistics::dispatchStallCycles);
  for (auto [engine, part] : llvm::zip_equal(total.engines, totals.engines))
    add(engine, n, part);
  for (const auto &[op, costs] : operators) {
    if (op >= total.operators.size())
      total.operators.resize(op + 1);
    add(total.operators[op], n, costs);
  }
}

void StatisticsPart::addTo(Statistics &total, int64_t offset,
                           int64_t n) const {
  addTotals(total, n);
  for (const auto &[layer, costs] : layers)
    add(total.layers[layer + offset], n, costs);
}

void StatisticsPart::addMoreTo(Statistics &total, int64_t n,
                               int64_t slope) const {
  addTotals(total, n);
  for (const auto &[layer, costs] : layers) {
    if (slope == 0) {
      add(total.layers[layer], n, costs);
      continue;
    }
    for (int64_t i = 1; i <= n; ++i)
      add(total.layers[layer + i * slope], 1, costs);
  }
}
