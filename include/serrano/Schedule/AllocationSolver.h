//===- AllocationSolver.h - solvers of allocation problems ----*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SCHEDULE_ALLOCATIONSOLVER_H
#define SERRANO_SCHEDULE_ALLOCATIONSOLVER_H

#include "serrano/Schedule/Allocation.h"

namespace serrano {

struct AllocationOptions {
  /// How many buffers the exact search places before it gives up. A count and
  /// not a time: the same problem has the same solution on every machine.
  int64_t steps = 20000;
  /// The first placement of so few bytes is taken. Buffers that share bytes
  /// although there is room for both make their users wait for each other.
  int64_t enough = 0;
};

/// How good a solution is.
struct AllocationResult {
  int64_t height = 0;     ///< bytes that the solution takes
  int64_t lowerBound = 0; ///< proved: no solution takes less
  int64_t steps = 0;      ///< of the exact search

  bool isOptimal() const { return height == lowerBound; }
  /// How much less a better solution could take, as a part of `height`.
  double gap() const { return height ? 1 - double(lowerBound) / height : 0; }
};

/// Places every buffer that has no address: the largest first, each at the
/// lowest address that is free during its life (greedy by size, as in Pisarchyk
/// & Lee 2020). The error names the buffer that does not fit, and how much is
/// alive with it.
llvm::Error allocateGreedily(AllocationProblem &problem);

/// Places every buffer that has no address so that the height is small: greedy
/// placement in several orders and, if none reaches the lower bound, a search
/// over canonical solutions (Moffitt 2023), which also raises the bound where
/// it finds that a height is not possible. It ends as soon as it has taken
/// `options.enough` or less, the largest first being what is tried first. With given addresses greedy
/// placement is all: canonical solutions lie on the ground.
llvm::Expected<AllocationResult> solve(AllocationProblem &problem,
                                       AllocationOptions options = {});

/// A ring: scratchpad that is used all the time, in slots of a fixed size, and
/// is the better the more slots it has.
struct RingShare {
  std::string name;      ///< as errors say it: "ring 0"
  int64_t slotBytes = 0; ///< a multiple of the alignment
  int64_t fewest = 1, most = 1;
  int64_t slots = 0; ///< found by `divideRest`
};

/// Divides `bytes` among rings: each gets the same number of bytes in whole
/// slots; what one cannot take, because it has its most slots, goes to the
/// others. The error names a ring that does not get its fewest.
llvm::Error divideRest(int64_t bytes, llvm::MutableArrayRef<RingShare> rings);

} // namespace serrano

#endif // SERRANO_SCHEDULE_ALLOCATIONSOLVER_H
