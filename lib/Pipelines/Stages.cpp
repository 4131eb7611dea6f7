//===- Stages.cpp - the stages from tensors to instructions ------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Pipelines/Pipelines.h"

#include "dialects/Dma/Passes/DmaPasses.h"
#include "dialects/Llm/Passes/LlmPasses.h"
#include "dialects/Mem/Passes/MemPasses.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "serrano/Conversion/Compilation.h"
#include "serrano/Conversion/Passes.h"
#include "serrano/Pipelines/Passes.h"

using namespace mlir;
using namespace serrano;

void serrano::buildTileStage(OpPassManager &manager, const TileOptions &options) {
  ConvertLlmToTileOptions convert;
  copyCompilation(convert, options);
  ChooseTilingOptions choose;
  copyCompilation(choose, options);
  choose.search = options.search;
  // Equal layers become one, so that what follows does not grow with depth.
  manager.addPass(llm::createOutlineLayers());
  manager.addPass(createChooseTiling(choose));
  manager.addPass(createConvertLlmToTile(convert));
  // Kernels write every constant and index sum anew.
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

void serrano::buildPlaceStage(OpPassManager &manager, const PlaceOptions &options) {
  manager.addPass(createConvertTileToMem());
  // One buffer fewer to place, and one copy fewer to make.
  manager.addNestedPass<func::FuncOp>(mem::createMergeBuffers());
  manager.addPass(mem::createAssignAddresses({options.target}));
  manager.addPass(mem::createVerifyPlacement({options.target}));
}

void serrano::buildScheduleStage(OpPassManager &manager) {
  manager.addPass(createConvertMemToDma());
  manager.addNestedPass<func::FuncOp>(dma::createInsertWaits());
  manager.addNestedPass<func::FuncOp>(dma::createVerifyRaces());
}

void serrano::buildEmitStage(OpPassManager &manager) { manager.addPass(createConvertDmaToIsa()); }

void serrano::registerPipelines() {
  PassPipelineRegistration<>("serrano-raise",
                             "recognise transformer operations in an imported graph",
                             [](OpPassManager &manager) { buildRaisePipeline(manager); });
  PassPipelineRegistration<TileOptions>("serrano-tile", "from tensors to loops over tiles",
                                        buildTileStage);
  PassPipelineRegistration<PlaceOptions>("serrano-place", "from slots to addresses",
                                         buildPlaceStage);
  PassPipelineRegistration<>("serrano-schedule", "from transfers to queues and waits",
                             buildScheduleStage);
  PassPipelineRegistration<>("serrano-emit", "from operations to instructions", buildEmitStage);
}
