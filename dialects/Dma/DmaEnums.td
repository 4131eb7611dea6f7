//===- DmaEnums.td - queues -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_DMA_DMAENUMS
#define SERRANO_DIALECTS_DMA_DMAENUMS

include "mlir/IR/EnumAttr.td"
include "dialects/Dma/DmaDialect.td"

def Dma_Queue : I32EnumAttr<"Queue", "queue of an engine", [
  I32EnumAttrCase<"DmaIn", 0, "dma_in">,
  I32EnumAttrCase<"DmaOut", 1, "dma_out">,
  I32EnumAttrCase<"Matrix", 2, "matrix">,
  I32EnumAttrCase<"Vector", 3, "vector">,
  I32EnumAttrCase<"Ring", 4, "ring">]> {
  let cppNamespace = "::serrano::dma";
  let genSpecializedAttr = 0;
}
def Dma_QueueAttr : EnumAttr<Dma_Dialect, Dma_Queue, "queue">;

#endif // SERRANO_DIALECTS_DMA_DMAENUMS
