//===- Tile.h - the tile dialect ------------------------------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_TILE_TILE_H
#define SERRANO_DIALECTS_TILE_TILE_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace serrano::tile {

/// The weights that the matrix engine's array holds.
struct ArrayResource : mlir::SideEffects::Resource::Base<ArrayResource> {
  llvm::StringRef getName() final { return "weights in the array"; }
};

} // namespace serrano::tile

#include "dialects/Tile/WeightTape.h"

#include "dialects/Tile/TileDialect.h.inc"
#include "dialects/Tile/TileEnums.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/Tile/TileTypes.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Tile/TileAttributes.h.inc"

#define GET_OP_CLASSES
#include "dialects/Tile/TileOps.h.inc"

namespace serrano::tile {

/// Whether `op` can move rows between the tensor `name` and `slot`: it lies in HBM, with
/// the slot's elements and no fewer columns than each of the slot's `pieces`.
mlir::LogicalResult verifyTransfer(mlir::Operation *op, mlir::SymbolTableCollection &symbols,
                                   mlir::FlatSymbolRefAttr name, mlir::MemRefType slot,
                                   int64_t pieces = 1);

/// Whether a slot's columns can be cut into `pieces` that go to rows `step` apart.
mlir::LogicalResult verifyPieces(mlir::Operation *op, mlir::MemRefType slot, int64_t pieces,
                                 int64_t step);

/// Whether `source` is packed weights or a cache that gives tiles like `slot`.
mlir::LogicalResult verifyStream(mlir::Operation *op, mlir::SymbolTableCollection &symbols,
                                 mlir::FlatSymbolRefAttr source, mlir::MemRefType slot);

/// Whether there can be tiles of the numbers `first` to `first + count - 1`.
mlir::LogicalResult verifyTiles(mlir::Operation *op, int64_t first, int64_t count);

/// Whether there are in `source`, if that is packed weights.
mlir::LogicalResult verifyTiles(mlir::Operation *op, mlir::SymbolTableCollection &symbols,
                                mlir::FlatSymbolRefAttr source, int64_t first, int64_t count);

/// Whether blocks of a cache can be `step` rows apart and numbered below `bound`.
mlir::LogicalResult verifyBlocks(mlir::Operation *op, int64_t bound, int64_t step);

/// Whether `op` can take indices from the tensor `name`: i32 in scalar memory.
mlir::LogicalResult verifyTable(mlir::Operation *op, mlir::SymbolTableCollection &symbols,
                                mlir::FlatSymbolRefAttr name);

} // namespace serrano::tile

#endif // SERRANO_DIALECTS_TILE_TILE_H
