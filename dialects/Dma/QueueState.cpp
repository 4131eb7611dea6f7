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

unsigned dma::getWaiter(Operation *op) {
  unsigned queue = unsigned(*getQueue(op));
  auto order = dyn_cast<OrderBlocksOp>(op);
  auto ring = order ? order.getRing().getDefiningOp<mem::RingOp>() : mem::RingOp();
  return ring ? queue + unsigned(ring.getIndex()) : queue;
}

void QueueState::execute(Operation *op, Queue queue, bool signals) {
  if (signals)
    for (auto &[other, ages] : records)
      if (int8_t &age = ages[unsigned(queue)]; age != unknown && age < maxLag)
        ++age;
  Ages &ages = records[op];
  ages.fill(unknown);
  ages[unsigned(queue)] = signals ? 0 : known;
}

void QueueState::wait(unsigned waiter, Queue queue, int64_t lag) {
  for (auto &[op, ages] : records)
    if (ages[unsigned(queue)] >= lag)
      ages[waiter] = std::max(ages[waiter], known);
}

void QueueState::merge(const QueueState &other) {
  for (const auto &[op, theirs] : other.records) {
    auto [it, fresh] = records.insert({op, theirs});
    if (fresh)
      continue;
    for (auto [mine, least] : llvm::zip_equal(it->second, theirs))
      mine = std::min(mine, least);
  }
}

void QueueState::forEachUnknown(unsigned waiter,
                                function_ref<void(Operation *, const Ages &)> visit) const {
  for (const auto &[op, ages] : records)
    if (ages[waiter] == unknown)
      visit(op, ages);
}

bool QueueState::operator==(const QueueState &other) const {
  if (records.size() != other.records.size())
    return false;
  for (const auto &[op, record] : records) {
    auto it = other.records.find(op);
    if (it == other.records.end() || it->second != record)
      return false;
  }
  return true;
}

using Visit = function_ref<void(Operation *, Queue, QueueState &)>;

static void walkBlock(Block &block, QueueState &state, Visit visit);

/// Whether a loop's body is known to be executed at least once.
static bool runsAtLeastOnce(scf::ForOp loop) {
  std::optional<llvm::APInt> trips = loop.getStaticTripCount();
  return trips && !trips->isZero();
}

static void walkLoop(scf::ForOp loop, QueueState &state, Visit visit) {
  QueueState head = state, end;
  while (true) {
    end = head;
    walkBlock(*loop.getBody(), end, visit);
    QueueState merged = head;
    merged.merge(end);
    if (merged == head)
      break;
    head = std::move(merged);
  }
  if (!runsAtLeastOnce(loop))
    end.merge(state);
  state = std::move(end);
}

static void walkBlock(Block &block, QueueState &state, Visit visit) {
  for (Operation &op : block) {
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      walkLoop(loop, state, visit);
      continue;
    }
    if (auto branch = dyn_cast<scf::IfOp>(op)) {
      QueueState other = state;
      walkBlock(*branch.thenBlock(), state, visit);
      if (branch.elseBlock())
        walkBlock(*branch.elseBlock(), other, visit);
      state.merge(other);
      continue;
    }
    if (std::optional<Queue> queue = getQueue(&op))
      visit(&op, *queue, state);
  }
}

void dma::walkQueues(func::FuncOp function, Visit visit) {
  if (function.isDeclaration())
    return;
  QueueState state;
  walkBlock(function.getBody().front(), state, visit);
}
