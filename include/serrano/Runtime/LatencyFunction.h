//===- LatencyFunction.h - time as a function of a length ------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_RUNTIME_LATENCYFUNCTION_H
#define SERRANO_RUNTIME_LATENCYFUNCTION_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace serrano {

/// Cycles as a function of one length: as predicted at its knots, on a straight line
/// between two of them.
struct LatencyFunction {
  struct Knot {
    int64_t length; ///< tokens
    int64_t cycles;
  };
  int64_t sequences = 1; ///< that are served at once, all of this length
  std::vector<Knot> knots; ///< by length, from the shortest to the longest
  /// How far the time of another length may be off, as a part of it: twice the most that a
  /// length that was looked at was off by before it became a knot too. An estimate, since the
  /// lengths that are looked at are a sample of all, and not below 0.005, for nothing smaller
  /// is looked for; 0 if all lengths are knots.
  double largestError = 0;

  /// For a length from the shortest to the longest.
  double cyclesAt(int64_t length) const;
};

/// The lengths a function is asked for, and where its time may jump.
struct FunctionLengths {
  int64_t shortest, longest;
  int64_t step; ///< only multiples of it, and the two above
  /// Time jumps from one to the other of lengths at these distances from multiples of `block`,
  /// by growing distance; those above 0 stand for the next multiple of `step` that is no
  /// shorter, the others for the last that is no longer.
  int64_t block;
  llvm::SmallVector<int64_t> edges;
};

/// Predicts all lengths if they are few, and else some fifty: where a line fits worst, and
/// some that are spread over all of them and tell how well it fits.
llvm::Expected<LatencyFunction>
fitLatency(llvm::function_ref<llvm::Expected<int64_t>(int64_t length)> cycles,
           const FunctionLengths &lengths);

} // namespace serrano

#endif // SERRANO_RUNTIME_LATENCYFUNCTION_H
