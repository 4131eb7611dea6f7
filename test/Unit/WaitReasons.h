//===- WaitReasons.h - why a program does without a wait ------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_WAITREASONS_H
#define SERRANO_TEST_UNIT_WAITREASONS_H

#include "OrderGraph.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>
#include <gtest/gtest.h>

namespace serrano {

/// One run of a program that has all its waits.
struct WholeRun {
  explicit WholeRun(OrderGraph recorded)
      : graph(std::move(recorded)), before(eventsBefore(graph)), met(eventsMet(graph)) {}

  std::optional<EventPair> race() const { return firstMissing(met, before); }

  OrderGraph graph;
  EventSets before, met;
};

/// Why a mutant, a program with one wait dropped or weakened, does not race. Of several
/// runs, the last of these that one of them gives.
enum class Reason {
  Idle,    ///< nothing comes before that could be waited for, or nothing after that waits
  Implied, ///< all that the wait orders, other waits order too
  Apart,   ///< it alone orders events, but none that meet
};

/// A mutant's run, compared with the same run of the whole program.
class MutantRun {
public:
  MutantRun(const WholeRun &whole, OrderGraph recorded) : graph(std::move(recorded)) {
    EXPECT_EQ(whole.graph.steps.size(), graph.steps.size());
    EXPECT_EQ(whole.graph.touches, graph.touches) << "a wait changes what is touched";
    EventSets before = eventsBefore(graph);
    race = firstMissing(whole.met, before);
    for (unsigned step = 0; step < graph.steps.size() && !lost; ++step)
      for (OrderGraph::Edge edge : whole.graph.steps[step].after)
        if (!llvm::is_contained(graph.steps[step].after, edge)) {
          if (std::optional<unsigned> event = firstEventFrom(step))
            lost = {edge.from, *event};
          break;
        }
    apart = firstMissing(whole.before, before);
    reason = apart ? Reason::Apart : lost ? Reason::Implied : Reason::Idle;
  }

  /// Two events that meet and that nothing orders, if there are any.
  std::optional<EventPair> race;
  Reason reason; ///< if there are none
  /// Two steps of which the mutant's second, or what made it wait, does not wait for the first.
  std::optional<std::pair<unsigned, unsigned>> lost;
  std::optional<EventPair> apart; ///< two events that the wait alone orders
  OrderGraph graph;

  /// The reason, with the order that makes up for the wait.
  std::string explain() const {
    if (reason == Reason::Idle)
      return "nothing to wait for, or nothing that waits";
    if (reason == Reason::Implied)
      return "implied: " + describePath(graph, *lost);
    return llvm::formatv("apart: it orders {0} before {1}, which share no byte that is written",
                         describe(graph, graph.eventSteps[apart->first]),
                         describe(graph, graph.eventSteps[apart->second]));
  }

private:
  /// The step, or the first one after it in every legal order, that is an event: an order of no
  /// blocks has none.
  std::optional<unsigned> firstEventFrom(unsigned step) const {
    llvm::DenseSet<unsigned> later = {step};
    for (; step < graph.steps.size(); ++step) {
      bool isLater = llvm::any_of(graph.steps[step].after, [&](OrderGraph::Edge edge) {
        return later.contains(edge.from);
      });
      if (!isLater && !later.contains(step))
        continue;
      if (graph.steps[step].event >= 0)
        return step;
      later.insert(step);
    }
    return std::nullopt;
  }
};

/// For a mutant that no run shows to race: the run that says most of why.
inline const MutantRun &tellingRun(llvm::ArrayRef<MutantRun> runs) {
  return *std::max_element(runs.begin(), runs.end(), [](const MutantRun &a, const MutantRun &b) {
    return a.reason < b.reason;
  });
}

/// How many mutants race in some run, and how many do not for which reason. Printed if the
/// environment has SERRANO_PRINT_REASONS, as is each reason.
struct MutantCounts {
  int mutants = 0, raced = 0, idle = 0, implied = 0, apart = 0;

  /// Counts a mutant by its runs; whether it races.
  bool add(const std::string &name, llvm::ArrayRef<MutantRun> runs) {
    ++mutants;
    if (llvm::any_of(runs, [](const MutantRun &run) { return run.race.has_value(); })) {
      ++raced;
      return true;
    }
    const MutantRun &run = tellingRun(runs);
    ++(run.reason == Reason::Idle ? idle : run.reason == Reason::Implied ? implied : apart);
    if (prints())
      llvm::outs() << name << ": " << run.explain() << "\n";
    return false;
  }

  void print(const std::string &name) const {
    if (prints())
      llvm::outs() << name << ": " << mutants << " mutants, " << raced << " race; of the others "
                   << idle << " idle, " << implied << " implied, " << apart << " apart\n";
  }

  static bool prints() { return std::getenv("SERRANO_PRINT_REASONS"); }
};

} // namespace serrano

#endif // SERRANO_TEST_UNIT_WAITREASONS_H
