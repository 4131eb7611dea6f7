//===- QueueState.cpp - what is known to be complete, for every trip count - -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Dma/QueueState.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::dma;

bool Touch::conflictsWith(const Touch &other) const {
  if (!write && !other.write)
    return false;
  if (symbol || other.symbol)
    return symbol == other.symbol;
  return space == other.space && begin < other.end && other.begin < end;
}

/// The bytes of its buffer that a view spans, or all of them if its offset is
/// known only when the program runs.
static std::pair<int64_t, int64_t> getWindow(Value view, mem::BufferOp buffer) {
  auto type = cast<MemRefType>(view.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) || ShapedType::isDynamic(offset) ||
      !type.hasStaticShape() || llvm::any_of(strides, ShapedType::isDynamic))
    return {0, buffer.getBytes()};
  int64_t last = offset;
  for (auto [size, stride] : llvm::zip_equal(type.getShape(), strides))
    last += (size - 1) * stride;
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  return {offset * bytes, (last + 1) * bytes};
}

SmallVector<Touch> dma::getTouches(Operation *op, SymbolTableCollection &symbols) {
  SmallVector<Touch> touches;
  auto effects = dyn_cast<MemoryEffectOpInterface>(op);
  if (!effects)
    return touches;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    auto buffer = dyn_cast_or_null<mem::BufferOp>(mem::getSlotOf(operand.get()));
    if (!buffer)
      continue; // A ring's tile.
    SmallVector<MemoryEffects::EffectInstance> instances;
    effects.getEffectsOnValue(operand.get(), instances);
    auto [begin, end] = getWindow(operand.get(), buffer);
    int64_t base = int64_t(buffer.getAddress().value());
    for (const auto &instance : instances) {
      bool write = isa<MemoryEffects::Write>(instance.getEffect());
      if (write || isa<MemoryEffects::Read>(instance.getEffect()))
        touches.push_back({nullptr, buffer.getSpace(), base + begin, base + end, write});
    }
  }
  auto touchTensor = [&](FlatSymbolRefAttr name, bool write) {
    if (Operation *tensor = symbols.lookupNearestSymbolFrom(op, name))
      touches.push_back({tensor, mem::Space::Scratchpad, 0, 0, write});
  };
  if (auto load = dyn_cast<LoadOp>(op))
    touchTensor(load.getTensorAttr(), false);
  if (auto gather = dyn_cast<GatherOp>(op))
    touchTensor(gather.getTensorAttr(), false);
  if (auto store = dyn_cast<StoreOp>(op))
    touchTensor(store.getTensorAttr(), true);
  return touches;
}

void QueueState::execute(Operation *op, Queue queue, bool signals) {
  if (signals)
    for (auto &[other, record] : records)
      if (getQueue(other) == queue)
        record.age = std::min(record.age + 1, maxLag);
  records[op] = {signals ? 0 : -1, 0};
}

void QueueState::wait(Queue waiter, Queue queue, int64_t lag) {
  for (auto &[op, record] : records)
    if (getQueue(op) == queue && record.age >= lag)
      record.knownBy |= 1u << unsigned(waiter);
}

void QueueState::merge(const QueueState &other) {
  for (const auto &[op, theirs] : other.records) {
    auto [it, fresh] = records.insert({op, theirs});
    if (fresh)
      continue;
    it->second.age = std::min(it->second.age, theirs.age);
    it->second.knownBy &= theirs.knownBy;
  }
}

void QueueState::forEachUnknown(
    Queue queue, function_ref<void(Operation *, Queue, int64_t)> visit) const {
  for (const auto &[op, record] : records) {
    Queue other = *getQueue(op);
    if (other != queue && !(record.knownBy & 1u << unsigned(queue)))
      visit(op, other, record.age);
  }
}

bool QueueState::operator==(const QueueState &other) const {
  if (records.size() != other.records.size())
    return false;
  for (const auto &[op, record] : records) {
    auto it = other.records.find(op);
    if (it == other.records.end() || !(it->second == record))
      return false;
  }
  return true;
}

using Visit = function_ref<void(Operation *, Queue, QueueState &)>;

static void walkBlock(Block &block, QueueState &state, Visit visit);

/// Whether a loop's body is executed at least once.
static bool runsAtLeastOnce(scf::ForOp loop) {
  std::optional<int64_t> lower = getConstantIntValue(loop.getLowerBound());
  std::optional<int64_t> upper = getConstantIntValue(loop.getUpperBound());
  return lower && upper && *lower < *upper;
}

static void walkLoop(scf::ForOp loop, QueueState &state, Visit visit) {
  QueueState head = state, end;
  while (true) {
    end = head;
    walkBlock(*loop.getBody(), end, visit);
    QueueState merged = head;
    merged.merge(end);
    if (merged == head)
      break;
    head = std::move(merged);
  }
  if (!runsAtLeastOnce(loop))
    end.merge(state);
  state = std::move(end);
}

static void walkBlock(Block &block, QueueState &state, Visit visit) {
  for (Operation &op : block) {
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      walkLoop(loop, state, visit);
      continue;
    }
    if (auto branch = dyn_cast<scf::IfOp>(op)) {
      QueueState other = state;
      walkBlock(*branch.thenBlock(), state, visit);
      if (branch.elseBlock())
        walkBlock(*branch.elseBlock(), other, visit);
      state.merge(other);
      continue;
    }
    if (std::optional<Queue> queue = getQueue(&op))
      visit(&op, *queue, state);
  }
}

void dma::walkQueues(func::FuncOp function, Visit visit) {
  QueueState state;
  walkBlock(function.getBody().front(), state, visit);
}
