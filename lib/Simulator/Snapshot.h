//===- Snapshot.h - values of the sequencer at a moment -------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_SNAPSHOT_H
#define SERRANO_SIMULATOR_SNAPSHOT_H

#include "KnownScalars.h"
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace serrano::sim {

/// What the sequencer's registers and scalar memory hold at a moment of a
/// prediction.
struct Snapshot {
  std::array<int64_t, 64> registers;
  std::vector<std::byte> scalars; ///< up to `known.end()`
  KnownScalars known;

  /// The i32 at `address` of scalar memory, a multiple of 4.
  int32_t word(int64_t address) const {
    int32_t result;
    std::memcpy(&result, &scalars[address], sizeof(result));
    return result;
  }
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_SNAPSHOT_H
