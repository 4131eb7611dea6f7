//===- VerifyRaces.cpp - proves that nothing races ---------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Dma/Passes/DmaPasses.h"

#include "dialects/Dma/Races.h"

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

static void report(const Race &race, const Touches &touches) {
  Operation *op = race.op, *other = race.other;
  Queue queue = *getQueue(other);
  auto [mine, theirs] = *findConflict(touches.find(op)->second, touches.find(other)->second);
  InFlightDiagnostic diagnostic =
      op->emitOpError() << (mine.write ? "writes " : "reads ")
                        << describe(mine, theirs) << " without waiting for the "
                        << stringifyQueue(queue) << " queue, which "
                        << (theirs.write ? "writes" : "reads") << " there; ";
  if (race.age < 0)
    diagnostic << "let that operation, or a later one of its queue, signal";
  else
    diagnostic << "wait for counter " << getCounter(queue)
               << " with a lag of at most " << race.age;
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

  SmallVector<Race> races = findRaces(getOperation(), *touches);
  for (const Race &race : races)
    report(race, *touches);
  if (!races.empty())
    signalPassFailure();
}
