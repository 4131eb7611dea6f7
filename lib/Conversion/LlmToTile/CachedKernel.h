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
struct Lowering::CachedKernel {
  CachedKernel(Lowering &lowering, llm::CachedAttentionOp op);

  /// Fails, with an error, on what there is no kernel for.
  mlir::LogicalResult check();
  /// Arranges the work of the layers, and orders the old blocks of the first pieces of it
  /// in the layer.
  void orderFirst(mlir::Value layer);
  /// `streams`: whether the first pieces of work were ordered before, and those of the
  /// next layer are in turn.
  void attend(bool streams);

private:
  struct Sequence {
    mlir::Value number, first, tokens, length;
    mlir::Value position; ///< of the first new token: how many old ones there are
  };
  /// A tile of a sequence's new tokens.
  struct Work {
    Sequence sequence;
    mlir::Value tile;
  };
  /// The queries of some of a sequence's new tokens for the heads of one lane group.
  struct Queries {
    mlir::Value firstHead; ///< of keys
    mlir::Value token;     ///< the first one, counted from the sequence's first new one
    mlir::Value row;       ///< the first one, counted through the slots
    mlir::Value count, rows;
  };
  /// Blocks of one kind, one after the other, within a step of the softmax.
  struct Run {
    mlir::Value count;        ///< how many blocks
    mlir::Value block;        ///< the first one, counted from the step's first
    mlir::Value valid;        ///< keys of a block, the last one or all
    mlir::Value keyRow;       ///< of the first new key in the slot; null for old ones
    mlir::Value place;        ///< keys of the block that come before, from elsewhere; or null
    mlir::Value limit;        ///< how many keys of the first block the first query sees; null: all
    bool single;        ///< at most one block
  };
  /// What one head of the lanes needs.
  struct Lane {
    mlir::Value scores, sums, weights, states;
  };

  mlir::Value read(mlir::Value tensor, mlir::Value element);
  /// 1 if `count` is positive, else 0.
  mlir::Value any(mlir::Value count) { return on.max(on.min(count, 1), on.constant(0)); }
  mlir::Value atMost(mlir::Value count, mlir::Value most) {
    return on.max(on.min(count, most), on.constant(0));
  }
  /// Rows of the accumulators and the state for one head's queries.
  mlir::Value front(mlir::Value slot, int64_t col, int64_t cols) {
    return on.window(slot, on.index(0), on.index(col), tileRows, cols);
  }
  mlir::Value tableOf(mlir::Value tensor, mlir::Value number) {
    return on.mul(number, on.extent(llm::getExtents(tensor)[1]));
  }
  Sequence getSequence(mlir::Value number);
  /// The first row of the layer.
  mlir::Value cacheBase(mlir::Value layer) { return on.mul(layer, on.getCacheBlocks() * groups * block); }
  mlir::Value sequenceCount() { return on.extent(llm::getExtents(op.getKvLengths())[0]); }

  // AttentionOrder.cpp
  void declareWork();
  void arrangeWork();
  mlir::Value readWork(mlir::Value element);
  void writeWork(mlir::Value value, mlir::Value element);
  mlir::Value getWorkCount();
  Work getWork(mlir::Value number);
  /// How many pieces of work are ordered before they are begun.
  mlir::Value getAhead() { return on.min(getWorkCount(), ahead); }
  void order(mlir::Value layer, mlir::Value number);
  void orderNext(mlir::Value number, bool streams);

  // CachedAttention.cpp
  void store(const Work &work);
  void attendTile(const Sequence &sequence, mlir::Value firstHead, mlir::Value tile);
  void attendStep(const Sequence &sequence, const Queries &queries, mlir::Value number, mlir::Value visible,
                  bool first);
  void forEachBlock(const Run &run, llvm::function_ref<void(mlir::Value block, mlir::Value index)> body);
  void multiplyKeys(const Run &run, const Queries &queries, int64_t lane);
  void multiplyValues(llvm::ArrayRef<Run> runs, const Queries &queries, int64_t lane);
  void multiplyValues(const Run &run, const Queries &queries, int64_t lane, int64_t n,
                      int64_t cols);
  mlir::Value getQueries(const Queries &queries, mlir::Value kvHead, int64_t k, int64_t depth);

  Lowering &on;
  llm::CachedAttentionOp op;
  int64_t heads, size, kvHeads, group, block;
  int64_t numLanes, groups; ///< heads of keys side by side, and how often
  int64_t stepBlocks, stepKeys;
  int64_t tileTokens; ///< the most new tokens of a sequence that are taken at once
  int64_t tileRows;   ///< and their rows: of each token the heads that share keys
  int64_t ahead;
  mlir::FlatSymbolRefAttr work; ///< the table of pieces of work
  mlir::Value stream, layer;
  llvm::SmallVector<Lane> lanes;
  mlir::Value query; ///< if heads share keys, stacked as `getStackedHeads` says
  mlir::Value keyValue;
  Matrix out;
};

} // namespace serrano::lowering

#endif // SERRANO_CONVERSION_LLMTOTILE_CACHEDKERNEL_H
