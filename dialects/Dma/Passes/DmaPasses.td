//===- DmaPasses.td - passes over the dma dialect -*- tablegen -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_DMA_PASSES_DMAPASSES
#define SERRANO_DIALECTS_DMA_PASSES_DMAPASSES

include "mlir/Pass/PassBase.td"

def InsertWaits : Pass<"dma-insert-waits", "::mlir::func::FuncOp"> {
  let summary = "make every operation wait for those of other queues that it depends on";
  let description = [{
    Every operation that runs on a queue gets the signal of that queue's counter.
    An operation that touches bytes that one of another queue touches too, one of
    them writing, waits for it, with the largest lag that is right for every trip
    count of the loops around. Waits that others imply, also by way of other queues,
    are left out: `dma-verify-races` accepts the result, and nothing that has one wait
    fewer or one with a larger lag. What needs more than two waits gets a `dma.sync`
    before it. What the matrix queue waits for
    in a loop that runs an unknown number of times, of the time before the loop, it
    waits for in a `dma.sync` before the outermost such loop. Orders of a ring wait
    and do not signal.
    Existing signals and waits are replaced. (test/Dialect/Dma/insert-waits.mlir)
  }];
  let dependentDialects = ["::serrano::dma::DmaDialect"];
}

def VerifyRaces : Pass<"dma-verify-races", "::mlir::func::FuncOp"> {
  let summary = "prove that nothing races, whatever the trip counts";
  let description = [{
    For every two operations of different queues that touch a common byte, one of
    them writing, the signals and waits must order them on every path. The proof
    is of the waits that are there, wherever they come from: it fails on one that
    is missing or whose lag is too large, and names both operations. Changes
    nothing. (test/Dialect/Dma/verify-races.mlir)
  }];
  let dependentDialects = ["::serrano::dma::DmaDialect"];
}

#endif // SERRANO_DIALECTS_DMA_PASSES_DMAPASSES
