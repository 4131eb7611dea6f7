//===- AttentionOrder.cpp - in which order a step attends --------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A sequence that decodes is one piece of work, which reads much of the cache for
// little work; a prompt has many, with much work on each block. A step with both
// takes them in turn, so that old blocks arrive while the array works on a prompt.
// The order is the same for all layers: it is computed once, as a table in scalar
// memory. Loops follow it with cursors, which lie there too: one for what is
// attended to, and one that is some rounds ahead, for what the ring is to bring.
//
//===----------------------------------------------------------------------===//

#include "CachedKernel.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

namespace {

/// Numbers of a piece in the table.
constexpr int64_t pieceSequence = 0, pieceToken = 1, pieceSteps = 2, pieceCells = 3;

} // namespace

/// Token and number of steps of the pieces of no work that tracks end with.
static constexpr int64_t never = 1 << 24;

Value Lowering::CachedKernel::readWork(Value element) {
  return tile::ReadOp::create(on.builder, on.loc, on.builder.getIndexType(), work, element);
}

void Lowering::CachedKernel::writeWork(Value value, Value element) {
  tile::WriteOp::create(on.builder, on.loc, value, work, element);
}

Value Lowering::CachedKernel::advance(int64_t cell, Value by) {
  Value old = readWork(cell);
  writeWork(on.add(old, by), cell);
  return old;
}

Value Lowering::CachedKernel::getRounds() { return readWork(rounds); }

Lowering::CachedKernel::Piece Lowering::CachedKernel::getPiece(Value number) {
  Value element = on.mul(number, pieceCells);
  auto get = [&](int64_t cell) { return readWork(on.add(element, on.constant(firstPiece + cell))); };
  Piece piece{getSequence(get(pieceSequence)), get(pieceToken), {}, get(pieceSteps)};
  piece.count = atMost(on.subtract(piece.sequence.tokens, piece.token), tileTokens);
  return piece;
}

