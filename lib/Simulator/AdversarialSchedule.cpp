//===- AdversarialSchedule.cpp - another legal order ---------------------
//-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AdversarialSchedule.h"
#include "Fault.h"
#include "llvm/ADT/STLExtras.h"
#include <numeric>

using namespace serrano;
using namespace serrano::sim;

AdversarialSchedule::AdversarialSchedule(uint64_t seed, int64_t queueDepth,
                                         std::optional<int64_t> delayed)
    : random(seed),
      queueDepth(!delayed && random() % 2 ? queueDepth : deeper * queueDepth),
      delayed(delayed) {
  std::iota(byPriority.begin(), byPriority.end(), 0);
  drawPriorities();
}

/// The standard's distributions differ from library to library; its generator
/// does not.
void AdversarialSchedule::drawPriorities() {
  for (unsigned i = numQueues; i > 1; --i)
    std::swap(byPriority[i - 1], byPriority[random() % i]);
  // As likely about 1 as about 1,000: races need few steps, or many, apart.
  constexpr uint64_t magnitudes = 11;
  stepsLeft = 1 + int64_t(random() % (uint64_t(1) << random() % magnitudes));
}

//===----------------------------------------------------------------------===//
// The sequencer
//===----------------------------------------------------------------------===//

void AdversarialSchedule::turn() {
  if (stepsLeft-- == 0)
    drawPriorities();
  while (step(/*beforeSequencer=*/true)) {
  }
}

void AdversarialSchedule::dispatch(const Dispatched &d, Effect effect) {
  turn();
  Command command{.site = {d.word, d.op, d.layer},
                  .waits = d.waits,
                  .slots = d.slots,
                  .signal = d.signal,
                  .putOff = isDelayed(),
                  .effect = std::move(effect)};
  if (d.signal >= 0)
    incrementedBy[d.signal] = d.queue;
  if (d.queue == SequencerId) {
    // A ring's new region is its own once all slots have been popped; the last
    // one need not be the last to go.
    if (d.work == Work::Setup)
      command.slots.clear();
    int64_t slots = d.work == Work::Setup ? d.slots.front().slot + 1 : 0;
    runUntil(
        [&] {
          return llvm::all_of(d.waits,
                              [&](const CounterWait &w) { return holds(w); }) &&
                 (!slots || rings[d.slots.front().ring].freedCount == slots);
        },
        command, SequencerId);
    return;
  }
  Queue &queue = queues[d.queue];
  runUntil([&] { return queue.held < queueDepth; }, command, d.queue);
  ++queue.held;
  if (d.work == Work::Order)
    rings[d.queue - FirstRingId].orders.push_back(
        {command.site, std::move(command.waits), d.signal});
  else
    queue.commands.push_back(std::move(command));
}

void AdversarialSchedule::fill(const SlotFill &fill, Effect effect) {
  queues[FirstRingId + fill.ring].commands.push_back(
      {.site = {fill.word, fill.op, fill.layer},
       .waits = rings[fill.ring].orders.front().waits,
       .slots = {},
       .freedBy = fill.freedBy,
       .isFill = true,
       .putOff = isDelayed(),
       .effect = std::move(effect)});
}

void AdversarialSchedule::endOrder(unsigned ring) {
  Order &order = rings[ring].orders.front();
  queues[FirstRingId + ring].commands.push_back(
      {.site = order.site,
       .waits = std::move(order.waits),
       .slots = {},
       .signal = order.signal,
       .effect = [] {}});
  rings[ring].orders.pop_front();
}

void AdversarialSchedule::drain() {
  while (stepOrGiveIn()) {
  }
  for (const Queue &queue : queues)
    if (!queue.commands.empty())
      stuck(queue.commands.front(), unsigned(&queue - queues.data()));
}

//===----------------------------------------------------------------------===//
// The queues
//===----------------------------------------------------------------------===//

