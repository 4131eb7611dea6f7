//===- TileOps.cpp - verifiers ------------------------------------------ -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/Tile.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace serrano::tile;

//===----------------------------------------------------------------------===//
// Counts
//===----------------------------------------------------------------------===//

/// Fails if `count` is a constant that dimension `dim` of `slot` has no room for.
static LogicalResult verifyCount(Operation *op, StringRef what, Value count, MemRefType slot,
                                 unsigned dim) {
  std::optional<int64_t> value = getConstantIntValue(count);
  if (!value || (*value >= 0 && *value <= slot.getDimSize(dim)))
    return success();
  return op->emitOpError() << "takes " << *value << " " << what << " of " << slot
                           << "; expected 0 to " << slot.getDimSize(dim);
}

static LogicalResult verifyRows(Operation *op, Value rows, ArrayRef<MemRefType> slots) {
  for (MemRefType slot : slots)
    if (failed(verifyCount(op, "rows", rows, slot, 0)))
      return failure();
  return success();
}

static LogicalResult verifyCols(Operation *op, Value cols, ArrayRef<MemRefType> slots) {
  for (MemRefType slot : slots)
    if (failed(verifyCount(op, "columns", cols, slot, 1)))
      return failure();
  return success();
}

/// Every slot has the rows and columns that the operation works on.
template <typename Op>
static LogicalResult verifyElementwise(Op op) {
  SmallVector<MemRefType> slots;
  for (Value operand : op->getOperands())
    if (auto slot = dyn_cast<MemRefType>(operand.getType()))
      slots.push_back(slot);
  return failure(failed(verifyRows(op, op.getRows(), slots)) ||
                 failed(verifyCols(op, op.getCols(), slots)));
}

//===----------------------------------------------------------------------===//
// Outside the core
//===----------------------------------------------------------------------===//

LogicalResult DimensionOp::verify() {
  if (getMax() < 1)
    return emitOpError() << "'" << getSymName() << "' has the limit " << getMax()
                         << "; expected at least 1";
  return success();
}

LogicalResult LimitOp::verify() {
  if (getMax() < 1)
    return emitOpError() << "allows at most " << getMax() << " " << stringifyLimitKind(getOf())
                         << "; expected at least 1";
  return success();
}

LogicalResult PagedCacheOp::verify() {
  if (getBlock() < 1 || getBlocks() < 1 || getContext() < 1)
    return emitOpError() << "has " << getBlocks() << " blocks of " << getBlock()
                         << " tokens for sequences of " << getContext()
                         << "; expected at least 1 of each";
  return success();
}

LogicalResult ExtentOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (!symbols.lookupNearestSymbolFrom<DimensionOp>(*this, getDimensionAttr()))
    return emitOpError() << "names no tile.dimension: '" << getDimension() << "'";
  return success();
}

LogicalResult TensorOp::verify() {
  bool interface = getRole() == TensorRole::Input || getRole() == TensorRole::Output;
  if (interface != getName().has_value())
    return emitOpError() << "'" << getSymName() << "' "
                         << (interface ? "is an input or output and needs the source's name, type "
                                         "and shape"
                                       : "has a source's name but is neither input nor output");
  if (interface && (!getDtype() || !getShape()))
    return emitOpError() << "'" << getSymName() << "' needs the source's type and shape";
  if ((getRole() == TensorRole::Constant) != getWeight().has_value())
    return emitOpError() << "'" << getSymName()
                         << "' must name a weight if, and only if, it is a constant";
  if (getBelow() &&
      (getRole() != TensorRole::Input || !getSlotType().getElementType().isInteger(32)))
    return emitOpError() << "'" << getSymName()
                         << "' has a bound, but is no input of indices in i32";
  if (!getSlotType().hasStaticShape())
    return emitOpError() << "'" << getSymName() << "' has type " << getSlotType()
                         << "; expected the static shape that the limits allow";
  return success();
}

int64_t PackedOp::getTileBytes() {
  return getTileK() * getTileN() * getElementType().getIntOrFloatBitWidth() / 8;
}

