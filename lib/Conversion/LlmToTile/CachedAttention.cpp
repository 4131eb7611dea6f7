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

/// Rounds whose blocks are ordered before they are begun: more than one, so that short
/// ones do not drain the ring.
static constexpr int64_t roundsAhead = 8;

Lowering::CachedKernel::CachedKernel(Lowering &lowering, llm::CachedAttentionOp op)
    : on(lowering), op(op) {
  heads = *llm::getExtents(op.getQuery())[1].getConstantValue();
  size = *llm::getExtents(op.getQuery())[2].getConstantValue();
  kvHeads = *llm::getExtents(op.getKey())[1].getConstantValue();
  group = heads / kvHeads;
  block = on.getBlock();
  stepBlocks = on.getSoftmaxBlocks(), stepKeys = stepBlocks * block;
  numLanes = on.getLanes(kvHeads, size), groups = kvHeads / numLanes;
  tileTokens = on.getQueryTokens(numLanes, group, size);
  tileRows = tileTokens * group;
  // There is nothing to choose if that is the same.
  if (numLanes > 1 || size > on.tileN)
    valuesByBlock = on.choose(tile::Choice::ValuesByBlock, 0);
  // A round orders a unit of each track; when it does, those of the round before may still
  // be in the queue.
  ahead = std::min(roundsAhead, on.target.queueDepth() / 2 - 1);
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
  return op.emitOpError() << "needs rings whose queues hold 4 orders; those of the target hold "
                          << on.target.queueDepth();
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

/// The unit that a track is at.
Lowering::CachedKernel::Unit Lowering::CachedKernel::getUnit(const Track &track) {
  constexpr Cursor cursor{attendCursor};
  Piece piece = getPiece(readWork(cursor.piece(track.number)));
  const Sequence &sequence = piece.sequence;
  Value step = readWork(cursor.step(track.number)), zero = on.constant(0);
  Value start = on.mul(step, stepKeys), end = on.add(sequence.position, piece.token);
  Value valid = on.mul(atMost(on.subtract(on.add(end, piece.count), start), stepKeys),
                       any(piece.count));
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
  Value seenNew = on.add(piece.token, on.constant(1)); // Of all new keys, by the first query.
  SmallVector<Run, 4> runs{
      {wholeOld, zero, on.mul(wholeOld, block), Value(), Value(), Value(), false},
      {mixed, wholeOld, rest, Value(), Value(), Value(), true},
      {mixed, wholeOld, on.subtract(mixedValid, rest), sequence.first, rest, seenNew, true},
      {on.ceilDiv(newValid, block), beforeNew, newValid, on.add(sequence.first, earlier), Value(),
       on.subtract(seenNew, earlier), false}};
  // A token sees the keys up to its own.
  Value seen = on.subtract(on.add(end, on.constant(1)), start);
  return {piece, step, on.mul(piece.count, group), on.add(sequence.first, piece.token),
          valid, seen, beforeNew, runs};
}

Value Lowering::CachedKernel::isLast(const Unit &unit) {
  return no(any(on.subtract(unit.piece.steps, on.add(unit.step, on.constant(1)))));
}

/// With its last unit, a sequence's new keys and values go to the cache, block by block.
void Lowering::CachedKernel::store(const Unit &unit, Value part) {
  const Sequence &sequence = unit.piece.sequence;
  Value left = on.subtract(sequence.tokens, on.add(unit.piece.token, unit.piece.count));
  Value ends = on.mul(on.mul(isLast(unit), any(unit.piece.count)), no(any(left)));
  Value isLastPart = any(on.subtract(part, on.constant(groups - 2)));
  Value first = arith::DivUIOp::create(on.builder, on.loc, sequence.position, on.constant(block));
  Value last = on.ceilDiv(sequence.length, block);
  Value table = on.mul(sequence.number, on.extent(llm::getExtents(op.getBlockTables())[1]));
  on.forEach(on.mul(on.subtract(last, first), on.mul(ends, isLastPart)), [&](Value i) {
    Value number = on.add(first, i), start = on.mul(number, block);
    Value begin = on.max(sequence.position, start);
    Value end = on.min(sequence.length, on.add(start, on.constant(block)));
    Value from = on.add(sequence.first, on.subtract(begin, sequence.position));
    Value id = read(op.getBlockTables(), on.add(table, number));
    Value to = on.add(on.add(cacheRow(layer, on.constant(0)), on.mul(id, groups * block)),
                      on.subtract(begin, start));
    tile::StoreOp::create(
        on.builder, on.loc,
        on.window(keyValue, from, on.index(0), on.slotRows, kvHeads * 2 * size),
        ("cache." + op.getCache()).str(), to, on.constant(0), on.subtract(end, begin), groups,
        block);
  });
}

/// Queries of a head of keys: rows of the moving operand.
Value Lowering::CachedKernel::getQueries(const Unit &unit, Value kvHead, int64_t k,
                                         int64_t depth) {
  if (group == 1)
    return on.window(query, unit.queryRow, on.add(on.mul(kvHead, size), on.constant(k)), tileRows,
                     depth);
  return on.splitRows(query, on.add(on.mul(kvHead, on.slotRows), unit.queryRow), tileTokens, group,
                      k, depth);
}

void Lowering::CachedKernel::forEachBlock(const Run &run,
                                          llvm::function_ref<void(Value, Value)> body) {
  on.forEach(run.count, [&](Value i) { body(on.add(run.block, i), i); });
}

/// scores = queries x keys of the run's blocks, of which the ring has so many others before.
void Lowering::CachedKernel::multiplyKeys(const Run &run, const Unit &unit, const Track &track,
                                          Value ahead, Value firstHead, int64_t lane) {
  MemRefType tile = cast<tile::StreamType>(stream.getType()).getSlot();
  Value kvHead = on.add(firstHead, on.constant(lane));
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
        keys = on.window(
            tile::PeekOp::create(on.builder, on.loc, tile, stream, on.add(ahead, number)),
            on.index(0), on.index(lane * 2 * size + k), block, depth);
      tile::LoadWeightsOp::create(on.builder, on.loc, keys, on.constant(depth), valid,
                                  /*transpose=*/true);
      Value col = run.place ? on.add(start, run.place) : start;
      tile::MatmulOp::create(on.builder, on.loc, getQueries(unit, kvHead, k, depth),
                             on.window(track.scores[lane], on.index(0), col, tileRows, block),
                             unit.rows, Value(), group, /*accumulate=*/k > 0);
    }
  });
}

