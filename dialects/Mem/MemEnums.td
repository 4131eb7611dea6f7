//===- MemEnums.td - memories of a core -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_MEM_MEMENUMS
#define SERRANO_DIALECTS_MEM_MEMENUMS

include "mlir/IR/EnumAttr.td"
include "dialects/Mem/MemDialect.td"

def Mem_Space : I32EnumAttr<"Space", "memory of a core", [
  I32EnumAttrCase<"Scratchpad", 0, "scratchpad">,
  I32EnumAttrCase<"Accumulators", 1, "accumulators">]> {
  let cppNamespace = "::serrano::mem";
  let genSpecializedAttr = 0;
}
def Mem_SpaceAttr : EnumAttr<Mem_Dialect, Mem_Space, "space">;

#endif // SERRANO_DIALECTS_MEM_MEMENUMS
