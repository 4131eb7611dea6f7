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
#include "serrano/Target/TargetModel.h"

namespace serrano::mem {

/// The target that `name` means, or the module's own if it is empty; an error is
/// emitted on the module.
mlir::FailureOr<TargetModel> getTarget(mlir::ModuleOp module, llvm::StringRef name);

/// The allocation problem of one memory of one function: its buffers, named by
/// their number in program order, and the operations that they stand for.
struct Placement {
  AllocationProblem problem;
  llvm::SmallVector<mlir::Operation *> operations; ///< `mem.buffer`, then `mem.ring`
};

/// Collects the buffers of `space`. Rings belong to the scratchpad and are alive
/// throughout; those whose number of slots is not chosen are left out.
Placement getPlacement(mlir::func::FuncOp function, Space space, int64_t capacity);

} // namespace serrano::mem

#endif // SERRANO_DIALECTS_MEM_LIFETIMES_H
