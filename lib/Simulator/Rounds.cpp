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
static constexpr size_t mostRounds = 64;
/// A loop whose values left their lines so often in succession does so again,
/// most likely.
static constexpr unsigned mostFailures = 8;
/// If `Memo` so often learnt nothing of its periods, likewise.
static constexpr unsigned mostInVain = 2;

std::vector<int64_t> Rounds::describe(int64_t began) {
  std::vector<int64_t> description;
  Positions positions = core.positions();
  core.describe(/*idle=*/0, description);
  sleeping = timeline.sleepingQueues(positions, began);
  timeline.describe(positions, sleeping, /*idle=*/0, /*resting=*/0,
                    description);
  energy.describe(positions, /*idle=*/0, description);
  llvm::append_range(description, timeline.pages());
  return description;
}

void Rounds::stop() {
  if (period)
    leaveOut(0);
}

void Rounds::left(unsigned depth) {
  if (period && period->depth == depth)
    stop();
}

void Rounds::begin(unsigned depth, int64_t iteration, int64_t count,
                   const Standing &before,
                   std::vector<int64_t> description) {
  int64_t rounds = iteration - before.iteration;
  Core::Round now = core.round();
  Slopes slopes(before.values, now.values, (count - iteration) / rounds);
  period.emplace(Period{depth, iteration + rounds, rounds,
                        std::move(description), std::move(slopes),
                        std::move(now), timeline.time(),
                        timeline.addresses(core.positions()),
                        timeline.exchange(Timeline::nothing()),
                        energy.exchange({})});
  core.follow(&period->slopes);
}

int64_t Rounds::periodsLike(int64_t iteration, int64_t count,
                            const std::vector<int64_t> &description) {
  const Slopes &slopes = period->slopes;
  Positions positions = core.positions();
  if (timeline.streamingQueues(positions) >> FirstRingId != positions.streams)
    return 0;
  if (description != period->description || !slopes.hold() ||
      !core.onLines(period->core) ||
      !timeline.onLines(period->addresses, positions, slopes))
    return 0;
  // The last round ends otherwise than those before it.
  int64_t n = std::min({slopes.periods(), core.periodsOfStreams(period->core),
                        (count - 1 - iteration) / period->rounds});
  return std::max<int64_t>(n, 0);
}

void Rounds::leaveOut(int64_t n) {
  StatisticsPart part(timeline.exchange(std::move(period->statistics)));
  EnergyMeter::Part amounts = energy.exchange(std::move(period->energy));
  timeline.add(part, 0);
  energy.add(amounts, 0);
  if (n > 0) {
    Positions grown = core.positions().grown(period->core.positions, 1);
    timeline.addMore(part, n, grown.layer);
    energy.addMore(amounts, n, grown.layer);
    core.leaveOut(n, period->core);
    timeline.leaveOut(n, period->time, period->slopes, grown, sleeping);
    Positions all = grown;
    all.layer *= n;
    energy.move(all);
    steady = {period->depth, 0};
  }
  core.follow(nullptr);
  period.reset();
}

void Rounds::ended(unsigned depth, uint32_t firstIndex, int64_t iteration,
                   int64_t count) {
  // What is followed goes through inner loops round by round.
  if (period && depth != period->depth)
    return;
  if (period) {
    core.setSlopeOfIndex(period->rounds);
    Loop &loop = loops[depth];
    int64_t began = std::exchange(loop.time, timeline.time());
    if (iteration < period->end)
      return;
    int64_t n = periodsLike(iteration, count, describe(began));
    if (n > 0)
      failures.erase(firstIndex);
    else if (!period->slopes.endHere())
      ++failures[firstIndex];
    leaveOut(n);
    loop.past.clear();
    loop.dispatches = core.dispatches();
    loop.time = timeline.time();
    return;
  }
  if (loops.size() <= depth)
    loops.resize(depth + 1);
  Loop &loop = loops[depth];
  if (iteration == 1) {
    loop.past.clear();
    loop.isTold = false;
  }
  int64_t dispatches = core.dispatches() - loop.dispatches;
  loop.dispatches = core.dispatches();
  int64_t began = std::exchange(loop.time, timeline.time());
  bool isCut = std::exchange(loop.cuts, cuts) != cuts;
  // What comes before a loop is still on its way in its first round.
  if (iteration == 1 || isCut || dispatches < leastDispatches ||
      failures.lookup(firstIndex) >= mostFailures || count - iteration < 3)
    return;
  std::vector<int64_t> description = describe(began);
  for (const Standing &standing : llvm::reverse(loop.past))
    if (count - iteration > 2 * (iteration - standing.iteration) &&
        standing.description == description) {
      // `Memo` may know what comes, or learn what a period does, for all that
      // come here.
      if (!loop.isTold && toldInVain.lookup(firstIndex) < mostInVain) {
        loop.isTold = true;
        steady = {depth, iteration - standing.iteration};
        return;
      }
      if (loop.isTold)
        ++toldInVain[firstIndex];
      return begin(depth, iteration, count, standing, std::move(description));
    }
  if (loop.past.size() == mostRounds)
    loop.past.erase(loop.past.begin());
  loop.past.push_back({std::move(description), iteration, core.snapshot()});
}
