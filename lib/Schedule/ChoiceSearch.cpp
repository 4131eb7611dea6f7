//===- ChoiceSearch.cpp - one of several on each of several axes -------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Schedule/ChoiceSearch.h"

#include <limits>
#include <set>

using namespace serrano;

namespace {

/// The descent as far as it has come.
class Descent {
public:
  Descent(ChoiceProblem &problem, double margin) : problem(problem), margin(margin) {}

  ChoiceResult run();

private:
  /// Whether the best candidate changed.
  bool improve(size_t axis);

  ChoiceProblem &problem;
  double margin;
  ChoiceResult result;
  /// Each is looked at once: what was no better than the best is no better than a
  /// later best, which costs less.
  std::set<ChoiceProblem::Candidate> seen;
};

} // namespace

bool Descent::improve(size_t axis) {
  ChoiceProblem::Candidate base = result.best;
  double before = result.verdict.cost;
  std::optional<size_t> taken;
  for (int64_t value : problem.alternatives(axis, base)) {
    ChoiceProblem::Candidate candidate = base;
    candidate[axis] = value;
    if (!seen.insert(candidate).second)
      continue;
    double most = (taken ? result.verdict.cost : before - margin);
    ChoiceProblem::Verdict verdict = problem.evaluate(candidate, most);
    result.trials.push_back({axis, value, verdict, before});
    // Of two that cost the same the first one stays.
    if (!verdict.obstacle.empty() || (taken ? verdict.cost >= most : verdict.cost > most))
      continue;
    taken = result.trials.size() - 1;
    result.best = candidate;
    result.verdict = verdict;
  }
  if (taken)
    result.trials[*taken].taken = true;
  return taken.has_value();
}

ChoiceResult Descent::run() {
  result.best.resize(problem.numAxes());
  seen.insert(result.best);
  result.verdict = problem.evaluate(result.best, std::numeric_limits<double>::infinity());
  if (!result.verdict.obstacle.empty())
    return result;
  // Ends: each step costs less than the one before it, by the margin.
  size_t unchanged = 0;
  for (size_t axis = 0; unchanged < problem.numAxes(); axis = (axis + 1) % problem.numAxes()) {
    ++unchanged;
    // As far as it goes in this direction.
    while (improve(axis))
      unchanged = 1;
  }
  return result;
}

ChoiceResult serrano::descend(ChoiceProblem &problem, double margin) {
  return Descent(problem, margin).run();
}
