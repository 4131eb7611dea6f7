//===- Passes.td - from each dialect to the next -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_CONVERSION_PASSES
#define SERRANO_CONVERSION_PASSES

include "mlir/Pass/PassBase.td"
include "include/serrano/Conversion/Compilation.td"

def ConvertLlmToTile : Pass<"convert-llm-to-tile", "::mlir::ModuleOp"> {
  let summary = "make each operation on tensors a loop nest over tiles";
  let description = [{
    The entry becomes a function over slots: every tensor a slot of the tokens (all
    leading dimensions together) by the features, every operation a kernel.
    Projections of one input are one kernel, which streams their weights' tiles and
    finishes each block of columns on its way out of the accumulators: with the factor
    of an RMS norm, bias, activation, gate, residual, rope. Attention runs over blocks of
    keys with an online softmax, several heads and blocks at once; norms are fed with
    columns as these come to be. Where more rows are allowed than slots have room for,
    all of it is done for one portion of the rows after the other. Weights are listed
    in `tile.packed` in the order in which kernels take them. The module's `tile.choices` is
    obeyed, and gives way to `tile.made`, which says what the kernels have done. Fails on an operation
    for which there is no kernel, and names it. (docs/Kernels.md,
    test/Conversion/LlmToTile/llm-to-tile.mlir)
  }];
  let dependentDialects = ["::serrano::tile::TileDialect"];
  let options = !listconcat(compilationOptions, [
    Option<"slotRows", "slot-rows", "int64_t", "0",
           "most rows of features that are on the core at once; 0 for the module's choice, or all">,
    Option<"mostLayers", "most-layers", "int64_t", "0",
           "layers of a loop over layers, for a program whose time is asked for; 0 for all">]);
}

def ConvertTileToMem : Pass<"convert-tile-to-mem", "::mlir::ModuleOp"> {
  let summary = "make slots buffers and streams rings";
  let description = [{
    Each `tile.slot` becomes a `mem.buffer` of its memory without an address, each
    `tile.stream` a `mem.ring` with as many slots as it asked for; rings are
    numbered in program order.
    (test/Conversion/TileToMem/tile-to-mem.mlir)
  }];
  let dependentDialects = ["::serrano::mem::MemDialect"];
}

def ConvertMemToDma : Pass<"convert-mem-to-dma", "::mlir::ModuleOp"> {
  let summary = "make transfers operations of the DMA queues";
  let description = [{
    Loads, stores and gathers become operations that start on a queue, orders of
    streams become those of rings. Waits are not there yet.
    (test/Conversion/MemToDma/mem-to-dma.mlir)
  }];
  let dependentDialects = ["::serrano::dma::DmaDialect"];
}

def ConvertDmaToIsa : Pass<"convert-dma-to-isa", "::mlir::ModuleOp"> {
  let summary = "select one instruction for each operation";
  let description = [{
    Index values live in scalar registers: one that is computed in a loop keeps its
    register to the end of the loop's body. Constants and sums with constants become
    part of the operands that use them. Loops become `isa.loop`.
    (test/Conversion/DmaToIsa/dma-to-isa.mlir)
  }];
  let dependentDialects = ["::serrano::isa::ir::IsaDialect"];
}

#endif // SERRANO_CONVERSION_PASSES
