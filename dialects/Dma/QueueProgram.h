//===- QueueProgram.h - a function as the proof of its waits sees it - -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_DMA_QUEUEPROGRAM_H
#define SERRANO_DIALECTS_DMA_QUEUEPROGRAM_H

#include "dialects/Dma/QueueState.h"
#include "dialects/Dma/Touches.h"

namespace serrano::dma {

struct Wait {
  Queue queue;
  int64_t lag;
};

/// An operation that runs on a queue.
struct QueuedOp {
  mlir::Operation *op;
  Queue queue;
  unsigned waiter;
  bool isSync = false;
  bool executes = false; ///< and others may have to wait for it: no sync, and nothing of a ring
  bool signals = false;
  /// Those for a queue's counter.
  llvm::SmallVector<Wait, 2> waits = {};
  /// What executes on another queue and touches a common byte, one of both writing: by
  /// number, in program order.
  llvm::SmallVector<unsigned> conflicts = {};

  /// Whether who has these waits in such a state knows operation `other` to be complete.
  bool knows(const QueueState &state, unsigned other, llvm::ArrayRef<Wait> waits) const;
  /// Waits, and is executed.
  void step(unsigned number, QueueState &state) const;
};

/// A queued operation, a loop, or a branch.
struct QueueItem {
  enum Kind { Op, Loop, Branch } kind;
  unsigned number = 0;                          ///< of the operation, or of the loop
  std::vector<QueueItem> body = {}, other = {}; ///< of a loop; the sides of a branch
  bool runsAtLeastOnce = false;                 ///< the loop
};

/// The operations of a function that run on queues, numbered in program order, and the
/// loops and branches around them: what is walked again and again.
class QueueProgram {
public:
  /// `touches` are those of `function`, which are known as it can be followed.
  QueueProgram(mlir::func::FuncOp function, const Touches &touches);
  /// Of the same function as `before`, since when only syncs were added, which touch nothing.
  QueueProgram(mlir::func::FuncOp function, const QueueProgram &before);

  /// In which nothing was executed.
  QueueState getEmptyState() const { return QueueState(ops.size(), numWaiters); }

  /// Walks the operations in program order, through loops until the state at their heads
  /// stays the same, and calls `visit` with the state before each operation; `visit`
  /// updates it. The last call for an operation has a state that holds before all its
  /// executions.
  void walk(llvm::function_ref<void(unsigned, QueueState &)> visit) const;

  std::vector<QueuedOp> ops;
  std::vector<QueueItem> items; ///< of the function's block
  unsigned numLoops = 0;

private:
  explicit QueueProgram(mlir::func::FuncOp function);
  std::vector<QueueItem> readBlock(mlir::Block &block);
  void findConflicts(const Touches &touches);

  unsigned numWaiters = unsigned(Queue::Ring);
};

} // namespace serrano::dma

#endif // SERRANO_DIALECTS_DMA_QUEUEPROGRAM_H
