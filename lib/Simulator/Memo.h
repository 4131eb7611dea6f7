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
#include "llvm/ADT/DenseSet.h"
#include <memory>
#include <unordered_map>

namespace serrano::sim {

/// Of a prediction: does not execute again what is known. The program is cut
/// into sections at some of its `mark`s. A section that begins in a state in
/// which core, timeline and energy have been before, with values that make it do
/// the same (`Origins`), ends in the state in which it ended then. So equal
/// layers, of one portion of tokens or of several, are executed once. A ring
/// that does nothing is part of the state only for sections that use it, and so
/// are since when a full one waits and the pages in the instruction memory.
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
  /// All that is of one ring.
  struct RingContents {
    CoreState::Ring ring;
    TimelineState::RingParts timeline;
    Fifo<EnergyMeter::Slot> held;

    void move(unsigned r, int64_t shift, const Positions &by);
  };
  /// Where core, timeline and energy have been.
  struct State {
    std::vector<int64_t> description;
    uint32_t streams; ///< queues of rings in the middle of an order
    uint32_t idle;    ///< rings that do nothing, which are not described
    uint32_t resting; ///< rings of streams of which it is not since when
    int64_t past;     ///< before `time`, what decides nothing any more
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
    /// It cannot be done several times at once where it repeats.
    bool doesNotRepeat = false;
    /// What rings were that were idle when it began and that it uses.
    std::vector<std::pair<unsigned, std::vector<int64_t>>> used;
    /// When and where it ended, and the rings that were idle then and had not
    /// been all the time.
    int64_t endTime = 0;
    Positions endPositions;
    std::vector<std::pair<unsigned, RingContents>> left;
    /// How long rings had rested that it uses. Those that it brings slots of may
    /// have rested for any time, which is in statistics alone.
    struct Rested {
      unsigned ring;
      int64_t time;
      bool brings;
    };
    std::vector<Rested> rested;
    /// How long rings had at its end that had not all the time.
    std::vector<std::pair<unsigned, int64_t>> restedAtEnd;
    /// Rings that it gave other places, and how many slots its end is after one
    /// that lies at the first.
    std::vector<std::pair<unsigned, int64_t>> moved;
    /// The pages that it entered first, and those that were there in the end.
    std::vector<std::pair<Timeline::PageEntry, uint32_t>> pages;
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
    std::vector<std::pair<unsigned, std::vector<int64_t>>> idle; ///< rings
    std::vector<std::pair<unsigned, int64_t>> rested;
    Statistics statistics;
    EnergyMeter::Part energy;
  };
  /// What may be different where a state comes again, at a time.
  struct Arrival {
    int64_t time;
    Positions positions;
    /// Those that are idle.
    std::array<std::optional<RingContents>, numRings> rings;
    std::array<int64_t, numRings> restsSince;
    Core::Laps laps;
    std::vector<uint32_t> pages;
  };

  /// Whether a section ends at the mark in hand.
  bool isCut();
  /// The state that the machine is in, null if it is not worth remembering.
  State *here();
  void begin(State &state);
  /// Ends the section in hand; it is not remembered.
  std::unique_ptr<Section> stop();
  /// The section in hand has ended in `state` and can be used again.
  void remember(std::unique_ptr<Section> section, State &state);
  /// Goes on with what is known of `state`; where that ends.
  State &goOn(State &state);
  /// Of `state`, what begins with what is there now.
  Section *knownSection(const State &state, const Arrival &now,
                        const Origins::Values &values) const;
  /// How often in succession `section`, which has ended where it began and is
  /// known again; 0 if that cannot be said.
  int64_t timesOf(const Section &section, const Arrival &now,
                  const Origins::Values &values) const;
  RingContents contentsOf(unsigned r) const;
  /// An idle ring relative to a time and positions.
  std::vector<int64_t> describe(unsigned r, const RingContents &contents,
                                int64_t time, int64_t past,
                                const Positions &positions) const;

  Core &core;
  Timeline &timeline;
  EnergyMeter &energy;
  Rounds &rounds;
  int64_t leastSection;
  std::unordered_multimap<uint64_t, State> states; ///< by hash
  std::optional<Recording> recording;
  llvm::DenseSet<uint32_t> cuts; ///< words of marks at which sections end
  /// Where a period of rounds ends that is a section.
  struct PeriodEnd {
    uint32_t word;
    size_t loops;      ///< in which that is
    unsigned depth;    ///< of the loop of the rounds
    int64_t iteration; ///< of that
  };
  std::optional<PeriodEnd> periodEnd;
  int64_t lastCut = 0;
  int64_t hits = 0;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_MEMO_H
