//===- CoreRounds.cpp - one core: rounds of a loop that are left out ---- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Core.h"
#include <cstring>

using namespace serrano;
using namespace serrano::sim;

Positions CoreState::positions() const {
  Positions result;
  result.increments = increments;
  for (auto [r, ring] : llvm::enumerate(rings)) {
    result.ordered[r] = ring.ordered;
    result.popped[r] = ring.popped;
    if (ring.orders.empty())
      continue;
    const Order &order = ring.orders.front();
    if (ring.filled > order.firstSlot && order.bytes == order.tailBytes &&
        ring.slotsToFill() > ring.slots) {
      result.streams |= 1u << r;
      result.streamBegins[r] = order.firstSlot;
    }
  }
  result.layer = currentLayer;
  return result;
}

void CoreState::Ring::describe(bool isStream, int64_t layer,
                               std::vector<int64_t> &out) const {
  // Where the places began is forgotten once all of them have been filled.
  out.insert(out.end(), {isStream, popped - std::max(origin, filled - slots),
                         popped - filled, isStream ? 0 : popped - ordered,
                         int64_t(orders.size())});
  for (const Order &order : orders)
    out.insert(out.end(),
               {order.op, isStream ? order.layer : layer - order.layer,
                order.signal, isStream ? 0 : popped - order.firstSlot,
                isStream ? 0 : order.count, order.bytes, order.tailBytes,
                order.stride, order.passCount, order.passStride});
  for (size_t i = 0; i < slotEnds.size(); ++i)
    out.push_back(slotEnds[i]);
}

void CoreState::describe(uint32_t idle, std::vector<int64_t> &out) const {
  out.insert(out.end(),
             {int64_t(current), int64_t(next), int64_t(unknown), currentOp,
              scalarCycles, currentPage, int64_t(loops.size())});
  out.insert(out.end(), pages.begin(), pages.end());
  for (const LoopState &loop : loops)
    out.insert(out.end(), {loop.firstIndex, loop.endIndex, loop.indexRegister,
                           loop.callDepth});
  for (const CallState &call : returns)
    out.insert(out.end(), {call.callee, call.returnIndex});
  if (dispatchedWeights)
    out.insert(out.end(), {dispatchedWeights->k, dispatchedWeights->n,
                           int64_t(dispatchedWeights->dtype)});
  for (unsigned c = 0; c < numCounters; ++c) {
    bool ofRing = counterQueue[c] >= int(FirstRingId);
    out.push_back(ofRing ? increments[c] - ringIncrements[c] : 0);
  }
  Positions positions = this->positions();
  for (auto [r, ring] : llvm::enumerate(rings)) {
    out.insert(out.end(), {ring.base, ring.slotBytes, ring.slots});
    if (!(idle >> r & 1))
      ring.describe(positions.isStream(r), positions.layer, out);
  }
}

Snapshot Core::snapshot() const {
  const std::byte *scalars = memory.at(Memory::Scalar, 0);
  return {registers, {scalars, scalars + known->end()}, *known};
}

Core::Round Core::round() const {
  Round result{.values = snapshot(),
               .positions = positions(),
               .ringIncrements = ringIncrements,
               .executed = executed,
               .iteration = loops.back().iteration,
               .forms = std::nullopt};
  if (origins)
    result.forms = origins->forms();
  return result;
}

bool Core::onLines(const Round &before) const {
  if (!slopes->haveSameSlopes())
    return false;
  for (unsigned r = 1; r < registers.size(); ++r)
    if (int64_t(uint64_t(registers[r]) - uint64_t(before.values.registers[r])) !=
        slopes->registers[r])
      return false;
  for (unsigned c = 0; c < numCounters; ++c)
    if (notYet >> c & 1 && increments[c] != before.positions.increments[c])
      return false;
  Positions grown = positions().grown(before.positions, 1);
  for (auto [r, ring] : llvm::enumerate(rings))
    if (grown.isStream(r) &&
        (grown.ordered[r] || !memory.allows(spanOf(ring.orders.front()))))
      return false;
  for (const auto &[address, word] : slopes->scalarWords()) {
    if (!word.isLoadedFirst)
      continue;
    bool isKnown = known->contains(address);
    int64_t grown = isKnown ? int64_t(scalarWord(address)) -
                                  before.values.word(address)
                            : 0;
    if (isKnown != before.values.known.contains(address) ||
        grown != word.slope || grown != slopes->initialSlope(address))
      return false;
  }
  return currentLayer - before.positions.layer == slopes->layerSlope();
}

int64_t Core::periodsOfStreams(const Round &before) const {
  int64_t result = INT64_MAX;
  Positions grown = positions().grown(before.positions, 1);
  for (auto [r, ring] : llvm::enumerate(rings))
    if (grown.isStream(r) && grown.popped[r])
      result = std::min(result, (ring.slotsToFill() - 1) / grown.popped[r]);
  return result;
}

void Core::leaveOut(int64_t n, const Round &before) {
  if (origins)
    origins->repeat(*before.forms, loops.size() - 1,
                    n * (loops.back().iteration - before.iteration));
  Positions grown = positions().grown(before.positions, n);
  for (unsigned r = 1; r < registers.size(); ++r)
    registers[r] =
        int64_t(uint64_t(registers[r]) + uint64_t(n) * slopes->registers[r]);
  for (const auto &[address, word] : slopes->scalarWords()) {
    int32_t value = scalarWord(address) + int32_t(n * word.slope);
    if (word.slope && known->contains(address))
      std::memcpy(memory.at(Memory::Scalar, address), &value, sizeof(value));
  }
  for (unsigned c = 0; c < numCounters; ++c) {
    increments[c] += grown.increments[c];
    ringIncrements[c] += n * (ringIncrements[c] - before.ringIncrements[c]);
  }
  for (auto [r, ring] : llvm::enumerate(rings)) {
    int64_t slots = grown.popped[r];
    // A region that all rounds use began before them.
    if (ring.origin > ring.filled - ring.slots)
      ring.origin += slots;
    ring.filled += slots;
    ring.popped += slots;
    if (ring.slots)
      ring.lap = ring.popped - (ring.popped - ring.lap) % ring.slots;
    if (grown.isStream(r))
      continue;
    ring.ordered += slots;
    for (Order &order : ring.orders) {
      order.firstSlot += slots;
      order.source += n * order.slope;
      order.layer += grown.layer;
    }
  }
  LoopState &loop = loops.back();
  loop.iteration += n * (loop.iteration - before.iteration);
  currentLayer += grown.layer;
  executed += n * (executed - before.executed);
}
