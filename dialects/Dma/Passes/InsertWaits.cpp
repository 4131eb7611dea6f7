//===- InsertWaits.cpp - adds signals and waits ------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Dma/Passes/DmaPasses.h"

#include "dialects/Dma/QueueState.h"
#include "dialects/Dma/Touches.h"
#include <map>

namespace serrano::dma {
#define GEN_PASS_DEF_INSERTWAITS
#include "dialects/Dma/Passes/DmaPasses.h.inc"
} // namespace serrano::dma

using namespace mlir;
using namespace serrano::dma;

namespace {

class InsertWaits : public serrano::dma::impl::InsertWaitsBase<InsertWaits> {
public:
  using Base::Base;
  void runOnOperation() override;
};

/// The lag with which an operation waits for each queue.
using Lags = std::map<Queue, int64_t>;

} // namespace

/// Puts the waits on the operation, and those that do not fit on a `dma.sync`
/// before it.
static void attach(Operation *op, Queue queue, const Lags &lags) {
  MLIRContext *context = op->getContext();
  SmallVector<Attribute> waits;
  for (auto [other, lag] : lags)
    waits.push_back(WaitAttr::get(context, getCounter(other), lag));
  if (waits.size() > maxWaits && !isa<SyncOp>(op)) {
    OpBuilder builder(op);
    auto sync = SyncOp::create(builder, op->getLoc(), queue);
    sync->setAttr(
        DmaDialect::kWaitsAttr,
        ArrayAttr::get(context, ArrayRef(waits).drop_front(maxWaits)));
    waits.truncate(maxWaits);
  }
  if (!waits.empty())
    op->setAttr(DmaDialect::kWaitsAttr, ArrayAttr::get(context, waits));
}

/// Puts a sync of the matrix queue before each outermost loop that runs an unknown
/// number of times. What is done before the loop is waited for there, once: a wait
/// within it would have to name a lag that holds for the first round, and would hold up
/// all later ones.
static SmallVector<SyncOp> hoist(func::FuncOp function, Touches &touches) {
  SmallVector<SyncOp> result;
  function.walk<WalkOrder::PreOrder>([&](scf::ForOp loop) {
    // The whole model is no place to wait before.
    if (loop.getStaticTripCount() || loop->hasAttr(serrano::tile::TileDialect::kPortionsAttr))
      return WalkResult::advance();
    SmallVector<Touch> inside;
    loop.walk([&](Operation *op) {
      if (getQueue(op) == Queue::Matrix)
        llvm::append_range(inside, touches[op]);
    });
    if (!inside.empty()) {
      OpBuilder builder(loop);
      result.push_back(SyncOp::create(builder, loop.getLoc(), Queue::Matrix));
      touches[result.back()] = std::move(inside);
    }
    return WalkResult::skip();
  });
  return result;
}

/// Whether `op` needs no signal: it is one of the vector queue in a loop of nothing else
/// that perhaps does not run, and which one of the same queue follows. That one's signal
/// says the same, since queues retire in order; a wait for what came before need not count
/// how often the loop ran.
static bool isCovered(Operation *op) {
  auto loop = dyn_cast<scf::ForOp>(op->getParentOp());
  if (!loop || loop.getStaticTripCount())
    return false;
  auto isOther = [](Operation &inner) {
    std::optional<Queue> queue = getQueue(&inner);
    return inner.getNumRegions() != 0 || (queue && queue != Queue::Vector);
  };
  if (llvm::any_of(*loop.getBody(), isOther))
    return false;
  for (Operation *next = loop->getNextNode(); next; next = next->getNextNode())
    if (next->getNumRegions() != 0)
      return false;
    else if (std::optional<Queue> queue = getQueue(next))
      return queue == Queue::Vector;
  return false;
}

void InsertWaits::runOnOperation() {
  getOperation().walk([](SyncOp sync) { sync.erase(); });

  FailureOr<Touches> touches = getTouches(getOperation());
  if (failed(touches))
    return signalPassFailure();
  for (auto &[op, ignored] : *touches) {
    op->removeAttr(DmaDialect::kWaitsAttr);
    op->removeAttr(DmaDialect::kSignalAttr);
    if (*getQueue(op) != Queue::Ring && !isCovered(op))
      op->setAttr(DmaDialect::kSignalAttr,
                  IntegerAttr::get(IntegerType::get(op->getContext(), 64),
                                   getCounter(*getQueue(op))));
  }
  SmallVector<SyncOp> hoisted = hoist(getOperation(), *touches);

  llvm::MapVector<Operation *, Lags> needed;
  walkQueues(
      getOperation(), [&](Operation *op, Queue queue, QueueState &state) {
        Lags lags;
        state.forEachUnknown(getWaiter(op), [&](Operation *other, Queue otherQueue,
                                        int64_t age) {
          bool conflict = llvm::any_of((*touches)[op], [&](const Touch &mine) {
            return llvm::any_of((*touches)[other], [&](const Touch &theirs) {
              return mine.conflictsWith(theirs);
            });
          });
          if (!conflict)
            return;
          auto [it, fresh] = lags.try_emplace(otherQueue, age);
          it->second = std::min(it->second, age);
        });
        for (auto [other, lag] : lags)
          state.wait(getWaiter(op), other, lag);
        if (queue != Queue::Ring && !isa<SyncOp>(op))
          state.execute(op, queue, !isCovered(op));
        needed[op] = std::move(lags);
      });
  for (auto &[op, lags] : needed)
    attach(op, *getQueue(op), lags);
  for (SyncOp sync : hoisted)
    if (!sync->hasAttr(DmaDialect::kWaitsAttr))
      sync.erase();
}
