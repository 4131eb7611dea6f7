//===- Races.cpp - what waits leave unordered --------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Dma/Races.h"

#include "dialects/Dma/QueueProgram.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::dma;

std::optional<std::pair<Touch, Touch>> dma::findConflict(ArrayRef<Touch> mine,
                                                         ArrayRef<Touch> theirs) {
  for (const Touch &a : mine)
    for (const Touch &b : theirs)
      if (a.conflictsWith(b))
        return std::pair(a, b);
  return std::nullopt;
}

SmallVector<Race> dma::findRaces(func::FuncOp function, const Touches &touches) {
  QueueProgram program(function, touches);
  // A pair counts once, however often the loops around it are walked.
  llvm::MapVector<std::pair<unsigned, unsigned>, int64_t> found;
  program.walk([&](unsigned number, QueueState &state) {
    const QueuedOp &op = program.ops[number];
    if (!op.isSync)
      for (unsigned other : op.conflicts)
        if (!op.knows(state, other, op.waits))
          found[{number, other}] = state.getAge(other, unsigned(program.ops[other].queue));
    op.step(number, state);
  });
  SmallVector<Race> races;
  for (auto [pair, age] : found)
    races.push_back({program.ops[pair.first].op, program.ops[pair.second].op, age});
  return races;
}
