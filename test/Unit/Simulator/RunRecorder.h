//===- RunRecorder.h - the order of a simulated run ------------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_SIMULATOR_RUNRECORDER_H
#define SERRANO_TEST_UNIT_SIMULATOR_RUNRECORDER_H

#include "../OrderGraph.h"
#include "Observer.h"
#include <array>
#include <deque>

namespace serrano {

/// Draws the graph of a run from what its core tells, by the rules of
/// docs/IsaManual.md. A step's site is the word address of its instruction.
class RunRecorder final : public sim::Observer {
public:
  OrderGraph graph;
  /// By event: its number for `RunOptions::adversarialDelay`; -1 if it cannot be put
  /// off.
  std::vector<int64_t> numbers;

  void dispatched(const sim::Dispatched &d) override {
    int64_t number = told++;
    Edges after;
    addLast(after, sim::SequencerId, Because::Dispatched);
    for (const sim::CounterWait &wait : d.waits)
      after.push_back({increments[wait.counter][wait.threshold - 1], Because::Waited});
    if (d.work == sim::Work::Order) {
      // It holds back its own slots, not those ordered before it.
      unsigned step = graph.add(d.queue, d.word, false, after);
      rings[d.queue - sim::FirstRingId].orders.push_back({step, d.signal});
      return;
    }
    if (d.queue != sim::SequencerId)
      addLast(after, d.queue, Because::Queue);
    if (d.work == sim::Work::Setup)
      for (unsigned pop : rings[d.slots.front().ring].pops)
        after.push_back({pop, Because::Freed});
    else
      for (const sim::SlotUse &use : d.slots)
        after.push_back({rings[use.ring].fills[use.slot], Because::Filled});
    bool works = d.work != sim::Work::Setup && d.work != sim::Work::None;
    unsigned step = addStep(d.queue, d.word, works, after, number);
    for (const sim::Access &access : d.accesses)
      touch(access);
    if (d.signal >= 0)
      increments[d.signal].push_back(step);
    for (const sim::SlotUse &use : d.slots)
      if (use.pop)
        rings[use.ring].pops.push_back(step);
  }

  void filled(const sim::SlotFill &fill) override {
    int64_t number = told++;
    unsigned queue = sim::FirstRingId + fill.ring;
    Ring &ring = rings[fill.ring];
    Edges after = {{ring.orders.front().step, Because::Ordered}};
    addLast(after, queue, Because::Queue);
    if (fill.freedBy >= 0)
      after.push_back({ring.pops[fill.freedBy], Because::Freed});
    ring.fills.push_back(addStep(queue, fill.word, true, after, number));
    for (const sim::Access &access : fill.accesses)
      touch(access);
  }

  void orderFilled(unsigned index) override {
    Ring &ring = rings[index];
    auto [order, signal] = ring.orders.front();
    ring.orders.pop_front();
    Edges after = {{order, Because::Ordered}};
    unsigned queue = sim::FirstRingId + index;
    addLast(after, queue, Because::Queue);
    unsigned step = addStep(queue, graph.steps[order].site, false, after, -1);
    if (signal >= 0)
      increments[signal].push_back(step);
  }

  void scalarAccess(const sim::Site &site, const sim::Access &access) override {
    Edges after;
    addLast(after, sim::SequencerId, Because::Dispatched);
    addStep(sim::SequencerId, site.word, true, after, -1);
    touch(access);
  }

private:
  using Because = OrderGraph::Because;
  using Edges = llvm::SmallVector<OrderGraph::Edge, 6>;
  struct Order {
    unsigned step;
    int signal;
  };
  struct Ring {
    std::deque<Order> orders;          ///< those that have not ended
    std::vector<unsigned> fills, pops; ///< steps, by slot
  };

  void addLast(Edges &after, unsigned queue, Because because) const {
    if (last[queue] >= 0)
      after.push_back({unsigned(last[queue]), because});
  }
  unsigned addStep(unsigned queue, uint64_t site, bool isEvent, const Edges &after,
                   int64_t number) {
    unsigned step = graph.add(queue, site, isEvent, after);
    last[queue] = int64_t(step);
    if (isEvent)
      numbers.push_back(number);
    return step;
  }
  void touch(const sim::Access &access) {
    for (int64_t row = 0; row < access.rows; ++row) {
      int64_t begin = access.address + row * access.stride;
      graph.touch(unsigned(access.memory), begin, begin + access.bytes, access.write);
    }
  }

  std::array<int64_t, sim::numQueues> last = initial(); ///< the queue's last step, or -1
  static std::array<int64_t, sim::numQueues> initial() {
    std::array<int64_t, sim::numQueues> result;
    result.fill(-1);
    return result;
  }
  std::array<std::vector<unsigned>, sim::numCounters> increments; ///< steps
  std::array<Ring, sim::numRings> rings;
  int64_t told = 0;
};

} // namespace serrano

#endif // SERRANO_TEST_UNIT_SIMULATOR_RUNRECORDER_H
