//===- Raise.cpp - from an imported graph to transformer operations -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Pipelines/Pipelines.h"

#include "dialects/Llm/Passes/LlmPasses.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace serrano;

/// Folds constants and unites what is computed twice, so that the patterns of
/// the next pass see one form.
static void addCleanup(OpPassManager &manager) {
  manager.addNestedPass<func::FuncOp>(createCanonicalizerPass());
  manager.addNestedPass<func::FuncOp>(createCSEPass());
}

void serrano::buildRaisePipeline(OpPassManager &manager) {
  addCleanup(manager);
  // Weights first: all later passes ask whether an operand is one.
  manager.addPass(llm::createFoldWeightViews());
  manager.addPass(llm::createRaiseLinear());
  manager.addPass(llm::createRaiseNorm());
  manager.addPass(llm::createRaiseActivation());
  // Rope before attention: its transpositions have to cancel to leave the heads
  // where attention expects them.
  manager.addPass(llm::createRaiseRope());
  // Again, now that packed projections are projections and can be cut.
  manager.addPass(llm::createFoldWeightViews());
  addCleanup(manager);
  manager.addPass(llm::createRaiseAttention());
  addCleanup(manager);
  manager.addPass(llm::createPromoteCache());
  addCleanup(manager);
  manager.addPass(createSymbolDCEPass());
  manager.addPass(llm::createReportUnraised());
}
