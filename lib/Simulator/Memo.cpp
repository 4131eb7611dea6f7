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
/// Of the same state with different values, the last ones.
static constexpr size_t mostSections = 32;

void Memo::RingContents::move(unsigned r, int64_t shift, const Positions &by) {
  ring.move(by.popped[r], by.layer);
  timeline.move(r, shift, by);
  EnergyMeter::move(held, by.layer);
}

Memo::RingContents Memo::contentsOf(unsigned r) const {
  return {core.state().rings[r], timeline.ringParts(r), energy.heldSlots()[r]};
}

std::vector<int64_t> Memo::describe(unsigned r, const RingContents &contents,
                                    int64_t time, int64_t past,
                                    const Positions &positions) const {
  std::vector<int64_t> result;
  contents.ring.describe(/*isStream=*/false, positions.layer, result);
  timeline.describe(r, contents.timeline, time, time - past, positions, result);
  EnergyMeter::describe(r, contents.held, positions, result);
  return result;
}

Memo::State *Memo::here() {
  Positions positions = core.positions();
  uint32_t streams = timeline.streamingQueues(positions);
  // The core's streams are the timeline's, with nothing that waits behind them.
  if (streams >> FirstRingId != positions.streams ||
      !timeline.streamsAlone(streams))
    return nullptr;
  uint32_t idle = timeline.idleRings(positions);
  uint32_t resting = timeline.restingStreams(positions);
  uint32_t sleeping = timeline.sleepingQueues(positions);
  std::vector<int64_t> description;
  core.describe(idle, description);
  timeline.describe(positions, /*sleeping=*/0, idle, resting, description);
  timeline.describeOverlaps(positions, description);
  energy.describe(positions, idle, description);

  uint64_t hash = llvm::xxh3_64bits(llvm::ArrayRef(
      reinterpret_cast<const uint8_t *>(description.data()),
      description.size() * sizeof(int64_t)));
  auto [begin, end] = states.equal_range(hash);
  for (auto it = begin; it != end; ++it)
    if (it->second.description == description)
      return &it->second;
  if (states.size() >= (hits ? mostStates : mostInVain))
    return nullptr;
  int64_t past = timeline.time() - timeline.past(streams | sleeping);
  return &states
              .emplace(hash, State{std::move(description), streams, idle,
                                   resting, past, positions, timeline.time(),
                                   core.state(), timeline.state(),
                                   energy.heldSlots(), {}})
              ->second;
}

