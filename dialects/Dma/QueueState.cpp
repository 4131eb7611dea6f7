//===- QueueState.cpp - what is known to be complete, for every trip count -
//-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Dma/QueueState.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::dma;

static_assert(maxLag < QueueState::absent);

unsigned dma::getWaiter(Operation *op) {
  unsigned queue = unsigned(*getQueue(op));
  auto order = dyn_cast<OrderBlocksOp>(op);
  auto ring = order ? order.getRing().getDefiningOp<mem::RingOp>() : mem::RingOp();
  return ring ? queue + unsigned(ring.getIndex()) : queue;
}

void QueueState::execute(size_t op, Queue queue, bool signals) {
  MutableArrayRef<int8_t> mine = of(unsigned(queue));
  if (signals)
    for (int8_t &age : mine)
      age = int8_t(age + int8_t((age != unknown) & (age < int8_t(maxLag))));
  for (unsigned waiter = 0; waiter < numWaiters; ++waiter)
    of(waiter)[op] = unknown;
  mine[op] = signals ? 0 : known;
}

void QueueState::wait(unsigned waiter, Queue queue, int64_t lag) {
  auto least = int8_t(lag);
  for (auto [mine, theirs] : llvm::zip_equal(of(waiter), of(unsigned(queue))))
    mine = std::max(mine, theirs >= least ? known : unknown);
}

bool QueueState::merge(const QueueState &other) {
  int8_t changed = 0;
  for (auto [mine, least] : llvm::zip_equal(ages, other.ages)) {
    changed |= int8_t(least < mine);
    mine = std::min(mine, least);
  }
  return changed;
}
