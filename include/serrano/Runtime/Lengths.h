//===- Lengths.h - the lengths of a run ----------------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_RUNTIME_LENGTHS_H
#define SERRANO_RUNTIME_LENGTHS_H

#include "serrano/Runtime/Entry.h"

namespace serrano {

/// A sequence of a step: `added` new tokens, after which it has `context`, the
/// new ones among them.
struct SequenceLengths {
  int64_t added = 0;
  int64_t context = 0;
};

/// All that the time of a run depends on: of a step over a paged cache the
/// lengths of its sequences, of any other entry the sizes of its dimensions.
struct Lengths {
  std::vector<SequenceLengths> sequences;
  Dimensions dimensions;

  /// Reads "[COUNTx]NEW@CONTEXT,..." or "NAME=SIZE,...": "1@128",
  /// "8x1@1024,256@256", "batch=32,seq=128". An error names the part that is
  /// wrong.
  static llvm::Expected<Lengths> parse(llvm::StringRef text);
};

} // namespace serrano

#endif // SERRANO_RUNTIME_LENGTHS_H
