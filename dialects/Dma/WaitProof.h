//===- WaitProof.h - whether weaker waits suffice ------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_DMA_WAITPROOF_H
#define SERRANO_DIALECTS_DMA_WAITPROOF_H

#include "dialects/Dma/QueueProgram.h"

namespace serrano::dma {

/// A proof that nothing races, which is made anew as waits become weaker. Weaker waits leave
/// no state of the walk greater, so each proof begins from the states of the one before it.
class WaitProof {
public:
  /// Of the program as it is; if something races in it, no change is accepted.
  explicit WaitProof(QueueProgram &program);

  /// Whether still nothing races if operation `op` has these waits, which order no more than
  /// those that it has. If so it has them from now on.
  bool accepts(unsigned op, llvm::SmallVector<Wait, 2> waits);

private:
  bool walkItems(llvm::ArrayRef<QueueItem> items, QueueState &state);
  bool walkLoop(const QueueItem &loop, QueueState &state);
  /// Whether nothing races from an item of the function's block on, up to which nothing has
  /// changed since the last proof.
  bool walkFrom(size_t item);
  /// What the walk has found is kept if it shows that nothing races.
  bool endWalk(bool holds);

  QueueProgram &program;
  bool holds = true; ///< nothing races in the program
  using States = std::vector<std::optional<QueueState>>;
  /// By loop: the state at its head, in the last proof and in the one that is being made.
  /// That of the last one is no less: the search for the fixed point may begin there.
  States heads, newHeads;
  /// By item of the function's block: the state before it.
  States entries, newEntries;
  std::vector<size_t> itemOf; ///< of the function's block, by operation
};

} // namespace serrano::dma

#endif // SERRANO_DIALECTS_DMA_WAITPROOF_H
