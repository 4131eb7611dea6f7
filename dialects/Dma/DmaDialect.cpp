//===- DmaDialect.cpp - registration and verifiers ---------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Dma/Dma.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::dma;

#include "dialects/Dma/DmaDialect.cpp.inc"
#include "dialects/Dma/DmaEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Dma/DmaAttributes.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/Dma/DmaOps.cpp.inc"

void DmaDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Dma/DmaAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Dma/DmaOps.cpp.inc"
      >();
}

LogicalResult LoadOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return tile::verifyTransfer(*this, symbols, getTensorAttr(),
                              getSlot().getType());
}

LogicalResult StoreOp::verify() {
  return tile::verifyPieces(*this, getSlot().getType(), getPieces(), getStep());
}

LogicalResult StoreOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return tile::verifyTransfer(*this, symbols, getTensorAttr(),
                              getSlot().getType(), getPieces());
}

LogicalResult GatherOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (failed(tile::verifyTable(*this, symbols, getTableAttr())))
    return failure();
  return tile::verifyTransfer(*this, symbols, getTensorAttr(),
                              getSlot().getType());
}

LogicalResult OrderTilesOp::verify() {
  return tile::verifyTiles(*this, getFirst(), getCount());
}

LogicalResult OrderTilesOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto ring = getRing().getDefiningOp<mem::RingOp>();
  return success(!ring || succeeded(tile::verifyTiles(
                              *this, symbols, ring.getSourceAttr(), getFirst(),
                              getCount())));
}

LogicalResult OrderBlocksOp::verify() {
  return tile::verifyBlocks(*this, getBound(), getStep());
}

LogicalResult
OrderBlocksOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return tile::verifyTable(*this, symbols, getTableAttr());
}

LogicalResult SyncOp::verify() {
  if (getQueue() == Queue::Ring)
    return emitOpError() << "is of a ring, whose orders wait by themselves";
  return success();
}

std::optional<Queue> dma::getQueue(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<Queue>>(op)
      .Case<LoadOp, GatherOp>([](auto) { return Queue::DmaIn; })
      .Case<StoreOp>([](auto) { return Queue::DmaOut; })
      .Case<tile::LoadWeightsOp, tile::MatmulOp>(
          [](auto) { return Queue::Matrix; })
      .Case<tile::UnaryOp, tile::BinaryOp, tile::ScalarOp, tile::TernaryOp,
            tile::FillOp, tile::ReduceOp, tile::SoftmaxOp, tile::RopeOp>(
          [](auto) { return Queue::Vector; })
      .Case<OrderBlocksOp>([](auto) { return Queue::Ring; })
      .Case<SyncOp>([](SyncOp sync) { return sync.getQueue(); })
      .Default([](Operation *) { return std::nullopt; });
}

static constexpr int64_t numCounters = 64;

LogicalResult DmaDialect::verifyOperationAttribute(Operation *op,
                                                   NamedAttribute attribute) {
  std::optional<Queue> queue = dma::getQueue(op);
  if (!queue)
    return op->emitOpError()
           << "runs on no queue and cannot have the attribute '"
           << attribute.getName().getValue() << "'";
  if (attribute.getName() == kSignalAttr) {
    auto counter = dyn_cast<IntegerAttr>(attribute.getValue());
    if (!counter || counter.getInt() < 0 || counter.getInt() >= numCounters)
      return op->emitOpError()
             << "signals " << attribute.getValue()
             << "; expected a counter from 0 to " << numCounters - 1;
    if (isa<SyncOp>(op))
      return op->emitOpError() << "cannot signal: it does no work";
    if (*queue == Queue::Ring)
      return op->emitOpError() << "cannot signal: who reads a ring's tile waits for it in any case";
    return success();
  }
  if (attribute.getName() != kWaitsAttr)
    return op->emitOpError() << "has the unknown attribute '"
                             << attribute.getName().getValue() << "'";
  auto waits = dyn_cast<ArrayAttr>(attribute.getValue());
  unsigned most = isa<SyncOp>(op) ? maxSyncWaits : maxWaits;
  if (!waits || waits.size() > most)
    return op->emitOpError() << "has the waits " << attribute.getValue()
                             << "; expected up to " << most << " of #dma.wait";
  for (Attribute each : waits) {
    auto wait = dyn_cast<WaitAttr>(each);
    if (!wait || wait.getCounter() < 0 || wait.getCounter() >= numCounters ||
        wait.getLag() < 0 || wait.getLag() > maxLag)
      return op->emitOpError()
             << "has the wait " << each << "; expected a counter from 0 to "
             << numCounters - 1 << " and a lag from 0 to " << maxLag;
  }
  return success();
}
