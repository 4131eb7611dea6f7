//===- InsertWaits.cpp - adds signals and waits ------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Dma/Passes/DmaPasses.h"

#include "dialects/Dma/Races.h"
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
static bool isSignalledLater(Operation *op) {
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

/// The waits, with the largest lags, after which an operation knows all of `needed`,
/// of which each is waited for by way of its own queue or of one that has waited for it.
static Lags chooseWaits(ArrayRef<std::pair<Queue, QueueState::Ages>> needed) {
  Lags lags;
  for (const auto &[queue, ages] : needed) {
    auto [it, fresh] = lags.try_emplace(queue, ages[unsigned(queue)]);
    it->second = std::min(it->second, int64_t(ages[unsigned(queue)]));
  }
  // Each is left to wait for what the others do not cover.
  for (Queue queue : llvm::to_vector(llvm::make_first_range(lags))) {
    std::optional<int64_t> lag;
    for (const auto &[ignored, ages] : needed) {
      bool covered = llvm::any_of(lags, [&, &ages = ages](auto other) {
        return other.first != queue && ages[unsigned(other.first)] >= other.second;
      });
      if (!covered)
        lag = std::min(lag.value_or(maxLag), int64_t(ages[unsigned(queue)]));
    }
    if (lag)
      lags[queue] = *lag;
    else
      lags.erase(queue);
  }
  return lags;
}

/// The waits of an operation with one of another lag, or without it.
static ArrayAttr withLag(ArrayAttr waits, size_t index, std::optional<int64_t> lag) {
  SmallVector<Attribute> result(waits.getValue());
  if (lag)
    result[index] =
        WaitAttr::get(waits.getContext(), cast<WaitAttr>(result[index]).getCounter(), *lag);
  else
    result.erase(result.begin() + index);
  return ArrayAttr::get(waits.getContext(), result);
}

/// Drops and weakens waits as far as nothing races. What a loop waits for in each round it
/// need not wait for before it, and a wait can become unnecessary through another one that
/// was found later.
static void relax(func::FuncOp function, const Touches &touches) {
  // Those that an operation needs for itself stay: other waits, if they are fewer, do not
  // make up for them.
  llvm::MapVector<Operation *, SmallVector<bool>> needed;
  walkWaits(function, [&](Operation *op, const QueueState &state) {
    SmallVector<WaitAttr> waits = getWaits(op);
    SmallVector<bool> &own = needed[op];
    own.assign(waits.size(), false);
    if (isa<SyncOp>(op))
      return;
    ArrayRef<Touch> mine = touches.find(op)->second;
    state.forEachUnknown(getWaiter(op), [&](Operation *other, const QueueState::Ages &ages) {
      if (!findConflict(mine, touches.find(other)->second))
        return;
      for (auto [i, wait] : llvm::enumerate(waits)) {
        SmallVector<WaitAttr> weaker = waits;
        weaker[i] = WaitAttr::get(op->getContext(), wait.getCounter(), wait.getLag() + 1);
        own[i] = own[i] || !isCovered(ages, weaker);
      }
    });
  });
  for (auto &[op, own] : needed)
    for (size_t i = own.size(); i-- > 0;) {
      if (own[i])
        continue;
      auto before = op->getAttrOfType<ArrayAttr>(DmaDialect::kWaitsAttr);
      auto suffices = [&](ArrayAttr waits) {
        op->setAttr(DmaDialect::kWaitsAttr, waits);
        bool result = findRaces(function, touches).empty();
        if (!result)
          op->setAttr(DmaDialect::kWaitsAttr, before);
        return result;
      };
      if (suffices(withLag(before, i, std::nullopt)))
        continue;
      int64_t lag = cast<WaitAttr>(before[i]).getLag();
      while (lag < maxLag && suffices(withLag(before, i, lag + 1)))
        before = withLag(before, i, ++lag);
    }
}

void InsertWaits::runOnOperation() {
  getOperation().walk([](SyncOp sync) { sync.erase(); });

  FailureOr<Touches> touches = getTouches(getOperation());
  if (failed(touches))
    return signalPassFailure();
  for (auto &[op, ignored] : *touches) {
    op->removeAttr(DmaDialect::kWaitsAttr);
    op->removeAttr(DmaDialect::kSignalAttr);
    if (*getQueue(op) != Queue::Ring && !isSignalledLater(op))
      op->setAttr(DmaDialect::kSignalAttr,
                  IntegerAttr::get(IntegerType::get(op->getContext(), 64),
                                   getCounter(*getQueue(op))));
  }
  SmallVector<SyncOp> hoisted = hoist(getOperation(), *touches);

  llvm::MapVector<Operation *, Lags> needed;
  walkQueues(
      getOperation(), [&](Operation *op, Queue queue, QueueState &state) {
        SmallVector<std::pair<Queue, QueueState::Ages>> unknown;
        state.forEachUnknown(getWaiter(op), [&](Operation *other, const QueueState::Ages &ages) {
          if (findConflict((*touches)[op], (*touches)[other]))
            unknown.push_back({*getQueue(other), ages});
        });
        Lags lags = chooseWaits(unknown);
        for (auto [other, lag] : lags)
          state.wait(getWaiter(op), other, lag);
        if (queue != Queue::Ring && !isa<SyncOp>(op))
          state.execute(op, queue, !isSignalledLater(op));
        needed[op] = std::move(lags);
      });
  for (auto &[op, lags] : needed)
    attach(op, *getQueue(op), lags);
  relax(getOperation(), *touches);
  getOperation().walk([](Operation *op) {
    if (!getWaits(op).empty())
      return;
    if (isa<SyncOp>(op))
      op->erase();
    else
      op->removeAttr(DmaDialect::kWaitsAttr);
  });
}
