//===- CachedAttention.cpp - attention of a step over a paged cache ----- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Online softmax over blocks of keys (Dao 2022), for a ragged batch. Old keys
// come through a ring, block by block of each head; they are ordered before the
// queries exist. New keys and values are taken from the scratchpad, as the cache
// will return them, and are stored for the steps to come. A block that holds both
// is taken in two parts, which gives the same bits as one: a score is a chain of
// its own, and a sum of values is one chain over both parts.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

/// Orders that a ring holds at once of sequences that are not begun: more than
/// one, so that a short one does not drain the ring.
static constexpr int64_t sequencesAhead = 8;

int64_t Lowering::getBlock() const {
  NumberFormat format = precision.isF32() ? NumberFormat::F32 : NumberFormat::BF16;
  return std::min(target.largestK(format), target.columns());
}

int64_t Lowering::getCacheBlocks() const {
  return limits.sequences * llvm::divideCeil(limits.context, getBlock());
}

/// A cache is one tensor: for each layer, block and head a row for each token
/// with its key, then its value.
void Lowering::declareCaches() {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(module.getBody());
  for (auto cache : module.getOps<llm::CacheOp>()) {
    int64_t block = getBlock(), blocks = getCacheBlocks();
    int64_t rows = int64_t(cache.getLayers()) * blocks * int64_t(cache.getKvHeads()) * block;
    tile::TensorOp::create(
        builder, loc, ("cache." + cache.getSymName()).str(), tile::TensorRole::Cache, StringAttr(),
        StringAttr(), ArrayAttr(), /*scalar=*/false, SymbolRefAttr(),
        MemRefType::get({rows, 2 * int64_t(cache.getHeadSize())}, precision),
        /*below=*/StringAttr());
    tile::PagedCacheOp::create(builder, loc, block, blocks, limits.context);
  }
}

void Lowering::createCacheStreams() {
  for (auto cache : module.getOps<llm::CacheOp>()) {
    auto tile = MemRefType::get({getBlock(), 2 * int64_t(cache.getHeadSize())}, precision);
    cacheStreams[cache.getSymNameAttr()] =
        tile::StreamOp::create(builder, loc, tile::StreamType::get(builder.getContext(), tile),
                               ("cache." + cache.getSymName()).str());
  }
}

int64_t Lowering::getStackedHeads(Value query) {
  if (!query.hasOneUse() || !query.getDefiningOp<llm::RopeOp>())
    return 0;
  auto attention = dyn_cast<llm::CachedAttentionOp>(*query.user_begin());
  if (!attention || attention.getQuery() != query)
    return 0;
  int64_t heads = *llm::getExtents(query)[1].getConstantValue();
  int64_t kvHeads = *llm::getExtents(attention.getKey())[1].getConstantValue();
  return heads == kvHeads ? 0 : kvHeads;
}

/// The kernel of one operation.
struct Lowering::CachedKernel {
  CachedKernel(Lowering &lowering, llm::CachedAttentionOp op);

  /// Fails, with an error, on what there is no kernel for.
  LogicalResult check();
  /// Orders the old blocks of the first sequences.
  void orderFirst();
  void attend();

private:
  struct Sequence {
    Value number, first, tokens, length;
    Value position; ///< of the first new token: how many old ones there are
  };
  /// The queries of some of a sequence's new tokens for one head of keys.
  struct Queries {
    Value kvHead;
    Value token; ///< the first one, counted from the sequence's first new one
    Value row;   ///< the first one, counted through the batch
    Value count, rows;
  };
  /// Where keys and values are: tiles of the ring, or the new ones' slots.
  struct Part {
    Value valid;   ///< how many keys
    Value keyRow;  ///< the first new one; null for the ring
    Value place;   ///< of the first in the block
    Value limit;   ///< how many the first query sees; null for all
  };

  Value read(Value tensor, Value element);
  Value subtract(Value a, Value b) { return arith::SubIOp::create(on.builder, on.loc, a, b); }
  Value atMost(Value count, int64_t most) {
    return arith::MaxSIOp::create(on.builder, on.loc, on.min(count, most), on.constant(0));
  }
  /// Rows of the accumulators and the state for one head's queries.
  Value front(Value slot, int64_t col, int64_t cols) {
    return on.window(slot, on.index(0), on.index(col), tileRows, cols);
  }
  Sequence getSequence(Value number);
  Value cacheBase();
  void order(Value number);
  void store(const Sequence &sequence);
  void attendTile(const Sequence &sequence, Value tile);
  void attendBlock(const Sequence &sequence, const Queries &queries, Value start, Value valid,
                   ArrayRef<Part> parts);
  void multiplyKeys(const Part &part, const Queries &queries);
  void multiplyValues(const Part &part, const Queries &queries);

