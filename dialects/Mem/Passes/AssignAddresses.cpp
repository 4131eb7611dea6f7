//===- AssignAddresses.cpp - gives everything its address --------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Mem/Passes/MemPasses.h"

#include "dialects/Mem/Lifetimes.h"
#include "llvm/Support/MathExtras.h"

namespace serrano::mem {
#define GEN_PASS_DEF_ASSIGNADDRESSES
#include "dialects/Mem/Passes/MemPasses.h.inc"
} // namespace serrano::mem

using namespace mlir;
using namespace serrano;
using namespace serrano::mem;

/// Sections of the program file are mapped by pages.
static constexpr int64_t pageBytes = 4096;
static constexpr int64_t scalarBytes = 4;
/// A ring of one slot could not fill while it is read.
static constexpr int64_t fewestSlots = 2;
static constexpr int64_t mostSlots = 1023;

namespace {

class AssignAddresses : public mem::impl::AssignAddressesBase<AssignAddresses> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  LogicalResult placeBuffers(func::FuncOp function, const TargetModel &target);
  LogicalResult chooseSlots(func::FuncOp function, const TargetModel &target);
  LogicalResult place(func::FuncOp function, Space space, int64_t capacity);
  LogicalResult placeSymbols(const TargetModel &target);
};

} // namespace

LogicalResult AssignAddresses::place(func::FuncOp function, Space space, int64_t capacity) {
  Placement placement = getPlacement(function, space, capacity);
  if (llvm::Error error = allocateGreedily(placement.problem))
    return function.emitError() << stringifySpace(space) << ": " << llvm::toString(std::move(error))
                                << "; compile for fewer tokens (--max-tokens)";
  Builder builder(&getContext());
  for (auto [buffer, op] : llvm::zip_equal(placement.problem.buffers(), placement.operations))
    op->setAttr("address", builder.getI64IntegerAttr(*buffer.address));
  return success();
}

/// Rings whose number of slots is open share what the buffers leave, in
/// proportion to nothing: each gets the same number of bytes.
LogicalResult AssignAddresses::chooseSlots(func::FuncOp function, const TargetModel &target) {
  SmallVector<RingOp> open;
  function.walk([&](RingOp ring) {
    if (!ring.getSlots())
      open.push_back(ring);
  });
  if (open.empty())
    return success();
  Placement placement = getPlacement(function, Space::Scratchpad, target.scratchpadBytes());
  if (llvm::Error error = allocateGreedily(placement.problem))
    return function.emitError() << "scratchpad: " << llvm::toString(std::move(error))
                                << "; compile for fewer tokens (--max-tokens)";
  int64_t left = target.scratchpadBytes() - placement.problem.height();
  int64_t budget = std::min<int64_t>(left, int64_t(target.scratchpadBytes() * ringFraction));
  for (RingOp ring : open) {
    int64_t slots = budget / int64_t(open.size()) / ring.getSlotBytes();
    if (slots < fewestSlots)
      return ring.emitError() << "has room for " << slots << " slots of " << ring.getSlotBytes()
                              << " bytes; expected at least " << fewestSlots
                              << "; compile for fewer tokens (--max-tokens)";
    ring.setSlots(std::min(slots, mostSlots));
  }
  return success();
}

LogicalResult AssignAddresses::placeBuffers(func::FuncOp function, const TargetModel &target) {
  if (failed(chooseSlots(function, target)))
    return failure();
  if (failed(place(function, Space::Scratchpad, target.scratchpadBytes())))
    return failure();
  return place(function, Space::Accumulators, target.accumulatorBytes());
}

/// Bytes of a symbol that needs room outside the core.
static int64_t bytesOf(Operation &op) {
  auto elements = [](Type type, int64_t count) {
    return count * type.getIntOrFloatBitWidth() / 8;
  };
  if (auto tensor = dyn_cast<tile::TensorOp>(op))
    return elements(tensor.getSlotType().getElementType(), tensor.getSlotType().getNumElements());
  if (auto vectors = dyn_cast<tile::VectorsOp>(op))
    return elements(vectors.getElementType(), vectors.getLength());
  auto packed = cast<tile::PackedOp>(op);
  return packed.getNumTiles() * llvm::alignTo(packed.getTileBytes(), bufferAlignment);
}

LogicalResult AssignAddresses::placeSymbols(const TargetModel &target) {
  ModuleOp module = getOperation();
  Builder builder(&getContext());
  int64_t hbm = 0, scalar = 0;
  auto assign = [&](Operation &op, int64_t &next, int64_t bytes, int64_t alignment) {
    auto given = op.getAttrOfType<IntegerAttr>(MemDialect::kAddressAttr);
    int64_t address = given ? given.getInt() : int64_t(llvm::alignTo(next, alignment));
    op.setAttr(MemDialect::kAddressAttr, builder.getI64IntegerAttr(address));
    next = std::max(next, address + bytes);
  };
  auto isWeight = [](Operation &op) {
    auto tensor = dyn_cast<tile::TensorOp>(op);
    return isa<tile::PackedOp, tile::VectorsOp>(op) ||
           (tensor && tensor.getRole() == tile::TensorRole::Constant);
  };
  for (Operation &op : *module.getBody())
    if (isWeight(op))
      assign(op, hbm, bytesOf(op), pageBytes);
  hbm = llvm::alignTo(hbm, pageBytes);
  for (Operation &op : *module.getBody()) {
    if (isa<tile::DimensionOp>(op))
      assign(op, scalar, scalarBytes, scalarBytes);
    auto tensor = dyn_cast<tile::TensorOp>(op);
    if (!tensor || isWeight(op))
      continue;
    if (tensor.getScalar())
      assign(op, scalar, bytesOf(op), scalarBytes);
    else
      assign(op, hbm, bytesOf(op), target.memoryBurstBytes());
  }
  if (scalar > target.scalarMemoryBytes())
    return module.emitError() << "needs " << scalar << " bytes of scalar memory; the target has "
                              << target.scalarMemoryBytes()
                              << "; compile for fewer tokens (--max-tokens)";
  if (hbm > target.memoryBytes())
    return module.emitError() << "needs " << hbm << " bytes of memory; the target has "
                              << target.memoryBytes();
  module->setAttr(MemDialect::kHbmBytesAttr,
                  builder.getI64IntegerAttr(llvm::alignTo(hbm, pageBytes)));
  return success();
}

void AssignAddresses::runOnOperation() {
  FailureOr<TargetModel> model = getTarget(getOperation(), target);
  if (failed(model))
    return signalPassFailure();
  for (auto function : getOperation().getOps<func::FuncOp>())
    if (failed(placeBuffers(function, *model)))
      return signalPassFailure();
  if (failed(placeSymbols(*model)))
    signalPassFailure();
}
