//===- ChooseSlotRows.cpp - how many rows are on the core at once ------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Conversion/Passes.h"

#include "dialects/Mem/Passes/MemPasses.h"
#include "dialects/Tile/Tile.h"
#include "serrano/Target/TargetModel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/MathExtras.h"

namespace serrano {
#define GEN_PASS_DEF_CHOOSESLOTROWS
#include "lib/Conversion/Passes.h.inc"
} // namespace serrano

using namespace mlir;
using namespace serrano;

/// A small scratchpad has no room for more than this part of it.
static constexpr int64_t ringShare = 16;

namespace {

class ChooseSlotRows : public serrano::impl::ChooseSlotRowsBase<ChooseSlotRows> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  bool fits(int64_t rows, const TargetModel &model);

  std::string reason; ///< why the last trial failed
};

} // namespace

/// Whether everything has a place with so many rows, and weights a ring that holds what
/// is under way and as much again, or what a small scratchpad can spare.
bool ChooseSlotRows::fits(int64_t rows, const TargetModel &model) {
  OwningOpRef<ModuleOp> trial(getOperation().clone());
  // A trial that fails says nothing; the conversion itself repeats the error.
  ScopedDiagnosticHandler quiet(&getContext(), [&](Diagnostic &diagnostic) {
    reason = diagnostic.str();
    return success();
  });
  ConvertLlmToTileOptions options;
  options.target = target;
  options.precision = precision;
  options.maxTokens = maxTokens;
  options.maxSequences = maxSequences;
  options.maxContext = maxContext;
  options.slotRows = rows;
  PassManager manager(&getContext(), ModuleOp::getOperationName());
  manager.addPass(createConvertLlmToTile(options));
  manager.addPass(createConvertTileToMem());
  mem::MergeBuffersOptions merge;
  merge.quiet = true;
  manager.addNestedPass<func::FuncOp>(mem::createMergeBuffers(merge));
  mem::AssignAddressesOptions assign;
  assign.target = target;
  assign.quiet = true;
  manager.addPass(mem::createAssignAddresses(assign));
  if (failed(manager.run(*trial)))
    return false;
  int64_t ring = 0;
  trial->walk([&](mem::RingOp op) {
    if (SymbolTable::lookupNearestSymbolFrom<tile::PackedOp>(op, op.getSourceAttr()))
      ring = op.getBytes();
  });
  return ring >= std::min(2 * model.dmaInFlightBytes(), model.scratchpadBytes() / ringShare);
}

void ChooseSlotRows::runOnOperation() {
  ModuleOp module = getOperation();
  if (module->hasAttr(tile::TileDialect::kRowsAttr))
    return;
  llvm::Expected<TargetModel> model = TargetModel::load(target);
  if (!model) {
    module.emitError() << llvm::toString(model.takeError());
    return signalPassFailure();
  }
  // All rows at once, or as many whole tiles of them as there is room for, or few.
  int64_t columns = model->columns(), rows = maxTokens;
  while (!fits(rows, *model)) {
    if (rows == 1) {
      // Memory outside the core has no room, whatever the rows, or else the slots of
      // all rows have none: placing says which.
      if (!llvm::StringRef(reason).starts_with("needs "))
        rows = maxTokens;
      break;
    }
    rows = rows > 8 * columns   ? llvm::alignDown(rows - 1, 4 * columns)
           : rows > columns     ? llvm::alignDown(rows - 1, columns)
                                : std::max<int64_t>(rows / 2, 1);
    rows = std::min<int64_t>(rows, 16 * columns);
  }
  module->setAttr(tile::TileDialect::kRowsAttr, Builder(&getContext()).getI64IntegerAttr(rows));
}
