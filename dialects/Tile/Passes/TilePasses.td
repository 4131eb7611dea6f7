//===- TilePasses.td - passes over the tile dialect -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_TILE_PASSES_TILEPASSES
#define SERRANO_DIALECTS_TILE_PASSES_TILEPASSES

include "mlir/Pass/PassBase.td"

def ReportBounds : Pass<"tile-report-bounds", "::mlir::ModuleOp"> {
  let summary = "say what bounds each operator";
  let description = [{
    Emits a remark for each source operator of each entry: the cycles that its work
    takes of HBM, of the array, of the array's weight port and of the vector engine by
    the timing model, for a run of given lengths; the cycles that its operations take on the
    core one after the other as they depend on each other, with weights and cache always
    there; and what bounds it: the largest of these. It is bound by `latency` where
    dependences take a quarter more than the busiest of the others. Changes nothing, and
    does nothing if nobody listens to its remarks.
    (test/Dialect/Tile/report-bounds.mlir)
  }];
  let dependentDialects = ["::serrano::tile::TileDialect"];
  let options = [
    Option<"target", "target", "std::string", "\"\"",
           "name or file of the target; the module's tile.target if empty">,
    Option<"sequences", "sequences", "int64_t", "1", "sequences of a step">,
    Option<"tokens", "tokens", "int64_t", "1",
           "new tokens of each sequence; 0 for as many as there is room for, of which an entry "
           "without a cache knows nothing and says nothing">,
    Option<"context", "context", "int64_t", "0",
           "tokens of each sequence after the step; 0 for the longest, or for the new "
           "ones alone if there are as many as there is room for">,
    ListOption<"dimensions", "dimensions", "std::string",
               "sizes of an entry without a cache, NAME=SIZE; else the last one is as large as "
               "it can be and the others are 1">];
}

#endif // SERRANO_DIALECTS_TILE_PASSES_TILEPASSES
