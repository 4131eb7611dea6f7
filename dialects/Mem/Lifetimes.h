//===- Lifetimes.h - when buffers are alive ------------------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_MEM_LIFETIMES_H
#define SERRANO_DIALECTS_MEM_LIFETIMES_H

#include "dialects/Mem/Mem.h"
#include "serrano/Schedule/Allocation.h"

namespace serrano::mem {

/// An allocation problem and the operations that its buffers stand for.
struct Placement {
  AllocationProblem problem;
  llvm::SmallVector<mlir::Operation *> operations;
};

/// The buffers of `space`, named by their number in program order, then the
/// rings: they belong to the scratchpad and are alive throughout. Rings whose
/// number of slots is not chosen are left out.
Placement getPlacement(mlir::func::FuncOp function, Space space,
                       int64_t capacity);

/// Where symbols lie.
enum class SymbolMemory { Hbm, Scalar };

/// Bytes of a value in scalar memory, and what addresses there are multiples
/// of.
inline constexpr int64_t scalarBytes = 4;

/// The symbols of `memory`, in the order of the module; all are alive together.
Placement getPlacement(mlir::ModuleOp module, SymbolMemory memory,
                       int64_t capacity);

} // namespace serrano::mem

#endif // SERRANO_DIALECTS_MEM_LIFETIMES_H
