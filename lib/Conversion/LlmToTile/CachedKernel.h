//===- CachedKernel.h - attention of a step over a paged cache --- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_CONVERSION_LLMTOTILE_CACHEDKERNEL_H
#define SERRANO_CONVERSION_LLMTOTILE_CACHEDKERNEL_H

#include "Lowering.h"

namespace serrano::lowering {

/// The kernel of one operation.
///
/// A *piece* of work is a tile of a sequence's new tokens; it is done in *units*, one for
/// each step of its softmax. Two *tracks* take pieces in turn, and do a unit each in a
/// round, so that the array multiplies for one while the softmax of the other runs.
struct Lowering::CachedKernel {
  CachedKernel(Lowering &lowering, llm::CachedAttentionOp op);

  /// Fails, with an error, on what there is no kernel for.
  mlir::LogicalResult check();
  /// Arranges the work of the layers, and orders the old blocks of the first units in the
  /// layer.
  void orderFirst(mlir::Value layer);
  /// `ordered`: whether the first units were ordered before. `more`: 1 if those of the next
  /// layer are to be, else 0.
  void attend(bool ordered, mlir::Value more);

private:
  struct Sequence {
    mlir::Value number, first, tokens, length;
    mlir::Value position; ///< of the first new token: how many old ones there are
  };
  struct Piece {
    Sequence sequence;
    mlir::Value token; ///< the first one, counted from the sequence's first new one
    mlir::Value count; ///< 0 for a piece of no work
    mlir::Value steps;
  };
  /// Blocks of one kind, one after the other, within a step of the softmax.
  struct Run {
    mlir::Value count;  ///< how many blocks
    mlir::Value block;  ///< the first one, counted from the step's first
    mlir::Value valid;  ///< keys of a block, the last one or all
    mlir::Value keyRow; ///< of the first new key in the slot; null for old ones
    mlir::Value place;  ///< keys of the block that come before, from elsewhere; or null
    mlir::Value limit;  ///< how many keys of the first block the first query sees; null: all
    bool single;        ///< at most one block
  };
  struct Unit {
    Piece piece;
    mlir::Value step, rows;
    mlir::Value queryRow; ///< the first token, counted through the slots
    mlir::Value valid;    ///< keys of the step
    mlir::Value seen;     ///< those that the first query sees
    mlir::Value old;      ///< blocks that come through the ring
    llvm::SmallVector<Run, 4> runs;
  };
  struct Track {
    unsigned number;
    llvm::SmallVector<mlir::Value> scores, weights; ///< of each lane
    /// Rows of all lanes, each with the lanes side by side.
    mlir::Value sums, states;
  };
  /// Cells of the table of work, before its pieces.
  enum Cell : int64_t {
    shortCount, longCount, shortCursor, longCursor, ///< while the table is made
    rounds,
    orderCursor,
    attendCursor = orderCursor + 5,
    pendingBlocks = attendCursor + 5, ///< of each track: scored, but not yet summed
    firstPiece = pendingBlocks + 2
  };
  /// Which units the tracks are at: cells of the table of work, from `base` on.
  struct Cursor {
    int64_t base;
    int64_t next() const { return base; } ///< the next piece that no track has
    int64_t piece(unsigned track) const { return base + 1 + 2 * track; }
    int64_t step(unsigned track) const { return base + 2 + 2 * track; }
  };

  mlir::Value read(mlir::Value tensor, mlir::Value element);
  /// 1 if `count` is positive, else 0.
  mlir::Value any(mlir::Value count) { return on.max(on.min(count, 1), on.constant(0)); }
  mlir::Value no(mlir::Value flag) { return on.subtract(on.constant(1), flag); }
  template <typename Most>
  mlir::Value atMost(mlir::Value count, Most most) {
    return on.max(on.min(count, most), on.constant(0));
  }
  Sequence getSequence(mlir::Value number);
  mlir::Value sequenceCount() { return on.extent(llm::getExtents(op.getKvLengths())[0]); }

  // AttentionOrder.cpp
  void declareWork();
  void arrangeWork();
  mlir::Value readWork(mlir::Value element);
  mlir::Value readWork(int64_t cell) { return readWork(on.constant(cell)); }
  void writeWork(mlir::Value value, mlir::Value element);
  void writeWork(mlir::Value value, int64_t cell) { writeWork(value, on.constant(cell)); }
  /// Adds to a cell, and gives what it was before.
  mlir::Value advance(int64_t cell, mlir::Value by);
  mlir::Value getRounds();
  Piece getPiece(mlir::Value number);
  void reset(Cursor cursor);
  /// Puts a track of the cursor on its next unit.
  void advance(Cursor cursor, unsigned track);
  /// The first row of a group of heads in a layer's cache.
  mlir::Value cacheRow(mlir::Value layer, mlir::Value part);
  /// How many rounds are ordered before they are begun.
  mlir::Value getAhead() { return on.min(getRounds(), ahead); }
  void orderRound(mlir::Value layer, mlir::Value part);
  void orderNext(mlir::Value part, mlir::Value round, mlir::Value more);

  // CachedAttention.cpp
  void createTracks();
  void copyOperands();
  Unit getUnit(const Track &track);
  /// Whether the unit is the last one of its piece.
  mlir::Value isLast(const Unit &unit);
  void store(const Unit &unit, mlir::Value part);
  void attendPart(mlir::Value part, mlir::Value more);
  /// Scores and the softmax of the track's next unit.
  void score(const Track &track, mlir::Value firstHead);
  /// Sums of values of the track's unit, and the result with its piece's last one.
  void sum(const Track &track, mlir::Value part);
  void divide(const Track &track, const Unit &unit, mlir::Value firstHead, int64_t lane);
  void forEachBlock(const Run &run, llvm::function_ref<void(mlir::Value block, mlir::Value index)> body);
  void multiplyKeys(const Run &run, const Unit &unit, const Track &track, mlir::Value ahead, mlir::Value firstHead,
                    int64_t lane);
  /// Up to as many columns of a lane's values as the array has.
  struct Columns {
    int64_t lane, first;
  };
  void multiplyValues(const Run &run, const Unit &unit, const Track &track, mlir::Value firstHead,
                      llvm::ArrayRef<Columns> all);
  /// A lane's columns of what has the lanes side by side.
  mlir::Value ofLane(mlir::Value slot, int64_t lane, int64_t col, int64_t cols) {
    int64_t each = llvm::cast<mlir::MemRefType>(slot.getType()).getDimSize(1) / numLanes;
    return on.window(slot, on.index(0), on.index(lane * each + col), tileRows, cols);
  }
  mlir::Value getQueries(const Unit &unit, mlir::Value kvHead, int64_t k, int64_t depth);

  Lowering &on;
  llm::CachedAttentionOp op;
  int64_t heads, size, kvHeads, group, block;
  int64_t numLanes, groups; ///< heads of keys side by side, and how often
  int64_t stepBlocks, stepKeys;
  int64_t tileTokens; ///< the most new tokens of a sequence that are taken at once
  int64_t tileRows;   ///< and their rows: of each token the heads that share keys
  int64_t ahead;      ///< rounds, at most
  bool valuesByBlock = false; ///< else head by head
  mlir::FlatSymbolRefAttr work; ///< the table of pieces of work, and of where loops are in it
  mlir::Value stream, layer;
  Track tracks[2];
  mlir::Value query; ///< if heads share keys, stacked as `getStackedHeads` says
  mlir::Value keyValue;
  Matrix out;
};

} // namespace serrano::lowering

#endif // SERRANO_CONVERSION_LLMTOTILE_CACHEDKERNEL_H
