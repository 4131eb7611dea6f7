//===- MemOps.td - the mem dialect -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_MEM_MEMOPS
#define SERRANO_DIALECTS_MEM_MEMOPS

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"
include "dialects/Tile/TileTypes.td"
include "dialects/Mem/MemEnums.td"

def Mem_BufferOp : Mem_Op<"buffer", [MemoryEffects<[MemAlloc]>]> {
  let summary = "a slot in a memory of the core, at an address";
  let description = [{
    The bytes from `address` are the buffer's from the first operation of its
    block that uses it to the last; in a loop, each round begins with them undefined. `mem-assign-addresses` chooses
    addresses; one that is given stays.

    ```mlir
    %0 = mem.buffer scratchpad at 4096 : memref<512x384xf32>
    %1 = mem.buffer accumulators : memref<512x128xf32>
    ```
  }];
  let arguments = (ins Mem_SpaceAttr:$space, OptionalAttr<I64Attr>:$address);
  let results = (outs Tile_Slot:$result);
  let assemblyFormat = "$space (`at` $address^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getBytes();
  }];
}

def Mem_RingOp : Mem_Op<"ring", [MemoryEffects<[MemAlloc]>,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "scratchpad that a stream flows through";
  let description = [{
    A stream of `source` through `slots` slots of ring `index`, from `address`.
    Number of slots and address are chosen by `mem-assign-addresses` if they are
    not given.

    ```mlir
    %w = mem.ring 0 of @stream at 1048576 slots 64 : !tile.stream<memref<128x128xbf16>>
    ```
  }];
  let arguments = (ins I64Attr:$index, FlatSymbolRefAttr:$source, OptionalAttr<I64Attr>:$address,
    OptionalAttr<I64Attr>:$slots);
  let results = (outs Tile_StreamType:$result);
  let assemblyFormat = [{
    $index `of` $source (`at` $address^)? (`slots` $slots^)? attr-dict `:` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Bytes of a slot: those of a tile, rounded up to the alignment of rings.
    int64_t getSlotBytes();
    /// Bytes of all slots; their number must have been chosen.
    int64_t getBytes() { return getSlotBytes() * getSlots().value(); }
  }];
}

#endif // SERRANO_DIALECTS_MEM_MEMOPS
