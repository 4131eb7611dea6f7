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

#endif // SERRANO_DIALECTS_TILE_TILETYPES
