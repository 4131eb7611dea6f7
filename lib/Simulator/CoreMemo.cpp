//===- CoreMemo.cpp - one core: sections that are known ----------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Core.h"
#include <cstring>

using namespace serrano;
using namespace serrano::sim;

class Core::CurrentValues final : public Origins::Values {
public:
  explicit CurrentValues(const Core &core) : core(core) {}

  int64_t registerValue(unsigned index) const override {
    return core.registers[index];
  }
  int64_t iteration(unsigned depth) const override {
    return core.loops[depth].iteration;
  }
  int64_t roundsLeft(unsigned depth) const override {
    return core.loops[depth].count - core.loops[depth].iteration;
  }
  int64_t layer() const override { return core.currentLayer; }
  bool isKnown(int64_t address) const override {
    return core.known->contains(address);
  }
  int64_t word(int64_t address) const override {
    return isKnown(address) ? core.scalarWord(address) : 0;
  }
  bool allows(const Access &access) const override {
    return core.memory.allows(access) &&
           !(access.write && core.overlapsRing(access));
  }

private:
  const Core &core;
};

std::unique_ptr<Origins::Values> Core::values() const {
  return std::make_unique<CurrentValues>(*this);
}

int64_t Core::roundLength(size_t numLoops) const {
  if (numLoops == 0)
    return INT64_MAX;
  const LoopState &loop = loops[numLoops - 1];
  return std::max(loop.lastRound, executed - loop.began);
}

void Core::apply(const Origins::Results &results, int64_t grownLayer,
                 llvm::ArrayRef<LoopState> entered, int64_t instructions) {
  for (auto [index, value] : results.registers)
    registers[index] = value;
  for (const Origins::Results::Word &word : results.words) {
    known->set(word.address, sizeof(word.value), word.isKnown);
    std::memcpy(memory.at(Memory::Scalar, word.address), &word.value,
                sizeof(word.value));
  }
  loops.resize(results.rounds.size());
  for (auto [loop, rounds] : llvm::zip_equal(loops, results.rounds))
    loop.iteration += rounds;
  size_t goOn = loops.size();
  loops.append(entered.begin(), entered.end());
  for (auto [i, count] : llvm::enumerate(results.counts))
    loops[goOn + i].count += count;
  currentLayer += grownLayer;
  executed += instructions;
  // What of their rounds has been executed is not known.
  for (LoopState &loop : loops)
    loop.began = executed;
}

int64_t Core::timesInStreams(uint32_t streams, const Positions &now,
                             const Positions &grown) const {
  int64_t times = INT64_MAX;
  for (auto [r, ring] : llvm::enumerate(rings)) {
    if (!(streams >> (FirstRingId + r) & 1))
      continue;
    // It may be ahead by all its places.
    int64_t filled = now.popped[r] + ring.slots;
    const Order &order = ring.orders.front();
    int64_t left = order.firstSlot + order.count - filled - ring.slots - 1;
    if (left < 0)
      return 0;
    if (grown.popped[r])
      times = std::min(times, left / grown.popped[r]);
  }
  return times;
}

void Core::restore(const CoreState &other, const Positions &by,
                   uint32_t streams) {
  auto kept = std::make_tuple(std::move(loops), currentLayer, counterQueue);
  std::array<std::pair<std::deque<Order>, int64_t>, numRings> orders;
  for (auto [r, ring] : llvm::enumerate(rings))
    if (streams >> (FirstRingId + r) & 1)
      orders[r] = {std::move(ring.orders), ring.ordered};
  static_cast<CoreState &>(*this) = other;
  std::tie(loops, currentLayer, counterQueue) = std::move(kept);
  for (unsigned c = 0; c < numCounters; ++c) {
    increments[c] += by.increments[c];
    if (counterQueue[c] >= int(FirstRingId))
      ringIncrements[c] += by.increments[c];
  }
  for (auto [r, ring] : llvm::enumerate(rings)) {
    ring.move(by.popped[r], by.layer);
    if (streams >> (FirstRingId + r) & 1)
      std::tie(ring.orders, ring.ordered) = std::move(orders[r]);
  }
}

Core::Laps Core::laps() const {
  Laps result;
  for (auto [lap, ring] : llvm::zip(result, rings))
    lap = ring.lap;
  return result;
}

void Core::setLaps(const Laps &laps) {
  for (auto [ring, lap] : llvm::zip(rings, laps))
    if (ring.slots)
      ring.lap = ring.popped - (ring.popped - lap) % ring.slots;
}
