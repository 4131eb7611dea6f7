//===- MergeBuffers.cpp - lets results take the place of operands ---------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Mem/Passes/MemPasses.h"

#include "dialects/Mem/Windows.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/TypeSwitch.h"

namespace serrano::mem {
#define GEN_PASS_DEF_MERGEBUFFERS
#include "dialects/Mem/Passes/MemPasses.h.inc"
} // namespace serrano::mem

using namespace mlir;
using namespace serrano;
using namespace serrano::mem;

namespace {

/// An operation that computes each element of its result from the elements in
/// the same place of its operands.
struct Elementwise {
  Operation *op = nullptr;
  Value dst, rows, cols;
  unsigned dstNumber = 0;

  static std::optional<Elementwise> match(Operation *op);
  /// The slots that are read.
  SmallVector<Value> getSources() const {
    SmallVector<Value> sources;
    for (OpOperand &operand : op->getOpOperands())
      if (isa<MemRefType>(operand.get().getType()) &&
          operand.getOperandNumber() != dstNumber)
        sources.push_back(operand.get());
    return sources;
  }
  /// Whether the result is the operand, which has its element type.
  bool isCopy() const {
    auto unary = dyn_cast<tile::UnaryOp>(op);
    return unary && unary.getFunction() == tile::UnaryFunction::Copy &&
           unary.getA().getType().getElementType() ==
               unary.getDst().getType().getElementType();
  }
};

class MergeBuffers : public mem::impl::MergeBuffersBase<MergeBuffers> {
public:
  using Base::Base;
  void runOnOperation() override;
};

} // namespace

std::optional<Elementwise> Elementwise::match(Operation *op) {
  std::optional<Elementwise> result;
  auto take = [&](auto vector) {
    result.emplace(Elementwise{op, vector.getDst(), vector.getRows(),
                               vector.getCols(),
                               vector.getDstMutable().getOperandNumber()});
  };
  llvm::TypeSwitch<Operation *>(op)
      .Case<tile::UnaryOp, tile::BinaryOp, tile::ScalarOp, tile::TernaryOp>(
          take);
  return result;
}

/// How many rows an operation writes; null if it is not known to write rows
/// from the first of its view on.
static Value getWrittenRows(Operation *op) {
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case<tile::UnaryOp, tile::BinaryOp, tile::ScalarOp, tile::TernaryOp,
            tile::FillOp, tile::ReduceOp, tile::LoadOp, tile::GatherOp>(
          [](auto op) { return op.getRows(); })
      .Case([](tile::MatmulOp op) { return op.getM(); })
      .Default([](Operation *) { return Value(); });
}

/// Whether all that is written to `buffer` lies in its first `rows` rows.
static bool writesOnlyRows(BufferOp buffer, Value rows) {
  for (Operation *user : getSlotUsers(buffer)) {
    auto effects = dyn_cast<MemoryEffectOpInterface>(user);
    if (!effects)
      return false;
    for (Value operand : user->getOperands()) {
      if (!isa<MemRefType>(operand.getType()) || getSlotOf(operand) != buffer)
        continue;
      SmallVector<MemoryEffects::EffectInstance> found;
      effects.getEffectsOnValue(operand, found);
      bool writes = llvm::any_of(found, [](const auto &effect) {
        return isa<MemoryEffects::Write>(effect.getEffect());
      });
      SmallVector<Columns> columns;
      if (writes &&
          (getWrittenRows(user) != rows ||
           failed(appendColumns(user, operand, buffer->getBlock(), columns))))
        return false;
    }
  }
  return true;
}