  Lowering &on;
  llm::CachedAttentionOp op;
  int64_t heads, size, kvHeads, group, block;
  int64_t tileK, tileN;
  int64_t tileTokens; ///< the most new tokens of a sequence that are taken at once
  int64_t tileRows;   ///< and their rows: of each token the heads that share keys
  int64_t ahead;
  Value stream, layer;
  Value scores, sums, weights, states;
  Value query; ///< if heads share keys, stacked as `getStackedHeads` says
  Matrix key, value, out;
};

Lowering::CachedKernel::CachedKernel(Lowering &lowering, llm::CachedAttentionOp op)
    : on(lowering), op(op) {
  heads = *llm::getExtents(op.getQuery())[1].getConstantValue();
  size = *llm::getExtents(op.getQuery())[2].getConstantValue();
  kvHeads = *llm::getExtents(op.getKey())[1].getConstantValue();
  group = heads / kvHeads;
  block = on.getBlock();
  MemRefType tileType = cast<tile::StreamType>(on.stream.getType()).getSlot();
  tileK = tileType.getDimSize(0), tileN = tileType.getDimSize(1);
  // Scores and sums of a token have to fit the accumulators.
  int64_t most = on.target.accumulatorBytes() / (4 * group * (block + size));
  int64_t tiles = llvm::divideCeil(on.maxTokens, std::max<int64_t>(most, 1));
  tileTokens = llvm::divideCeil(on.maxTokens, tiles);
  tileRows = tileTokens * group;
  // A ring holds one order for each tile, and tokens are shared by the sequences.
  ahead = std::min(sequencesAhead, on.target.queueDepth() - 1 - tiles);
  stream = on.cacheStreams.lookup(op.getCacheAttr().getAttr());
  IntegerAttr constantLayer;
  layer = matchPattern(op.getLayer(), m_Constant(&constantLayer))
              ? on.constant(constantLayer.getInt())
              : on.layers->index;
}

LogicalResult Lowering::CachedKernel::check() {
  if (op.getWindow() || op.getSoftcap())
    return op.emitOpError() << "has a window or a softcap, for which there is no kernel yet";
  if (ahead >= 1)
    return success();
  return op.emitOpError() << "takes " << on.maxTokens << " tokens in tiles of " << tileTokens
                          << ", more than the " << on.target.queueDepth()
                          << " orders that a ring holds; compile for fewer tokens (--max-tokens)";
}

Value Lowering::CachedKernel::read(Value tensor, Value element) {
  return tile::ReadOp::create(on.builder, on.loc, on.builder.getIndexType(),
                              on.tables.lookup(on.resolve(tensor)).getValue(), element);
}

Lowering::CachedKernel::Sequence Lowering::CachedKernel::getSequence(Value number) {
  Value first = read(op.getQueryStarts(), number);
  Value tokens = subtract(read(op.getQueryStarts(), on.add(number, on.constant(1))), first);
  Value length = read(op.getKvLengths(), number);
  return {number, first, tokens, length, subtract(length, tokens)};
}

/// The first row of the layer.
Value Lowering::CachedKernel::cacheBase() {
  return on.mul(layer, on.getCacheBlocks() * kvHeads * block);
}

void Lowering::CachedKernel::order(Value number) {
  Sequence sequence = getSequence(number);
  Value blocks = arith::CeilDivUIOp::create(on.builder, on.loc, sequence.position,
                                            on.constant(block));
  Value tail = subtract(on.add(sequence.position, on.constant(block)), on.mul(blocks, block));
  Value table = on.mul(number, on.extent(llm::getExtents(op.getBlockTables())[1]));
  Value tiles =
      arith::CeilDivUIOp::create(on.builder, on.loc, sequence.tokens, on.constant(tileTokens));
  on.forEach(tiles, [&](Value) {
    tile::OrderOp::create(on.builder, on.loc, stream, cacheBase(),
                          on.tables.lookup(on.resolve(op.getBlockTables())).getValue(), table,
                          on.getCacheBlocks(), blocks, tail, kvHeads);
  });
}

void Lowering::CachedKernel::orderFirst() {
  Value sequences = on.extent(llm::getExtents(op.getKvLengths())[0]);
  on.forEach(on.min(sequences, ahead), [&](Value number) { order(number); });
}

