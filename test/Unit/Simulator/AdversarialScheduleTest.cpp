//===- AdversarialScheduleTest.cpp - orders that the ISA allows -----------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AdversarialSchedule.h"
#include "Fault.h"
#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

using namespace serrano::sim;
using testing::ElementsAre;

namespace {

constexpr unsigned engines[] = {DmaInId, DmaOutId, MatrixId, VectorId};
constexpr int64_t depth = 8;

Dispatched instruction(unsigned queue, uint32_t word = 0) {
  Dispatched result;
  result.queue = queue;
  result.word = word;
  return result;
}

/// Dispatches `count` rounds of an instruction to each engine, which nothing
/// orders; gives the queues in the order in which they took effect.
std::vector<unsigned> orderOf(uint64_t seed, int count) {
  std::vector<unsigned> order;
  std::array<int, numQueues> next = {};
  AdversarialSchedule schedule(seed, depth);
  for (int i = 0; i < count; ++i)
    for (unsigned queue : engines)
      schedule.dispatch(instruction(queue), [&, queue, i] {
        EXPECT_EQ(next[queue]++, i) << queueName(queue);
        order.push_back(queue);
      });
  schedule.drain();
  EXPECT_EQ(order.size(), size_t(count) * std::size(engines));
  return order;
}

TEST(AdversarialSchedule, IsMadeByItsSeed) {
  EXPECT_EQ(orderOf(1, 100), orderOf(1, 100));
  EXPECT_NE(orderOf(1, 100), orderOf(2, 100));
}

TEST(AdversarialSchedule, LetsEachQueueRunAheadOfEachOther) {
  for (unsigned first : engines)
    for (unsigned last : engines) {
      if (first == last)
        continue;
      bool found = false;
      for (uint64_t seed = 0; seed < 32 && !found; ++seed) {
        std::vector<unsigned> order = orderOf(seed, depth);
        auto begin = std::find(order.begin(), order.end(), last);
        found = std::count(order.begin(), begin, first) == depth;
      }
      EXPECT_TRUE(found) << queueName(first) << " before " << queueName(last);
    }
}

TEST(AdversarialSchedule, HoldsNoMoreThanAQueueDoes) {
  std::set<int64_t> limits;
  for (uint64_t seed = 0; seed < 16; ++seed) {
    AdversarialSchedule schedule(seed, depth);
    int64_t held = 0, most = 0;
    for (int i = 0; i < 10000; ++i) {
      ++held;
      schedule.dispatch(instruction(VectorId), [&] { --held; });
      most = std::max(most, held);
    }
    schedule.drain();
    EXPECT_EQ(held, 0);
    limits.insert(most);
  }
  EXPECT_THAT(limits, ElementsAre(depth, AdversarialSchedule::deeper * depth));
}

TEST(AdversarialSchedule, FillsSlotsOfFreePlacesAndReadsFullOnes) {
  for (uint64_t seed = 0; seed < 32; ++seed) {
    AdversarialSchedule schedule(seed, depth);
    std::vector<std::string> order;
    Dispatched slots = instruction(FirstRingId);
    slots.work = Work::Order;
    slots.signal = 1;
    schedule.dispatch(slots, [] {});
    // One place: the second slot's is that of the first.
    for (int64_t slot : {0, 1}) {
      SlotFill fill = {};
      fill.slot = slot;
      fill.freedBy = slot - 1;
      schedule.fill(fill, [&] { order.push_back("fill"); });
      Dispatched pop = instruction(slot ? MatrixId : VectorId);
      pop.slots = {{0, slot, true}};
      schedule.dispatch(pop, [&] { order.push_back("pop"); });
    }
    schedule.endOrder(0);
    Dispatched after = instruction(DmaOutId);
    after.waits = {{1, 1}};
    schedule.dispatch(after, [&] { order.push_back("after"); });
    schedule.drain();
    order.erase(std::find(order.begin(), order.end(), "after"));
    EXPECT_THAT(order, ElementsAre("fill", "pop", "fill", "pop"));
  }
}

TEST(AdversarialSchedule, TheSequencerWaits) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    AdversarialSchedule schedule(seed, depth);
    bool done = false;
    Dispatched load = instruction(DmaInId);
    load.signal = 0;
    schedule.dispatch(load, [&] { done = true; });
    Dispatched sync = instruction(SequencerId);
    sync.waits = {{0, 1}};
    schedule.dispatch(sync, [] {});
    EXPECT_TRUE(done);
  }
}

TEST(AdversarialSchedule, PutsOffTheOneThatIsNamed) {
  // The second of the matrix queue, from 0; the vector queue's last waits for it.
  for (uint64_t seed = 0; seed < 50; ++seed) {
    AdversarialSchedule schedule(seed, depth, /*delayed=*/2);
    std::string order;
    auto dispatch = [&](unsigned queue, char name, int signal,
                        llvm::ArrayRef<CounterWait> waits = {}) {
      Dispatched d = instruction(queue, 0);
      d.signal = signal;
      d.waits.append(waits.begin(), waits.end());
      schedule.dispatch(d, [&order, name] { order += name; });
    };
    dispatch(MatrixId, 'm', 1);
    dispatch(VectorId, 'v', -1);
    dispatch(MatrixId, 'M', 1);
    dispatch(MatrixId, 'n', 1);
    dispatch(DmaInId, 'd', -1, {{1, 1}});
    dispatch(VectorId, 'w', -1);
    dispatch(VectorId, 'x', -1, {{1, 2}});
    schedule.drain();
    EXPECT_EQ(order.find('M'), 4u) << order;
    EXPECT_EQ(order.size(), 7u);
  }
}

TEST(AdversarialSchedule, SaysWhyNothingCanRun) {
  AdversarialSchedule schedule(0, depth);
  Dispatched pop = instruction(VectorId, 2);
  pop.slots = {{3, 0, true}};
  pop.signal = 5;
  schedule.dispatch(pop, [] {});
  Dispatched store = instruction(DmaOutId, 1);
  store.waits = {{5, 1}};
  schedule.dispatch(store, [] {});
  try {
    schedule.drain();
    FAIL() << "expected a fault";
  } catch (const Fault &fault) {
    EXPECT_STREQ(fault.what(),
                 "internal error: nothing that was dispatched can run: 0x8 in "
                 "the dma out queue waits for c5 to be 1, which is 0; 0x10 in "
                 "the vector queue waits for slot 0 of ring 3");
  }
}

} // namespace