/// sums += weights x values of the run's blocks, for such columns of each block: those of all
/// lanes if values are summed by block, else calls come lane by lane.
void Lowering::CachedKernel::multiplyValues(const Run &run, const Unit &unit, const Track &track,
                                            Value firstHead, ArrayRef<Columns> all) {
  MemRefType tile = cast<tile::StreamType>(stream.getType()).getSlot();
  forEachBlock(run, [&](Value number, Value i) {
    Value valid = run.single ? run.valid : on.min(on.subtract(run.valid, on.mul(i, block)), block);
    Value start = on.mul(number, block), limit;
    if (run.limit)
      limit = on.subtract(run.limit, on.mul(i, block));
    for (auto [lane, first] : all) {
      int64_t cols = std::min(on.tileN, size - first);
      Value values;
      if (run.keyRow) {
        Value kvHead = on.add(firstHead, on.constant(lane));
        values = on.window(keyValue, on.add(run.keyRow, on.mul(i, block)),
                           on.add(on.mul(kvHead, 2 * size), on.constant(size + first)), block,
                           cols);
      } else {
        // The last one to read a tile gives it back, so that the next one takes its place.
        bool pops = lane + 1 == numLanes && first + cols == size;
        Value ahead = valuesByBlock ? on.constant(0) : number;
        Value slot = pops ? tile::NextOp::create(on.builder, on.loc, tile, stream).getTile()
                          : tile::PeekOp::create(on.builder, on.loc, tile, stream, ahead).getTile();
        values = on.window(slot, on.index(0), on.index((2 * lane + 1) * size + first), block, cols);
      }
      tile::LoadWeightsOp::create(on.builder, on.loc, values, valid, on.constant(cols));
      tile::MatmulOp::create(on.builder, on.loc,
                             on.window(track.weights[lane], on.index(0),
                                       run.place ? on.add(start, run.place) : start, tileRows,
                                       block),
                             ofLane(track.sums, lane, first, cols), unit.rows, limit, group,
                             /*accumulate=*/true);
    }
  });
}

// How many operations of the vector engine signal in a unit does not depend on what it has
// to do: what has nothing to do has no rows, or is in a loop that does not run and after which
// something else signals. So a product of the other track waits for the softmax that it needs,
// and not for all that may have come since.

