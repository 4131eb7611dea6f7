//===- Lifetimes.cpp - when buffers are alive --------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Mem/Lifetimes.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::mem;

FailureOr<TargetModel> mem::getTarget(ModuleOp module, StringRef name) {
  std::string target = name.str();
  if (target.empty()) {
    auto attribute = module->getAttrOfType<StringAttr>(tile::TileDialect::kTargetAttr);
    if (!attribute)
      return module.emitError() << "names no target; set '" << tile::TileDialect::kTargetAttr
                                << "' or the pass's option 'target'";
    target = attribute.str();
  }
  llvm::Expected<TargetModel> model = TargetModel::load(target);
  if (!model)
    return module.emitError() << llvm::toString(model.takeError());
  return std::move(*model);
}

Placement mem::getPlacement(func::FuncOp function, Space space, int64_t capacity) {
  Placement result{AllocationProblem(capacity, bufferAlignment), {}};
  Block &body = function.getBody().front();
  DenseMap<Operation *, int64_t> position;
  int64_t count = 0;
  for (Operation &op : body)
    position[&op] = count++;

  int64_t number = 0;
  function.walk([&](BufferOp buffer) {
    std::string name = "buffer " + std::to_string(number++);
    if (buffer.getSpace() != space)
      return;
    int64_t begin = count, end = 0;
    for (Operation *user : getSlotUsers(buffer)) {
      int64_t at = position.lookup(body.findAncestorOpInBlock(*user));
      begin = std::min(begin, at);
      end = std::max(end, at + 1);
    }
    std::optional<int64_t> address;
    if (buffer.getAddress())
      address = *buffer.getAddress();
    result.problem.add({name, buffer.getBytes(), std::min(begin, end), end, address});
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
    result.problem.add(
        {"ring " + std::to_string(ring.getIndex()), ring.getBytes(), 0, count, address});
    result.operations.push_back(ring);
  });
  return result;
}
