//===- Races.cpp - what waits leave unordered --------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Dma/Races.h"

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

SmallVector<WaitAttr> dma::getWaits(Operation *op) {
  auto waits = op->getAttrOfType<ArrayAttr>(DmaDialect::kWaitsAttr);
  return waits ? llvm::to_vector(waits.getAsRange<WaitAttr>()) : SmallVector<WaitAttr>();
}

bool dma::isCovered(const QueueState::Ages &ages, ArrayRef<WaitAttr> waits) {
  return llvm::any_of(waits, [&](WaitAttr wait) {
    std::optional<Queue> queue = symbolizeQueue(uint32_t(wait.getCounter()));
    return queue && ages[unsigned(*queue)] >= wait.getLag();
  });
}

void dma::walkWaits(func::FuncOp function,
                    function_ref<void(Operation *, const QueueState &)> visit) {
  walkQueues(function, [&](Operation *op, Queue queue, QueueState &state) {
    visit(op, state);
    for (WaitAttr wait : getWaits(op))
      if (std::optional<Queue> other = symbolizeQueue(uint32_t(wait.getCounter())))
        state.wait(getWaiter(op), *other, wait.getLag());
    // What a ring reads was stored before; stores that come later are to other
    // rows.
    if (!isa<SyncOp>(op) && queue != Queue::Ring)
      state.execute(op, queue, op->hasAttr(DmaDialect::kSignalAttr));
  });
}

SmallVector<Race> dma::findRaces(func::FuncOp function, const Touches &touches) {
  // A pair counts once, however often the loops around it are walked.
  llvm::MapVector<std::pair<Operation *, Operation *>, int64_t> found;
  walkWaits(function, [&](Operation *op, const QueueState &state) {
    auto mine = touches.find(op);
    if (isa<SyncOp>(op) || mine == touches.end())
      return;
    SmallVector<WaitAttr> waits = getWaits(op);
    state.forEachUnknown(getWaiter(op), [&](Operation *other, const QueueState::Ages &ages) {
      if (!isCovered(ages, waits) && findConflict(mine->second, touches.find(other)->second))
        found[{op, other}] = ages[unsigned(*getQueue(other))];
    });
  });
  SmallVector<Race> races;
  for (auto [pair, age] : found)
    races.push_back({pair.first, pair.second, age});
  return races;
}
