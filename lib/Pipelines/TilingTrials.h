//===- TilingTrials.h - what programs with other tiles take --- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_LIB_PIPELINES_TILINGTRIALS_H
#define SERRANO_LIB_PIPELINES_TILINGTRIALS_H

#include "dialects/Tile/Tile.h"
#include "serrano/Isa/Program.h"
#include "serrano/Pipelines/Pipelines.h"
#include "serrano/Simulator/Statistics.h"
#include "serrano/Target/TargetModel.h"
#include <set>

namespace serrano {

/// Lowers copies of a module in the `llm` dialect with choices of their own. What is
/// wrong with one is told to nobody but who asked.
class TilingTrials {
public:
  TilingTrials(mlir::ModuleOp module, const TileOptions &options, const TargetModel &target);

  /// A copy in the `mem` dialect, with addresses; null, and why, if there is none.
  mlir::OwningOpRef<mlir::ModuleOp> place(tile::ChoicesAttr choices, std::string &obstacle);

  /// Whether kernels can do what is chosen, but what they need has no room.
  bool hasOnlyNoRoom(tile::ChoicesAttr choices);

  /// Whether a program for one token has room; if not, says as an error why.
  mlir::LogicalResult checkOneToken();

  /// What a program would take for the runs of the workload.
  struct Times {
    tile::ChoicesAttr made;   ///< what the kernels have done
    std::vector<double> cycles; ///< of each run, as far as these were wanted
    /// Cycles that no program for the same bytes and products takes less than.
    std::vector<double> roofs;
    std::string obstacle; ///< why there is no program, or no more cycles
    bool isSpent = false; ///< the obstacle is what a search may take, and says nothing of the program
  };
  /// Predicts run after run for as long as `goesOn` says so, which is asked after each and may set the
  /// obstacle. A program that was predicted before is an obstacle.
  Times predict(tile::ChoicesAttr choices, llvm::function_ref<bool(Times &)> goesOn);

  /// The runs, as `--lengths` has them; known from the first prediction on, of which all runs
  /// have to be wanted.
  llvm::ArrayRef<std::string> workload() const { return runs; }

private:
  mlir::OwningOpRef<mlir::ModuleOp> lower(tile::ChoicesAttr choices, std::string &obstacle,
                                          llvm::function_ref<void(mlir::PassManager &)> addPasses);
  llvm::Error predict(isa::Program program, uint64_t hbmBytes, Times &times,
                      llvm::function_ref<bool(Times &)> goesOn);
  void sortRuns(Times &times);
  /// What one run takes, and its roof.
  struct Run {
    double cycles, roof;
  };
  llvm::Expected<Run> getWhole(const sim::Statistics &few) const;
  /// Layers of which a copy has a few: the first one's number, and how many there are.
  struct Loop {
    int64_t first, count;
  };

  mlir::ModuleOp module;
  const TileOptions &options;
  const TargetModel &target;
  llvm::SmallVector<Loop, 1> loops;
  std::vector<std::string> runs;
  std::set<std::vector<uint64_t>> programs; ///< the instructions of each
  int64_t programsLeft, instructions;       ///< that may yet be made, and predicted
  int64_t wordsLeft = 0;                    ///< that may yet be made, once the first is predicted
};

} // namespace serrano

#endif // SERRANO_LIB_PIPELINES_TILINGTRIALS_H
