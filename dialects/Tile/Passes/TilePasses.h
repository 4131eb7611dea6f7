//===- TilePasses.h - passes over the tile dialect ------------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_TILE_PASSES_TILEPASSES_H
#define SERRANO_DIALECTS_TILE_PASSES_TILEPASSES_H

#include "dialects/Tile/Tile.h"
#include "mlir/Pass/Pass.h"

namespace serrano::tile {

#define GEN_PASS_DECL
#include "dialects/Tile/Passes/TilePasses.h.inc"

#define GEN_PASS_REGISTRATION
#include "dialects/Tile/Passes/TilePasses.h.inc"

} // namespace serrano::tile

#endif // SERRANO_DIALECTS_TILE_PASSES_TILEPASSES_H
