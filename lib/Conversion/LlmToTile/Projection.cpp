//===- Projection.cpp - projections of one input, as one kernel --------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Projection.h"

#include <map>
#include <numeric>

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;
using tile::WeightTape;

/// Loops of no more rounds are written out, so that waits know which columns are meant.
static constexpr size_t fewUnits = 8, fewPieces = 4;
/// Accumulators of a projection: so many that the matrix engine need not wait while
/// results leave the array and the vector engine finishes them.
static constexpr int64_t mostAccumulators = 4;
/// Units after which the layout of weights has to repeat for a loop.
static constexpr size_t longestPeriod = 16;

LogicalResult Lowering::lowerLinear(llm::LinearOp op) { return Projection(*this, op).lower(); }

static int64_t getK(llm::LinearOp op) { return op.getWeight().getType().getDimSize(0); }

/// Projections of the same input, in the order in which one kernel takes them.
SmallVector<llm::LinearOp> Lowering::Projection::getPeers(llm::LinearOp op) {
  if (getResultNumber(op.getResult()))
    return {op};
  SmallVector<llm::LinearOp> peers;
  for (OpOperand &use : op.getInput().getUses())
    if (auto peer = dyn_cast<llm::LinearOp>(use.getOwner());
        peer && use.getOperandNumber() == 0 && peer->getBlock() == op->getBlock() &&
        getK(peer) == getK(op) && !getResultNumber(peer.getResult()))
      peers.push_back(peer);
  llvm::sort(peers, [](auto a, auto b) { return a->isBeforeInBlock(b); });
  return peers;
}

/// Whether no projection of its block is lowered after that of `leader`.
bool Lowering::Projection::isLastGroup(llm::LinearOp leader) {
  SmallVector<llm::LinearOp> peers = getPeers(leader);
  for (Operation *op = leader->getNextNode(); op; op = op->getNextNode())
    if (auto other = dyn_cast<llm::LinearOp>(op); other && !llvm::is_contained(peers, other))
      return false;
  return true;
}

Lowering::Projection::Projection(Lowering &on, llm::LinearOp leader) : on(on), leader(leader) {
  k = getK(leader);
}

void Lowering::Projection::take(Operation *op) {
  on.fused.insert(op);
  taken.push_back(op);
}

LogicalResult Lowering::Projection::collectMembers() {
  for (llm::LinearOp op : getPeers(leader)) {
    Member &member = members.emplace_back();
    member.op = op;
    member.n = op.getWeight().getType().getDimSize(1);
    if (op.getBias()) {
      FailureOr<OpFoldResult> bias = on.getVector(op, op.getBias());
      if (failed(bias))
        return failure();
      member.bias = *bias;
    }
    take(op);
  }
  gated = findGate();
  if (!gated)
    for (Member &member : members)
      collectSteps(member, member.op.getResult());
  unitCols = on.tileN;
  for (Member &member : members)
    if (failed(choosePlace(member)))
      return failure();
  return success();
}

LogicalResult Lowering::Projection::pack() {
  PackedGroup group;
  group.shape.k = k;
  group.shape.interleaved = gated;
  group.shape.ends = !on.layers || isLastGroup(leader);
  for (Member &member : members) {
    Value weight = member.op.getWeight();
    llm::LinearOp op = member.op;
    group.shape.n.push_back(member.n);
    if (auto get = weight.getDefiningOp<llm::GetWeightOp>()) {
      if (on.layers)
        return op.emitOpError() << "multiplies by '" << get.getName()
                                << "' in a layer, whose weights are its arguments";
      group.weights.push_back(get.getNameAttr());
    } else if (ArrayAttr names = on.layers ? on.layers->weights.lookup(weight) : ArrayAttr()) {
      group.weights.push_back(names);
    } else {
      return op.emitOpError() << "multiplies by a tensor that is not a weight";
    }
  }
  if (keepsRows())
    group.shape.narrowAt = narrowAt = placeNarrow(group.shape);
  blocks = tile::getBlocks(group.shape, on.tileN);
  // Blocks that begin at the same place of a slot lie alike.
  std::map<std::tuple<int64_t, int64_t, bool>, const Pieces *> known;
  for (const tile::WeightBlock &block : blocks) {
    const Pieces *&layout = known[{on.tape->getOffset(), block.width, block.ends}];
    if (layout) {
      on.tape->skip(k, block.width, block.ends);
    } else {
      layouts.push_back(
          std::make_unique<Pieces>(on.tape->append(k, block.width, block.ends)));
      layout = layouts.back().get();
    }
    pieces.push_back(layout);
  }
  (on.layers ? on.layers->packed : on.packed).push_back(std::move(group));
  return success();
}

