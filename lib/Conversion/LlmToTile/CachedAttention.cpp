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

#include "CachedKernel.h"

#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

/// Orders that a ring holds at once of pieces of work that are not begun: more than
/// one, so that a short one does not drain the ring.
static constexpr int64_t piecesAhead = 8;

Lowering::CachedKernel::CachedKernel(Lowering &lowering, llm::CachedAttentionOp op)
    : on(lowering), op(op) {
  heads = *llm::getExtents(op.getQuery())[1].getConstantValue();
  size = *llm::getExtents(op.getQuery())[2].getConstantValue();
  kvHeads = *llm::getExtents(op.getKey())[1].getConstantValue();
  group = heads / kvHeads;
  block = on.getBlock();
  stepBlocks = on.getSoftmaxBlocks(), stepKeys = stepBlocks * block;
  numLanes = on.getLanes(kvHeads, size), groups = kvHeads / numLanes;
  // Scores and sums of a token have to fit the accumulators.
  int64_t most = on.target.accumulatorBytes() / (4 * numLanes * group * (stepKeys + size));
  tileTokens = std::clamp<int64_t>(most, 1, on.slotRows);
  tileTokens = llvm::divideCeil(on.slotRows, llvm::divideCeil(on.slotRows, tileTokens));
  tileRows = tileTokens * group;
  // A ring holds one order for each group of heads.
  ahead = std::min(piecesAhead, on.target.queueDepth() / groups - 1);
  stream = on.cacheStreams.lookup(op.getCacheAttr().getAttr());
  IntegerAttr constantLayer;
  layer = matchPattern(op.getLayer(), m_Constant(&constantLayer))
              ? on.constant(constantLayer.getInt())
              : on.layers->index;
  declareWork();
}

LogicalResult Lowering::CachedKernel::check() {
  if (ahead >= 1)
    return success();
  return op.emitOpError() << "has " << groups << " groups of heads, more than the "
                          << on.target.queueDepth() << " orders that a ring holds allow";
}

Value Lowering::CachedKernel::read(Value tensor, Value element) {
  return tile::ReadOp::create(on.builder, on.loc, on.builder.getIndexType(),
                              on.tables.lookup(on.resolve(tensor)).getValue(), element);
}

/// What this portion of the tokens has of a sequence: all of it if there is one portion.
Lowering::CachedKernel::Sequence Lowering::CachedKernel::getSequence(Value number) {
  Value first = read(op.getQueryStarts(), number);
  Value end = read(op.getQueryStarts(), on.add(number, on.constant(1)));
  Value length = read(op.getKvLengths(), number);
  if (!on.portion) {
    Value tokens = on.subtract(end, first);
    return {number, first, tokens, length, on.subtract(length, tokens)};
  }
  Value portionEnd = on.add(on.portion->first, on.portion->count);
  Value from = on.max(first, on.portion->first), to = on.min(end, portionEnd);
  Value tokens = on.max(on.subtract(to, from), on.constant(0));
  Value position = on.subtract(length, on.subtract(end, from));
  return {number, on.subtract(from, on.portion->first), tokens, on.add(position, tokens), position};
}

/// With its last piece of work, a sequence's new keys and values go to the cache, block by
/// block.
void Lowering::CachedKernel::store(const Work &work) {
  const Sequence &sequence = work.sequence;
  Value later = on.subtract(on.ceilDiv(sequence.tokens, tileTokens), on.constant(1));
  Value isLast = on.subtract(on.constant(1), any(on.subtract(later, work.tile)));
  Value first = arith::DivUIOp::create(on.builder, on.loc, sequence.position, on.constant(block));
  Value last = on.ceilDiv(sequence.length, block);
  Value table = tableOf(op.getBlockTables(), sequence.number);
  on.forEach(on.mul(on.subtract(last, first), isLast), [&](Value i) {
    Value number = on.add(first, i), start = on.mul(number, block);
    Value begin = on.max(sequence.position, start);
    Value end = on.min(sequence.length, on.add(start, on.constant(block)));
    Value from = on.add(sequence.first, on.subtract(begin, sequence.position));
    Value id = read(op.getBlockTables(), on.add(table, number));
    Value to = on.add(on.add(cacheBase(layer), on.mul(id, groups * block)), on.subtract(begin, start));
    tile::StoreOp::create(
        on.builder, on.loc,
        on.window(keyValue, from, on.index(0), on.slotRows, kvHeads * 2 * size),
        ("cache." + op.getCache()).str(), to, on.constant(0), on.subtract(end, begin), groups,
        block);
  });
}

