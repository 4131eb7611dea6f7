//===- TileTypes.td - streams -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_TILE_TILETYPES
#define SERRANO_DIALECTS_TILE_TILETYPES

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinTypeInterfaces.td"
include "dialects/Tile/TileDialect.td"

def Tile_StreamType : TypeDef<Tile_Dialect, "Stream"> {
  let mnemonic = "stream";
  let summary = "tiles that arrive one after the other";
  let description = [{
    `!tile.stream<memref<128x128xbf16>>`: `tile.next` gives them one at a time, in
    the order in which they were ordered.
  }];
  let parameters = (ins "::mlir::MemRefType":$slot);
  let assemblyFormat = "`<` $slot `>`";
}

def Tile_Slot : Type<And<[CPred<"::llvm::isa<::mlir::MemRefType>($_self)">,
    CPred<"::llvm::cast<::mlir::MemRefType>($_self).getRank() == 2">]>,
    "slot of rank 2", "::mlir::MemRefType">;
def Tile_Dim : Type<CPred<"::llvm::isa<::mlir::IndexType>($_self)">, "index", "::mlir::IndexType">,
    BuildableType<"$_builder.getIndexType()">;

#endif // SERRANO_DIALECTS_TILE_TILETYPES
