//===- Memo.cpp - what sections of a prediction did before -------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Memo.h"
#include "llvm/Support/xxhash.h"

using namespace serrano;
using namespace serrano::sim;

/// A state takes some 100 KiB.
static constexpr size_t mostStates = 1500;
/// So many of them without any that came again are a program without repetition.
static constexpr size_t mostInVain = 200;
/// Of the same state with different values.
static constexpr size_t mostSections = 8;

Memo::State *Memo::here() {
  Positions positions = core.positions();
  uint32_t streams = timeline.streamingQueues(positions);
  // The core's streams are the timeline's, with nothing that waits behind them.
  if (streams >> FirstRingId != positions.streams ||
      !timeline.streamsAlone(streams))
    return nullptr;
  uint32_t sleeping = timeline.sleepingQueues(positions, 0);
  std::vector<int64_t> description = {streams, sleeping};
  core.describe(description);
  timeline.describe(positions, /*sleeping=*/0, description);
  timeline.describeSleep(sleeping, description);
  timeline.describeOverlaps(positions, description);
  energy.describe(positions, description);

  uint64_t hash = llvm::xxh3_64bits(llvm::ArrayRef(
      reinterpret_cast<const uint8_t *>(description.data()),
      description.size() * sizeof(int64_t)));
  auto [begin, end] = states.equal_range(hash);
  for (auto it = begin; it != end; ++it)
    if (it->second.description == description)
      return &it->second;
  if (states.size() >= (hits ? mostStates : mostInVain))
    return nullptr;
  return &states
              .emplace(hash, State{std::move(description), streams, positions,
                                   timeline.time(), core.state(),
                                   timeline.state(), energy.heldSlots(), {}})
              ->second;
}

void Memo::begin(State &state) {
  if (state.sections.size() == mostSections)
    return;
  auto section = std::make_unique<Section>(
      Origins(*core.values(), core.state().loops.size()), state);
  for (unsigned queue : {unsigned(DmaInId), unsigned(VectorId)})
    for (const Access &access : timeline.writesOnTheirWay(queue))
      section->origins.touchBefore(queue, access);
  core.attach(&section->origins);
  recording.emplace(Recording{std::move(section), timeline.time(),
                              core.instructionsExecuted(), core.positions(),
                              timeline.exchange(Timeline::nothing()),
                              energy.exchange({})});
}

std::unique_ptr<Memo::Section> Memo::stop() {
  if (!recording)
    return nullptr;
  core.attach(nullptr);
  std::unique_ptr<Section> section = std::move(recording->section);
  section->time = timeline.time() - recording->time;
  section->executed = core.instructionsExecuted() - recording->executed;
  section->grown = core.positions().grown(recording->positions, 1);
  section->statistics.emplace(
      timeline.exchange(std::move(recording->statistics)));
  section->energy = energy.exchange(std::move(recording->energy));
  timeline.add(*section->statistics, 0);
  energy.add(section->energy, 0);
  recording.reset();
  return section;
}

bool Memo::isCut() {
  int64_t executed = core.instructionsExecuted();
  auto [it, isNew] = cuts.try_emplace(core.word());
  Cut &cut = it->second;
  if (isNew &&
      (executed - lastCut < leastSection || core.isInInnermostLoop())) {
    cuts.erase(it);
    return false;
  }
  // Loops with rounds shorter than most of a section are left to `Rounds`.
  cut.isInShortLoop |= !isNew && executed - cut.last < leastSection * 5 / 8;
  cut.last = executed;
  if (!cut.isInShortLoop)
    lastCut = executed;
  return !cut.isInShortLoop;
}

void Memo::marked() {
  // What is followed is not interrupted.
  if (rounds.isFollowing() || !isCut())
    return;
  rounds.cut();
  State *state = here();
  std::unique_ptr<Section> section = stop();
  if (!state || (hits == 0 && states.size() == mostInVain))
    return;
  if (section && !section->origins.hasFailed() &&
      section->begin->streams == state->streams &&
      !section->ordersMore(state->streams)) {
    section->origins.end(*core.values());
    llvm::ArrayRef loops = core.state().loops;
    llvm::append_range(section->entered,
                       loops.drop_front(section->origins.loopsThatGoOn()));
    section->end = state;
    State *first = section->begin;
    first->sections.push_back(std::move(section));
  }
  begin(goOn(*state));
}

Memo::State &Memo::goOn(State &first) {
  State *state = &first;
  Positions positions = core.positions();
  int64_t time = timeline.time(), executed = core.instructionsExecuted();
  std::unique_ptr<Origins::Values> values = core.values();
  auto knownSection = [&]() -> Section * {
    for (const std::unique_ptr<Section> &section : state->sections)
      if (core.streamsLast(state->streams, positions, section->grown) &&
          section->origins.holds(*values))
        return section.get();
    return nullptr;
  };
  while (Section *section = knownSection()) {
    int64_t offset = section->origins.layerOffset(*values);
    core.apply(section->origins.results(*values), section->grown.layer,
               section->entered, section->executed);
    timeline.add(*section->statistics, offset);
    energy.add(section->energy, offset);
    positions.grow(section->grown);
    time += section->time;
    state = section->end;
    ++hits;
  }
  if (core.instructionsExecuted() == executed)
    return first;
  positions.layer = core.state().currentLayer;
  Positions by = positions.grown(state->positions, 1);
  core.restore(state->core, by, state->streams);
  timeline.restore(state->timeline, time - state->time, by, state->streams);
  energy.restore(state->slots, by);
  rounds.forget();
  return *state;
}
