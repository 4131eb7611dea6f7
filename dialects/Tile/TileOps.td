//===- TileOps.td - all operations of the dialect -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_TILE_TILEOPS
#define SERRANO_DIALECTS_TILE_TILEOPS

include "dialects/Tile/TileEngineOps.td"
include "dialects/Tile/TileMemoryOps.td"

#endif // SERRANO_DIALECTS_TILE_TILEOPS
