//===- Projection.h - projections of one input, as one kernel - -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_CONVERSION_LLMTOTILE_PROJECTION_H
#define SERRANO_CONVERSION_LLMTOTILE_PROJECTION_H

#include "Lowering.h"

namespace serrano::lowering {

/// The projections of one input whose weights are one group of the packed ones.
/// Columns are taken in *units*, those that an accumulator holds: a block of the
/// array, or as many as a head has. What is done to a unit before it leaves the
/// accumulators is its epilogue.
class Lowering::Projection {
public:
  Projection(Lowering &on, llm::LinearOp leader);

  mlir::LogicalResult lower();

private:
  /// One operation on the accumulators: an activation, or a sum or product with a
  /// tensor of the same shape.
  struct Step {
    mlir::Operation *op;
    mlir::Value other; ///< null for an activation
  };
  enum class Place {
    Slot,    ///< a slot for the tensor
    Result,  ///< the function's result, in HBM
    Heads,   ///< turned by a rope, to where attention takes them
    KeyValue ///< beside the other half of the new keys and values
  };
  /// One of the projections.
  struct Member {
    llm::LinearOp op;
    int64_t n;
    std::optional<mlir::OpFoldResult> bias;
    llvm::SmallVector<Step, 2> steps;
    mlir::Value result; ///< what comes out of the last step
    Place place = Place::Slot;
    mlir::Value slot;                ///< Slot, KeyValue
    std::optional<FedNorm> norm; ///< Slot: fed with the result
    unsigned resultNumber = 0;       ///< Result
    llvm::SmallVector<mlir::Value, 2> staging;
    llm::RopeOp rope; ///< Heads
    RopeTarget target;
    int64_t headSize = 0, headOffset = 0; ///< KeyValue, Heads
  };
  /// Columns that go through one accumulator, or a gate's and those it gates through
  /// two.
  struct Unit {
    size_t block;      ///< the first one
    size_t blocks;
    size_t member;     ///< none if it has columns of several
    int64_t column, width;
  };
  static constexpr size_t none = ~size_t(0);
  /// A unit for which rows of the input stay in the array.
  struct Turned {
    const Unit &unit;
    unsigned turn;           ///< whose accumulator it keeps
    bool feeds;              ///< a norm, in the order of columns: it is finished last
    mlir::Value block;       ///< rows x columns
    mlir::Value transposed;  ///< columns x rows, of whole tiles of rows
    mlir::Value tiles;       ///< how many those are
    int64_t done = 0;        ///< columns that are in `block` too
    bool isFinished = false; ///< has had its epilogue
  };
  /// Where the rows of a block lie: shared by blocks that lie alike.
  using Pieces = llvm::SmallVector<tile::WeightTape::Piece>;

  // Projection.cpp
  static llvm::SmallVector<llm::LinearOp> getPeers(llm::LinearOp op);
  static bool isLastGroup(llm::LinearOp leader);
  /// The kernel does what `op` does.
  void take(mlir::Operation *op);
  mlir::LogicalResult collectMembers();
  mlir::LogicalResult pack();
  void placeUnits();
  void createAccumulators();
  void emitUnits();
  /// `count` rows of the input from `first` on, and of those `depth` features from `feature` on:
  /// turned, if the slot is.
  mlir::Value getInput(mlir::OpFoldResult first, int64_t count, mlir::OpFoldResult feature,
                       int64_t depth);
  /// Adds to the norms what they have been fed with.
  void addStrips();
  /// How many units from `first` on differ only in their column.
  size_t getRun(size_t first) const;
  /// After how many units of a run a loop can begin anew.
  size_t getPeriod(size_t first, size_t run) const;
  /// The node that a unit is of.
  mlir::Location getLoc(const Unit &unit);
  /// The accumulator of a unit.
  unsigned getTurn(const Unit &unit);
  void emitUnit(const Unit &unit, Column column, unsigned turn);
  mlir::Value getColumns(mlir::Value accumulator, int64_t col, int64_t width);
  /// The epilogue of what a unit that is not gated has accumulated.
  void finish(const Unit &unit, mlir::Value accumulator, Column column);
  void multiply(mlir::Value accumulator, const Pieces &pieces, int64_t width);

  // StationaryRows.cpp
  /// Whether rows of the input are to stay in the array for the last block.
  bool keepsRows();
  /// The best place for it among the other blocks.
  int64_t placeNarrow(const tile::WeightGroup &group);
  void multiplyTurned(const Unit &unit);
  /// The accumulator of a unit after it.
  unsigned getTurnBeside(const Unit &unit);
  /// Turns the next columns of what is turned, at most so many.
  void turn(int64_t cols);
  /// Turns what is to be turned beside one of the other units.
  void turnShare();
  void turnRest();
  void finishTurned();

  // Epilogue.cpp
  bool findGate();
  void collectSteps(Member &member, mlir::Value result);
  mlir::LogicalResult choosePlace(Member &member);
  void finish(Member &member, mlir::Value accumulator, Column column, int64_t width);
  void finishGated(mlir::Value gate, mlir::Value gated, Column column, int64_t width);
  /// Applies the factor of the input's rows, the bias and the steps; the last of
  /// them writes to the parts `to` of equal width, if given.
  void applySteps(const Member &member, mlir::Value accumulator, Column column, int64_t width,
                  llvm::ArrayRef<mlir::Value> to);
  void apply(const Step &step, mlir::Value accumulator, Column column, int64_t width,
             mlir::Value to);
  /// Where the last step writes to, in parts of equal width: nothing if that is the accumulator
  /// itself.
  llvm::SmallVector<mlir::Value> beginPlace(Member &member, Column column, int64_t width);
  void endPlace(Member &member, mlir::Value accumulator, llvm::ArrayRef<mlir::Value> to,
                Column column, int64_t width);

  Lowering &on;
  llm::LinearOp leader;
  llvm::SmallVector<Member, 3> members;
  llvm::SmallVector<mlir::Operation *> taken;
  /// Of two members, whether the product of both is wanted: the first is the gate.
  bool gated = false;
  Matrix x;
  int64_t k = 0;
  mlir::Value rows;
  int64_t unitCols = 0;
  llvm::SmallVector<tile::WeightBlock> blocks;
  llvm::SmallVector<const Pieces *> pieces; ///< of each block
  std::vector<std::unique_ptr<Pieces>> layouts;
  llvm::SmallVector<Unit> units;
  llvm::SmallVector<mlir::Value, 4> accumulators;
  unsigned turns = 1; ///< units that accumulators hold at once
  int64_t narrowAt = -1; ///< the unit for which rows stay in the array; -1: none
  std::optional<Turned> turned;
};

} // namespace serrano::lowering

#endif // SERRANO_CONVERSION_LLMTOTILE_PROJECTION_H
