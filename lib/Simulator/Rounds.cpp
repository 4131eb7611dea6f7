//===- Rounds.cpp - leaves out rounds that are like others -------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Rounds.h"

using namespace serrano;
using namespace serrano::sim;

/// Looking at rounds that are shorter costs more than it saves.
static constexpr int64_t leastDispatches = 128;
/// Periods of more rounds than this are not found.
static constexpr size_t mostRounds = 16;
/// A loop whose values left their lines so often in succession does so again,
/// most likely.
static constexpr unsigned mostFailures = 8;

std::vector<int64_t> Rounds::describe() const {
  std::vector<int64_t> description;
  Positions positions = core.positions();
  core.describe(description);
  timeline.describe(positions, description);
  energy.describe(positions, description);
  return description;
}

void Rounds::stop() {
  core.follow(nullptr);
  period.reset();
}

void Rounds::left(unsigned depth) {
  if (period && period->depth == depth)
    stop();
}

void Rounds::begin(unsigned depth, int64_t iteration, int64_t count,
                   const Standing &before,
                   std::vector<int64_t> description) {
  int64_t rounds = iteration - before.iteration;
  Core::Round now = core.round(/*withScalars=*/true);
  std::array<int64_t, 64> slopes = {};
  for (unsigned r = 1; r < slopes.size(); ++r)
    slopes[r] =
        int64_t(uint64_t(now.registers[r]) - uint64_t(before.registers[r]));
  period.emplace(Period{depth, iteration + rounds, rounds,
                        std::move(description), std::move(now),
                        timeline.round(core.positions()), energy.round(),
                        Slopes(slopes, (count - iteration) / rounds)});
  core.follow(&period->slopes);
}

int64_t Rounds::leaveOut(int64_t iteration, int64_t count,
                         const std::vector<int64_t> &description) {
  const Slopes &slopes = period->slopes;
  if (description != period->description || !slopes.hold() ||
      !core.onLines(period->core) ||
      !timeline.onLines(period->timeline, core.positions(), slopes))
    return 0;
  // The last round ends otherwise than those before it.
  int64_t n = std::min({slopes.periods(), core.periodsOfStreams(period->core),
                        (count - 1 - iteration) / period->rounds});
  if (n <= 0)
    return 0;
  Positions grown = core.positions().grown(period->core.positions, 1);
  core.leaveOut(n, period->core);
  timeline.leaveOut(n, period->timeline, grown);
  energy.leaveOut(n, grown, period->energy);
  return n * period->rounds;
}

void Rounds::ended(unsigned depth, uint32_t firstIndex, int64_t iteration,
                   int64_t count) {
  // What is followed goes through inner loops round by round.
  if (period && depth != period->depth)
    return;
  if (period) {
    core.setSlopeOfIndex(period->rounds);
    if (iteration < period->end)
      return;
    Loop &loop = loops[depth];
    if (leaveOut(iteration, count, describe()))
      failures.erase(firstIndex);
    else
      ++failures[firstIndex];
    stop();
    loop.past.clear();
    loop.dispatches = core.dispatches();
    return;
  }
  if (loops.size() <= depth)
    loops.resize(depth + 1);
  Loop &loop = loops[depth];
  if (iteration == 1)
    loop.past.clear();
  int64_t dispatches = core.dispatches() - loop.dispatches;
  loop.dispatches = core.dispatches();
  // What comes before a loop is still on its way in its first round.
  if (iteration == 1 || dispatches < leastDispatches ||
      failures.lookup(firstIndex) >= mostFailures || count - iteration < 3)
    return;
  std::vector<int64_t> description = describe();
  for (const Standing &standing : llvm::reverse(loop.past))
    if (count - iteration > 2 * (iteration - standing.iteration) &&
        standing.description == description)
      return begin(depth, iteration, count, standing, std::move(description));
  if (loop.past.size() == mostRounds)
    loop.past.erase(loop.past.begin());
  loop.past.push_back(
      {std::move(description), iteration, core.registerValues()});
}
