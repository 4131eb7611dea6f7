//===- RunWalk.h - the operations of one run, in order --------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_DIALECTS_TILE_RUNWALK_H
#define SERRANO_DIALECTS_TILE_RUNWALK_H

#include "dialects/Tile/Tile.h"
#include "llvm/ADT/StringMap.h"

namespace serrano::tile {

/// What the loops of a run depend on.
struct RunInputs {
  /// The value of each `tile.dimension`.
  llvm::StringMap<int64_t> dimensions;
  /// An element of a tensor in scalar memory.
  std::function<int64_t(TensorOp tensor, int64_t element)> read;
};

/// Goes through a function as a run with `inputs` does: computes what lies in
/// index values, follows loops and conditions, and calls `visit` for each other
/// operation. Of a loop over layers only the first round and the last, after which
/// there is nothing to prepare, are walked; `visit` is told how many rounds are as
/// the first.
class RunWalk {
public:
  /// `valueOf` gives the value of an operand that is an index.
  using Visit = llvm::function_ref<void(mlir::Operation *op, int64_t times)>;

  RunWalk(mlir::func::FuncOp function, const RunInputs &inputs)
      : function(function), inputs(inputs) {}

  /// Fails, with an error, on what is not known before a run, and after `limit`
  /// operations.
  mlir::LogicalResult run(Visit visit, int64_t limit);

  /// The value of an index, for `visit`.
  int64_t valueOf(mlir::Value value) const { return values.lookup(value); }

private:
  mlir::LogicalResult walk(mlir::Block &block, int64_t times);
  mlir::LogicalResult walkLoop(mlir::scf::ForOp loop, int64_t times);
  mlir::LogicalResult walkIf(mlir::scf::IfOp op, int64_t times);
  mlir::LogicalResult compute(mlir::Operation *op);

  mlir::func::FuncOp function;
  const RunInputs &inputs;
  std::optional<Visit> visit;
  int64_t left = 0;
  mlir::SymbolTableCollection symbols;
  llvm::DenseMap<mlir::Value, int64_t> values;
  /// Elements of temporary tensors in scalar memory.
  llvm::DenseMap<std::pair<mlir::StringAttr, int64_t>, int64_t> written;
};

} // namespace serrano::tile

#endif // SERRANO_DIALECTS_TILE_RUNWALK_H