/// Queries of a head of keys: rows of the moving operand.
Value Lowering::CachedKernel::getQueries(const Queries &queries, Value kvHead, int64_t k,
                                         int64_t depth) {
  if (group == 1)
    return on.window(query, queries.row, on.add(on.mul(kvHead, size), on.constant(k)), tileRows,
                     depth);
  return on.splitRows(query, on.add(on.mul(kvHead, on.slotRows), queries.row), tileTokens, group, k,
                      depth);
}

void Lowering::CachedKernel::forEachBlock(const Run &run,
                                          llvm::function_ref<void(Value, Value)> body) {
  on.forEach(run.count, [&](Value i) { body(on.add(run.block, i), i); });
}

/// scores = queries x keys of the run's blocks.
void Lowering::CachedKernel::multiplyKeys(const Run &run, const Queries &queries, int64_t lane) {
  MemRefType tile = cast<tile::StreamType>(stream.getType()).getSlot();
  Value kvHead = on.add(queries.firstHead, on.constant(lane));
  forEachBlock(run, [&](Value number, Value i) {
    Value start = on.mul(number, block);
    Value valid = run.single ? run.valid : on.min(on.subtract(run.valid, on.mul(i, block)), block);
    for (int64_t k = 0; k < size; k += on.tileK) {
      int64_t depth = std::min(on.tileK, size - k);
      Value keys;
      if (run.keyRow)
        keys = on.window(keyValue, on.add(run.keyRow, on.mul(i, block)),
                         on.add(on.mul(kvHead, 2 * size), on.constant(k)), block, depth);
      else
        keys = on.window(tile::PeekOp::create(on.builder, on.loc, tile, stream, number),
                         on.index(0), on.index(lane * 2 * size + k), block, depth);
      tile::LoadWeightsOp::create(on.builder, on.loc, keys, on.constant(depth), valid,
                                  /*transpose=*/true);
      Value col = run.place ? on.add(start, run.place) : start;
      tile::MatmulOp::create(on.builder, on.loc, getQueries(queries, kvHead, k, depth),
                             on.window(lanes[lane].scores, on.index(0), col, tileRows, block),
                             queries.rows, Value(), group, /*accumulate=*/k > 0);
    }
  });
}

/// sums += weights x values of all blocks, in order.
void Lowering::CachedKernel::multiplyValues(ArrayRef<Run> runs, const Queries &queries,
                                            int64_t lane) {
  for (int64_t n = 0; n < size; n += on.tileN)
    for (const Run &run : runs)
      multiplyValues(run, queries, lane, n, std::min(on.tileN, size - n));
}

void Lowering::CachedKernel::multiplyValues(const Run &run, const Queries &queries, int64_t lane,
                                            int64_t n, int64_t cols) {
  MemRefType tile = cast<tile::StreamType>(stream.getType()).getSlot();
  Value kvHead = on.add(queries.firstHead, on.constant(lane));
  // The last one to read a tile gives it back.
  bool pops = lane + 1 == numLanes && n + cols == size;
  forEachBlock(run, [&](Value number, Value i) {
    Value valid = run.single ? run.valid : on.min(on.subtract(run.valid, on.mul(i, block)), block);
    Value values;
    if (run.keyRow) {
      values = on.window(keyValue, on.add(run.keyRow, on.mul(i, block)),
                         on.add(on.mul(kvHead, 2 * size), on.constant(size + n)), block, cols);
    } else {
      Value slot = pops ? tile::NextOp::create(on.builder, on.loc, tile, stream).getTile()
                        : tile::PeekOp::create(on.builder, on.loc, tile, stream, number).getTile();
      values = on.window(slot, on.index(0), on.index((2 * lane + 1) * size + n), block, cols);
    }
    tile::LoadWeightsOp::create(on.builder, on.loc, values, valid, on.constant(cols));
    Value start = on.mul(number, block), limit;
    if (run.limit)
      limit = on.subtract(run.limit, on.mul(i, block));
    tile::MatmulOp::create(
        on.builder, on.loc,
        on.window(lanes[lane].weights, on.index(0), run.place ? on.add(start, run.place) : start,
                  tileRows, block),
        on.window(lanes[lane].sums, on.index(0), on.index(n), tileRows, cols), queries.rows, limit,
        group, /*accumulate=*/true);
  });
}

