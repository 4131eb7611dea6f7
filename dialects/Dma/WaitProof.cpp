//===- WaitProof.cpp - whether weaker waits suffice --------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Dma/WaitProof.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::dma;

using States = std::vector<std::optional<QueueState>>;

/// Notes the item that each operation of `items` is in.
static void assign(ArrayRef<QueueItem> items, size_t item, std::vector<size_t> &itemOf) {
  for (const QueueItem &inner : items) {
    if (inner.kind == QueueItem::Op)
      itemOf[inner.number] = item;
    assign(inner.body, item, itemOf);
    assign(inner.other, item, itemOf);
  }
}

/// Empties `found`; what is in it replaces what was kept before.
static void empty(States &found, States &kept, bool keep) {
  for (auto [from, to] : llvm::zip_equal(found, kept)) {
    if (keep && from)
      to = std::move(from);
    from.reset();
  }
}

bool WaitProof::endWalk(bool holds) {
  empty(newHeads, heads, holds);
  empty(newEntries, entries, holds);
  return holds;
}

WaitProof::WaitProof(QueueProgram &program)
    : program(program), heads(program.numLoops), newHeads(program.numLoops),
      entries(program.items.size()), newEntries(program.items.size()),
      itemOf(program.ops.size()) {
  for (size_t i = 0; i < program.items.size(); ++i)
    assign(program.items[i], i, itemOf);
  if (program.items.empty())
    return;
  entries.front() = program.getEmptyState();
  holds = endWalk(walkFrom(0));
}

bool WaitProof::walkLoop(const QueueItem &loop, QueueState &state) {
  // An outer loop comes here several times, each time with less.
  std::optional<QueueState> &known = newHeads[loop.number];
  QueueState head = state;
  if (const std::optional<QueueState> &above = known ? known : heads[loop.number])
    head.merge(*above);
  QueueState end = head;
  while (true) {
    if (!walkItems(loop.body, end))
      return false;
    if (!head.merge(end))
      break;
    end = head;
  }
  if (!loop.runsAtLeastOnce)
    end.merge(state);
  state = std::move(end);
  known = std::move(head);
  return true;
}

bool WaitProof::walkItems(ArrayRef<QueueItem> items, QueueState &state) {
  for (const QueueItem &item : items)
    switch (item.kind) {
    case QueueItem::Op: {
      const QueuedOp &op = program.ops[item.number];
      if (!op.isSync && !llvm::all_of(op.conflicts, [&](unsigned other) {
            return op.knows(state, other, op.waits);
          }))
        return false;
      op.step(item.number, state);
      break;
    }
    case QueueItem::Branch: {
      QueueState other = state;
      if (!walkItems(item.body, state) || !walkItems(item.other, other))
        return false;
      state.merge(other);
      break;
    }
    case QueueItem::Loop:
      if (!walkLoop(item, state))
        return false;
      break;
    }
  return true;
}

bool WaitProof::walkFrom(size_t item) {
  QueueState state = *entries[item];
  while (true) {
    if (!walkItems(program.items[item], state))
      return false;
    // What the last proof found from a state on, it finds again.
    if (++item == program.items.size() || (entries[item] && state == *entries[item]))
      return true;
    newEntries[item] = state;
  }
}

bool WaitProof::accepts(unsigned op, SmallVector<Wait, 2> waits) {
  if (!holds)
    return false;
  std::swap(program.ops[op].waits, waits);
  bool accepted = endWalk(walkFrom(itemOf[op]));
  if (!accepted)
    std::swap(program.ops[op].waits, waits);
  return accepted;
}
