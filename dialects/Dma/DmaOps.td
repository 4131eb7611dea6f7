//===- DmaOps.td - transfers -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_DMA_DMAOPS
#define SERRANO_DIALECTS_DMA_DMAOPS

include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/Tile/TileTypes.td"
include "dialects/Dma/DmaAttributes.td"

// Rows of a symbol's tensor in HBM are as far apart as the tensor's type says;
// those of a slot as its type says.

class Dma_TransferOp<string mnemonic, list<Trait> traits = []>
    : Dma_Op<mnemonic, traits # [DeclareOpInterfaceMethods<SymbolUserOpInterface>]>;

def Dma_LoadOp : Dma_TransferOp<"load"> {
  let summary = "start copying rows of a tensor into a slot, on the DMA in queue";
  let arguments = (ins FlatSymbolRefAttr:$tensor, Tile_Dim:$row, Tile_Dim:$col,
    Arg<Tile_Slot, "", [MemWrite]>:$slot, Tile_Dim:$rows);
  let assemblyFormat = [{
    $tensor `[` $row `,` $col `]` `to` $slot `rows` $rows attr-dict `:` type($slot)
  }];
}

def Dma_StoreOp : Dma_TransferOp<"store", [MemoryEffects<[MemWrite]>]> {
  let summary = "start copying rows of a slot into a tensor, on the DMA out queue";
  let arguments = (ins Arg<Tile_Slot, "", [MemRead]>:$slot, FlatSymbolRefAttr:$tensor, Tile_Dim:$row,
    Tile_Dim:$col, Tile_Dim:$rows, DefaultValuedAttr<I64Attr, "1">:$pieces,
    DefaultValuedAttr<I64Attr, "0">:$step);
  let assemblyFormat = [{
    $slot `to` $tensor `[` $row `,` $col `]` `rows` $rows (`pieces` $pieces^ `step` $step)? attr-dict
    `:` type($slot)
  }];
  let hasVerifier = 1;
}

def Dma_GatherOp : Dma_TransferOp<"gather"> {
  let summary = "start copying the rows that a table names, on the DMA in queue";
  let arguments = (ins FlatSymbolRefAttr:$tensor, FlatSymbolRefAttr:$table, Tile_Dim:$first,
    Arg<Tile_Slot, "", [MemWrite]>:$slot, Tile_Dim:$rows);
  let assemblyFormat = [{
    $tensor `by` $table `[` $first `]` `to` $slot `rows` $rows attr-dict `:` type($slot)
  }];
}

def Dma_OrderTilesOp : Dma_TransferOp<"order_tiles", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "order tiles of packed weights, on the ring's own queue";
  let description = [{
    As `tile.order_tiles` says. The ring fills its slots on its own from here on, each
    as soon as it is free; `tile.next` gives them in order.
  }];
  let arguments = (ins Tile_StreamType:$ring, I64Attr:$first, I64Attr:$count, Tile_Dim:$passes);
  let assemblyFormat = "$ring `from` $first `count` $count `passes` $passes attr-dict `:` type($ring)";
  let hasVerifier = 1;
}

def Dma_OrderBlocksOp : Dma_TransferOp<"order_blocks", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "order the blocks of a cache that a table names, on the ring's own queue";
  let description = [{
    As `tile.order` says. The ring's first tile waits for the stores before it to the
    same tensor, which may be to a block that it reads.
  }];
  let arguments = (ins Tile_StreamType:$ring, Tile_Dim:$row, FlatSymbolRefAttr:$table,
    Tile_Dim:$first, I64Attr:$bound, I64Attr:$step, Tile_Dim:$count, Tile_Dim:$tail,
    Tile_Dim:$passes);
  let assemblyFormat = [{
    $ring `[` $row `]` `by` $table `[` $first `]` `bound` $bound `step` $step `count` $count
    `tail` $tail `passes` $passes attr-dict `:` type($ring)
  }];
  let hasVerifier = 1;
}

def Dma_SyncOp : Dma_Op<"sync", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "a queue starts nothing that comes later until its waits hold";
  let description = [{
    For an operation that needs more than the two waits that one instruction can
    carry, and for what a loop waits for once; the waits are the attribute
    `dma.waits`, up to six. Orders of a ring wait for stores only, each by itself.
  }];
  let arguments = (ins Dma_QueueAttr:$queue);
  let assemblyFormat = "$queue attr-dict";
  let hasVerifier = 1;
}

#endif // SERRANO_DIALECTS_DMA_DMAOPS