/// One step of the softmax: up to `stepBlocks` blocks, of old keys, then perhaps one of
/// old and new keys, then of new keys.
void Lowering::CachedKernel::attendStep(const Sequence &sequence, const Queries &queries,
                                        Value number, Value visible, bool first) {
  Value zero = on.constant(0), one = on.constant(1);
  Value start = on.mul(number, stepKeys);
  Value valid = on.min(on.subtract(visible, start), stepKeys);
  // Of the step's keys, how many are old.
  Value old = atMost(on.subtract(sequence.position, start), valid);
  Value wholeOld = arith::DivUIOp::create(on.builder, on.loc, old, on.constant(block));
  Value rest = on.subtract(old, on.mul(wholeOld, block)); // Of the block that is mixed.
  Value mixed = on.min(rest, 1);
  Value beforeNew = on.add(wholeOld, mixed);
  Value mixedValid = on.min(on.subtract(valid, on.mul(wholeOld, block)), block);
  Value newValid = on.max(on.subtract(valid, on.mul(beforeNew, block)), zero);
  // The new keys of the mixed block are the sequence's first; those of the blocks after
  // it come after what earlier blocks have of them.
  Value earlier = on.max(on.subtract(on.add(start, on.mul(beforeNew, block)), sequence.position),
                         zero);
  Value seenNew = on.add(queries.token, one); // Of all new keys, by the first query.
  const Run runs[] = {
      {wholeOld, zero, on.mul(wholeOld, block), Value(), Value(), Value(), false},
      {mixed, wholeOld, rest, Value(), Value(), Value(), true},
      {mixed, wholeOld, on.subtract(mixedValid, rest), sequence.first, rest, seenNew, true},
      {on.ceilDiv(newValid, block), beforeNew, newValid, on.add(sequence.first, earlier), Value(),
       on.subtract(seenNew, earlier), false}};

  // A token sees the keys up to its own.
  Value seen = on.subtract(on.add(on.add(sequence.position, queries.token), one), start);
  // Each softmax is dispatched as soon as its scores are, so that it waits for those only.
  for (auto [i, lane] : llvm::enumerate(lanes)) {
    for (const Run &run : runs)
      multiplyKeys(run, queries, i);
    tile::SoftmaxOp::create(on.builder, on.loc, lane.scores, lane.weights, lane.states,
                            op.getScale(), seen, group, 0, queries.rows, valid);
  }
  if (!first)
    for (const Lane &lane : lanes)
      tile::BinaryOp::create(on.builder, on.loc, tile::BinaryFunction::Mul, lane.sums,
                             on.repeatColumn(lane.states, 2, size), lane.sums, queries.rows,
                             on.constant(size));
  for (int64_t lane = 0; lane < numLanes; ++lane)
    multiplyValues(runs, queries, lane);
}