void Memo::begin(State &state) {
  auto section = std::make_unique<Section>(
      Origins(*core.values(), core.state().loops.size()), state);
  for (const auto &[queue, access] : timeline.writesOnTheirWay()) {
    section->origins.touchBefore(queue, access);
    // It must not matter which place of a ring a slot has.
    if (core.overlapsRing(access))
      section->origins.fail();
  }
  core.attach(&section->origins);
  int64_t time = timeline.time();
  Positions positions = core.positions();
  std::vector<std::pair<unsigned, std::vector<int64_t>>> idle;
  for (unsigned r = 0; r < numRings; ++r)
    if (state.idle >> r & 1)
      idle.push_back(
          {r, describe(r, contentsOf(r), time, state.past, positions)});
  std::vector<std::pair<unsigned, int64_t>> rested;
  for (unsigned r = 0; r < numRings; ++r)
    if (state.resting >> r & 1)
      rested.push_back({r, time - timeline.restsSince(r)});
  timeline.takePageEntries();
  recording.emplace(Recording{std::move(section), time,
                              core.instructionsExecuted(), positions,
                              std::move(idle), std::move(rested),
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
  section->endTime = timeline.time();
  section->endPositions = core.positions();
  section->grown = section->endPositions.grown(recording->positions, 1);
  for (auto &[r, description] : recording->idle)
    if (section->origins.touchedRings() >> r & 1)
      section->used.push_back({r, std::move(description)});
  for (auto [r, time] : recording->rested)
    if (section->origins.touchedRings() >> r & 1)
      section->rested.push_back(
          {r, time, timeline.restsSince(r) != recording->time - time});
  for (unsigned r = 0; r < numRings; ++r)
    if (section->origins.movedRings() >> r & 1)
      section->moved.push_back(
          {r, section->endPositions.popped[r] - core.laps()[r]});
  for (const Timeline::PageEntry &entry : timeline.takePageEntries())
    section->pages.push_back({entry, timeline.pages()[entry.place]});
  section->statistics.emplace(
      timeline.exchange(std::move(recording->statistics)));
  section->energy = energy.exchange(std::move(recording->energy));
  timeline.add(*section->statistics, 0);
  energy.add(section->energy, 0);
  recording.reset();
  return section;
}

bool Memo::isCut() {
  // Loops with rounds shorter than most of a section are left to `Rounds`.
  auto isLong = [&](size_t numLoops) {
    return core.roundLength(numLoops) >= leastSection * 5 / 8;
  };
  int64_t executed = core.instructionsExecuted();
  // Where a loop has come to a period, or rounds of it have been left out, what was
  // before them has worn off: layers that began at another fraction of a cycle
  // come to the same state. A period is a section of its own.
  llvm::ArrayRef loops = core.state().loops;
  if (std::optional<Rounds::Steady> steady = rounds.takeSteady();
      steady && steady->depth <= loops.size() && isLong(steady->depth)) {
    periodEnd.reset();
    if (steady->rounds && steady->depth < loops.size())
      periodEnd = {core.word(), loops.size(), steady->depth,
                   loops[steady->depth].iteration + steady->rounds};
    lastCut = executed;
    return true;
  }
  if (periodEnd && core.word() == periodEnd->word &&
      loops.size() == periodEnd->loops &&
      loops[periodEnd->depth].iteration == periodEnd->iteration) {
    periodEnd.reset();
    lastCut = executed;
    return true;
  }
  if (!isLong(core.state().loops.size()))
    return false;
  if (!cuts.contains(core.word()) && executed - lastCut < leastSection)
    return false;
  cuts.insert(core.word());
  lastCut = executed;
  return true;
}

void Memo::remember(std::unique_ptr<Section> section, State &state) {
  section->origins.end(*core.values(), timeline.writesOnTheirWay());
  llvm::ArrayRef loops = core.state().loops;
  llvm::append_range(section->entered,
                     loops.drop_front(section->origins.loopsThatGoOn()));
  section->end = &state;
  uint32_t untouched =
      section->begin->idle & ~section->origins.touchedRings();
  for (unsigned r = 0; r < numRings; ++r)
    if ((state.idle & ~untouched) >> r & 1)
      section->left.push_back({r, contentsOf(r)});
  uint32_t untouchedResting =
      section->begin->resting & ~section->origins.touchedRings();
  for (unsigned r = 0; r < numRings; ++r)
    if ((state.resting & ~untouchedResting) >> r & 1)
      section->restedAtEnd.push_back(
          {r, section->endTime - timeline.restsSince(r)});
  std::vector<std::unique_ptr<Section>> &sections = section->begin->sections;
  if (sections.size() == mostSections)
    sections.erase(sections.begin());
  sections.push_back(std::move(section));
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
      !section->ordersMore(state->streams))
    remember(std::move(section), *state);
  State &end = goOn(*state);
  lastCut = core.instructionsExecuted();
  begin(end);
}

Memo::Section *Memo::knownSection(const State &state, const Arrival &now,
                                  const Origins::Values &values) const {
  auto isSame = [&](const auto &used) {
    return describe(used.first, *now.rings[used.first], now.time, state.past,
                    now.positions) == used.second;
  };
  auto restsAsLong = [&](const Section::Rested &rested) {
    return rested.brings ||
           now.time - now.restsSince[rested.ring] == rested.time;
  };
  auto isAsResident = [&](const auto &entry) {
    const Timeline::PageEntry &first = entry.first;
    return (now.pages[first.place] == first.page) == first.wasResident;
  };
  for (const std::unique_ptr<Section> &section : llvm::reverse(state.sections))
    if (!section->doesNotRepeat &&
        core.timesInStreams(state.streams, now.positions, section->grown) > 0 &&
        section->origins.holds(values) &&
        llvm::all_of(section->rested, restsAsLong) &&
        llvm::all_of(section->pages, isAsResident) &&
        llvm::all_of(section->used, isSame))
      return section.get();
  return nullptr;
}

int64_t Memo::timesOf(const Section &section, const Arrival &now,
                      const Origins::Values &values) const {
  int64_t times = section.grown.layer ? 0 : section.origins.times(values);
  // As long as that is not shorter than what sections are for, once will do.
  if (times == 0)
    return section.executed < leastSection ? 0 : 1;
  return std::min(times,
                  core.timesInStreams(section.begin->streams, now.positions,
                                      section.grown));
}

Memo::State &Memo::goOn(State &first) {
  State *state = &first;
  Arrival now{timeline.time(), core.positions(), {}, {}, core.laps(),
              timeline.pages()};
  for (unsigned r = 0; r < numRings; ++r) {
    now.restsSince[r] = timeline.restsSince(r);
    if (state->idle >> r & 1)
      now.rings[r] = contentsOf(r);
  }
  int64_t executed = core.instructionsExecuted();
  std::unique_ptr<Origins::Values> values = core.values();
  const Section *last = nullptr;
  while (Section *section = knownSection(*state, now, *values)) {
    // What it needs beside values is there once more.
    int64_t n = section == last && state == section->end
                    ? timesOf(*section, now, *values)
                    : 1;
    last = section;
    if (n == 0) {
      section->doesNotRepeat = true;
      continue;
    }
    int64_t offset = section->origins.layerOffset(*values);
    core.apply(section->origins.results(*values, n), section->grown.layer,
               section->entered, n * section->executed);
    timeline.add(*section->statistics, offset, n);
    energy.add(section->energy, offset, n);
    for (const Section::Rested &rested : section->rested)
      timeline.addRest(rested.ring,
                       n * (now.time - now.restsSince[rested.ring] -
                            rested.time));
    now.positions.grow(section->grown, n);
    now.time += n * section->time;
    state = section->end;
    for (const auto &[r, contents] : section->left) {
      now.rings[r] = contents;
      now.rings[r]->move(r, now.time - section->endTime,
                         now.positions.grown(section->endPositions, 1));
    }
    for (auto [r, time] : section->restedAtEnd)
      now.restsSince[r] = now.time - time;
    for (auto [r, slots] : section->moved)
      now.laps[r] = now.positions.popped[r] - slots;
    for (const auto &[first, last] : section->pages)
      now.pages[first.place] = last;
    ++hits;
  }
  if (core.instructionsExecuted() == executed)
    return first;
  now.positions.layer = core.state().currentLayer;
  Positions by = now.positions.grown(state->positions, 1);
  core.restore(state->core, by, state->streams);
  timeline.restore(state->timeline, now.time - state->time, by, state->streams);
  timeline.setPages(std::move(now.pages));
  energy.restore(state->slots, by);
  for (unsigned r = 0; r < numRings; ++r) {
    if (state->resting >> r & 1)
      timeline.setRestsSince(r, now.restsSince[r]);
    if (state->idle >> r & 1) {
      core.setRing(r, now.rings[r]->ring);
      timeline.setRingParts(r, now.rings[r]->timeline);
      energy.hold(r, now.rings[r]->held);
    }
  }
  core.setLaps(now.laps);
  rounds.forget();
  return *state;
}