/// Why `source`, an operand of `x`, and its result cannot be one buffer; empty
/// if they can.
static StringRef findObstacle(const Elementwise &x, BufferOp source,
                              BufferOp result) {
  Block *block = x.op->getBlock();
  if (source.getType() != result.getType() ||
      source.getSpace() != result.getSpace())
    return "the types differ";
  if (source.getAddress() || result.getAddress())
    return "an address is given";
  if (source->getBlock() != block)
    return "the operand outlives the block";
  IntegerAttr cols;
  if (!matchPattern(x.cols, m_Constant(&cols)) ||
      cols.getInt() != result.getType().getDimSize(1))
    return "the result has columns that are not written";
  // In the same place: the operand itself, not a view of it.
  for (Value operand : x.getSources())
    if (operand != source.getResult() &&
        (getSlotOf(operand) == source || getSlotOf(operand) == result))
      return "the operation reads other elements too";

  // The operand dies here, and from its first use on nobody else uses the
  // result: what it held until then is not read any more.
  Operation *first = x.op;
  for (Operation *user : getSlotUsers(source)) {
    Operation *place = block->findAncestorOpInBlock(*user);
    if (x.op->isBeforeInBlock(place))
      return "the operand is used later";
    if (place->isBeforeInBlock(first))
      first = place;
  }
  for (Operation *user : getSlotUsers(result)) {
    Operation *place = block->findAncestorOpInBlock(*user);
    if (place && place != x.op && !place->isBeforeInBlock(first) &&
        !x.op->isBeforeInBlock(place))
      return "the result's place is in use while the operand is";
  }
  // Rows that the operation does not write keep what they held.
  if (!writesOnlyRows(source, x.rows))
    return "the operand has more rows than the result";
  return "";
}

/// Makes two buffers one; `kept` is in the block of `gone` or one around it.
static void merge(BufferOp gone, BufferOp kept) {
  if (kept->getBlock() == gone->getBlock() && gone->isBeforeInBlock(kept))
    kept->moveBefore(gone);
  gone.getResult().replaceAllUsesWith(kept.getResult());
  gone.erase();
}

//===----------------------------------------------------------------------===//
// Buffers that take each other's place window by window
//===----------------------------------------------------------------------===//

namespace {

/// A kernel that finishes blocks of columns one after the other writes each
/// over the one that it has read for it: a residual lies in one buffer before
/// and after an addition. `inner` is new in each round of its block; `outer`, which
/// may be carried from round to round, is not in use while `inner` is, but for
/// two phases, in which one becomes the other window by window.
class WindowMerge {
public:
  WindowMerge(BufferOp inner, BufferOp outer)
      : inner(inner), outer(outer), block(inner->getBlock()) {}

  bool isPossible();

private:
  struct Use {
    Operation *op, *place; ///< `place` is around `op`, or it, in the block
  };
  static SmallVector<Use> getUses(BufferOp buffer, Block *block);
  bool isPhase(ArrayRef<Use> uses, BufferOp from, BufferOp to, bool coversAll);

  BufferOp inner, outer;
  Block *block;
  Value rows; ///< that all windows have
};

} // namespace

SmallVector<WindowMerge::Use> WindowMerge::getUses(BufferOp buffer,
                                                   Block *block) {
  SmallVector<Use> uses;
  for (Operation *user : getSlotUsers(buffer))
    if (Operation *place = block->findAncestorOpInBlock(*user))
      if (llvm::none_of(uses, [&](const Use &use) { return use.op == user; }))
        uses.push_back({user, place});
  return uses;
}

/// Whether each of these operations writes to a window of `to` what it computes
/// from the same window of `from`, and no element is touched twice.
bool WindowMerge::isPhase(ArrayRef<Use> uses, BufferOp from, BufferOp to,
                          bool coversAll) {
  SmallVector<Columns> columns;
  for (const Use &use : uses) {
    std::optional<Elementwise> x = Elementwise::match(use.op);
    if (!x || getSlotOf(x->dst) != to || (rows && x->rows != rows))
      return false;
    rows = x->rows;
    for (Value operand : x->getSources()) {
      Operation *slot = getSlotOf(operand);
      if (slot == to || (slot == from && !areSameWindow(operand, x->dst)))
        return false;
    }
    // All columns of the window, from the first row on.
    IntegerAttr cols;
    if (!matchPattern(x->cols, m_Constant(&cols)) ||
        cols.getInt() != cast<MemRefType>(x->dst.getType()).getDimSize(1) ||
        failed(appendColumns(use.op, x->dst, block, columns)))
      return false;
  }
  llvm::sort(columns, [](const Columns &a, const Columns &b) {
    return a.begin < b.begin;
  });
  int64_t end = 0;
  for (const Columns &window : columns) {
    if (window.begin < end || (coversAll && window.begin > end))
      return false;
    end = window.end;
  }
  return !coversAll || end == to.getType().getDimSize(1);
}

