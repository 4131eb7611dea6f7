//===- Rounds.h - leaves out rounds that are like others ------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_ROUNDS_H
#define SERRANO_SIMULATOR_ROUNDS_H

#include "Core.h"
#include "EnergyMeter.h"
#include "Timeline.h"
#include "llvm/ADT/DenseMap.h"

namespace serrano::sim {

/// Of a prediction: leaves out rounds of loops that cost what others do. When
/// core, timeline and energy stand at the end of a round as they did some rounds
/// before, whole cycles ago, it lets one more such period run while `Slopes`
/// follows the sequencer. If it ends as it began and the sequencer stays on its
/// lines, the next ones do the same, and are added at once.
/// docs/Simulator.md says why that is exact.
class Rounds {
public:
  Rounds(Core &core, Timeline &timeline, EnergyMeter &energy)
      : core(core), timeline(timeline), energy(energy) {}

  /// A round of the loop at `depth` has ended, and round `iteration` of `count`
  /// begins.
  void ended(unsigned depth, uint32_t firstIndex, int64_t iteration,
             int64_t count);
  /// The loop at `depth` has ended.
  void left(unsigned depth);
  /// The run has ended.
  void end() { stop(); }

  bool isFollowing() const { return period.has_value(); }
  /// A section of `Memo` ends: rounds with such are left to it.
  void cut() { ++cuts; }
  /// The loop that has come to a period, of so many rounds, or of which rounds
  /// have been left out (0), since this was asked last, if one has.
  struct Steady {
    unsigned depth;
    int64_t rounds;
  };
  std::optional<Steady> takeSteady() {
    return std::exchange(steady, std::nullopt);
  }
  /// What runs now has not come here round by round.
  void forget() { loops.clear(); }

private:
  struct Standing {
    std::vector<int64_t> description;
    int64_t iteration;
    Snapshot values;
  };
  /// A loop that runs, by depth.
  struct Loop {
    std::vector<Standing> past; ///< of the last rounds
    // When this round began:
    int64_t dispatches = 0, cuts = 0, time = 0;
    /// Whether `Memo` has been told of its period.
    bool isTold = false;
  };
  /// A period that is followed.
  struct Period {
    unsigned depth;
    int64_t end, rounds; ///< at which round it ends, and how many it has
    std::vector<int64_t> description;
    Slopes slopes;
    Core::Round core;
    int64_t time;
    std::vector<int64_t> addresses;
    // What was before it.
    Statistics statistics;
    EnergyMeter::Part energy;
  };

  /// Describes the end of a round that began at time `began`.
  std::vector<int64_t> describe(int64_t began);
  void begin(unsigned depth, int64_t iteration, int64_t count,
             const Standing &before, std::vector<int64_t> description);
  /// How many periods like the one that has ended can be left out. `description`
  /// is of now.
  int64_t periodsLike(int64_t iteration, int64_t count,
                      const std::vector<int64_t> &description);
  /// The period has ended, and `n` more like it are left out.
  void leaveOut(int64_t n);
  void stop();

  Core &core;
  Timeline &timeline;
  EnergyMeter &energy;
  llvm::SmallVector<Loop, 8> loops;
  std::optional<Period> period;
  std::optional<Steady> steady;
  int64_t cuts = 0;
  uint32_t sleeping = 0; ///< of the last description
  /// How often a loop was followed in vain since it was not, by its first
  /// instruction.
  llvm::DenseMap<uint32_t, unsigned> failures;
  /// And how often `Memo` was told of its period in vain.
  llvm::DenseMap<uint32_t, unsigned> toldInVain;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_ROUNDS_H