/// The new keys and values go to the cache, block by block.
void Lowering::CachedKernel::store(const Sequence &sequence) {
  Value first = arith::DivUIOp::create(on.builder, on.loc, sequence.position, on.constant(block));
  Value last = arith::CeilDivUIOp::create(on.builder, on.loc, sequence.length, on.constant(block));
  Value table = on.mul(sequence.number, on.extent(llm::getExtents(op.getBlockTables())[1]));
  on.forEach(subtract(last, first), [&](Value i) {
    Value number = on.add(first, i), start = on.mul(number, block);
    Value begin = arith::MaxSIOp::create(on.builder, on.loc, sequence.position, start);
    Value end = arith::MinSIOp::create(on.builder, on.loc, sequence.length,
                                       on.add(start, on.constant(block)));
    Value from = on.add(sequence.first, subtract(begin, sequence.position));
    Value id = read(op.getBlockTables(), on.add(table, number));
    Value to = on.add(on.add(cacheBase(), on.mul(id, kvHeads * block)), subtract(begin, start));
    for (auto [slot, col] : {std::pair{key.slot, int64_t(0)}, std::pair{value.slot, size}})
      tile::StoreOp::create(
          on.builder, on.loc,
          on.window(slot, from, on.index(0), on.maxTokens, kvHeads * size),
          ("cache." + op.getCache()).str(), to, on.constant(col), subtract(end, begin), kvHeads,
          block);
  });
}

/// scores = queries x keys of the part.
void Lowering::CachedKernel::multiplyKeys(const Part &part, const Queries &queries) {
  Value keys = part.keyRow ? key.slot
                           : tile::PeekOp::create(on.builder, on.loc,
                                                  cast<tile::StreamType>(stream.getType()).getSlot(),
                                                  stream)
                                 .getResult();
  Value row = part.keyRow ? part.keyRow : on.constant(0);
  for (int64_t k = 0; k < size; k += tileK) {
    int64_t depth = std::min(tileK, size - k);
    Value col = part.keyRow ? on.add(on.mul(queries.kvHead, size), on.constant(k)) : on.constant(k);
    tile::LoadWeightsOp::create(on.builder, on.loc, on.window(keys, row, col, block, depth),
                                on.constant(depth), part.valid, /*transpose=*/true);
    Value moving =
        group == 1
            ? on.window(query, queries.row, on.add(on.mul(queries.kvHead, size), on.constant(k)),
                        tileRows, depth)
            : on.splitRows(query, on.add(on.mul(queries.kvHead, on.maxTokens), queries.row),
                           tileTokens, group, k, depth);
    tile::MatmulOp::create(on.builder, on.loc, moving,
                           on.window(scores, on.index(0), part.place, tileRows, block),
                           queries.rows, Value(), group, /*accumulate=*/k > 0);
  }
}

/// sums += weights x values of the part.
void Lowering::CachedKernel::multiplyValues(const Part &part, const Queries &queries) {
  MemRefType tile = cast<tile::StreamType>(stream.getType()).getSlot();
  for (int64_t n = 0; n < size; n += tileN) {
    int64_t cols = std::min(tileN, size - n);
    Value values = value.slot, row = part.keyRow, col = on.add(on.mul(queries.kvHead, size), on.constant(n));
    if (!part.keyRow) {
      // The last one to read the tile gives it back.
      if (n + cols < size)
        values = tile::PeekOp::create(on.builder, on.loc, tile, stream);
      else
        values = tile::NextOp::create(on.builder, on.loc, tile, stream);
      row = on.constant(0);
      col = on.constant(size + n);
    }
    tile::LoadWeightsOp::create(on.builder, on.loc, on.window(values, row, col, block, cols),
                                part.valid, on.constant(cols));
    tile::MatmulOp::create(on.builder, on.loc,
                           on.window(weights, on.index(0), part.place, tileRows, block),
                           on.window(sums, on.index(0), on.index(n), tileRows, cols), queries.rows,
                           part.limit, group, /*accumulate=*/true);
  }
}

void Lowering::CachedKernel::attendBlock(const Sequence &sequence, const Queries &queries,
                                         Value start, Value valid, ArrayRef<Part> parts) {
  for (const Part &part : parts)
    multiplyKeys(part, queries);
  // A token sees the keys up to its own.
  Value seen = on.add(on.add(sequence.position, queries.token), on.constant(1));
  tile::SoftmaxOp::create(on.builder, on.loc, scores, weights, states, op.getScale(),
                          subtract(seen, start), group, 0, queries.rows, valid);
  tile::BinaryOp::create(on.builder, on.loc, tile::BinaryFunction::Mul, sums,
                         on.repeatColumn(states, 2, size), sums, queries.rows, on.constant(size));
  for (const Part &part : parts)
    multiplyValues(part, queries);
}