bool WindowMerge::isPossible() {
  if (inner.getType() != outer.getType() ||
      inner.getSpace() != outer.getSpace() || inner.getAddress() ||
      outer.getAddress() || !outer->getBlock()->findAncestorOpInBlock(*inner))
    return false;
  SmallVector<Use> inners = getUses(inner, block),
                   outers = getUses(outer, block);
  if (inners.empty())
    return false;
  auto before = [](const Use &a, const Use &b) {
    return a.place != b.place && a.place->isBeforeInBlock(b.place);
  };
  Use first = *llvm::min_element(inners, before),
      last = *llvm::max_element(inners, before);
  // What uses the outer one while the inner one lives belongs to the phase in
  // which the inner one is written, or to that in which it is read.
  SmallVector<Use> begin, end;
  for (const Use &use : outers) {
    if (before(use, first) || before(last, use))
      continue;
    std::optional<Elementwise> x = Elementwise::match(use.op);
    if (!x)
      return false;
    (getSlotOf(x->dst) == outer ? end : begin).push_back(use);
  }
  // The outer one's value is gone after the first phase: in the end it has to
  // have another, unless nobody asks for it.
  bool isAskedFor = outer->getBlock() != block ||
                    llvm::any_of(outers, [&](const Use &use) {
                      return before(last, use);
                    });
  if (begin.empty() || (end.empty() && isAskedFor))
    return false;
  // Nothing else happens to either in a phase.
  Use beginLast = *llvm::max_element(begin, before);
  std::optional<Use> endFirst;
  if (!end.empty())
    endFirst = *llvm::min_element(end, before);
  if (endFirst && !before(beginLast, *endFirst))
    return false;
  for (const Use &use : inners) {
    bool isOfBegin = llvm::any_of(
        begin, [&](const Use &other) { return other.op == use.op; });
    bool isOfEnd = llvm::any_of(
        end, [&](const Use &other) { return other.op == use.op; });
    if ((!before(beginLast, use) && !isOfBegin) ||
        (endFirst && !before(use, *endFirst) && !isOfEnd))
      return false;
  }
  return isPhase(begin, outer, inner, /*coversAll=*/false) &&
         (end.empty() || isPhase(end, inner, outer, /*coversAll=*/true)) &&
         writesOnlyRows(inner, rows);
}

/// The pairs that may be merged: what `x` reads and writes in the same window.
static std::optional<std::pair<BufferOp, BufferOp>>
findWindowMerge(const Elementwise &x) {
  auto result = dyn_cast_or_null<BufferOp>(getSlotOf(x.dst));
  if (!result)
    return std::nullopt;
  for (Value operand : x.getSources()) {
    auto source = dyn_cast_or_null<BufferOp>(getSlotOf(operand));
    if (source && source != result && areSameWindow(operand, x.dst) &&
        WindowMerge(result, source).isPossible())
      return std::pair(result, source);
  }
  return std::nullopt;
}

void MergeBuffers::runOnOperation() {
  SmallVector<Operation *> candidates;
  getOperation().walk([&](Operation *op) {
    if (Elementwise::match(op))
      candidates.push_back(op);
  });
  for (Operation *&op : candidates) {
    Elementwise x = *Elementwise::match(op);
    auto result = x.dst.getDefiningOp<BufferOp>();
    if (!result)
      continue;
    auto say = [&](remark::detail::InFlightRemark remark) {
      remark << remark::metric("Bytes", result.getBytes());
    };
    auto options = remark::RemarkOpts::name(x.isCopy() ? "CopyRemoved"
                                                       : "InPlace")
                       .category("mem-merge-buffers")
                       .function(getOperation().getName());
    bool merged = false;
    StringRef obstacle;
    for (Value operand : x.getSources()) {
      auto source = operand.getDefiningOp<BufferOp>();
      if (!source || source == result)
        continue;
      obstacle = findObstacle(x, source, result);
      if (!obstacle.empty())
        continue;
      merge(source, result);
      merged = true;
      break;
    }
    if (merged) {
      say(remark::passed(op->getLoc(), options));
      if (x.isCopy()) {
        op->erase();
        op = nullptr;
      }
    } else if (!obstacle.empty() && x.isCopy()) {
      remark::missed(op->getLoc(), options)
          << remark::metric("Bytes", result.getBytes())
          << remark::reason("{0}", obstacle);
    }
  }
  for (Operation *op : candidates)
    if (op)
      if (auto pair = findWindowMerge(*Elementwise::match(op))) {
        remark::passed(op->getLoc(),
                       remark::RemarkOpts::name("InPlace")
                           .category("mem-merge-buffers")
                           .function(getOperation().getName()))
            << remark::metric("Bytes", pair->first.getBytes());
        merge(pair->first, pair->second);
      }
}
