//===- InitAll.cpp - registers all dialects and passes -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/InitAll.h"

#include "dialects/Dma/Dma.h"
#include "dialects/Dma/Passes/DmaPasses.h"
#include "dialects/Isa/Isa.h"
#include "dialects/Llm/Llm.h"
#include "dialects/Llm/Passes/LlmPasses.h"
#include "dialects/Mem/Mem.h"
#include "dialects/Mem/Passes/MemPasses.h"
#include "dialects/Tile/Passes/TilePasses.h"
#include "dialects/Tile/Tile.h"
#include "serrano/Conversion/Passes.h"
#include "serrano/Pipelines/Passes.h"
#include "serrano/Pipelines/Pipelines.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/Extensions/InlinerExtension.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/Passes.h"

void serrano::registerAllDialects(mlir::DialectRegistry &registry) {
  registry.insert<mlir::affine::AffineDialect, mlir::arith::ArithDialect, mlir::func::FuncDialect,
                  mlir::linalg::LinalgDialect, mlir::math::MathDialect, mlir::memref::MemRefDialect,
                  mlir::scf::SCFDialect, mlir::tensor::TensorDialect>();
  registry.insert<llm::LlmDialect, tile::TileDialect, mem::MemDialect, dma::DmaDialect,
                  isa::ir::IsaDialect>();
  mlir::func::registerInlinerExtension(registry);
}

void serrano::registerAllPasses() {
  mlir::registerTransformsPasses();
  llm::registerLlmPasses();
  tile::registerTilePasses();
  mem::registerMemPasses();
  dma::registerDmaPasses();
  registerConversionPasses();
  registerSearchPasses();
  registerPipelines();
}