SmallVector<WeightGroup> PackedOp::getWeightGroups() {
  SmallVector<int64_t> counts(getWeights().size(), 1);
  if (std::optional<ArrayRef<int64_t>> groups = getGroups())
    counts.assign(groups->begin(), groups->end());
  SmallVector<WeightGroup> result;
  size_t weight = 0;
  for (auto [number, count] : llvm::enumerate(counts)) {
    auto isAmong = [&](std::optional<ArrayRef<int64_t>> numbers) {
      return numbers && llvm::is_contained(*numbers, int64_t(number));
    };
    WeightGroup &group = result.emplace_back();
    group.k = getSizes()[2 * weight];
    for (int64_t i = 0; i < count; ++i, ++weight)
      group.n.push_back(getSizes()[2 * weight + 1]);
    group.interleaved = isAmong(getInterleaved());
    if (std::optional<ArrayRef<int64_t>> places = getNarrowAt())
      group.narrowAt = (*places)[number];
    group.ends = isAmong(getEnds()) || number + 1 == counts.size();
  }
  return result;
}

int64_t PackedOp::getNumTiles() {
  WeightTape tape(getTileK(), getTileN());
  for (const WeightGroup &group : getWeightGroups())
    for (const WeightBlock &block : getBlocks(group, getTileN()))
      tape.skip(group.k, block.width, block.ends);
  return tape.getSlots();
}

/// Whether blocks that come earlier than in order are narrower than others of their group.
static LogicalResult verifyNarrowBlocks(PackedOp op, int64_t numGroups) {
  std::optional<ArrayRef<int64_t>> places = op.getNarrowAt();
  if (!places)
    return success();
  if (int64_t(places->size()) != numGroups)
    return op.emitOpError() << "has " << places->size()
                            << " places of narrow blocks; expected one for each of " << numGroups
                            << " groups";
  int64_t tileN = op.getTileN();
  for (auto [number, group] : llvm::enumerate(op.getWeightGroups())) {
    int64_t place = (*places)[number];
    SmallVector<WeightBlock> blocks = getBlocks(group, tileN);
    bool hasNarrow = !group.interleaved && llvm::count_if(blocks, [&](const WeightBlock &block) {
                                             return block.width < tileN;
                                           }) == 1;
    if (place == -1 || (place >= 0 && place < int64_t(blocks.size()) && hasNarrow))
      continue;
    return op.emitOpError() << "has the narrow block of group " << number << " at place " << place
                            << " of " << blocks.size()
                            << "; expected -1, or a place among the blocks of a group that has one";
  }
  return success();
}

LogicalResult PackedOp::verify() {
  if (getTileK() < 1 || getTileN() < 1)
    return emitOpError() << "has tiles of " << getTileK() << " x " << getTileN()
                         << "; expected positive sizes";
  if (getWeights().empty())
    return emitOpError() << "packs no weight";
  if (getSizes().size() != 2 * getWeights().size())
    return emitOpError() << "has " << getWeights().size() << " weights but " << getSizes().size()
                         << " sizes; expected K and N of each";
  if (llvm::any_of(getSizes(), [](int64_t size) { return size < 1; }))
    return emitOpError() << "packs a weight without elements";
  int64_t numGroups = getWeights().size();
  if (std::optional<ArrayRef<int64_t>> groups = getGroups()) {
    int64_t first = 0;
    for (int64_t count : *groups) {
      if (count < 1 || first + count > int64_t(getWeights().size()))
        return emitOpError() << "has a group of " << count << " weights after " << first << " of "
                             << getWeights().size() << "; expected groups of at least one weight";
      for (int64_t weight = first; weight < first + count; ++weight)
        if (getSizes()[2 * weight] != getSizes()[2 * first])
          return emitOpError() << "has weights of " << getSizes()[2 * first] << " and "
                               << getSizes()[2 * weight]
                               << " rows in one group; expected the same K";
      first += count;
    }
    if (first != int64_t(getWeights().size()))
      return emitOpError() << "has groups of " << first << " weights in all; expected "
                           << getWeights().size();
    numGroups = groups->size();
  }
  for (std::optional<ArrayRef<int64_t>> numbers : {getInterleaved(), getEnds()})
    for (int64_t number : numbers.value_or(ArrayRef<int64_t>()))
      if (number < 0 || number >= numGroups)
        return emitOpError() << "names group " << number << " of " << numGroups;
  return verifyNarrowBlocks(*this, numGroups);
}