/// Some of a sequence's new tokens, for the heads of one group of lanes.
void Lowering::CachedKernel::attendTile(const Sequence &sequence, Value firstHead, Value number) {
  Value token = on.mul(number, tileTokens);
  Value count = on.min(on.subtract(sequence.tokens, token), tileTokens);
  Value rows = on.mul(count, group), one = on.constant(1), width = on.constant(size);
  Queries queries{firstHead, token, on.add(sequence.first, token), count, rows};
  Value visible = on.add(on.add(sequence.position, token), count);

  for (const Lane &lane : lanes) {
    tile::FillOp::create(on.builder, on.loc,
                         llvm::APFloat(std::numeric_limits<float>::lowest()),
                         front(lane.states, 0, 1), rows, one);
    tile::FillOp::create(on.builder, on.loc, llvm::APFloat(0.0f), front(lane.states, 1, 1), rows,
                         one);
    tile::FillOp::create(on.builder, on.loc, llvm::APFloat(0.0f), lane.sums, rows, width);
  }
  // The first step stands alone: it has no sums yet to correct, and what it waits for is
  // long past.
  attendStep(sequence, queries, on.constant(0), visible, /*first=*/true);
  on.forEach(on.subtract(on.ceilDiv(visible, stepKeys), one), [&](Value step) {
    attendStep(sequence, queries, on.add(step, one), visible, /*first=*/false);
  });
  for (auto [i, lane] : llvm::enumerate(lanes))
    for (int64_t member = 0; member < group; ++member) {
      Value head = on.add(on.mul(on.add(firstHead, on.constant(i)), group), on.constant(member));
      tile::BinaryOp::create(on.builder, on.loc, tile::BinaryFunction::Div,
                             on.everyRow(lane.sums, on.index(member), group, tileTokens),
                             on.repeatColumn(lane.states, 1, size, on.index(member), group),
                             on.window(out.slot, queries.row, on.mul(head, size), on.slotRows, size),
                             count, width);
    }
}

void Lowering::CachedKernel::attend(bool streams) {
  Type f32 = on.builder.getF32Type();
  keyValue = on.getKeyValueSlot(op);
  auto [rowExtent, ignored] = getShape(op.getKey());
  Value rows = on.extent(rowExtent);
  // What no projection has put there.
  Value operands[] = {op.getKey(), op.getValue()};
  for (auto [half, operand] : llvm::enumerate(operands))
    if (Value source = on.get(operand).slot; source != keyValue)
      for (int64_t head = 0; head < kvHeads; ++head)
        tile::UnaryOp::create(
            on.builder, on.loc, tile::UnaryFunction::Copy,
            on.window(source, on.index(0), on.index(head * size), on.slotRows, size),
            on.window(keyValue, on.index(0), on.index((2 * head + half) * size), on.slotRows, size),
            rows, on.constant(size));
  query = on.getOperand(op.getQuery()).slot;
  if (group > 1 && !getStackedHeads(op.getQuery())) {
    Value stacked = on.slot(kvHeads * on.slotRows, group * size, on.precision);
    for (int64_t head = 0; head < kvHeads; ++head)
      tile::UnaryOp::create(
          on.builder, on.loc, tile::UnaryFunction::Copy,
          on.window(query, on.index(0), on.index(head * group * size), on.slotRows, group * size),
          on.window(stacked, on.index(head * on.slotRows), on.index(0), on.slotRows, group * size),
          rows, on.constant(group * size));
    query = stacked;
  }
  out = on.define(op.getResult());
  for (int64_t lane = 0; lane < numLanes; ++lane)
    lanes.push_back({on.slot(tileRows, stepKeys, f32, /*accumulator=*/true),
                     on.slot(tileRows, size, f32, /*accumulator=*/true),
                     on.slot(tileRows, stepKeys, on.precision), on.slot(tileRows, 3, f32)});
  if (!streams)
    orderFirst(layer);
  on.forEach(getWorkCount(), [&](Value number) {
    orderNext(number, streams);
    Work work = getWork(number);
    on.forEach(on.constant(groups), [&](Value part) {
      attendTile(work.sequence, on.mul(part, numLanes), work.tile);
    });
    store(work);
  });
}

/// The only cached attention of a layer; null if there are several.
static llm::CachedAttentionOp getSingle(Block &layer) {
  auto all = layer.getOps<llm::CachedAttentionOp>();
  return llvm::hasSingleElement(all) ? *all.begin() : llm::CachedAttentionOp();
}

void Lowering::orderFirstBlocks(Block &layer, int64_t first) {
  if (auto attention = getSingle(layer)) {
    loc = attention.getLoc();
    CachedKernel(*this, attention).orderFirst(constant(first));
  }
}

LogicalResult Lowering::lowerCachedAttention(llm::CachedAttentionOp op) {
  if (failed(require(op, {op.getQuery(), op.getKey(), op.getValue()})))
    return failure();
  CachedKernel kernel(*this, op);
  if (failed(kernel.check()))
    return failure();
  kernel.attend(layers && getSingle(*op->getBlock()) == op);
  return success();
}
