//===- Touches.h - what operations of queues touch ------------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_DMA_TOUCHES_H
#define SERRANO_DIALECTS_DMA_TOUCHES_H

#include "dialects/Dma/Dma.h"
#include "llvm/ADT/MapVector.h"

namespace serrano::dma {

/// The bytes that an operation touches: of a memory of the core, by address, or
/// of a tensor in HBM, all of it.
struct Touch {
  mlir::Operation *symbol = nullptr; ///< the tensor; null for a memory of the core
  mem::Space space = mem::Space::Scratchpad;
  int64_t begin = 0, end = 0;
  /// The first `width` of each `stride` bytes from `begin` on, if `stride` is not
  /// 0; else all of them.
  int64_t stride = 0, width = 0;
  bool write = false;

  /// Whether both touch a common byte, one of them writing.
  bool conflictsWith(const Touch &other) const {
    return (write || other.write) && meets(other);
  }

  /// Whether both touch a common byte.
  bool meets(const Touch &other) const {
    if (symbol || other.symbol)
      return symbol == other.symbol;
    // Most end here.
    if (space != other.space || begin >= other.end || other.begin >= end)
      return false;
    return meetsColumnsOf(other);
  }

private:
  /// Of two whose intervals overlap.
  bool meetsColumnsOf(const Touch &other) const;
};

using Touches = llvm::MapVector<mlir::Operation *, llvm::SmallVector<Touch>>;

/// What each operation of `function` that runs on a queue touches. Tiles of
/// rings are not among it: rings order their own slots. An operand stays within
/// its type's shape, or within its buffer where its offset or a stride is known
/// only when the program runs.
///
/// Fails, with an error, on what could touch bytes unseen: a slot whose buffer
/// is not known or has no address, an operation that takes a slot but runs on
/// no queue, a call, and control flow other than `scf.for` and `scf.if`.
mlir::FailureOr<Touches> getTouches(mlir::func::FuncOp function);

} // namespace serrano::dma

#endif // SERRANO_DIALECTS_DMA_TOUCHES_H