LogicalResult VectorsOp::verify() {
  if (getOffsets().size() != getWeights().size())
    return emitOpError() << "has " << getWeights().size() << " weights but "
                         << getOffsets().size() << " offsets";
  for (int64_t offset : getOffsets())
    if (offset < 0 || offset >= int64_t(getLength()))
      return emitOpError() << "places a vector at " << offset << ", outside its length of "
                           << getLength();
  return success();
}

LogicalResult SlotOp::verify() {
  MemRefType type = getType();
  if (!type.hasStaticShape() || !type.getLayout().isIdentity())
    return emitOpError() << "has type " << type << "; expected a static shape without layout";
  if (getAccumulator() && type.getElementTypeBitWidth() != 32)
    return emitOpError() << "is in the accumulators, whose elements have 32 bits; found "
                         << type.getElementType();
  return success();
}

LogicalResult serrano::tile::verifyStream(Operation *op, SymbolTableCollection &symbols,
                                          FlatSymbolRefAttr source, MemRefType slot) {
  Operation *symbol = symbols.lookupNearestSymbolFrom(op, source);
  if (auto cache = dyn_cast_or_null<TensorOp>(symbol);
      cache && cache.getRole() == TensorRole::Cache) {
    MemRefType type = cache.getSlotType();
    if (slot.getElementType() == type.getElementType() &&
        slot.getDimSize(1) == type.getDimSize(1) && type.getDimSize(0) % slot.getDimSize(0) == 0)
      return success();
    InFlightDiagnostic diagnostic = op->emitOpError()
                                    << "gives tiles of " << slot << " of a cache of " << type
                                    << "; expected whole rows, of which the cache has a multiple";
    diagnostic.attachNote(cache.getLoc()) << "the cache is here";
    return diagnostic;
  }
  auto packed = dyn_cast_or_null<PackedOp>(symbol);
  if (!packed)
    return op->emitOpError() << "names no tile.packed and no cache: '" << source.getValue() << "'";
  int64_t tile[] = {int64_t(packed.getTileK()), int64_t(packed.getTileN())};
  if (slot.getShape() == ArrayRef(tile) &&
      slot.getElementType() == packed.getElementType())
    return success();
  InFlightDiagnostic diagnostic =
      op->emitOpError() << "gives tiles of " << slot << " but '" << source.getValue()
                        << "' has others";
  diagnostic.attachNote(packed.getLoc()) << "the tiles are packed here";
  return diagnostic;
}

LogicalResult StreamOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyStream(*this, symbols, getSourceAttr(), getType().getSlot());
}

LogicalResult StreamOp::verify() {
  if (getSlots() && *getSlots() < 2)
    return emitOpError() << "has room for " << *getSlots()
                         << " tiles; expected at least 2, to fill one while another is read";
  return success();
}

LogicalResult serrano::tile::verifyTiles(Operation *op, int64_t first, int64_t count) {
  if (first < 0 || count < 1)
    return op->emitOpError() << "orders " << count << " tiles from number " << first
                             << " on; expected at least one of those there are";
  return success();
}

LogicalResult serrano::tile::verifyTiles(Operation *op, SymbolTableCollection &symbols,
                                         FlatSymbolRefAttr source, int64_t first, int64_t count) {
  auto packed = symbols.lookupNearestSymbolFrom<PackedOp>(op, source);
  if (!packed || first <= packed.getNumTiles() - count)
    return success();
  InFlightDiagnostic diagnostic = op->emitOpError()
                                  << "orders " << count << " tiles from number " << first
                                  << " on, but '" << packed.getSymName() << "' has "
                                  << packed.getNumTiles() << "; expected no more than those";
  diagnostic.attachNote(packed.getLoc()) << "the tiles are packed here";
  return diagnostic;
}

LogicalResult OrderTilesOp::verify() { return verifyTiles(*this, getFirst(), getCount()); }

LogicalResult OrderTilesOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto stream = getStream().getDefiningOp<StreamOp>();
  return success(!stream || succeeded(verifyTiles(*this, symbols, stream.getSourceAttr(),
                                                  getFirst(), getCount())));
}

LogicalResult serrano::tile::verifyBlocks(Operation *op, int64_t bound, int64_t step) {
  if (step < 1 || bound < 1)
    return op->emitOpError() << "takes blocks below " << bound << ", " << step
                             << " rows apart; expected both to be at least 1";
  return success();
}

LogicalResult OrderOp::verify() { return verifyBlocks(*this, getBound(), getStep()); }