/// All heads of keys, for some of a sequence's new tokens.
void Lowering::CachedKernel::attendTile(const Sequence &sequence, Value number) {
  Value token = on.mul(number, tileTokens);
  Value count = on.min(subtract(sequence.tokens, token), tileTokens);
  Value rows = on.mul(count, group), one = on.constant(1), width = on.constant(size);
  Value firstRow = on.add(sequence.first, token);
  Value visible = on.add(on.add(sequence.position, token), count);
  Value wholeOld = arith::DivUIOp::create(on.builder, on.loc, sequence.position, on.constant(block));
  Value oldOfMixed = subtract(sequence.position, on.mul(wholeOld, block));
  Value mixed = on.min(oldOfMixed, 1);
  Value blocks = arith::CeilDivUIOp::create(on.builder, on.loc, visible, on.constant(block));
  Value newBlocks = subtract(subtract(blocks, wholeOld), mixed);

  on.forEach(on.constant(kvHeads), [&](Value kvHead) {
    Queries queries{kvHead, token, firstRow, count, rows};
    tile::FillOp::create(on.builder, on.loc,
                         llvm::APFloat(std::numeric_limits<float>::lowest()), front(states, 0, 1),
                         rows, one);
    tile::FillOp::create(on.builder, on.loc, llvm::APFloat(0.0f), front(states, 1, 1), rows, one);
    tile::FillOp::create(on.builder, on.loc, llvm::APFloat(0.0f), sums, rows, width);

    on.forEach(wholeOld, [&](Value i) {
      Value valid = on.constant(block);
      attendBlock(sequence, queries, on.mul(i, block), valid,
                  Part{valid, Value(), on.constant(0), Value()});
    });
    on.forEach(mixed, [&](Value) {
      Value start = on.mul(wholeOld, block);
      Value valid = on.min(subtract(visible, start), block);
      attendBlock(sequence, queries, start, valid,
                  {Part{oldOfMixed, Value(), on.constant(0), Value()},
                   Part{subtract(valid, oldOfMixed), sequence.first, oldOfMixed,
                        on.add(token, one)}});
    });
    on.forEach(newBlocks, [&](Value i) {
      Value start = on.mul(on.add(on.add(wholeOld, mixed), i), block);
      Value valid = on.min(subtract(visible, start), block);
      Value before = subtract(start, sequence.position); // New keys of earlier blocks.
      attendBlock(sequence, queries, start, valid,
                  Part{valid, on.add(sequence.first, before), on.constant(0),
                       subtract(on.add(token, one), before)});
    });

    for (int64_t member = 0; member < group; ++member) {
      Value col = on.add(on.mul(kvHead, group * size), on.constant(member * size));
      tile::BinaryOp::create(on.builder, on.loc, tile::BinaryFunction::Div,
                             on.everyRow(sums, on.index(member), group, tileTokens),
                             on.repeatColumn(states, 1, size, on.index(member), group),
                             on.window(out.slot, firstRow, col, on.maxTokens, size), count, width);
    }
  });
}

void Lowering::CachedKernel::attend() {
  Type f32 = on.builder.getF32Type();
  scores = on.slot(tileRows, block, f32, /*accumulator=*/true);
  sums = on.slot(tileRows, size, f32, /*accumulator=*/true);
  weights = on.slot(tileRows, block, on.precision);
  states = on.slot(tileRows, 3, f32);
  key = on.getOperand(op.getKey()), value = on.getOperand(op.getValue());
  query = on.getOperand(op.getQuery()).slot;
  if (group > 1 && !getStackedHeads(op.getQuery())) {
    Value stacked = on.slot(kvHeads * on.maxTokens, group * size, on.precision);
    for (int64_t head = 0; head < kvHeads; ++head)
      tile::UnaryOp::create(
          on.builder, on.loc, tile::UnaryFunction::Copy,
          on.window(query, on.index(0), on.index(head * group * size), on.maxTokens, group * size),
          on.window(stacked, on.index(head * on.maxTokens), on.index(0), on.maxTokens, group * size),
          on.extent(on.get(op.getQuery()).rows), on.constant(group * size));
    query = stacked;
  }
  out = on.define(op.getResult());
  Value sequences = on.extent(llm::getExtents(op.getKvLengths())[0]);
  on.forEach(sequences, [&](Value number) {
    Value next = on.add(number, on.constant(ahead));
    on.forEach(atMost(subtract(sequences, next), 1), [&](Value) { order(next); });
    Sequence sequence = getSequence(number);
    Value tiles =
        arith::CeilDivUIOp::create(on.builder, on.loc, sequence.tokens, on.constant(tileTokens));
    on.forEach(tiles, [&](Value tile) { attendTile(sequence, tile); });
    store(sequence);
  });
}

LogicalResult Lowering::orderBlocks(Operation *op) {
  for (; op && !isa<llm::LayersOp>(op); op = op->getNextNode())
    if (auto attention = dyn_cast<llm::CachedAttentionOp>(op)) {
      loc = op->getLoc();
      CachedKernel kernel(*this, attention);
      if (failed(kernel.check()))
        return failure();
      kernel.orderFirst();
    }
  return success();
}

LogicalResult Lowering::lowerCachedAttention(llm::CachedAttentionOp op) {
  if (failed(require(op, {op.getQuery(), op.getKey(), op.getValue()})))
    return failure();
  CachedKernel(*this, op).attend();
  return success();
}
