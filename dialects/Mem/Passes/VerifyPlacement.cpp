//===- VerifyPlacement.cpp - checks where everything lies --------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Mem/Passes/MemPasses.h"

#include "dialects/Mem/Lifetimes.h"
#include "dialects/Tile/Target.h"

namespace serrano::mem {
#define GEN_PASS_DEF_VERIFYPLACEMENT
#include "dialects/Mem/Passes/MemPasses.h.inc"
} // namespace serrano::mem

using namespace mlir;
using namespace serrano;
using namespace serrano::mem;

namespace {

class VerifyPlacement : public mem::impl::VerifyPlacementBase<VerifyPlacement> {
public:
  using Base::Base;
  void runOnOperation() override;
};

} // namespace

static LogicalResult verifyFunction(func::FuncOp function,
                                    const TargetModel &target) {
  WalkResult slots =
      function.walk([](Operation *op) {
        if (isa<tile::SlotOp, tile::StreamOp>(op)) {
          op->emitOpError() << "has no place; run convert-tile-to-mem first";
          return WalkResult::interrupt();
        }
        if (auto ring = dyn_cast<RingOp>(op); ring && !ring.getSlots()) {
          op->emitOpError()
              << "has no number of slots; run mem-assign-addresses first";
          return WalkResult::interrupt();
        }
        return WalkResult::advance();
      });
  if (slots.wasInterrupted())
    return failure();
  for (auto [space, capacity] :
       {std::pair{Space::Scratchpad, target.scratchpadBytes()},
        std::pair{Space::Accumulators, target.accumulatorBytes()}}) {
    Placement placement = getPlacement(function, space, capacity);
    if (llvm::Error error = placement.problem.verify())
      return function.emitError() << stringifySpace(space) << ": "
                                  << llvm::toString(std::move(error));
  }
  return success();
}

static LogicalResult verifySymbols(ModuleOp module, const TargetModel &target) {
  for (auto [memory, name, capacity] :
       {std::tuple{SymbolMemory::Hbm, "memory", target.memoryBytes()},
        std::tuple{SymbolMemory::Scalar, "scalar memory",
                   target.scalarMemoryBytes()}}) {
    Placement placement = getPlacement(module, memory, capacity);
    if (llvm::Error error = placement.problem.verify())
      return module.emitError()
             << name << ": " << llvm::toString(std::move(error));
  }
  return success();
}

void VerifyPlacement::runOnOperation() {
  FailureOr<TargetModel> model = tile::getTarget(getOperation(), target);
  if (failed(model))
    return signalPassFailure();
  for (auto function : getOperation().getOps<func::FuncOp>())
    if (failed(verifyFunction(function, *model)))
      return signalPassFailure();
  if (failed(verifySymbols(getOperation(), *model)))
    signalPassFailure();
}
