//===- Allocation.h - static addresses for buffers ------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SCHEDULE_ALLOCATION_H
#define SERRANO_SCHEDULE_ALLOCATION_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace serrano {

/// The dynamic storage allocation problem (Garey & Johnson SR2): buffers of
/// known size and lifetime get addresses below a capacity, so that two that are
/// alive at the same time never share a byte. It knows no IR, and no way to
/// solve it: solvers are in AllocationSolver.h, and files in AllocationFile.h.
class AllocationProblem {
public:
  struct Buffer {
    std::string name; ///< as errors say it: "buffer 3", "ring 0"
    int64_t bytes = 0;
    int64_t begin = 0, end = 0;     ///< alive in [begin, end)
    std::optional<int64_t> address; ///< given, or found by a solver
  };

  /// Bytes in all; addresses are multiples of `alignment`.
  AllocationProblem(int64_t capacity, int64_t alignment)
      : capacity(capacity), alignment(alignment) {}

  /// Returns the buffer's index.
  size_t add(Buffer buffer);
  const std::vector<Buffer> &buffers() const { return list; }
  void place(size_t index, int64_t address) { list[index].address = address; }

  int64_t capacityBytes() const { return capacity; }
  int64_t alignmentBytes() const { return alignment; }

  /// Whether the input makes sense: sizes, lifetimes and given addresses.
  llvm::Error check() const;
  /// Whether every buffer has a place and the places are a solution.
  llvm::Error verify() const;

  /// The most bytes alive at one time: the height of no solution is less. All
  /// sizes are rounded up to the alignment.
  int64_t lowerBound() const;
  /// The same, of the times in [begin, end).
  int64_t mostAlive(int64_t begin, int64_t end) const;
  /// The buffers, by index, of the first time at which the most bytes are alive.
  std::vector<size_t> aliveAtPeak() const;
  /// One past the highest byte that is used, rounded up to the alignment.
  int64_t height() const;

private:
  /// Whether the place of a buffer that has one is right, also beside the
  /// places of those before it.
  llvm::Error checkPlace(size_t index) const;

  int64_t capacity, alignment;
  std::vector<Buffer> list;
};

} // namespace serrano

#endif // SERRANO_SCHEDULE_ALLOCATION_H