LogicalResult OrderOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyTable(*this, symbols, getTableAttr());
}

/// The type of a stream's tile is the stream's.
static LogicalResult verifyTile(Operation *op, StreamType stream, MemRefType tile) {
  if (stream.getSlot() != tile)
    return op->emitOpError() << "gives " << tile << " from a stream of " << stream.getSlot();
  return success();
}

LogicalResult PeekOp::verify() {
  return verifyTile(*this, getStream().getType(), getTile().getType());
}

LogicalResult NextOp::verify() {
  return verifyTile(*this, getStream().getType(), getTile().getType());
}

LogicalResult serrano::tile::verifyTransfer(Operation *op, SymbolTableCollection &symbols,
                                            FlatSymbolRefAttr name, MemRefType slot,
                                            int64_t pieces) {
  Operation *symbol = symbols.lookupNearestSymbolFrom(op, name);
  MemRefType type;
  if (auto tensor = dyn_cast_or_null<TensorOp>(symbol); tensor && tensor.getScalar())
    return op->emitOpError() << "moves rows of '" << name.getValue()
                             << "', which is in scalar memory; expected a tensor in HBM";
  if (auto tensor = dyn_cast_or_null<TensorOp>(symbol))
    type = tensor.getSlotType();
  else if (auto vectors = dyn_cast_or_null<VectorsOp>(symbol))
    type = MemRefType::get({1, int64_t(vectors.getLength())}, vectors.getElementType());
  else
    return op->emitOpError() << "names no tile.tensor or tile.vectors: '" << name.getValue() << "'";
  if (type.getElementType() != slot.getElementType() || type.getDimSize(1) < slot.getDimSize(1) / pieces)
    return op->emitOpError() << "moves rows between " << type << " and " << slot
                             << "; expected the same element type and as many columns";
  return success();
}

LogicalResult LoadOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyTransfer(*this, symbols, getTensorAttr(), getSlot().getType());
}

LogicalResult serrano::tile::verifyPieces(Operation *op, MemRefType slot, int64_t pieces,
                                          int64_t step) {
  if (pieces < 1 || slot.getDimSize(1) % pieces || step < 0)
    return op->emitOpError() << "cuts " << slot.getDimSize(1) << " columns into " << pieces
                             << " pieces " << step
                             << " rows apart; expected equal pieces and a step of at least 0";
  return success();
}

LogicalResult LoadOp::verify() { return verifyRows(*this, getRows(), getSlot().getType()); }

LogicalResult GatherOp::verify() { return verifyRows(*this, getRows(), getSlot().getType()); }

LogicalResult StoreOp::verify() {
  if (failed(verifyRows(*this, getRows(), getSlot().getType())))
    return failure();
  return verifyPieces(*this, getSlot().getType(), getPieces(), getStep());
}

LogicalResult StoreOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyTransfer(*this, symbols, getTensorAttr(), getSlot().getType(), getPieces());
}

LogicalResult ReadOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto tensor = symbols.lookupNearestSymbolFrom<TensorOp>(*this, getTensorAttr());
  if (!tensor || !tensor.getScalar() || !tensor.getSlotType().getElementType().isInteger(32))
    return emitOpError() << "reads '" << getTensor()
                         << "', which is not a tensor of i32 in scalar memory";
  return success();
}

LogicalResult WriteOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto tensor = symbols.lookupNearestSymbolFrom<TensorOp>(*this, getTensorAttr());
  if (!tensor || !tensor.getScalar() || tensor.getRole() != TensorRole::Temporary ||
      !tensor.getSlotType().getElementType().isInteger(32))
    return emitOpError() << "writes '" << getTensor()
                         << "', which is not a temporary tensor of i32 in scalar memory";
  return success();
}

LogicalResult serrano::tile::verifyTable(Operation *op, SymbolTableCollection &symbols,
                                         FlatSymbolRefAttr name) {
  auto table = symbols.lookupNearestSymbolFrom<TensorOp>(op, name);
  if (!table || !table.getScalar() || !table.getSlotType().getElementType().isInteger(32))
    return op->emitOpError() << "takes indices from '" << name.getValue()
                             << "', which is not a tensor of i32 in scalar memory";
  return success();
}

