//===- TileDialect.td - the tile dialect -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_TILE_TILEDIALECT
#define SERRANO_DIALECTS_TILE_TILEDIALECT

include "mlir/IR/OpBase.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::serrano::tile";
  let summary = "what one tile computes, and on which engine";
  let description = [{
    Tensors have become *slots*: memrefs of static shape in a memory of the core,
    large enough for the limits that the program is compiled for. How much of a
    slot is valid is an `index` value that every operation takes: token counts
    and lengths are known when the program runs. Operations stand in `scf.for`
    loops; each is the work of one engine on one tile, and becomes one
    instruction.

    A slot's elements are addressed through `memref.reinterpret_cast`, whose
    offset may depend on loops. A row stride of
    0 gives every row the same elements, an element stride of 0 gives a row one
    element.

    Whatever lies in HBM is a symbol (`tile.tensor`); bytes come from there and
    go there by `tile.load`, `tile.store`, `tile.gather`, `tile.scatter` and
    streams. Tile knows neither addresses nor when bytes move.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::func::FuncDialect"];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let extraClassDeclaration = [{
    /// On the module: the name of the target that it is compiled for.
    static constexpr llvm::StringLiteral kTargetAttr = "tile.target";
    /// On the module before operations become tiles: what is chosen, `#tile.choices`.
    static constexpr llvm::StringLiteral kChoicesAttr = "tile.choices";
    /// On the module from then on: what the kernels have done, `#tile.choices`.
    static constexpr llvm::StringLiteral kMadeAttr = "tile.made";
    /// On a function that the runtime calls: the entry's name.
    static constexpr llvm::StringLiteral kEntryAttr = "tile.entry";
    /// On a loop that runs the model for a portion of the rows each time.
    static constexpr llvm::StringLiteral kPortionsAttr = "tile.portions";
    /// On a loop over layers: the number of the first, an i64.
    static constexpr llvm::StringLiteral kFirstLayerAttr = "tile.first_layer";
  }];
}

class Tile_Op<string mnemonic, list<Trait> traits = []> : Op<Tile_Dialect, mnemonic, traits>;

#endif // SERRANO_DIALECTS_TILE_TILEDIALECT
