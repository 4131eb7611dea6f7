//===- Memo.h - what sections of a prediction did before ------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_MEMO_H
#define SERRANO_SIMULATOR_MEMO_H

#include "Core.h"
#include "EnergyMeter.h"
#include "Rounds.h"
#include "StatisticsPart.h"
#include "Timeline.h"
#include "llvm/ADT/DenseMap.h"
#include <memory>
#include <unordered_map>

namespace serrano::sim {

/// Of a prediction: does not execute again what is known. The program is cut
/// into sections at some of its `mark`s. A section that begins in a state in
/// which core, timeline and energy have been before, with values that make it do
/// the same (`Origins`), ends in the state in which it ended then. So equal
/// layers, of one portion of tokens or of several, are executed once.
/// docs/Simulator.md says why that is exact.
class Memo {
public:
  /// Sections have `leastSection` instructions or more, as a rule.
  Memo(Core &core, Timeline &timeline, EnergyMeter &energy, Rounds &rounds,
       int64_t leastSection)
      : core(core), timeline(timeline), energy(energy), rounds(rounds),
        leastSection(leastSection) {}

  /// A `mark` has been executed.
  void marked();
  /// The run has ended.
  void end() { stop(); }

private:
  struct Section;
  /// Where core, timeline and energy have been.
  struct State {
    std::vector<int64_t> description;
    uint32_t streams; ///< queues of rings in the middle of an order
    Positions positions;
    int64_t time;
    CoreState core;
    TimelineState timeline;
    EnergyMeter::Slots slots;
    /// What began here, for different values.
    std::vector<std::unique_ptr<Section>> sections;
  };
  struct Section {
    Origins origins;
    State *begin;
    State *end = nullptr;
    llvm::SmallVector<CoreState::LoopState, 2> entered; ///< that go on
    Positions grown;
    int64_t time = 0, executed = 0; ///< that it took
    std::optional<StatisticsPart> statistics; ///< when it has ended
    EnergyMeter::Part energy;

    Section(Origins origins, State &begin)
        : origins(std::move(origins)), begin(&begin) {}
    /// Whether it orders slots of a ring that is in the middle of an order.
    bool ordersMore(uint32_t streams) const {
      for (unsigned r = 0; r < numRings; ++r)
        if (streams >> (FirstRingId + r) & 1 && grown.ordered[r])
          return true;
      return false;
    }
  };
  /// The section in hand, when it began, and costs before it.
  struct Recording {
    std::unique_ptr<Section> section;
    int64_t time, executed;
    Positions positions;
    Statistics statistics;
    EnergyMeter::Part energy;
  };

  /// Whether a section ends at the mark in hand.
  bool isCut();
  /// The state that the machine is in, null if it is not worth remembering.
  State *here();
  void begin(State &state);
  /// Ends the section in hand; it is not remembered.
  std::unique_ptr<Section> stop();
  /// Goes on with what is known of `state`; where that ends.
  State &goOn(State &state);

  Core &core;
  Timeline &timeline;
  EnergyMeter &energy;
  Rounds &rounds;
  int64_t leastSection;
  std::unordered_multimap<uint64_t, State> states; ///< by hash
  std::optional<Recording> recording;
  /// A mark at which sections end, if it is not in a short loop.
  struct Cut {
    int64_t last = 0; ///< after so many instructions
    bool isInShortLoop = false;
  };
  llvm::DenseMap<uint32_t, Cut> cuts; ///< by word
  int64_t lastCut = 0;
  int64_t hits = 0;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_MEMO_H