LogicalResult GatherOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (failed(verifyTable(*this, symbols, getTableAttr())))
    return failure();
  return verifyTransfer(*this, symbols, getTensorAttr(), getSlot().getType());
}

LogicalResult LoadWeightsOp::verify() {
  MemRefType type = getWeights().getType();
  if (!isa<FloatType>(type.getElementType()) && !type.getElementType().isInteger(8))
    return emitOpError() << "loads " << type.getElementType()
                         << ", which the matrix engine does not multiply";
  // Transposed, they lie with n rows of k.
  return failure(failed(verifyRows(*this, getTranspose() ? getN() : getK(), type)) ||
                 failed(verifyCols(*this, getTranspose() ? getK() : getN(), type)));
}

LogicalResult MatmulOp::verify() {
  if (getAcc().getType().getElementTypeBitWidth() != 32)
    return emitOpError() << "accumulates in " << getAcc().getType().getElementType()
                         << "; expected 32 bits";
  if (getGroup() < 1)
    return emitOpError() << "has groups of " << getGroup() << " rows; expected at least 1";
  MemRefType moving = getMoving().getType();
  return failure(failed(verifyRows(*this, getM(), getAcc().getType())) ||
                 failed(getTranspose() ? verifyCols(*this, getM(), moving)
                                       : verifyRows(*this, getM(), moving)));
}

//===----------------------------------------------------------------------===//
// Vector engine
//===----------------------------------------------------------------------===//

LogicalResult UnaryOp::verify() { return verifyElementwise(*this); }
LogicalResult BinaryOp::verify() { return verifyElementwise(*this); }
LogicalResult ScalarOp::verify() { return verifyElementwise(*this); }
LogicalResult TernaryOp::verify() { return verifyElementwise(*this); }
LogicalResult FillOp::verify() { return verifyElementwise(*this); }

LogicalResult ReduceOp::verify() {
  return failure(failed(verifyRows(*this, getRows(), {getA().getType(), getDst().getType()})) ||
                 failed(verifyCols(*this, getCols(), getA().getType())));
}

LogicalResult RopeOp::verify() {
  int64_t heads = getHeads(), rotary = getRotary();
  if (heads < 1 || rotary < 0 || rotary % 2)
    return emitOpError() << "turns " << rotary << " elements of " << heads
                         << " heads; expected an even number of at least one head";
  MemRefType angles[] = {getCosine().getType(), getSine().getType()};
  for (MemRefType type : angles)
    if (type.getDimSize(1) < rotary / 2)
      return emitOpError() << "turns " << rotary << " elements by the angles of " << type
                           << "; expected one for each two";
  return verifyRows(*this, getRows(),
                    {getA().getType(), angles[0], angles[1], getDst().getType()});
}

LogicalResult SoftmaxOp::verify() {
  if (!getScores().getType().getElementType().isF32() ||
      !getState().getType().getElementType().isF32())
    return emitOpError() << "needs scores and state in f32";
  if (getState().getType().getDimSize(1) != 3)
    return emitOpError() << "has a state of " << getState().getType().getDimSize(1)
                         << " columns; expected 3: maximum, sum, correction";
  MemRefType scores = getScores().getType(), dst = getDst().getType();
  return failure(failed(verifyRows(*this, getRows(), {scores, dst, getState().getType()})) ||
                 failed(verifyCols(*this, getCols(), {scores, dst})));
}

//===----------------------------------------------------------------------===//
// What can be looked at
//===----------------------------------------------------------------------===//

LogicalResult ObserveOp::verify() {
  if (bool(getSlot()) == bool(getTensor()))
    return emitOpError() << "looks at " << (getSlot() ? "a slot and a tensor" : "nothing")
                         << "; expected one of them";
  if (getNames().empty())
    return emitOpError() << "has no name; expected one, or one for each layer";
  if (bool(getExtents()) != bool(getStrides()) ||
      (getExtents() && getExtents()->size() != getStrides()->size()))
    return emitOpError() << "has " << (getExtents() ? getExtents()->size() : 0) << " extents and "
                         << (getStrides() ? getStrides()->size() : 0)
                         << " strides; expected as many of both";
  return success();
}

LogicalResult ObserveOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (getTensor() && !symbols.lookupNearestSymbolFrom<TensorOp>(*this, getTensorAttr()))
    return emitOpError() << "looks at '" << *getTensor() << "', which is no tile.tensor";
  return success();
}
