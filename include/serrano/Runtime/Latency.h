//===- Latency.h - time to first token and per output token ---- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_RUNTIME_LATENCY_H
#define SERRANO_RUNTIME_LATENCY_H

#include "serrano/Runtime/LatencyFunction.h"
#include "serrano/Runtime/Program.h"

namespace serrano {

/// What a user of a decoder waits for. The times depend on nothing but lengths: not on
/// which tokens there are nor on where the cache's blocks lie.
struct Latency {
  double cyclesPerSecond = 0;
  int64_t stepTokens = 0; ///< most new tokens of a step: a longer prompt takes several
  int64_t longest = 0;    ///< tokens of a sequence
  /// Of a prompt of one sequence from empty, by its tokens, to the logits of its last one;
  /// up to `stepTokens`.
  LatencyFunction firstToken;
  /// Of a step of `stepTokens` of a longer prompt, by the tokens of its context, the new
  /// ones among them; no knots if there is none.
  LatencyFunction promptStep;
  /// Of a step of one new token of each sequence, by the tokens of their contexts, the new one
  /// among them; for growing numbers of sequences.
  std::vector<LatencyFunction> outputToken;

  /// Of a prompt of one sequence from empty, in steps of `stepTokens` and one of the r tokens
  /// that are left, which counts as `firstToken` of r, and the share r / `stepTokens` of what a
  /// whole step with as many tokens before it takes longer than the first one. What this share is
  /// off by comes on top of the functions' errors: below 1 % of the prompts' times that we tried.
  double firstTokenCycles(int64_t prompt) const;

  std::string toJson() const;
};

/// Predicts steps of some lengths, about fifty for each function. An error says
/// that `entry` is no step over a cache, or what `Program::predict` does.
llvm::Expected<Latency> measureLatency(Program &program, const Entry &entry);

} // namespace serrano

#endif // SERRANO_RUNTIME_LATENCY_H
