//===- DmaDialect.td - the dma dialect -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_DMA_DMADIALECT
#define SERRANO_DIALECTS_DMA_DMADIALECT

include "mlir/IR/OpBase.td"

def Dma_Dialect : Dialect {
  let name = "dma";
  let cppNamespace = "::serrano::dma";
  let summary = "which bytes move when, and what waits for what";
  let description = [{
    Transfers have become operations that start on a queue and complete later.
    Operations of all engines carry their synchronisation: `dma.signal`, the
    counter that their completion increments, and `dma.waits`, the counters that
    they wait for. A wait names a counter and a lag: it waits for all but the last
    `lag` increments that the operations before it, in program order, give. Nothing
    but waits, the order within a queue, and rings orders engines.

    `dma-insert-waits` adds them, `dma-verify-races` proves that they suffice,
    whatever the trip counts of loops.
  }];
  let dependentDialects = ["::serrano::mem::MemDialect"];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let extraClassDeclaration = [{
    static constexpr llvm::StringLiteral kSignalAttr = "dma.signal";
    static constexpr llvm::StringLiteral kWaitsAttr = "dma.waits";
  }];
}

class Dma_Op<string mnemonic, list<Trait> traits = []> : Op<Dma_Dialect, mnemonic, traits>;

#endif // SERRANO_DIALECTS_DMA_DMADIALECT
