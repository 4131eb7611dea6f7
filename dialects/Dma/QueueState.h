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
#include <array>

namespace serrano::dma {

/// Who waits when `op`, which runs on a queue, does: the queue or, as each ring
/// has a queue of its own, that ring.
unsigned getWaiter(mlir::Operation *op);

/// Those who wait: the queues of the engines, and those of the rings.
inline constexpr unsigned numWaiters = unsigned(Queue::Ring) + unsigned(mem::numRings);

/// An abstract state of the queues at a point of a function, that holds on
/// every path there: for the latest execution of each operation, which queues know
/// it to be complete, and a lower bound of how many increments a queue has given its
/// counter since it knew. Who waits for one of those knows it too, so orders through
/// other queues are seen. Bounds are cut at the largest lag, so the states of a loop are
/// finite and its fixed point is reached: what holds there holds for every trip count.
class QueueState {
public:
  /// By waiter: `unknown`, `known`, or how many increments followed the first one that
  /// the queue gave when it knew. An operation's own queue always knows.
  using Ages = std::array<int8_t, numWaiters>;
  static constexpr int8_t unknown = -2, known = -1;

  /// Operation `op` is executed on `queue`; `signals` if it increments its
  /// counter.
  void execute(mlir::Operation *op, Queue queue, bool signals);

  /// `waiter` waits for all but the last `lag` increments of `queue`.
  void wait(unsigned waiter, Queue queue, int64_t lag);

  /// Keeps what holds in both.
  void merge(const QueueState &other);

  /// Calls `visit` for each executed operation that `waiter` does not know to be
  /// complete.
  void forEachUnknown(unsigned waiter,
                      llvm::function_ref<void(mlir::Operation *, const Ages &)> visit) const;

  bool operator==(const QueueState &other) const;

private:
  llvm::MapVector<mlir::Operation *, Ages> records;
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
