//===- ChoiceSearch.h - one of several on each of several axes -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SCHEDULE_CHOICESEARCH_H
#define SERRANO_SCHEDULE_CHOICESEARCH_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace serrano {

/// What can be chosen, and what a choice costs. It knows no IR.
class ChoiceProblem {
public:
  /// A value for each axis; where there is none, a rule decides.
  using Candidate = std::vector<std::optional<int64_t>>;

  /// The lower the cost, the better. A candidate with an obstacle is not possible, or
  /// was seen to be no better than what was asked for before its cost was known.
  struct Verdict {
    double cost = 0;
    std::string obstacle;
    bool isTried = true; ///< not if the obstacle was known before it was looked at
  };

  virtual ~ChoiceProblem() = default;

  virtual size_t numAxes() const = 0;
  /// What could be instead of the value that `best` has on `axis`.
  virtual std::vector<int64_t> alternatives(size_t axis, const Candidate &best) = 0;
  /// Only a cost of no more than `most` is of use. Asked once for each candidate.
  virtual Verdict evaluate(const Candidate &candidate, double most) = 0;
};

/// A candidate that was looked at: the best one so far with `value` on `axis`.
struct ChoiceTrial {
  size_t axis = 0;
  int64_t value = 0;
  ChoiceProblem::Verdict verdict;
  double before = 0; ///< cost of the best one at that time
  bool taken = false;
};

struct ChoiceResult {
  ChoiceProblem::Candidate best;
  ChoiceProblem::Verdict verdict; ///< of the best
  std::vector<ChoiceTrial> trials;
};

/// Starts from what the rules decide and goes along one axis after the other to the
/// cheapest of its alternatives, if that is cheaper by `margin` at least, until no
/// axis has any: coordinate descent. The same problem has the same result.
ChoiceResult descend(ChoiceProblem &problem, double margin);

} // namespace serrano

#endif // SERRANO_SCHEDULE_CHOICESEARCH_H