void Lowering::Projection::placeUnits() {
  for (size_t block = 0; block < blocks.size();) {
    const tile::WeightSegment &first = blocks[block].segments.front();
    Unit unit{block, 1, blocks[block].segments.size() == 1 ? first.weight : none, first.column,
              blocks[block].width};
    if (gated) {
      unit.blocks = 2;
      unit.member = 0;
    } else {
      // Heads that are wider than the array.
      while (unitCols > on.tileN && unit.width < unitCols && block + unit.blocks < blocks.size() &&
             blocks[block + unit.blocks].segments.front().weight == unit.member)
        unit.width += blocks[block + unit.blocks++].width;
    }
    units.push_back(unit);
    block += unit.blocks;
  }
}

void Lowering::Projection::createAccumulators() {
  int64_t bytes = on.slotRows * unitCols * 4, each = gated ? 2 : 1;
  turns = std::max<int64_t>(on.choose(tile::Choice::Accumulators, mostAccumulators) / each, 1);
  while (turns > 1 && (turns / 2 >= units.size() || turns * each * bytes > on.target.accumulatorBytes()))
    turns /= 2;
  // One slot for all, so that they stay apart however seldom each is used.
  Value all = on.slot(turns * each * on.slotRows, unitCols, on.builder.getF32Type(),
                      /*accumulator=*/true);
  for (int64_t i = 0; i < turns * each; ++i)
    accumulators.push_back(
        on.window(all, on.index(i * on.slotRows), on.index(0), on.slotRows, unitCols));
}

size_t Lowering::Projection::getRun(size_t first) const {
  size_t run = 1;
  const Unit &unit = units[first];
  if (unit.member == none || unit.width != unitCols)
    return 1;
  while (first + run < units.size() && units[first + run].member == unit.member &&
         units[first + run].width == unit.width)
    ++run;
  // What ends the weights lies differently.
  if (run > 1 && blocks[units[first + run - 1].block + unit.blocks - 1].ends)
    --run;
  return run;
}

size_t Lowering::Projection::getPeriod(size_t first, size_t run) const {
  size_t step = 1;
  const Member &member = members[units[first].member];
  if (member.place == Place::Heads && member.target.stackedHeads)
    step = std::lcm(member.target.stackedHeads * member.headSize, unitCols) / unitCols;
  auto repeats = [&](size_t period) {
    for (size_t unit = first; unit + period < first + run; ++unit)
      for (size_t block = 0; block < units[unit].blocks; ++block)
        if (pieces[units[unit].block + block] != pieces[units[unit + period].block + block])
          return false;
    return true;
  };
  size_t least = std::lcm(step, size_t(turned ? turns - 1 : turns));
  for (size_t period = least; period <= longestPeriod; period += least)
    if (repeats(period))
      return period;
  return run;
}

Value Lowering::Projection::getInput(OpFoldResult first, int64_t count, OpFoldResult feature,
                                     int64_t depth) {
  return x.transposed ? on.window(x.slot, feature, first, depth, count)
                      : on.window(x.slot, first, feature, count, depth);
}

/// accumulator = rows of the input x the block whose rows lie at `pieces`.
void Lowering::Projection::multiply(Value accumulator, const Pieces &pieces, int64_t width) {
  MemRefType tileType = cast<tile::StreamType>(on.stream.getType()).getSlot();
  auto one = [&](const WeightTape::Piece &piece, OpFoldResult row, bool accumulate) {
    Value tile = piece.last
                     ? tile::NextOp::create(on.builder, on.loc, tileType, on.stream).getTile()
                     : tile::PeekOp::create(on.builder, on.loc, tileType, on.stream, Value())
                           .getTile();
    if (piece.offset || width != on.tileN)
      tile = on.denseWindow(tile, piece.offset, piece.rows, width);
    tile::LoadWeightsOp::create(on.builder, on.loc, tile, on.constant(piece.rows),
                                on.constant(width));
    tile::MatmulOp::create(on.builder, on.loc,
                           getInput(on.index(0), on.slotRows, row, piece.rows), accumulator, rows,
                           Value(), 1, accumulate, x.transposed);
  };
  auto isWhole = [&](const WeightTape::Piece &piece) {
    return piece.row > 0 && piece.offset == 0 && piece.rows == on.tileK && piece.last;
  };
  for (size_t i = 0; i < pieces.size();) {
    size_t run = 0;
    // The last one stands alone: its rows of the input may come to be only now.
    while (i + run + 1 < pieces.size() && isWhole(pieces[i + run]))
      ++run;
    if (run > fewPieces) {
      const WeightTape::Piece &first = pieces[i];
      on.forEach(on.constant(run), [&](Value round) {
        one(first, on.at({round, on.tileK, first.row}), true);
      });
      i += run;
      continue;
    }
    one(pieces[i], on.index(pieces[i].row), pieces[i].row > 0);
    ++i;
  }
}

