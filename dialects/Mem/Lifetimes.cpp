//===- Lifetimes.cpp - when buffers are alive --------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Mem/Lifetimes.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::mem;

Placement mem::getPlacement(func::FuncOp function, Space space,
                            int64_t capacity) {
  Placement result{AllocationProblem(capacity, bufferAlignment), {}};
  if (function.isDeclaration())
    return result;
  // Each operation from its beginning to its end, which for a loop is after its
  // body's.
  DenseMap<Operation *, std::pair<int64_t, int64_t>> position;
  int64_t count = 0;
  function.walk([&](Operation *op, const WalkStage &stage) {
    if (stage.isBeforeAllRegions())
      position[op].first = count++;
    if (stage.isAfterAllRegions())
      position[op].second = count++;
  });

  int64_t number = 0;
  function.walk([&](BufferOp buffer) {
    std::string name = "buffer " + std::to_string(number++);
    if (buffer.getSpace() != space)
      return;
    int64_t begin = count, end = 0;
    for (Operation *user : getSlotUsers(buffer)) {
      // A loop around the buffer begins with a new one each time; one that the
      // buffer is used in keeps it from its beginning to its end.
      auto [first, last] =
          position.lookup(buffer->getBlock()->findAncestorOpInBlock(*user));
      begin = std::min(begin, first);
      end = std::max(end, last + 1);
    }
    std::optional<int64_t> address;
    if (buffer.getAddress())
      address = *buffer.getAddress();
    result.problem.add(
        {name, buffer.getBytes(), std::min(begin, end), end, address});
    result.operations.push_back(buffer);
  });
  if (space != Space::Scratchpad)
    return result;
  function.walk([&](RingOp ring) {
    if (!ring.getSlots())
      return;
    std::optional<int64_t> address;
    if (ring.getAddress())
      address = *ring.getAddress();
    result.problem.add({"ring " + std::to_string(ring.getIndex()),
                        ring.getBytes(), 0, count, address});
    result.operations.push_back(ring);
  });
  return result;
}

/// Bytes of a symbol that has an address.
static int64_t bytesOf(Operation *op) {
  auto elements = [](Type type, int64_t count) {
    return count * int64_t(type.getIntOrFloatBitWidth()) / 8;
  };
  if (auto tensor = dyn_cast<tile::TensorOp>(op))
    return elements(tensor.getSlotType().getElementType(),
                    tensor.getSlotType().getNumElements());
  if (auto vectors = dyn_cast<tile::VectorsOp>(op))
    return elements(vectors.getElementType(), vectors.getLength());
  if (auto packed = dyn_cast<tile::PackedOp>(op))
    return packed.getNumTiles() *
           int64_t(llvm::alignTo(packed.getTileBytes(), bufferAlignment));
  return scalarBytes;
}

Placement mem::getPlacement(ModuleOp module, SymbolMemory memory,
                            int64_t capacity) {
  Placement result{AllocationProblem(capacity, memory == SymbolMemory::Scalar
                                                   ? scalarBytes
                                                   : 1),
                   {}};
  for (Operation &op : *module.getBody()) {
    if (!isa<tile::TensorOp, tile::PackedOp, tile::VectorsOp,
             tile::DimensionOp>(op))
      continue;
    auto tensor = dyn_cast<tile::TensorOp>(op);
    bool scalar = isa<tile::DimensionOp>(op) || (tensor && tensor.getScalar());
    if (scalar != (memory == SymbolMemory::Scalar))
      continue;
    std::optional<int64_t> address;
    if (auto given = op.getAttrOfType<IntegerAttr>(MemDialect::kAddressAttr))
      address = given.getInt();
    std::string name = "'" + SymbolTable::getSymbolName(&op).str() + "'";
    result.problem.add({name, bytesOf(&op), 0, 1, address});
    result.operations.push_back(&op);
  }
  return result;
}
