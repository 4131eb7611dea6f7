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
#include <vector>

namespace serrano::dma {

/// Who waits when `op`, which runs on a queue, does: the queue or, as each ring
/// has a queue of its own, that ring.
unsigned getWaiter(mlir::Operation *op);

/// An abstract state of the queues at a point of a function, that holds on
/// every path there: for the latest execution of each operation, which queues know
/// it to be complete, and a lower bound of how many increments a queue has given its
/// counter since it knew. Who waits for one of those knows it too, so orders through
/// other queues are seen. Bounds are cut at the largest lag, so the states of a loop are
/// finite and its fixed point is reached: what holds there holds for every trip count.
///
/// States are ordered: of two, the lesser one knows less. What operations do to them keeps
/// the order. So fewer waits, or weaker ones, never make a state greater.
class QueueState {
public:
  /// What a waiter knows of an operation: `unknown`, `known`, or how many increments
  /// followed the first one that the queue gave when it knew. An operation's own queue
  /// always knows. What was not executed is `absent` for all of them.
  static constexpr int8_t unknown = -2, known = -1, absent = 127;

  /// Of `numOps` operations, none of which was executed. `numWaiters` of those who wait are
  /// asked for: the queues of the engines, and the first rings.
  QueueState(size_t numOps, unsigned numWaiters)
      : numOps(numOps), numWaiters(numWaiters), ages(numOps * numWaiters, absent) {}

  /// Operation `op` is executed on `queue`; `signals` if it increments its
  /// counter.
  void execute(size_t op, Queue queue, bool signals);

  /// `waiter` waits for all but the last `lag` increments of `queue`.
  void wait(unsigned waiter, Queue queue, int64_t lag);

  /// Keeps what holds in both. True if that is less than was here.
  bool merge(const QueueState &other);

  int8_t getAge(size_t op, unsigned waiter) const { return ages[waiter * numOps + op]; }

  bool operator==(const QueueState &other) const { return ages == other.ages; }

private:
  /// Of all operations, as `waiter` knows them.
  llvm::MutableArrayRef<int8_t> of(unsigned waiter) {
    return llvm::MutableArrayRef<int8_t>(ages).slice(waiter * numOps, numOps);
  }

  size_t numOps;
  unsigned numWaiters;
  std::vector<int8_t> ages; ///< by waiter and operation: a wait sees all of a waiter's
};

} // namespace serrano::dma

#endif // SERRANO_DIALECTS_DMA_QUEUESTATE_H
