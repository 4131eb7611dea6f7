//===- QueueProgram.cpp - a function as the proof of its waits sees it -- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Dma/QueueProgram.h"

#include "llvm/ADT/BitVector.h"
#include <map>
#include <tuple>

using namespace mlir;
using namespace serrano;
using namespace serrano::dma;

bool QueuedOp::knows(const QueueState &state, unsigned other, ArrayRef<Wait> waits) const {
  if (state.getAge(other, waiter) != QueueState::unknown)
    return true;
  return llvm::any_of(waits, [&](const Wait &wait) {
    return state.getAge(other, unsigned(wait.queue)) >= wait.lag;
  });
}

void QueuedOp::step(unsigned number, QueueState &state) const {
  for (const Wait &wait : waits)
    state.wait(waiter, wait.queue, wait.lag);
  if (executes)
    state.execute(number, queue, signals);
}

QueueProgram::QueueProgram(func::FuncOp function) {
  if (function.isDeclaration())
    return;
  items = readBlock(function.getBody().front());
  for (const QueuedOp &op : ops)
    numWaiters = std::max(numWaiters, op.waiter + 1);
}

QueueProgram::QueueProgram(func::FuncOp function, const Touches &touches)
    : QueueProgram(function) {
  findConflicts(touches);
}

QueueProgram::QueueProgram(func::FuncOp function, const QueueProgram &before)
    : QueueProgram(function) {
  SmallVector<unsigned> numbers; // By number before.
  for (unsigned number = 0; number < ops.size(); ++number)
    if (numbers.size() < before.ops.size() && ops[number].op == before.ops[numbers.size()].op)
      numbers.push_back(number);
  for (auto [number, op] : llvm::zip_equal(numbers, before.ops))
    for (unsigned other : op.conflicts)
      ops[number].conflicts.push_back(numbers[other]);
}

/// Whether a loop's body is known to be executed at least once.
static bool runsAtLeastOnce(scf::ForOp loop) {
  std::optional<llvm::APInt> trips = loop.getStaticTripCount();
  return trips && !trips->isZero();
}

static QueuedOp readOp(Operation *op, Queue queue) {
  QueuedOp result{op, queue, getWaiter(op)};
  result.isSync = isa<SyncOp>(op);
  // What a ring reads was stored before; stores that come later are to other
  // rows.
  result.executes = !result.isSync && queue != Queue::Ring;
  result.signals = op->hasAttr(DmaDialect::kSignalAttr);
  if (auto waits = op->getAttrOfType<ArrayAttr>(DmaDialect::kWaitsAttr))
    for (auto wait : waits.getAsRange<WaitAttr>())
      if (std::optional<Queue> other = symbolizeQueue(uint32_t(wait.getCounter())))
        result.waits.push_back({*other, wait.getLag()});
  return result;
}

std::vector<QueueItem> QueueProgram::readBlock(Block &block) {
  std::vector<QueueItem> result;
  for (Operation &op : block) {
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      unsigned number = numLoops++;
      result.push_back({QueueItem::Loop, number, readBlock(*loop.getBody())});
      result.back().runsAtLeastOnce = runsAtLeastOnce(loop);
    } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
      std::vector<QueueItem> body = readBlock(*branch.thenBlock()), other;
      if (branch.elseBlock())
        other = readBlock(*branch.elseBlock());
      result.push_back({QueueItem::Branch, 0, std::move(body), std::move(other)});
    } else if (std::optional<Queue> queue = getQueue(&op)) {
      result.push_back({QueueItem::Op, unsigned(ops.size())});
      ops.push_back(readOp(&op, *queue));
    }
  }
  return result;
}

namespace {

/// Bytes that operations touch, and the operations: by number.
struct Window {
  Touch bytes;
  llvm::BitVector users, writers;
  llvm::BitVector metUsers, metWriters; ///< of all windows that have a common byte
};

} // namespace

/// The windows that operations touch: far fewer than there are touches. Who touches what is in
/// `indices`, by operation.
static std::vector<Window> findWindows(ArrayRef<QueuedOp> ops, const Touches &touches,
                                       std::vector<SmallVector<unsigned>> &indices) {
  std::vector<Window> windows;
  using Bytes = std::tuple<Operation *, mem::Space, int64_t, int64_t, int64_t, int64_t>;
  std::map<Bytes, unsigned> known;
  llvm::BitVector none(ops.size());
  for (auto [number, op] : llvm::enumerate(ops)) {
    SmallVector<unsigned> &mine = indices.emplace_back();
    auto it = touches.find(op.op);
    if (it == touches.end())
      continue;
    for (const Touch &touch : it->second) {
      Bytes bytes{touch.symbol, touch.space, touch.begin, touch.end, touch.stride, touch.width};
      auto [index, isNew] = known.try_emplace(bytes, windows.size());
      if (isNew)
        windows.push_back({touch, none, none, none, none});
      Window &window = windows[index->second];
      window.users.set(number);
      if (touch.write)
        window.writers.set(number);
      mine.push_back(index->second);
    }
  }
  return windows;
}

void QueueProgram::findConflicts(const Touches &touches) {
  std::vector<SmallVector<unsigned>> indices;
  std::vector<Window> windows = findWindows(ops, touches, indices);
  for (Window &window : windows)
    for (const Window &other : windows)
      if (window.bytes.meets(other.bytes)) {
        window.metUsers |= other.users;
        window.metWriters |= other.writers;
      }
  // An operation's own queue knows it, so pairs of one queue are in order.
  llvm::BitVector executing(ops.size());
  std::map<Queue, llvm::BitVector> ofQueue;
  for (auto [number, op] : llvm::enumerate(ops)) {
    executing[number] = op.executes;
    ofQueue.try_emplace(op.queue, ops.size()).first->second.set(number);
  }
  llvm::BitVector others(ops.size());
  for (auto [number, op] : llvm::enumerate(ops)) {
    others.reset();
    for (unsigned index : indices[number]) {
      const Window &window = windows[index];
      others |= window.writers.test(number) ? window.metUsers : window.metWriters;
    }
    others &= executing;
    others.reset(ofQueue.at(op.queue));
    llvm::append_range(op.conflicts, others.set_bits());
  }
}

using Visit = function_ref<void(unsigned, QueueState &)>;

static void walkItems(ArrayRef<QueueItem> items, QueueState &state, Visit visit) {
  for (const QueueItem &item : items)
    switch (item.kind) {
    case QueueItem::Op:
      visit(item.number, state);
      break;
    case QueueItem::Branch: {
      QueueState other = state;
      walkItems(item.body, state, visit);
      walkItems(item.other, other, visit);
      state.merge(other);
      break;
    }
    case QueueItem::Loop: {
      QueueState head = state, end = state;
      walkItems(item.body, end, visit);
      while (head.merge(end)) {
        end = head;
        walkItems(item.body, end, visit);
      }
      if (!item.runsAtLeastOnce)
        end.merge(state);
      state = std::move(end);
      break;
    }
    }
}

void QueueProgram::walk(Visit visit) const {
  QueueState state = getEmptyState();
  walkItems(items, state, visit);
}
