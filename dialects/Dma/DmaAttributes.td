//===- DmaAttributes.td - waits -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_DMA_DMAATTRIBUTES
#define SERRANO_DIALECTS_DMA_DMAATTRIBUTES

include "mlir/IR/AttrTypeBase.td"
include "dialects/Dma/DmaEnums.td"

def Dma_WaitAttr : AttrDef<Dma_Dialect, "Wait"> {
  let mnemonic = "wait";
  let summary = "a counter and a lag";
  let description = [{
    `#dma.wait<2 lag 1>`: waits for all but the last increment of counter 2 that
    operations before it in program order give.
  }];
  let parameters = (ins "int64_t":$counter, "int64_t":$lag);
  let assemblyFormat = "`<` $counter `lag` $lag `>`";
}

#endif // SERRANO_DIALECTS_DMA_DMAATTRIBUTES
