//===- VerifyRaces.cpp - proves that nothing races ---------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Dma/Passes/DmaPasses.h"

#include "dialects/Dma/QueueState.h"

namespace serrano::dma {
#define GEN_PASS_DEF_VERIFYRACES
#include "dialects/Dma/Passes/DmaPasses.h.inc"
} // namespace serrano::dma

using namespace mlir;
using namespace serrano;
using namespace serrano::dma;

namespace {

class VerifyRaces : public serrano::dma::impl::VerifyRacesBase<VerifyRaces> {
public:
  using Base::Base;
  void runOnOperation() override;
};

} // namespace

/// "scratchpad bytes 0 to 63", or the tensor.
static std::string describe(const Touch &a, const Touch &b) {
  if (a.symbol)
    return "tensor '" + SymbolTable::getSymbolName(a.symbol).str() + "'";
  return (mem::stringifySpace(a.space) + " bytes " + Twine(std::max(a.begin, b.begin)) + " to " +
          Twine(std::min(a.end, b.end) - 1))
      .str();
}

void VerifyRaces::runOnOperation() {
  SymbolTableCollection symbols;
  llvm::MapVector<Operation *, SmallVector<Touch>> touches;
  WalkResult counters = getOperation().walk([&](Operation *op) {
    std::optional<Queue> queue = getQueue(op);
    if (!queue)
      return WalkResult::advance();
    touches[op] = getTouches(op, symbols);
    auto signal = op->getAttrOfType<IntegerAttr>(DmaDialect::kSignalAttr);
    if (signal && signal.getInt() != getCounter(*queue)) {
      op->emitOpError() << "signals counter " << signal.getInt() << "; the " << stringifyQueue(*queue)
                        << " queue's is " << getCounter(*queue);
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  if (counters.wasInterrupted())
    return signalPassFailure();

  // A pair is reported once, however often the loops around it are walked.
  llvm::SetVector<std::pair<Operation *, Operation *>> races;
  walkQueues(getOperation(), [&](Operation *op, Queue queue, QueueState &state) {
    if (auto waits = op->getAttrOfType<ArrayAttr>(DmaDialect::kWaitsAttr))
      for (auto wait : waits.getAsRange<WaitAttr>())
        if (std::optional<Queue> other = symbolizeQueue(uint32_t(wait.getCounter())))
          state.wait(queue, *other, wait.getLag());
    if (isa<SyncOp>(op))
      return;
    state.forEachUnknown(queue, [&](Operation *other, Queue, int64_t) {
      for (const Touch &mine : touches[op])
        for (const Touch &theirs : touches[other])
          if (mine.conflictsWith(theirs))
            races.insert({op, other});
    });
    state.execute(op, queue, op->hasAttr(DmaDialect::kSignalAttr));
  });

  for (auto [op, other] : races) {
    for (const Touch &mine : touches[op])
      for (const Touch &theirs : touches[other]) {
        if (!mine.conflictsWith(theirs))
          continue;
        InFlightDiagnostic diagnostic =
            op->emitOpError() << (mine.write ? "writes " : "reads ") << describe(mine, theirs)
                              << " without waiting for an operation of the "
                              << stringifyQueue(*getQueue(other)) << " queue that "
                              << (theirs.write ? "writes" : "reads") << " them";
        diagnostic.attachNote(other->getLoc()) << "which is here";
      }
  }
  if (!races.empty())
    signalPassFailure();
}
