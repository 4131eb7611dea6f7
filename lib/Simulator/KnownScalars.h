//===- KnownScalars.h - what a prediction knows --------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_KNOWNSCALARS_H
#define SERRANO_SIMULATOR_KNOWNSCALARS_H

#include "llvm/ADT/BitVector.h"

namespace serrano::sim {

/// The words of scalar memory whose contents are known in a run whose engines
/// do not compute: what the host gave and what the sequencer stored of it. All
/// that the sequencer decides comes from these, so that it does the same as when
/// engines compute.
class KnownScalars {
public:
  explicit KnownScalars(int64_t bytes) : words((bytes + 3) / 4) {}

  /// A range that lies in scalar memory.
  void set(int64_t address, int64_t bytes, bool isKnown) {
    unsigned first = address / 4, end = (address + bytes + 3) / 4;
    if (bytes > 0 && isKnown)
      words.set(first, end);
    else if (bytes > 0)
      words.reset(first, end);
  }
  /// Of the word at `address`, a multiple of 4.
  bool contains(int64_t address) const { return words[address / 4]; }
  /// Words from here on are not known.
  int64_t end() const { return 4 * int64_t(words.find_last() + 1); }

private:
  llvm::BitVector words;
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_KNOWNSCALARS_H
