//===- VerifyRaces.cpp - proves that nothing races ---------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Dma/Passes/DmaPasses.h"

#include "dialects/Dma/QueueState.h"
#include "dialects/Dma/Touches.h"

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

/// "scratchpad bytes 0 to 63" or "tensor 'x'": what both touch.
static std::string describe(const Touch &a, const Touch &b) {
  if (a.symbol)
    return "tensor '" + SymbolTable::getSymbolName(a.symbol).str() + "'";
  return (mem::stringifySpace(a.space) + " bytes " +
          Twine(std::max(a.begin, b.begin)) + " to " +
          Twine(std::min(a.end, b.end) - 1))
      .str();
}

/// The first conflict of two operations, if there is one.
static std::optional<std::pair<Touch, Touch>>
findConflict(ArrayRef<Touch> mine, ArrayRef<Touch> theirs) {
  for (const Touch &a : mine)
    for (const Touch &b : theirs)
      if (a.conflictsWith(b))
        return std::pair(a, b);
  return std::nullopt;
}

/// `age` is how many increments of the other queue's counter surely follow
/// `other`.
static void reportRace(Operation *op, Operation *other,
                       const std::pair<Touch, Touch> &conflict, int64_t age) {
  Queue queue = *getQueue(other);
  auto [mine, theirs] = conflict;
  InFlightDiagnostic diagnostic =
      op->emitOpError() << (mine.write ? "writes " : "reads ")
                        << describe(mine, theirs) << " without waiting for the "
                        << stringifyQueue(queue) << " queue, which "
                        << (theirs.write ? "writes" : "reads") << " there; ";
  if (age < 0)
    diagnostic << "let that operation, or a later one of its queue, signal";
  else
    diagnostic << "wait for counter " << getCounter(queue)
               << " with a lag of at most " << age;
  diagnostic.attachNote(other->getLoc()) << "that operation is here";
}

/// A counter tells of one queue only.
static LogicalResult checkSignal(Operation *op, Queue queue) {
  auto signal = op->getAttrOfType<IntegerAttr>(DmaDialect::kSignalAttr);
  if (!signal || signal.getInt() == getCounter(queue))
    return success();
  return op->emitOpError() << "signals counter " << signal.getInt()
                           << "; expected " << getCounter(queue) << ", the "
                           << stringifyQueue(queue) << " queue's";
}

void VerifyRaces::runOnOperation() {
  FailureOr<Touches> touches = getTouches(getOperation());
  if (failed(touches))
    return signalPassFailure();
  for (auto &[op, ignored] : *touches)
    if (failed(checkSignal(op, *getQueue(op))))
      return signalPassFailure();

  // A pair is reported once, however often the loops around it are walked.
  llvm::MapVector<std::pair<Operation *, Operation *>, int64_t> races;
  walkQueues(
      getOperation(), [&](Operation *op, Queue queue, QueueState &state) {
        if (auto waits = op->getAttrOfType<ArrayAttr>(DmaDialect::kWaitsAttr))
          for (auto wait : waits.getAsRange<WaitAttr>())
            if (std::optional<Queue> other =
                    symbolizeQueue(uint32_t(wait.getCounter())))
              state.wait(getWaiter(op), *other, wait.getLag());
        if (isa<SyncOp>(op))
          return;
        state.forEachUnknown(getWaiter(op), [&](Operation *other, Queue, int64_t age) {
          if (findConflict((*touches)[op], (*touches)[other]))
            races[{op, other}] = age;
        });
        // What a ring reads was stored before; stores that come later are to other
        // rows.
        if (queue != Queue::Ring)
          state.execute(op, queue, op->hasAttr(DmaDialect::kSignalAttr));
      });

  for (auto [pair, age] : races)
    reportRace(pair.first, pair.second,
               *findConflict((*touches)[pair.first], (*touches)[pair.second]),
               age);
  if (!races.empty())
    signalPassFailure();
}
