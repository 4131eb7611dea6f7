//===- Pipelines.h - the stages of the compiler -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_PIPELINES_PIPELINES_H
#define SERRANO_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassManager.h"

namespace serrano {

/// From an imported graph to the operations of a transformer, with one paged
/// cache in place of functional ones; `serrano-raise` in serrano-opt.
void buildRaisePipeline(mlir::OpPassManager &manager);

/// Registers the stages as pipelines.
void registerPipelines();

} // namespace serrano

#endif // SERRANO_PIPELINES_PIPELINES_H
