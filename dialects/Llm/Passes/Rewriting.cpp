//===- Rewriting.cpp - applies patterns to a model -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Passes/Rewriting.h"

#include "dialects/Llm/SourceTensors.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

using namespace mlir;
using namespace serrano;

/// More walks than any model needs; patterns that undo each other end here.
static constexpr unsigned kMaxWalks = 64;

namespace {

struct ChangeListener : llm::SourceTensorListener {
  void notifyOperationModified(Operation *) override { hasChanged = true; }
  void notifyOperationErased(Operation *op) override {
    llm::SourceTensorListener::notifyOperationErased(op);
    hasChanged = true;
  }

  bool hasChanged = false;
};

} // namespace

GreedyRewriteConfig serrano::llm::getRewriteConfig() {
  static SourceTensorListener listener;
  return GreedyRewriteConfig()
      .setUseTopDownTraversal()
      .setMaxIterations(1)
      .setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled)
      .setListener(&listener);
}

// Users come after their operands, so one walk from the end finds all.
void serrano::llm::eraseDeadOperations(func::FuncOp function) {
  for (Block &block : function.getBody())
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isOpTriviallyDead(&op)) {
        keepSourceTensors(&op);
        op.erase();
      }
}

// A walk tries each pattern once where its root is; the worklist of the greedy
// driver would cost more than the patterns, of which few match.
LogicalResult serrano::llm::rewriteFunctions(ModuleOp module,
                                             RewritePatternSet &&patterns) {
  FrozenRewritePatternSet frozen(std::move(patterns));
  for (auto function : module.getOps<func::FuncOp>()) {
    unsigned walks = 0;
    for (ChangeListener listener; walks == 0 || listener.hasChanged; ++walks) {
      if (walks == kMaxWalks)
        return function.emitError()
               << "patterns still match after " << kMaxWalks << " walks";
      listener.hasChanged = false;
      walkAndApplyPatterns(function, frozen, &listener);
      if (walks == 0 || listener.hasChanged)
        eraseDeadOperations(function);
    }
  }
  return success();
}