void Lowering::CachedKernel::score(const Track &track, Value firstHead) {
  constexpr Cursor cursor{attendCursor};
  advance(cursor, track.number);
  Unit unit = getUnit(track);
  Value isLater = any(unit.step), width = on.constant(size);
  on.forEach(on.mul(no(isLater), any(unit.rows)), [&](Value) {
    const std::pair<int64_t, float> starts[] = {{0, std::numeric_limits<float>::lowest()},
                                                {1, 0.0f}};
    for (auto [col, start] : starts)
      tile::FillOp::create(on.builder, on.loc, llvm::APFloat(start),
                           on.splitRows(track.states, on.index(0), tileRows, numLanes, col, 1),
                           on.mul(unit.rows, numLanes), on.constant(1));
    tile::FillOp::create(on.builder, on.loc, llvm::APFloat(0.0f), track.sums, unit.rows,
                         on.constant(numLanes * size));
  });
  Value ahead = readWork(pendingBlocks + (1 - track.number));
  writeWork(unit.old, pendingBlocks + track.number);
  // Each softmax is dispatched as soon as its scores are, so that it waits for those only.
  auto correct = [&](int64_t lane) {
    Value sums = ofLane(track.sums, lane, 0, size);
    tile::BinaryOp::create(on.builder, on.loc, tile::BinaryFunction::Mul, sums,
                           on.repeatColumn(ofLane(track.states, lane, 0, 3), 2, size), sums,
                           on.mul(unit.rows, isLater), width);
  };
  for (int64_t lane = 0; lane < numLanes; ++lane) {
    for (const Run &run : unit.runs)
      multiplyKeys(run, unit, track, ahead, firstHead, lane);
    tile::SoftmaxOp::create(on.builder, on.loc, track.scores[lane], track.weights[lane],
                            ofLane(track.states, lane, 0, 3), op.getScale(), unit.seen, group, 0,
                            unit.rows, unit.valid);
    correct(lane);
  }
}

/// result = sums / sum of the softmax, for the heads of a lane. Those of a single token are
/// done at once.
void Lowering::CachedKernel::divide(const Track &track, const Unit &unit, Value firstHead,
                                    int64_t lane) {
  Value several = any(on.subtract(unit.piece.count, on.constant(1))), last = isLast(unit);
  Value sums = ofLane(track.sums, lane, 0, size), states = ofLane(track.states, lane, 0, 3);
  auto emit = [&](Value sums, Value divisor, Value result, Value rows) {
    tile::BinaryOp::create(on.builder, on.loc, tile::BinaryFunction::Div, sums, divisor, result,
                           rows, on.constant(size));
  };
  auto headColumn = [&](int64_t member) {
    return on.add(on.mul(firstHead, group * size), on.constant((lane * group + member) * size));
  };
  on.forEach(on.mul(several, last), [&](Value) {
    for (int64_t member = 0; member < group; ++member)
      emit(on.everyRow(sums, on.index(member), group, tileTokens),
           on.repeatColumn(states, 1, size, on.index(member), group),
           on.window(out.slot, unit.queryRow, headColumn(member), on.slotRows, size),
           unit.piece.count);
  });
  auto divideSingle = [&](Value rows) {
    emit(on.everyRow(sums, on.index(0), 1, group), on.repeatColumn(states, 1, size),
         on.rowsApart(out.slot, unit.queryRow, headColumn(0), group, size, size), rows);
  };
  Value single = on.mul(on.mul(on.min(unit.piece.count, 1), no(several)), last);
  // The last lane signals for all of them.
  if (lane + 1 == numLanes)
    divideSingle(on.mul(single, group));
  else
    on.forEach(single, [&](Value) { divideSingle(on.constant(group)); });
}

void Lowering::CachedKernel::sum(const Track &track, Value part) {
  Unit unit = getUnit(track);
  Value firstHead = on.mul(part, numLanes);
  SmallVector<Columns> all;
  for (int64_t lane = 0; lane < numLanes; ++lane)
    for (int64_t first = 0; first < size; first += on.tileN)
      all.push_back({lane, first});
  auto multiply = [&](ArrayRef<Columns> columns) {
    for (const Run &run : unit.runs)
      multiplyValues(run, unit, track, firstHead, columns);
  };
  if (valuesByBlock)
    multiply(all);
  for (int64_t lane = 0; lane < numLanes; ++lane) {
    for (const Columns &columns : all)
      if (!valuesByBlock && columns.lane == lane)
        multiply(columns);
    divide(track, unit, firstHead, lane);
  }
  store(unit, part);
}

