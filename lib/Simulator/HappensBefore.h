//===- HappensBefore.h - races and reads of unwritten bytes --- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_HAPPENSBEFORE_H
#define SERRANO_SIMULATOR_HAPPENSBEFORE_H

#include "Core.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <functional>
#include <map>

namespace serrano::sim {

/// `--check=races,init`. A race is a pair of accesses to a common byte, one of
/// them a write, of which neither happens before the other. What happens before
/// what follows from the order within a queue, the waits and the rings alone,
/// never from time (vector clocks: Mattern 1989), so a race is found whether or
/// not it shows in this run's order.
class HappensBefore final : public Observer {
public:
  struct Checks {
    bool races, init;
  };
  /// `describe` gives an instruction's address and text from its word.
  HappensBefore(Checks checks, const MemorySystem &memory,
                std::function<std::string(uint32_t word)> describe)
      : checks(checks), memory(memory), describe(std::move(describe)) {}

  void dispatched(const Dispatched &instruction) override;
  void filled(const SlotFill &fill) override;
  void orderFilled(unsigned ring) override;
  void scalarAccess(const Site &site, const Access &access) override;

private:
  /// For each queue, how many of its instructions are known to be complete.
  using Clock = std::array<int64_t, numQueues>;

  struct Event {
    unsigned queue = 0;
    uint32_t word = 0;
    int64_t index = 0; ///< 0: none
  };
  /// A run of bytes with the same history.
  struct Segment {
    int64_t end;
    Event writer;
    llvm::SmallVector<Event, 2> readers; ///< since then, the last of each queue
  };
  using Shadow = std::map<int64_t, Segment>;

  struct Order {
    Clock clock;
    int signal;
  };
  struct Ring {
    std::deque<Order> orders;
    int64_t firstFill = 0, firstPop = 0; ///< slots of the deques' fronts
    std::deque<Clock> fills, pops;
    Clock allPops = {};
  };

  static void join(Clock &clock, const Clock &other);
  void joinWaits(Clock &clock, const Dispatched &d);
  void signal(int counter, const Clock &clock);
  void check(const Access &access, const Clock &clock, Event event);
  void visit(Shadow &shadow, Memory memory, bool write, int64_t begin,
             int64_t end, const Clock &clock, Event event);
  Shadow::iterator split(Shadow &shadow, Shadow::iterator it, int64_t address);
  [[noreturn]] void race(Memory memory, int64_t begin, int64_t end, Event first,
                         bool firstWrites, Event second,
                         bool secondWrites) const;

  Checks checks;
  const MemorySystem &memory;
  std::function<std::string(uint32_t)> describe;
  std::array<Clock, numQueues> clocks = {};
  /// The clocks of each counter's last 64 increments.
  struct Increments {
    int64_t count = 0;
    std::vector<Clock> last = std::vector<Clock>(64);
  };
  std::map<unsigned, Increments> counters;
  std::array<Ring, numRings> rings;
  Shadow shadows[numMemories];
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_HAPPENSBEFORE_H
