//===- MemPasses.td - passes over the mem dialect -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_MEM_PASSES_MEMPASSES
#define SERRANO_DIALECTS_MEM_PASSES_MEMPASSES

include "mlir/Pass/PassBase.td"

def AssignAddresses : Pass<"mem-assign-addresses", "::mlir::ModuleOp"> {
  let summary = "give every buffer, ring and symbol its address";
  let description = [{
    Buffers live from the first operation of their block that uses them to the last:
    what a loop uses lives as long as the loop, unless it is in the loop itself. Those alive at the
    same time share no byte; rings live always and share what scratchpad is left
    (at most `ring-fraction` of it), two slots each at least. Addresses that are given stay.
    Symbols get their addresses in HBM in the order of their names in the module:
    weights first, so that the program file can be mapped, each on a page; inputs,
    outputs and temporaries after them. What the runtime writes to scalar memory
    lies there in the same order. (test/Dialect/Mem/assign-addresses.mlir)
  }];
  let dependentDialects = ["::serrano::mem::MemDialect"];
  let options = [
    Option<"target", "target", "std::string", "\"\"",
           "name or file of the target; the module's tile.target if empty">,
    Option<"ringFraction", "ring-fraction", "double", "1.0",
           "largest part of the scratchpad that rings take">];
}

def VerifyPlacement : Pass<"mem-verify-placement", "::mlir::ModuleOp"> {
  let summary = "check that placed buffers fit, are aligned and do not overlap while both live";
  let description = [{
    The end of the placement stage: fails on a buffer, ring or symbol without an
    address, on two that overlap, and on what leaves its memory. Changes nothing.
    (test/Dialect/Mem/verify-placement.mlir)
  }];
  let dependentDialects = ["::serrano::mem::MemDialect"];
  let options = [
    Option<"target", "target", "std::string", "\"\"",
           "name or file of the target; the module's tile.target if empty">];
}

#endif // SERRANO_DIALECTS_MEM_PASSES_MEMPASSES
