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
    same time share no byte. A search looks for addresses that take no more than the most
    bytes alive at a time; what it reaches is in the module's `mem.placement` and, as
    remarks, with what is alive then. Rings live always and share what scratchpad is left
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
           "largest part of the scratchpad that rings take">,
    Option<"searchSteps", "search-steps", "int64_t", "20000",
           "most steps of the exact search for addresses, in each memory">];
}

def MergeBuffers : Pass<"mem-merge-buffers", "::mlir::func::FuncOp"> {
  let summary = "let a result take the place of an operand that dies";
  let description = [{
    An operation that works element by element may write where it reads. Where an operand
    of it dies, and the result's buffer, of the same type, is not in use from the first use of the
    operand on, both become one buffer. A copy is then none and goes: values that a
    loop carries are written where the next round expects them. What keeps a copy is
    a remark. Buffers whose address is given stay. (test/Dialect/Mem/merge-buffers.mlir)
  }];
  let dependentDialects = ["::serrano::mem::MemDialect"];
}

def ExportProblems : Pass<"mem-export-problems", "::mlir::ModuleOp"> {
  let summary = "write the allocation problems of buffers as files";
  let description = [{
    For each function and memory of the core that has buffers, `folder/FUNCTION.MEMORY.csv`
    for serrano-place: lifetimes, sizes, and the addresses that are given. Rings without a number
    of slots are left out. Changes nothing. (test/Dialect/Mem/export-problems.mlir)
  }];
  let dependentDialects = ["::serrano::mem::MemDialect"];
  let options = [
    Option<"target", "target", "std::string", "\"\"",
           "name or file of the target; the module's tile.target if empty">,
    Option<"folder", "folder", "std::string", "\".\"", "where the files go">];
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
