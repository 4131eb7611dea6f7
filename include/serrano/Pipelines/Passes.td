//===- Passes.td - passes that run others -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_PIPELINES_PASSES
#define SERRANO_PIPELINES_PASSES

include "mlir/Pass/PassBase.td"
include "include/serrano/Conversion/Compilation.td"

def ChooseTiling : Pass<"choose-tiling", "::mlir::ModuleOp"> {
  let summary = "choose how operations become tiles";
  let description = [{
    Completes the module's `tile.choices`, which `convert-llm-to-tile` obeys. What is there
    stays. How many rows of features are on the core at once is found by lowering and placing
    copies of the module: all that the program is compiled for, or as many whole tiles of them as
    have a place. With `search`, the other choices that results do not depend on are searched by coordinate
    descent from what the rules decide: a copy of few layers is lowered to instructions, and
    its time predicted for a few steps that follow from the limits. Another value is taken if
    these get shorter together and none gets longer. All that was tried is said in remarks.
    (docs/Kernels.md, test/Pipelines/choose-tiling.mlir)
  }];
  let dependentDialects = ["::serrano::tile::TileDialect", "::serrano::mem::MemDialect",
                           "::serrano::dma::DmaDialect", "::serrano::isa::ir::IsaDialect"];
  let options = !listconcat(compilationOptions, [
    Option<"search", "search", "bool", "false",
           "search; else only rows are chosen, the rest is left to rules">]);
}

#endif // SERRANO_PIPELINES_PASSES
