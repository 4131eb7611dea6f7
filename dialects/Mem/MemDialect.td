//===- MemDialect.td - the mem dialect -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_MEM_MEMDIALECT
#define SERRANO_DIALECTS_MEM_MEMDIALECT

include "mlir/IR/OpBase.td"

def Mem_Dialect : Dialect {
  let name = "mem";
  let cppNamespace = "::serrano::mem";
  let summary = "where every buffer lives";
  let description = [{
    Slots become buffers with an address in a memory of the core, streams become
    rings, and every symbol that stands for bytes in HBM or scalar memory gets an
    address as the attribute `mem.address`.
  }];
  let dependentDialects = ["::serrano::tile::TileDialect"];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let extraClassDeclaration = [{
    /// On `tile.tensor`, `tile.packed` and `tile.vectors`: their first byte in HBM,
    /// or in scalar memory; on `tile.dimension`: where its value is there.
    static constexpr llvm::StringLiteral kAddressAttr = "mem.address";
    /// On the module: bytes of HBM that the program uses.
    static constexpr llvm::StringLiteral kHbmBytesAttr = "mem.hbm_bytes";
    /// On the module: what each memory holds, an array of dictionaries. Of the
    /// memories of a core for each function: `function`, `memory`, `capacity`,
    /// `buffer_bytes`, the `lower_bound` of these, which no placement goes below,
    /// `ring_bytes` and `rings` (`index`, `slots`, `slot_bytes`). Of the others:
    /// `memory`, `capacity` and `symbol_bytes`. For reports; no pass reads it.
    static constexpr llvm::StringLiteral kPlacementAttr = "mem.placement";
  }];
}

class Mem_Op<string mnemonic, list<Trait> traits = []> : Op<Mem_Dialect, mnemonic, traits>;

#endif // SERRANO_DIALECTS_MEM_MEMDIALECT
