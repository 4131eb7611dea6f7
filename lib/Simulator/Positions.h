//===- Positions.h - how far counters and rings are ------------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_POSITIONS_H
#define SERRANO_SIMULATOR_POSITIONS_H

#include "Dispatch.h"
#include <array>

namespace serrano::sim {

/// How far a run is, in what only ever grows. Rounds of a loop that do the same
/// differ in these alone.
struct Positions {
  std::array<int64_t, numCounters> increments = {}; ///< dispatched
  std::array<int64_t, numRings> ordered = {}, popped = {}; ///< slots
  /// Rings that are in the middle of an order and do not come to its end soon,
  /// as bits: what they do depends neither on how far it is nor on orders behind
  /// it. Those orders and their slots stay of the layers that ordered them.
  uint32_t streams = 0;
  std::array<int64_t, numRings> streamBegins = {}; ///< their orders' first slots
  int64_t layer = 0;

  bool isStream(unsigned ring) const { return streams >> ring & 1; }
  /// `this->layer` relative to a layer of what `ring` brings.
  int64_t layerOfSlot(unsigned ring, int64_t slotLayer) const {
    return isStream(ring) ? slotLayer : layer - slotLayer;
  }

  /// Grows `n` times by as much.
  void grow(const Positions &by, int64_t n) {
    for (unsigned c = 0; c < numCounters; ++c)
      increments[c] += n * by.increments[c];
    for (unsigned r = 0; r < numRings; ++r) {
      ordered[r] += n * by.ordered[r];
      popped[r] += n * by.popped[r];
    }
    layer += n * by.layer;
  }
  /// By how much they have grown `n` times what they grew since `before`.
  Positions grown(const Positions &before, int64_t n) const {
    Positions result;
    for (unsigned c = 0; c < numCounters; ++c)
      result.increments[c] = n * (increments[c] - before.increments[c]);
    for (unsigned r = 0; r < numRings; ++r) {
      result.ordered[r] = n * (ordered[r] - before.ordered[r]);
      result.popped[r] = n * (popped[r] - before.popped[r]);
    }
    result.streams = streams;
    result.streamBegins = streamBegins;
    result.layer = n * (layer - before.layer);
    return result;
  }
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_POSITIONS_H
