//===- PlacementReport.h - how good a placement is ------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_MEM_PLACEMENTREPORT_H
#define SERRANO_DIALECTS_MEM_PLACEMENTREPORT_H

#include "dialects/Mem/Mem.h"
#include "serrano/Schedule/AllocationSolver.h"

namespace serrano::mem {

/// Collects what each memory holds and says it: in the IR, as the module's
/// attribute `mem.placement`, and as remarks of mem-assign-addresses.
class PlacementReport {
public:
  /// The buffers of `space` and, in the scratchpad, the rings of a function
  /// whose addresses are set; `result` is of the buffers, and of the rings that
  /// had their slots before.
  void add(mlir::func::FuncOp function, Space space, int64_t capacity,
           AllocationResult result);

  /// The symbols of a memory, of all functions together.
  void addSymbols(llvm::StringRef memory, int64_t capacity, int64_t used);

  void attach(mlir::ModuleOp module) const;

private:
  llvm::SmallVector<mlir::Attribute> entries;
  llvm::SmallVector<std::tuple<std::string, int64_t, int64_t>> symbols;
};

} // namespace serrano::mem

#endif // SERRANO_DIALECTS_MEM_PLACEMENTREPORT_H