/// Heads of one group, in rounds: while the array scores for one track, the vector engine
/// has the softmax of the other. The first scores stand before the loop, where they wait for
/// no more than they need of the projections.
void Lowering::CachedKernel::attendPart(Value part, Value more) {
  Value firstHead = on.mul(part, numLanes), one = on.constant(1);
  reset({attendCursor});
  for (const Track &track : tracks)
    writeWork(on.constant(0), pendingBlocks + track.number);
  orderNext(part, on.constant(0), more);
  for (const Track &track : tracks)
    score(track, firstHead);
  on.forEach(on.subtract(getRounds(), one), [&](Value before) {
    orderNext(part, on.add(before, one), more);
    for (const Track &track : tracks) {
      sum(track, part);
      score(track, firstHead);
    }
  });
  for (const Track &track : tracks)
    sum(track, part);
}

void Lowering::CachedKernel::createTracks() {
  Type f32 = on.builder.getF32Type();
  for (auto [number, track] : llvm::enumerate(tracks)) {
    track.number = number;
    track.states = on.slot(tileRows, numLanes * 3, f32);
    track.sums = on.slot(tileRows, numLanes * size, f32, /*accumulator=*/true);
    for (int64_t lane = 0; lane < numLanes; ++lane) {
      track.scores.push_back(on.slot(tileRows, stepKeys, f32, /*accumulator=*/true));
      track.weights.push_back(on.slot(tileRows, stepKeys, on.precision));
    }
  }
}

/// Brings queries, keys and values to where products take them, as far as no projection has
/// put them there.
void Lowering::CachedKernel::copyOperands() {
  keyValue = on.getKeyValueSlot(op);
  auto [rowExtent, ignored] = getShape(op.getKey());
  Value rows = on.extent(rowExtent);
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
  if (group == 1 || getStackedHeads(op.getQuery()))
    return;
  Value stacked = on.slot(kvHeads * on.slotRows, group * size, on.precision);
  for (int64_t head = 0; head < kvHeads; ++head)
    tile::UnaryOp::create(
        on.builder, on.loc, tile::UnaryFunction::Copy,
        on.window(query, on.index(0), on.index(head * group * size), on.slotRows, group * size),
        on.window(stacked, on.index(head * on.slotRows), on.index(0), on.slotRows, group * size),
        rows, on.constant(group * size));
  query = stacked;
}

void Lowering::CachedKernel::attend(bool ordered, Value more) {
  copyOperands();
  out = on.define(op.getResult());
  createTracks();
  if (!ordered)
    orderFirst(layer);
  on.forEach(on.constant(groups), [&](Value part) { attendPart(part, more); });
}

/// The only cached attention of a layer; null if there are several.
static llm::CachedAttentionOp getSingle(Block &layer) {
  auto all = layer.getOps<llm::CachedAttentionOp>();
  return llvm::hasSingleElement(all) ? *all.begin() : llm::CachedAttentionOp();
}

static Block &getLayer(llm::LayersOp op) {
  return SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(op, op.getCalleeAttr()).getBody().front();
}

llm::CachedAttentionOp Lowering::getContinuation(Operation *op) {
  auto own = dyn_cast<llm::CachedAttentionOp>(op);
  std::optional<int64_t> layer;
  if (auto loop = dyn_cast<llm::LayersOp>(op)) {
    own = getSingle(getLayer(loop));
    layer = loop.getFirst() + loop.getCount() - 1;
  } else if (own) {
    layer = getConstantIntValue(own.getLayer());
  }
  Operation *next = op->getNextNode();
  while (next && !isa<llm::CachedAttentionOp, llm::LayersOp>(next))
    next = next->getNextNode();
  auto attention = dyn_cast_or_null<llm::CachedAttentionOp>(next);
  bool continues = own && layer && attention && own.getCache() == attention.getCache() &&
                   own.getQuery().getType() == attention.getQuery().getType() &&
                   own.getKey().getType() == attention.getKey().getType() &&
                   getConstantIntValue(attention.getLayer()) == *layer + 1;
  return continues ? attention : llm::CachedAttentionOp();
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
  if (layers && getSingle(*op->getBlock()) == op) {
    Value more = layers->continues
                     ? constant(1)
                     : min(subtract(constant(layers->last), layers->index), 1);
    kernel.attend(/*ordered=*/true, more);
    return success();
  }
  Operation *before = op->getPrevNode();
  while (before && !isa<llm::CachedAttentionOp, llm::LayersOp>(before))
    before = before->getPrevNode();
  bool ordered = !layers && before && getContinuation(before) == op;
  bool continues = !layers && getContinuation(op);
  kernel.attend(ordered, constant(continues ? 1 : 0));
  return success();
}
