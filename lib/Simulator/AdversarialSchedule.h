//===- AdversarialSchedule.h - another legal order ------------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_ADVERSARIALSCHEDULE_H
#define SERRANO_SIMULATOR_ADVERSARIALSCHEDULE_H

#include "Dispatch.h"
#include "llvm/ADT/FunctionExtras.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <array>
#include <deque>
#include <optional>
#include <random>
#include <vector>

namespace serrano::sim {

/// `--schedule=adversarial`. Instructions are dispatched in program order, but
/// take effect in an order of this schedule's choice, of which the ISA says no
/// more than: queues go in order and hold a limited number, waits hold, a slot
/// is filled when its place is free and read when it is filled. How many a queue
/// holds must not matter to a program either: for some seeds it is as many as
/// the target says, for the others many more.
///
/// What runs next is the first of a queue that can, and of several that of the
/// highest priority; the sequencer counts as one of them. Priorities are a
/// permutation that is drawn anew after a random number of steps, so that for a
/// while one queue runs as far ahead as the waits let it and another one
/// starves (probabilistic concurrency testing: Burckhardt et al. 2010). The
/// same seed gives the same order.
///
/// One command can be named that is put off until nothing else can go. All that
/// need not come after it then comes before it, so if it races with a later one,
/// this order shows it, unless more than deep queues hold lies between them.
class AdversarialSchedule {
public:
  using Effect = llvm::unique_function<void()>;
  /// How many times the target's number deeper queues hold.
  static constexpr int64_t deeper = 64;

  /// `delayed` is the number, from 0, of a call of `dispatch` or `fill`.
  AdversarialSchedule(uint64_t seed, int64_t queueDepth,
                      std::optional<int64_t> delayed = std::nullopt);

  /// Before the sequencer acts: queues of higher priority go first.
  void turn();
  /// The sequencer dispatches an instruction, with what it does to memory. One
  /// of its own waits here until it is done.
  void dispatch(const Dispatched &instruction, Effect effect);
  /// The fill of a slot of the oldest order that has not ended.
  void fill(const SlotFill &fill, Effect effect);
  /// The oldest order of `ring` that has not ended has all its fills.
  void endOrder(unsigned ring);
  /// Runs all that is left.
  void drain();

  /// Where the effect stands that is happening, if one is.
  const Site *running() const { return inEffect ? &site : nullptr; }

private:
  /// What waits in a queue to take effect.
  struct Command {
    Site site;
    llvm::SmallVector<CounterWait, 2> waits;
    llvm::SmallVector<SlotUse, 2> slots;
    int64_t freedBy = -1; ///< of a fill: the slot that has its place
    int signal = -1;
    bool isFill = false; ///< takes no room in the queue: its order does
    bool putOff = false; ///< until nothing else can go
    Effect effect;
  };
  struct Order {
    Site site;
    llvm::SmallVector<CounterWait, 2> waits;
    int signal;
  };
  struct Ring {
    std::deque<Order> orders; ///< those whose fills are not all known
    int64_t filled = 0;       ///< slots
    std::vector<bool> freed;  ///< by slot
    int64_t freedCount = 0;

    bool isFree(int64_t slot) const {
      return slot < int64_t(freed.size()) && freed[slot];
    }
  };
  struct Queue {
    std::deque<Command> commands;
    int64_t held = 0; ///< instructions; for a ring, orders
  };

  /// What a command waits for and which queue it has to come from.
  struct Need {
    std::string what;
    unsigned from;
  };
  bool holds(const CounterWait &wait) const {
    return increments[wait.counter] >= wait.threshold;
  }
  bool canRun(unsigned queue) const;
  std::optional<Need> firstNeed(const Command &command, unsigned queue) const;
  /// Runs one command, of those before the sequencer in priority or of all;
  /// false if there is none that can.
  bool step(bool beforeSequencer);
  void run(unsigned queue);
  /// The same; with nothing else left, the command that is put off.
  bool stepOrGiveIn();
  bool isDelayed() { return delayed && told++ == *delayed; }
  /// Runs commands until `done`; `waiter` says in messages what waits for it.
  void runUntil(llvm::function_ref<bool()> done, const Command &waiter,
                unsigned queue);
  [[noreturn]] void stuck(const Command &waiter, unsigned queue) const;
  void drawPriorities();

  std::mt19937_64 random;
  int64_t queueDepth;
  std::optional<int64_t> delayed;
  int64_t told = 0; ///< commands
  std::array<Queue, numQueues> queues;
  std::array<Ring, numRings> rings;
  std::array<int64_t, numCounters> increments = {}; ///< that have happened
  std::array<unsigned, numCounters> incrementedBy = {};
  std::array<unsigned, numQueues> byPriority; ///< queues, the highest first
  int64_t stepsLeft = 0; ///< until priorities are drawn anew
  Site site;
  bool inEffect = false;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_ADVERSARIALSCHEDULE_H
