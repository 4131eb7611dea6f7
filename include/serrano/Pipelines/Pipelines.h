//===- Pipelines.h - the stages of the compiler -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_PIPELINES_PIPELINES_H
#define SERRANO_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"
#include <string>

namespace serrano {

/// From an imported graph to the operations of a transformer, with one paged
/// cache in place of functional ones; `serrano-raise` in serrano-opt. With
/// `outlineLayers` equal layers become one before the last passes, as the stage
/// to tiles begins with: what looks at all operations has less to look at then.
void buildRaisePipeline(mlir::OpPassManager &manager, bool outlineLayers = false);

/// What the stage from tensors to tiles asks for.
struct TileOptions : mlir::PassPipelineOptions<TileOptions> {
  Option<std::string> target{*this, "target", llvm::cl::desc("name or file of the target"),
                             llvm::cl::init("serrano-1")};
  Option<std::string> precision{*this, "precision", llvm::cl::desc("f32 or bf16"),
                                llvm::cl::init("bf16")};
  Option<int64_t> maxTokens{*this, "max-tokens", llvm::cl::desc("most tokens of one run"),
                            llvm::cl::init(128)};
  Option<int64_t> maxSequences{*this, "max-sequences",
                               llvm::cl::desc("most sequences of one run"), llvm::cl::init(8)};
  Option<int64_t> maxContext{*this, "max-context", llvm::cl::desc("most tokens of a sequence"),
                             llvm::cl::init(2048)};
  Option<bool> search{*this, "search", llvm::cl::desc("choose tiles by predicted time, not by rules"),
                      llvm::cl::init(false)};
};

/// From tensors to loops over tiles: after it no tensor is left.
void buildTileStage(mlir::OpPassManager &manager, const TileOptions &options);

/// What the stage that gives places asks for.
struct PlaceOptions : mlir::PassPipelineOptions<PlaceOptions> {
  Option<std::string> target{*this, "target",
                             llvm::cl::desc("name or file of the target; the module's if empty")};
};

/// From slots to places: after it every buffer, ring and symbol has an address, and
/// a verifier has seen that none overlap.
void buildPlaceStage(mlir::OpPassManager &manager, const PlaceOptions &options);

/// From transfers to queues: after it every operation carries its waits, and it is
/// proved that they suffice.
void buildScheduleStage(mlir::OpPassManager &manager);

/// From operations to instructions: after it every operation is one instruction.
void buildEmitStage(mlir::OpPassManager &manager);

/// Registers the stages as pipelines.
void registerPipelines();

} // namespace serrano

#endif // SERRANO_PIPELINES_PIPELINES_H
