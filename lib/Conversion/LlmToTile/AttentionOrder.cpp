//===- AttentionOrder.cpp - in which order a step attends --------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A piece of work is a tile of a sequence's new tokens. Of a sequence that decodes
// there is one, which reads much of the cache for little work; a prompt has many,
// with much work on each block. A step with both takes them in turn, so that old
// blocks arrive while the array works on a prompt. The order is the same for all
// layers: it is computed once, as a table in scalar memory, which loops follow.
//
//===----------------------------------------------------------------------===//

#include "CachedKernel.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

/// What the table holds before the pieces of work, two numbers each.
enum : int64_t { shortCount, longCount, shortCursor, longCursor, firstPiece };

Value Lowering::CachedKernel::readWork(Value element) {
  return tile::ReadOp::create(on.builder, on.loc, on.builder.getIndexType(), work, element);
}

void Lowering::CachedKernel::writeWork(Value value, Value element) {
  tile::WriteOp::create(on.builder, on.loc, value, work, element);
}

Value Lowering::CachedKernel::getWorkCount() {
  return on.add(readWork(on.constant(shortCount)), readWork(on.constant(longCount)));
}

Lowering::CachedKernel::Work Lowering::CachedKernel::getWork(Value number) {
  Value element = on.mul(number, 2);
  return {getSequence(readWork(on.add(element, on.constant(firstPiece)))),
          readWork(on.add(element, on.constant(firstPiece + 1)))};
}

void Lowering::CachedKernel::declareWork() {
  std::string name = ("work." + op.getCache()).str();
  work = FlatSymbolRefAttr::get(on.builder.getContext(), name);
  // Several sequences may each have a tile that is not full.
  int64_t most = on.limits.sequences + on.slotRows / tileTokens;
  auto type = MemRefType::get({1, firstPiece + 2 * most}, on.builder.getI32Type());
  if (auto tensor = on.module.lookupSymbol<tile::TensorOp>(name)) {
    if (tensor.getSlotType().getNumElements() < type.getNumElements())
      tensor.setType(type);
    return;
  }
  OpBuilder::InsertionGuard guard(on.builder);
  on.builder.setInsertionPointToStart(on.module.getBody());
  tile::TensorOp::create(on.builder, on.loc, name, tile::TensorRole::Temporary, StringAttr(),
                         StringAttr(), ArrayAttr(), /*scalar=*/true, SymbolRefAttr(), type,
                         /*below=*/StringAttr());
}

/// Spreads S short pieces and L long ones evenly: before long piece j there are
/// floor((j + 1) S / (L + 1)) short ones.
void Lowering::CachedKernel::arrangeWork() {
  Value zero = on.constant(0), one = on.constant(1);
  auto advance = [&](int64_t cell, Value by) {
    Value element = on.constant(cell), old = readWork(element);
    writeWork(on.add(old, by), element);
    return old;
  };
  auto divide = [&](Value a, Value b) -> Value {
    return arith::DivUIOp::create(on.builder, on.loc, a, b);
  };
  auto place = [&](Value number, Value sequence, Value tile) {
    Value element = on.mul(number, 2);
    writeWork(sequence, on.add(element, on.constant(firstPiece)));
    writeWork(tile, on.add(element, on.constant(firstPiece + 1)));
  };
  // Calls `body` with how many short and long pieces of work each sequence has.
  auto forEachSequence = [&](llvm::function_ref<void(Value, Value, Value)> body) {
    on.forEach(sequenceCount(), [&](Value number) {
      Value tokens = getSequence(number).tokens;
      Value few = any(on.subtract(on.constant(tileTokens / 2 + 1), tokens));
      Value shorts = on.mul(few, any(tokens));
      body(number, shorts, on.mul(on.ceilDiv(tokens, tileTokens), on.subtract(one, few)));
    });
  };
  for (int64_t cell = 0; cell < firstPiece; ++cell)
    writeWork(zero, on.constant(cell));
  forEachSequence([&](Value, Value shorts, Value longs) {
    advance(shortCount, shorts);
    advance(longCount, longs);
  });
  Value allShorts = readWork(on.constant(shortCount));
  Value allLongs = readWork(on.constant(longCount)), gaps = on.add(allLongs, one);
  forEachSequence([&](Value sequence, Value shorts, Value longs) {
    on.forEach(shorts, [&](Value) {
      Value number = advance(shortCursor, one);
      Value end = on.add(on.mul(on.add(number, one), gaps), on.subtract(allShorts, one));
      Value before = on.min(on.subtract(divide(end, allShorts), one), allLongs);
      place(on.add(number, before), sequence, zero);
    });
    on.forEach(longs, [&](Value tile) {
      Value number = advance(longCursor, one);
      Value before = divide(on.mul(on.add(number, one), allShorts), gaps);
      place(on.add(number, before), sequence, tile);
    });
  });
}

/// The old blocks of a piece of work, for each group of heads.
void Lowering::CachedKernel::order(Value layer, Value number) {
  Sequence sequence = getWork(number).sequence;
  Value blocks = on.ceilDiv(sequence.position, block);
  Value tail = on.subtract(on.add(sequence.position, on.constant(block)), on.mul(blocks, block));
  Value table = tableOf(op.getBlockTables(), sequence.number);
  on.forEach(on.constant(groups), [&](Value part) {
    tile::OrderOp::create(on.builder, on.loc, stream, on.add(cacheBase(layer), on.mul(part, block)),
                          on.tables.lookup(on.resolve(op.getBlockTables())).getValue(), table,
                          on.getCacheBlocks(), groups * block, blocks, tail, on.constant(1));
  });
}

void Lowering::CachedKernel::orderFirst(Value layer) {
  arrangeWork();
  on.forEach(getAhead(), [&](Value number) { order(layer, number); });
}

/// Orders the piece of work that comes so many after `number`, of this layer or the next,
/// so that the ring does not run dry between layers.
void Lowering::CachedKernel::orderNext(Value number, bool streams) {
  Value next = on.add(number, getAhead());
  Value here = any(on.subtract(getWorkCount(), next));
  on.forEach(here, [&](Value) { order(layer, next); });
  if (!streams)
    return;
  Value more = any(on.subtract(on.constant(on.layers->last), layer));
  on.forEach(on.mul(on.subtract(on.constant(1), here), more), [&](Value) {
    order(on.add(layer, on.constant(1)), on.subtract(next, getWorkCount()));
  });
}