Location Lowering::Projection::getLoc(const Unit &unit) {
  size_t first = blocks[unit.block].segments.front().weight;
  return members[unit.member == none ? first : unit.member].op.getLoc();
}

unsigned Lowering::Projection::getTurn(const Unit &unit) {
  if (turned)
    return getTurnBeside(unit);
  return on.nextAccumulator++ % turns;
}

Value Lowering::Projection::getColumns(Value accumulator, int64_t col, int64_t width) {
  if (col == 0 && width == cast<MemRefType>(accumulator.getType()).getDimSize(1))
    return accumulator;
  return on.window(accumulator, on.index(0), on.index(col), on.slotRows, width);
}

void Lowering::Projection::emitUnit(const Unit &unit, Column column, unsigned turn) {
  if (gated) {
    // Not side by side: the next projection begins with the accumulator after the gate's.
    Value gate = getColumns(accumulators[turn], 0, unit.width);
    Value other = getColumns(accumulators[turn + turns], 0, unit.width);
    multiply(gate, *pieces[unit.block], unit.width);
    multiply(other, *pieces[unit.block + 1], unit.width);
    return finishGated(gate, other, column, unit.width);
  }
  Value accumulator = accumulators[turn];
  int64_t col = 0;
  for (size_t block = unit.block; block < unit.block + unit.blocks; ++block) {
    multiply(getColumns(accumulator, col, blocks[block].width), *pieces[block],
             blocks[block].width);
    col += blocks[block].width;
  }
  if (turned && !column.index)
    turnShare();
  finish(unit, accumulator, column);
}

void Lowering::Projection::finish(const Unit &unit, Value accumulator, Column column) {
  if (unit.member != none)
    return finish(members[unit.member], getColumns(accumulator, 0, unit.width), column,
                  unit.width);
  int64_t col = 0;
  for (const tile::WeightSegment &segment : blocks[unit.block].segments) {
    finish(members[segment.weight], getColumns(accumulator, col, segment.width),
           {Value(), 0, segment.column}, segment.width);
    col += segment.width;
  }
}

void Lowering::Projection::addStrips() {
  for (Member &member : members)
    if (member.norm)
      on.addStrips(*member.norm, member.slot, rows);
}

void Lowering::Projection::emitUnits() {
  auto emit = [&](const Unit &unit, Column column) {
    on.loc = getLoc(unit);
    emitUnit(unit, column, getTurn(unit));
  };
  size_t few = on.choose(tile::Choice::WrittenUnits, fewUnits);
  for (size_t first = 0; first < units.size();) {
    if (int64_t(first) == narrowAt) {
      multiplyTurned(units[first++]);
      continue;
    }
    size_t run = getRun(first), period = run > few ? getPeriod(first, run) : run;
    auto emitNext = [&](size_t count) {
      for (; count > 0; --count, --run, ++first)
        emit(units[first], {Value(), 0, units[first].column});
    };
    // The first units and the last one stand alone: what those wait for is not what all
    // rounds would have to, and who reads the last need not wait for the loop.
    size_t rounds = 2 * period < run ? (run - period - 1) / period : 0;
    if (rounds > 1) {
      emitNext(period);
      turnRest();
      addStrips();
      on.forEach(on.constant(rounds), [&](Value round) {
        for (size_t i = first; i < first + period; ++i)
          emit(units[i], {round, int64_t(period) * unitCols, units[i].column});
        addStrips();
      });
      first += rounds * period;
      run -= rounds * period;
    }
    emitNext(run);
  }
  turnRest();
  if (turned && !turned->isFinished)
    finishTurned();
  addStrips();
}

LogicalResult Lowering::Projection::lower() {
  if (failed(on.require(leader, {leader.getInput()})) || failed(collectMembers()) ||
      failed(pack()))
    return failure();
  x = on.getOperand(leader.getInput());
  if (x.cols != k)
    return leader.emitOpError() << "projects " << k << " features of rows that have " << x.cols
                                << ", for which there is no kernel yet";
  rows = on.extent(x.rows);
  placeUnits();
  createAccumulators();
  emitUnits();
  for (Operation *op : taken)
    on.observe(*op);
  return success();
}