bool AdversarialSchedule::canRun(unsigned id) const {
  const Queue &queue = queues[id];
  if (queue.commands.empty())
    return false;
  const Command &command = queue.commands.front();
  if (command.putOff)
    return false;
  for (const CounterWait &wait : command.waits)
    if (!holds(wait))
      return false;
  for (const SlotUse &use : command.slots)
    if (rings[use.ring].filled <= use.slot)
      return false;
  return command.freedBy < 0 || rings[id - FirstRingId].isFree(command.freedBy);
}

bool AdversarialSchedule::step(bool beforeSequencer) {
  for (unsigned queue : byPriority) {
    if (queue == SequencerId && beforeSequencer)
      return false;
    if (!canRun(queue))
      continue;
    if (stepsLeft-- == 0)
      drawPriorities();
    run(queue);
    return true;
  }
  return false;
}

bool AdversarialSchedule::stepOrGiveIn() {
  if (step(/*beforeSequencer=*/false))
    return true;
  for (Queue &queue : queues)
    if (!queue.commands.empty() && queue.commands.front().putOff) {
      queue.commands.front().putOff = false;
      return step(/*beforeSequencer=*/false);
    }
  return false;
}

void AdversarialSchedule::run(unsigned id) {
  Queue &queue = queues[id];
  Command command = std::move(queue.commands.front());
  queue.commands.pop_front();
  site = command.site;
  inEffect = true;
  command.effect();
  inEffect = false;
  if (command.isFill) {
    ++rings[id - FirstRingId].filled;
    return;
  }
  --queue.held;
  if (command.signal >= 0)
    ++increments[command.signal];
  for (const SlotUse &use : command.slots) {
    if (!use.pop)
      continue;
    Ring &ring = rings[use.ring];
    if (use.slot >= int64_t(ring.freed.size()))
      ring.freed.resize(use.slot + 1);
    ring.freed[use.slot] = true;
    ++ring.freedCount;
  }
}

void AdversarialSchedule::runUntil(llvm::function_ref<bool()> done,
                                   const Command &waiter, unsigned queue) {
  while (!done())
    if (!stepOrGiveIn())
      stuck(waiter, queue);
}

//===----------------------------------------------------------------------===//
// Nothing can run
//===----------------------------------------------------------------------===//

std::optional<AdversarialSchedule::Need>
AdversarialSchedule::firstNeed(const Command &command, unsigned queue) const {
  for (const CounterWait &wait : command.waits)
    if (!holds(wait))
      return Need{llvm::formatv("c{0} to be {1}, which is {2}", wait.counter,
                                wait.threshold, increments[wait.counter]),
                  incrementedBy[wait.counter]};
  for (const SlotUse &use : command.slots)
    if (rings[use.ring].filled <= use.slot)
      return Need{llvm::formatv("slot {0} of ring {1}", use.slot, use.ring),
                  FirstRingId + use.ring};
  if (command.freedBy < 0)
    return std::nullopt;
  // Whoever pops it: the first that has it in its queue.
  unsigned ring = queue - FirstRingId;
  for (unsigned id = 0; id < numQueues; ++id)
    for (const Command &other : queues[id].commands)
      for (const SlotUse &use : other.slots)
        if (use.pop && use.ring == ring && use.slot == command.freedBy)
          return Need{llvm::formatv("the pop of slot {0}", use.slot), id};
  return Need{llvm::formatv("the pop of slot {0}, which is in no queue",
                            command.freedBy),
              queue};
}

void AdversarialSchedule::stuck(const Command &waiter, unsigned id) const {
  std::string chain;
  std::array<bool, numQueues> seen = {};
  const Command *command = &waiter;
  while (command) {
    std::optional<Need> need = firstNeed(*command, id);
    chain += llvm::formatv("{0}{1:x} in the {2} queue waits for {3}",
                           chain.empty() ? "" : "; ", command->site.word * 8,
                           queueName(id),
                           need                ? need->what
                           : id == SequencerId ? "pops of its ring"
                                               : "room in its queue");
    id = need ? need->from : id;
    command = seen[id] || queues[id].commands.empty()
                  ? nullptr
                  : &queues[id].commands.front();
    seen[id] = true;
  }
  fault("internal error: nothing that was dispatched can run: {0}", chain);
}
