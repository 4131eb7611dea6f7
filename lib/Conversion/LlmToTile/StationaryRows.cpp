//===- StationaryRows.cpp - products whose rows stay in the array ------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A product takes the array a cycle for each row that moves, however few columns of it
// the weights fill. Of a block of few columns it is better to move the weights, and to keep a
// tile of rows of the input in the array. What comes out is the block transposed,
// which the vector engine turns, column by column. So that nobody waits for that, such a
// block comes before others, and is turned while those are multiplied.
//
//===----------------------------------------------------------------------===//

#include "Projection.h"

#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;
using tile::WeightTape;

/// Units, at most, beside which a block is turned: enough that the vector engine's queue
/// does not fill and hold up the matrix engine's next products.
static constexpr int64_t mostShares = 4;
/// Places that are tried, at most: how blocks lie in slots repeats.
static constexpr int64_t mostPlaces = 16;

bool Lowering::Projection::keepsRows() {
  int64_t total = 0;
  for (const Member &member : members)
    total += member.n;
  int64_t width = total % on.tileN;
  // The last of several blocks of a projection that has another accumulator beside this
  // one. A slot of the rows is whole tiles of them.
  int64_t bytes = on.slotRows * on.tileN * 4;
  if (gated || width == 0 || total < on.tileN || unitCols != on.tileN ||
      on.slotRows % on.tileN || on.chosen(tile::Choice::Accumulators).value_or(2) < 2 ||
      2 * bytes > on.target.accumulatorBytes())
    return false;
  // Both forms of the block have to fit one accumulator.
  int64_t most = on.choose(tile::Choice::StationaryRows, on.tileN / 2);
  return width <= std::min(most, on.tileN / 2);
}

/// Where the fewest blocks are cut by a slot's end: each piece of one is a product. Of places
/// that are as good the second is the best: the first block's products hide the latency
/// of who computes the input.
int64_t Lowering::Projection::placeNarrow(const tile::WeightGroup &group) {
  int64_t count = tile::getBlocks(group, on.tileN).size();
  std::optional<std::pair<size_t, int64_t>> best;
  for (int64_t i = 0, places = std::min(count, mostPlaces); i < places; ++i) {
    tile::WeightGroup candidate = group;
    candidate.narrowAt = (i + 1) % places;
    WeightTape tape = *on.tape;
    size_t products = 0;
    for (const tile::WeightBlock &block : tile::getBlocks(candidate, on.tileN))
      products += tape.append(k, block.width, block.ends).size();
    if (!best || products < best->first)
      best = {products, candidate.narrowAt};
  }
  return best->second;
}

void Lowering::Projection::multiplyTurned(const Unit &unit) {
  on.loc = getLoc(unit);
  int64_t width = unit.width, tiles = on.slotRows / on.tileN;
  // Norms are fed with columns in their order.
  bool feeds = llvm::any_of(blocks[unit.block].segments, [&](const tile::WeightSegment &segment) {
    return members[segment.weight].norm.has_value();
  });
  unsigned turn = on.nextAccumulator++ % turns;
  // What is finished last has an odd accumulator, as the unit before it: whoever is next
  // begins with an even one, or a gate with two.
  if (feeds && turn % 2 == 0 && turns > 1)
    turn = on.nextAccumulator++ % turns;
  Value whole = arith::DivUIOp::create(on.builder, on.loc, rows, on.constant(on.tileN));
  whole = on.min(whole, tiles);
  turned.emplace(Turned{
      .unit = unit,
      .turn = turn,
      .feeds = feeds,
      .block = on.denseWindow(accumulators[turn], 0, on.slotRows, width),
      .transposed = on.denseWindow(accumulators[turn], on.slotRows * width, width, on.slotRows),
      .tiles = whole});
  Value rest = on.subtract(rows, on.mul(whole, on.tileN));
  Value firstOfRest = on.mul(on.min(whole, tiles - 1), on.tileN);
  for (const WeightTape::Piece &piece : *pieces[unit.block]) {
    MemRefType type = cast<tile::StreamType>(on.stream.getType()).getSlot();
    auto getWeights = [&](Value tile) {
      return on.denseWindow(tile, piece.offset, piece.rows, width);
    };
    bool accumulate = piece.row > 0;
    on.forEach(whole, [&](Value i) {
      OpFoldResult first = on.at({i, on.tileN, 0});
      tile::LoadWeightsOp::create(on.builder, on.loc,
                                  getInput(first, on.tileN, on.index(piece.row), piece.rows),
                                  on.constant(piece.rows), on.constant(on.tileN),
                                  /*transpose=*/!x.transposed);
      Value weights =
          getWeights(tile::PeekOp::create(on.builder, on.loc, type, on.stream, Value()));
      tile::MatmulOp::create(on.builder, on.loc, weights,
                             on.window(turned->transposed, on.index(0), first, width, on.tileN),
                             on.constant(width), Value(), 1, accumulate, /*transpose=*/true);
    });
    Value tile = piece.last
                     ? tile::NextOp::create(on.builder, on.loc, type, on.stream).getTile()
                     : tile::PeekOp::create(on.builder, on.loc, type, on.stream, Value()).getTile();
    tile::LoadWeightsOp::create(on.builder, on.loc, getWeights(tile), on.constant(piece.rows),
                                on.constant(width));
    tile::MatmulOp::create(on.builder, on.loc,
                           getInput(firstOfRest, on.tileN, on.index(piece.row), piece.rows),
                           on.window(turned->block, firstOfRest, on.index(0), on.tileN, width),
                           rest, Value(), 1, accumulate, x.transposed);
  }
}

unsigned Lowering::Projection::getTurnBeside(const Unit &unit) {
  if (!turned->feeds || turns < 4) {
    unsigned turn;
    do
      turn = on.nextAccumulator++ % turns;
    while (turn == turned->turn);
    return turn;
  }
  on.nextAccumulator = (turned->turn + 1) % turns;
  // From the last one backwards: the other odd one, then all in turn.
  unsigned left = (units.end() - 1 - &unit) % (turns - 1), distance = 2;
  if (left > 0)
    distance = turns - left > 2 ? turns - left : turns - left - 1;
  return (turned->turn + distance) % turns;
}

void Lowering::Projection::turn(int64_t cols) {
  int64_t end = std::min(turned->done + cols, turned->unit.width);
  if (turned->done == end)
    return;
  on.forEach(on.min(turned->tiles, 1), [&](Value) {
    for (int64_t col = turned->done; col < end; ++col)
      tile::UnaryOp::create(
          on.builder, on.loc, tile::UnaryFunction::Copy,
          on.rowsApart(turned->transposed, on.index(col), on.index(0), on.slotRows, 1, 1),
          on.window(turned->block, on.index(0), on.index(col), on.slotRows, 1),
          on.mul(turned->tiles, on.tileN), on.constant(1));
  });
  turned->done = end;
  if (end == turned->unit.width && !turned->feeds)
    finishTurned();
}

void Lowering::Projection::turnShare() {
  int64_t shares = std::min<int64_t>(units.size() - 1 - narrowAt, mostShares);
  turn(llvm::divideCeil(turned->unit.width, shares));
}

void Lowering::Projection::turnRest() {
  if (turned)
    turn(turned->unit.width);
}

void Lowering::Projection::finishTurned() {
  llvm::SaveAndRestore keep(on.loc, getLoc(turned->unit));
  finish(turned->unit, turned->block, {Value(), 0, turned->unit.column});
  turned->isFinished = true;
}
