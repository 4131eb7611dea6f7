//===- Cost.h - what operations on tiles cost -----------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_TILE_COST_H
#define SERRANO_DIALECTS_TILE_COST_H

#include "dialects/Tile/Tile.h"
#include "serrano/Target/TimingModel.h"

namespace serrano::tile {

/// What one execution of an operation occupies, or the sum of many.
struct Cost {
  int64_t matrixCycles = 0; ///< of the array, for products
  int64_t weightCycles = 0; ///< of its weight port; goes on beside products
  int64_t vectorCycles = 0;
  int64_t memoryBytes = 0; ///< from and to HBM, in whole bursts
  int64_t macs = 0;        ///< useful ones: rows of no token count nothing

  void add(const Cost &other, int64_t times);
};

/// Asks the timing model for each operation in the order of a run.
class CostModel {
public:
  explicit CostModel(const TargetModel &target) : timing(target) {}

  /// `valueOf` gives the value of a count.
  Cost getCost(mlir::Operation *op,
               llvm::function_ref<int64_t(mlir::Value)> valueOf);

  const TimingModel &getTiming() const { return timing; }

private:
  TimingModel timing;
  int64_t k = 0, n = 0; ///< of the weights that are in the array
};

} // namespace serrano::tile

#endif // SERRANO_DIALECTS_TILE_COST_H
