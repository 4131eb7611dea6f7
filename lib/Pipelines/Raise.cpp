//===- Raise.cpp - from an imported graph to transformer operations -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Pipelines/Pipelines.h"

#include "dialects/Llm/Passes/LlmPasses.h"
#include "dialects/Llm/Passes/Rewriting.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace serrano;

void serrano::buildRaisePipeline(OpPassManager &manager, bool outlineLayers) {
  // Constants are folded, so that the patterns see one form.
  manager.addNestedPass<func::FuncOp>(
      createCanonicalizerPass(llm::getRewriteConfig()));
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
  manager.addPass(llm::createRaiseAttention());
  manager.addPass(llm::createPromoteCache());
  // What is computed twice is united: the angles, which each layer computed,
  // become one value that all share. Here least is left to look at.
  manager.addNestedPass<func::FuncOp>(createCSEPass());
  manager.addPass(llm::createGatherEarly());
  if (outlineLayers)
    manager.addPass(llm::createOutlineLayers());
  manager.addPass(createSymbolDCEPass());
  manager.addPass(llm::createReportUnraised());
}