void Lowering::CachedKernel::declareWork() {
  std::string name = ("work." + op.getCache()).str();
  work = FlatSymbolRefAttr::get(on.builder.getContext(), name);
  // Several sequences may each have a tile that is not full; and one piece to begin with,
  // and one for each track to end with.
  int64_t most = on.limits.sequences + on.slotRows / tileTokens + 3;
  auto type = MemRefType::get({1, firstPiece + pieceCells * most}, on.builder.getI32Type());
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
/// ceil((j + 1) S / (L + 1)) short ones. A short one comes first, whose blocks are there,
/// and a long one last, which has the work to hide the latencies of its end.
void Lowering::CachedKernel::arrangeWork() {
  Value zero = on.constant(0), one = on.constant(1);
  auto quotient = [&](Value a, Value b) -> Value {
    return arith::DivUIOp::create(on.builder, on.loc, a, b);
  };
  auto place = [&](Value number, Value sequence, Value token, Value steps) {
    Value element = on.mul(number, pieceCells);
    writeWork(sequence, on.add(element, on.constant(firstPiece + pieceSequence)));
    writeWork(token, on.add(element, on.constant(firstPiece + pieceToken)));
    writeWork(steps, on.add(element, on.constant(firstPiece + pieceSteps)));
  };
  // Calls `body` with how many short and long pieces of work each sequence has.
  auto forEachSequence = [&](llvm::function_ref<void(const Sequence &, Value, Value)> body) {
    on.forEach(sequenceCount(), [&](Value number) {
      Sequence sequence = getSequence(number);
      Value few = any(on.subtract(on.constant(tileTokens / 2 + 1), sequence.tokens));
      body(sequence, on.mul(few, any(sequence.tokens)),
           on.mul(on.ceilDiv(sequence.tokens, tileTokens), no(few)));
    });
  };
  auto placeTile = [&](Value number, const Sequence &sequence, Value tile) {
    Value token = on.mul(tile, tileTokens);
    Value end = on.min(on.add(token, on.constant(tileTokens)), sequence.tokens);
    place(on.add(number, one), sequence.number, token,
          on.ceilDiv(on.add(sequence.position, end), stepKeys));
  };
  for (int64_t cell : {shortCount, longCount, shortCursor, longCursor})
    writeWork(zero, cell);
  forEachSequence([&](const Sequence &, Value shorts, Value longs) {
    advance(shortCount, shorts);
    advance(longCount, longs);
  });
  Value shorts = readWork(shortCount), longs = readWork(longCount), gaps = on.add(longs, one);
  forEachSequence([&](const Sequence &sequence, Value hasShort, Value tiles) {
    on.forEach(hasShort, [&](Value) {
      Value number = advance(shortCursor, one);
      placeTile(on.add(number, quotient(on.mul(number, gaps), shorts)), sequence, zero);
    });
    on.forEach(tiles, [&](Value tile) {
      Value number = advance(longCursor, one);
      Value before = quotient(on.add(on.mul(on.add(number, one), shorts), longs), gaps);
      placeTile(on.add(number, before), sequence, tile);
    });
  });
  Value count = on.add(shorts, longs);
  place(zero, zero, on.constant(never), zero);
  for (int64_t end = 1; end <= 2; ++end)
    place(on.add(count, on.constant(end)), zero, on.constant(never), on.constant(never));
  // A piece goes to the track that is free first.
  writeWork(zero, shortCursor);
  writeWork(zero, longCursor);
  on.forEach(count, [&](Value number) {
    Value first = readWork(shortCursor), second = readWork(longCursor);
    Value steps = getPiece(on.add(number, one)).steps, toSecond = any(on.subtract(first, second));
    writeWork(on.add(first, on.mul(steps, no(toSecond))), shortCursor);
    writeWork(on.add(second, on.mul(steps, toSecond)), longCursor);
  });
  // Of nothing, if a portion has no token of any sequence.
  writeWork(on.max(on.max(readWork(shortCursor), readWork(longCursor)), one), rounds);
}

void Lowering::CachedKernel::reset(Cursor cursor) {
  writeWork(on.constant(1), cursor.next());
  for (unsigned track : {0, 1}) {
    writeWork(on.constant(0), cursor.piece(track));
    writeWork(on.constant(0), cursor.step(track));
  }
}

void Lowering::CachedKernel::advance(Cursor cursor, unsigned track) {
  Value piece = readWork(cursor.piece(track));
  Value step = on.add(readWork(cursor.step(track)), on.constant(1));
  Value element = on.add(on.mul(piece, pieceCells), on.constant(firstPiece + pieceSteps));
  Value stays = any(on.subtract(readWork(element), step));
  Value next = advance(cursor.next(), no(stays));
  writeWork(on.add(next, on.mul(on.subtract(piece, next), stays)), cursor.piece(track));
  writeWork(on.mul(step, stays), cursor.step(track));
}

Value Lowering::CachedKernel::cacheRow(Value layer, Value part) {
  return on.add(on.mul(layer, on.getCacheBlocks() * groups * block), on.mul(part, block));
}

/// The old blocks of a unit of each track.
void Lowering::CachedKernel::orderRound(Value layer, Value part) {
  constexpr Cursor cursor{orderCursor};
  for (unsigned track : {0, 1}) {
    advance(cursor, track);
    Piece piece = getPiece(readWork(cursor.piece(track)));
    Value step = readWork(cursor.step(track));
    Value old = atMost(on.subtract(piece.sequence.position, on.mul(step, stepKeys)), stepKeys);
    Value blocks = on.mul(on.ceilDiv(old, block), any(piece.count));
    Value tail = on.subtract(on.add(old, on.constant(block)), on.mul(on.ceilDiv(old, block), block));
    Value table = on.mul(piece.sequence.number, on.extent(llm::getExtents(op.getBlockTables())[1]));
    tile::OrderOp::create(on.builder, on.loc, stream, cacheRow(layer, part),
                          on.tables.lookup(on.resolve(op.getBlockTables())).getValue(),
                          on.add(table, on.mul(step, stepBlocks)), on.getCacheBlocks(),
                          groups * block, blocks, tail, on.constant(1));
  }
}

void Lowering::CachedKernel::orderFirst(Value layer) {
  arrangeWork();
  reset({orderCursor});
  on.forEach(getAhead(), [&](Value) { orderRound(layer, on.constant(0)); });
}

/// Orders what comes so many rounds later, of this group of heads or the next, in this
/// layer or the next, so that the ring does not run dry between them.
void Lowering::CachedKernel::orderNext(Value part, Value round, Value more) {
  Value later = on.subtract(on.add(round, getAhead()), getRounds());
  Value wraps = any(on.add(later, on.constant(1)));
  part = on.add(part, wraps);
  Value ends = any(on.subtract(part, on.constant(groups - 1)));
  on.forEach(on.mul(wraps, no(any(later))), [&](Value) { reset({orderCursor}); });
  on.forEach(no(on.mul(ends, no(more))), [&](Value) {
    orderRound(on.add(layer, ends), on.mul(part, no(ends)));
  });
}
