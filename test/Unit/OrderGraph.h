//===- OrderGraph.h - what is ordered in one run, as a graph --- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An oracle for races: who says what comes before what, and what is touched, is a
// test that follows a run. The graph is explicit and questions are answered by
// reachability alone, so nothing of it is shared with the simulator's vector
// clocks or with the race prover.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_ORDERGRAPH_H
#define SERRANO_TEST_UNIT_ORDERGRAPH_H

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace serrano {

/// The steps of one run in program order. Each comes after earlier ones, for a
/// reason. Some are events, which do something; a wait by itself, for instance, is a
/// step only. Programs that differ in waits have the same events.
class OrderGraph {
public:
  /// Why a step comes after another one.
  enum class Because {
    Queue,      ///< it is of the same queue
    Dispatched, ///< the sequencer had done that before it dispatched this
    Waited,     ///< for the other's increment of a counter
    Ordered,    ///< a slot is filled after its order
    Filled,     ///< a slot is read after it is filled
    Freed,      ///< a slot is filled when its place is free, a ring moved when it is empty
  };
  struct Edge {
    unsigned from; ///< a step
    Because because;
    bool operator==(const Edge &) const = default;
  };
  struct Step {
    unsigned queue;
    uint64_t site; ///< the instruction or operation, as the test numbers them
    int event;     ///< its number among the events, or -1
    llvm::SmallVector<Edge, 4> after;
  };
  /// Bytes that an event touches.
  struct Touch {
    unsigned event, memory;
    int64_t begin, end;
    bool write;
    bool operator==(const Touch &) const = default;
  };

  unsigned add(unsigned queue, uint64_t site, bool isEvent, llvm::ArrayRef<Edge> after) {
    steps.push_back({queue, site, isEvent ? int(eventSteps.size()) : -1, {}});
    steps.back().after.append(after.begin(), after.end());
    if (isEvent)
      eventSteps.push_back(unsigned(steps.size()) - 1);
    return unsigned(steps.size()) - 1;
  }
  /// The last event touches bytes of a memory.
  void touch(unsigned memory, int64_t begin, int64_t end, bool write) {
    if (begin >= end)
      return;
    Touch touch{numEvents() - 1, memory, begin, end, write};
    if (!touches.empty() && touches.back().event == touch.event &&
        touches.back().memory == memory && touches.back().write == write &&
        touches.back().end == begin)
      touches.back().end = end;
    else
      touches.push_back(touch);
  }

  unsigned numEvents() const { return unsigned(eventSteps.size()); }
  const Step &stepOf(unsigned event) const { return steps[eventSteps[event]]; }

  std::vector<Step> steps;
  std::vector<unsigned> eventSteps; ///< by event
  std::vector<Touch> touches;
  /// Events that meet none that come later in program order: a rule of the programs that
  /// are looked at, which the chip does not know.
  std::vector<unsigned> meetNoLater;
};

/// For each event, a set of earlier ones.
using EventSets = std::vector<llvm::BitVector>;

/// For each event, those that come before it in every legal order.
inline EventSets eventsBefore(const OrderGraph &graph) {
  std::vector<llvm::BitVector> upTo; // By step, itself too.
  EventSets result(graph.numEvents());
  for (const OrderGraph::Step &step : graph.steps) {
    llvm::BitVector before(graph.numEvents());
    for (OrderGraph::Edge edge : step.after)
      before |= upTo[edge.from];
    if (step.event >= 0) {
      result[step.event] = before;
      before.set(step.event);
    }
    upTo.push_back(std::move(before));
  }
  return result;
}

/// For each event, the earlier ones that touch a byte that it touches too, one of the
/// two writing it.
inline EventSets eventsMet(const OrderGraph &graph) {
  unsigned events = graph.numEvents();
  EventSets result(events, llvm::BitVector(events));
  std::map<unsigned, std::vector<OrderGraph::Touch>> byMemory;
  for (const OrderGraph::Touch &touch : graph.touches)
    byMemory[touch.memory].push_back(touch);
  for (const auto &[memory, touches] : byMemory) {
    // Pieces that every touch covers as a whole or not at all.
    std::set<int64_t> ends;
    for (const OrderGraph::Touch &touch : touches)
      ends.insert({touch.begin, touch.end});
    std::vector<int64_t> bounds(ends.begin(), ends.end());
    auto indexOf = [&](int64_t address) {
      return std::lower_bound(bounds.begin(), bounds.end(), address) - bounds.begin();
    };
    using Access = std::pair<unsigned, bool>; // Event, and whether it writes.
    std::vector<std::vector<Access>> pieces(bounds.size());
    for (const OrderGraph::Touch &touch : touches)
      for (auto i = indexOf(touch.begin), end = indexOf(touch.end); i < end; ++i)
        pieces[i].push_back({touch.event, touch.write});
    std::set<std::vector<Access>> distinct(pieces.begin(), pieces.end());
    for (const std::vector<Access> &accesses : distinct) {
      llvm::BitVector readOrWritten(events), written(events);
      for (auto [event, write] : accesses) {
        result[event] |= write ? readOrWritten : written;
        readOrWritten.set(event);
        if (write)
          written.set(event);
      }
    }
  }
  for (unsigned event = 0; event < events; ++event) {
    result[event].reset(event); // What it writes it may have read itself.
    for (unsigned first : graph.meetNoLater)
      result[event].reset(first);
  }
  return result;
}

/// Two events, the first first in program order.
using EventPair = std::pair<unsigned, unsigned>;

/// Calls `visit` for each pair of `pairs` that is not in `others`, until it is false.
inline void forEachMissing(const EventSets &pairs, const EventSets &others,
                           llvm::function_ref<bool(EventPair)> visit) {
  for (unsigned second = 0; second < pairs.size(); ++second) {
    if (!pairs[second].test(others[second]))
      continue;
    for (unsigned first : pairs[second].set_bits())
      if (!others[second].test(first) && !visit({first, second}))
        return;
  }
}

/// The first pair, in program order of the second event, that is in `pairs` but not in
/// `others`.
inline std::optional<EventPair> firstMissing(const EventSets &pairs, const EventSets &others) {
  std::optional<EventPair> result;
  forEachMissing(pairs, others, [&](EventPair pair) {
    result = pair;
    return false;
  });
  return result;
}

/// "queue 3 at 0x40": a step.
inline std::string describe(const OrderGraph &graph, unsigned step) {
  return llvm::formatv("queue {0} at {1:x} (step {2})", graph.steps[step].queue,
                       graph.steps[step].site * 8, step);
}

/// The shortest chain of reasons why a step comes after an earlier one; "" if there is none.
inline std::string describePath(const OrderGraph &graph, std::pair<unsigned, unsigned> steps) {
  auto [first, last] = steps;
  std::map<unsigned, std::pair<unsigned, OrderGraph::Because>> next; // Towards the last.
  std::vector<unsigned> queue = {last};
  for (size_t i = 0; i < queue.size() && !next.contains(first); ++i)
    for (OrderGraph::Edge edge : graph.steps[queue[i]].after)
      if (edge.from >= first && next.try_emplace(edge.from, queue[i], edge.because).second)
        queue.push_back(edge.from);
  if (!next.contains(first))
    return "";
  static const char *const reasons[] = {"is followed in its queue by", "precedes the dispatch of",
                                        "is waited for by",            "orders",
                                        "fills a slot for",            "frees a place for"};
  std::string result = describe(graph, first);
  for (unsigned at = first; at != last; at = next[at].first)
    result += llvm::formatv(" {0} {1}", reasons[unsigned(next[at].second)],
                            describe(graph, next[at].first));
  return result;
}

} // namespace serrano

#endif // SERRANO_TEST_UNIT_ORDERGRAPH_H
