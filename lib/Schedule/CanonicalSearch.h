//===- CanonicalSearch.h - exact search for an allocation -----*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_SCHEDULE_CANONICALSEARCH_H
#define SERRANO_LIB_SCHEDULE_CANONICALSEARCH_H

#include "serrano/Schedule/Allocation.h"
#include "llvm/ADT/ArrayRef.h"

namespace serrano {

/// Decides whether the buffers of a problem fit below a height, by depth-first
/// search over its canonical solutions (Moffitt, "MiniMalloc", ASPLOS 2023).
///
/// Pushed down, every buffer of a solution lies on the ground or on another
/// one. So buffers are placed in the order of their addresses, each as low as
/// those that were placed before it let it. A branch is left when
/// - at some time what is not placed cannot fit above what is: buffers that
///   share a time are jobs of one machine that may start at their lowest
///   addresses, and end no earlier than that machine's shortest schedule;
/// - a buffer would stay out of a hole below the one that is placed, which it
///   fits: the same solution with the buffer in the hole is searched elsewhere.
/// Buffers that are connected by no other that is not placed are searched by
/// themselves.
///
/// All quantities are in units of the problem's alignment. Buffers must have
/// no given address.
class CanonicalSearch {
public:
  enum class Outcome { Found, Impossible, GaveUp };

  /// What is tried first among buffers with equal addresses. Of two orders one
  /// can find a solution at once and the other never, which nobody can tell
  /// before; so there are many.
  struct Order {
    /// Those that are alive when the most is, or that live longest, in time or
    /// in sections.
    enum By { LoadThenLife, LoadThenArea, Life, Sections } by;
    /// Rank the buffers of each part anew when the problem falls into parts.
    bool perPart;
    /// With a seed the weights of the buffers are raised by up to a fifth at
    /// random; 0 leaves them.
    uint64_t seed;

    static constexpr int64_t numPlain = 8;
    /// The first `numPlain` have no seed.
    static Order number(int64_t n) {
      return {By(n % 4), n / 4 % 2 == 0, uint64_t(n / numPlain)};
    }
  };

  explicit CanonicalSearch(const AllocationProblem &problem);

  /// `steps` is how many buffers may be placed; what was is subtracted.
  Outcome run(int64_t height, Order order, int64_t &steps);

  /// Of the last run that found some: by the problem's indices.
  llvm::ArrayRef<int64_t> addresses() const { return found; }

private:
  struct Item {
    size_t buffer;
    int64_t size;
    int64_t begin, end;   ///< lifetime
    unsigned first, last; ///< the sections [first, last) it is alive in
    std::vector<unsigned> neighbours; ///< alive at a time with it
  };

  /// Ranks the open items among each other; for a part of the problem anew,
  /// since how much else is alive with an item has changed.
  void rankItems(llvm::ArrayRef<unsigned> open);
  Outcome search(std::vector<unsigned> open, int64_t lastAddress,
                 int64_t lastRank, int64_t &steps);
  Outcome branch(llvm::ArrayRef<unsigned> open, int64_t lastAddress,
                 int64_t lastRank, int64_t &steps);
  /// Whether the open items may fit above `lastAddress` and what is placed.
  bool mayFit(llvm::ArrayRef<unsigned> open, int64_t lastAddress);
  void place(unsigned item, int64_t address);
  void undo(size_t mark);

  std::vector<Item> items; ///< in the order of their first sections
  unsigned numSections = 0;
  int64_t height = 0;
  Order order;
  uint64_t random = 0;

  // The state of a run.
  std::vector<int64_t> rank, lowest, address;
  std::vector<std::pair<unsigned, int64_t>> trail; ///< item, its lowest before
  std::vector<int64_t> load;                       ///< scratch, by section
  std::vector<int64_t> found;
};

} // namespace serrano

#endif // SERRANO_LIB_SCHEDULE_CANONICALSEARCH_H
