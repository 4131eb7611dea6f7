//===- QueueState.h - what is known to be complete, for every trip count - -*-
//C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_DMA_QUEUESTATE_H
#define SERRANO_DIALECTS_DMA_QUEUESTATE_H

#include "dialects/Dma/Dma.h"
#include "llvm/ADT/MapVector.h"

namespace serrano::dma {

/// Who waits when `op`, which runs on a queue, does: the queue or, as each ring
/// has a queue of its own, that ring.
unsigned getWaiter(mlir::Operation *op);

/// An abstract state of the queues at a point of a function, that holds on
/// every path there: for the latest execution of each operation, a lower bound
/// of how many increments its queue's counter was given since, and which queues
/// know it to be complete. Bounds are cut at the largest lag, so the states of
/// a loop are finite and its fixed point is reached: what holds there holds for
/// every trip count.
class QueueState {
public:
  struct Record {
    int64_t age;      ///< -1: not even its own queue's next increment was given
    unsigned knownBy; ///< a bit for each who waits
    bool operator==(const Record &) const = default;
  };

  /// Operation `op` is executed on `queue`; `signals` if it increments its
  /// counter.
  void execute(mlir::Operation *op, Queue queue, bool signals);

  /// `waiter` waits for all but the last `lag` increments of `queue`.
  void wait(unsigned waiter, Queue queue, int64_t lag);

  /// Keeps what holds in both.
  void merge(const QueueState &other);

  /// Calls `visit` for each executed operation of another queue that `waiter`
  /// does not know to be complete.
  void
  forEachUnknown(unsigned waiter,
                 llvm::function_ref<void(mlir::Operation *, Queue, int64_t age)>
                     visit) const;

  bool operator==(const QueueState &other) const;

private:
  llvm::MapVector<mlir::Operation *, Record> records;
};

/// Walks the operations of a function of which `getTouches` has found that it
/// can be followed, in program order, through loops until the state at their
/// heads stays the same, and calls `visit` with the state before each operation
/// that runs on a queue; `visit` updates it. The last call for an operation has
/// a state that holds before all its executions.
void walkQueues(
    mlir::func::FuncOp function,
    llvm::function_ref<void(mlir::Operation *, Queue, QueueState &)> visit);

} // namespace serrano::dma

#endif // SERRANO_DIALECTS_DMA_QUEUESTATE_H
