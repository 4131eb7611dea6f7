//===- Touches.cpp - what operations of queues touch ---------------------
//-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Dma/Touches.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/Support/MathExtras.h"
#include <limits>
#include <numeric>

using namespace mlir;
using namespace serrano;
using namespace serrano::dma;

bool Touch::meetsColumnsOf(const Touch &other) const {
  if (stride == 0 || other.stride == 0)
    return true;
  // Columns of rows that lie equally far apart, or every so many of them: intervals of a
  // circle.
  int64_t circle = std::gcd(stride, other.stride);
  auto distance = [&](int64_t from, int64_t to) { return ((to - from) % circle + circle) % circle; };
  return distance(begin, other.begin) < width || distance(other.begin, begin) < other.width;
}

namespace {

/// What an index can be, whatever the run: every `step`-th number, 0 for a constant.
struct IndexRange {
  int64_t least, most, step;
};

/// That an index is `rest` and a multiple of `step`, of any sign; 0 for a constant.
struct Congruence {
  int64_t step, rest;
};

} // namespace

static std::optional<IndexRange> getRange(Value index);

/// The index of a loop whose trips are limited.
static std::optional<IndexRange> getLoopRange(BlockArgument index) {
  auto loop = dyn_cast<scf::ForOp>(index.getOwner()->getParentOp());
  if (!loop || index != loop.getInductionVar() ||
      getConstantIntValue(loop.getLowerBound()) != 0 || getConstantIntValue(loop.getStep()) != 1)
    return std::nullopt;
  std::optional<IndexRange> trips = getRange(loop.getUpperBound());
  if (!trips || trips->most < 1)
    return std::nullopt;
  return IndexRange{0, trips->most - 1, 1};
}

/// From a constant, the index of a loop, quotients, and sums, products and limits of those;
/// none is negative.
static std::optional<IndexRange> getRange(Value index) {
  if (std::optional<int64_t> value = getConstantIntValue(index))
    return *value < 0 ? std::nullopt : std::optional(IndexRange{*value, *value, 0});
  if (auto argument = dyn_cast<BlockArgument>(index))
    return getLoopRange(argument);
  Operation *op = index.getDefiningOp();
  if (isa<arith::DivUIOp>(op)) {
    std::optional<int64_t> by = getConstantIntValue(op->getOperand(1));
    // Half of all numbers, or less, is no negative one.
    if (by && *by > 1)
      return IndexRange{0, std::numeric_limits<int64_t>::max() / *by, 1};
    return std::nullopt;
  }
  if (!isa<arith::AddIOp, arith::MulIOp, arith::MinSIOp>(op))
    return std::nullopt;
  std::optional<IndexRange> a = getRange(op->getOperand(0)), b = getRange(op->getOperand(1));
  if (!a || !b)
    return std::nullopt;
  if (isa<arith::MinSIOp>(op))
    return IndexRange{std::min(a->least, b->least), std::min(a->most, b->most), 1};
  IndexRange range;
  if (isa<arith::AddIOp>(op)) {
    range.step = std::gcd(a->step, b->step);
    if (llvm::AddOverflow(a->most, b->most, range.most))
      return std::nullopt;
    range.least = a->least + b->least;
    return range;
  }
  if (llvm::MulOverflow(a->most, b->most, range.most))
    return std::nullopt;
  range.least = a->least * b->least;
  // (l + i s)(m + j t) - l m is a sum of multiples of s m, t l and s t.
  range.step = std::gcd(std::gcd(a->step * b->least, b->step * a->least), a->step * b->step);
  return range;
}

/// Of sums, differences and products; any other value may be any number.
static Congruence getCongruence(Value index) {
  constexpr Congruence any{1, 0};
  if (std::optional<int64_t> value = getConstantIntValue(index))
    return {0, *value};
  Operation *op = index.getDefiningOp();
  if (!isa_and_nonnull<arith::AddIOp, arith::SubIOp, arith::MulIOp>(op))
    return any;
  Congruence a = getCongruence(op->getOperand(0)), b = getCongruence(op->getOperand(1)), result;
  if (isa<arith::MulIOp>(op)) {
    // (r + i s)(q + j t) - r q is a sum of multiples of s q, t r and s t.
    int64_t products[3];
    if (llvm::MulOverflow(a.step, b.rest, products[0]) ||
        llvm::MulOverflow(b.step, a.rest, products[1]) ||
        llvm::MulOverflow(a.step, b.step, products[2]) ||
        llvm::MulOverflow(a.rest, b.rest, result.rest))
      return any;
    result.step = std::gcd(std::gcd(products[0], products[1]), products[2]);
    return result;
  }
  bool overflows = isa<arith::AddIOp>(op) ? llvm::AddOverflow(a.rest, b.rest, result.rest)
                                          : llvm::SubOverflow(a.rest, b.rest, result.rest);
  result.step = std::gcd(a.step, b.step);
  return overflows ? any : result;
}

/// The columns of all rows of its buffer that a view can touch which moves by whole rows, as
/// far as is known; or all of the buffer.
static Touch getColumns(Value offset, ArrayRef<int64_t> strides, int64_t cols, int64_t bytes,
                        Touch whole) {
  Congruence place = getCongruence(offset);
  if (strides[0] == 0 || place.step % strides[0])
    return whole;
  int64_t first = (place.rest % strides[0] + strides[0]) % strides[0];
  whole.begin = first * bytes;
  whole.stride = strides[0] * bytes;
  whole.width = ((cols - 1) * strides[1] + 1) * bytes;
  return whole;
}

/// The bytes of its buffer that a view touches, or all of them if nothing is known of the
/// view's place before the program runs.
static Touch getWindow(Value view, mem::BufferOp buffer) {
  Touch whole{nullptr, buffer.getSpace(), 0, buffer.getBytes()};
  // What a cast claims about an offset is not checked when the program runs.
  while (auto cast = view.getDefiningOp<memref::CastOp>())
    view = cast.getSource();
  auto type = cast<MemRefType>(view.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) ||
      !type.hasStaticShape() || type.getNumElements() == 0 ||
      llvm::any_of(strides, [](int64_t n) { return ShapedType::isDynamic(n) || n < 0; }))
    return whole;
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  IndexRange offsets{offset, offset, 0};
  if (ShapedType::isDynamic(offset)) {
    auto cast = view.getDefiningOp<memref::ReinterpretCastOp>();
    auto value = cast ? dyn_cast<Value>(cast.getMixedOffsets().front()) : Value();
    if (!value)
      return whole;
    std::optional<IndexRange> range = getRange(value);
    if (!range || range->most > buffer.getBytes())
      return getColumns(value, strides, type.getDimSize(1), bytes, whole);
    offsets = *range;
  }
  int64_t spread = offsets.most - offsets.least;
  int64_t row = (type.getDimSize(1) - 1) * strides[1] + 1;
  Touch touch = whole;
  touch.begin = offsets.least * bytes;
  touch.end = (offsets.most + (type.getDimSize(0) - 1) * strides[0] + row) * bytes;
  // Of a view that moves by whole rows the columns stay the same.
  if (strides[0] == 0 || offsets.step % strides[0])
    row += spread;
  touch.stride = strides[0] * bytes;
  touch.width = row * bytes;
  return touch;
}

/// Heads of a rope lie beside the columns that its operation names.
static bool touchesBeyondItsShape(OpOperand &operand) {
  auto rope = dyn_cast<tile::RopeOp>(operand.getOwner());
  if (!rope)
    return false;
  // Whether a slot has all heads, one so many elements after the other.
  auto reaches = [&](Value slot, std::optional<int64_t> stride) {
    std::optional<int64_t> cols = getConstantIntValue(rope.getCols());
    return cols && (int64_t(rope.getHeads()) - 1) * stride.value_or(*cols) + *cols <=
                       cast<MemRefType>(slot.getType()).getDimSize(1);
  };
  return (operand.get() == rope.getDst() && !reaches(rope.getDst(), rope.getHeadStride())) ||
         (operand.get() == rope.getA() && !reaches(rope.getA(), std::nullopt));
}

static LogicalResult addSlot(OpOperand &operand,
                             SmallVectorImpl<Touch> &touches) {
  Operation *op = operand.getOwner();
  Operation *slot = mem::getSlotOf(operand.get());
  if (isa_and_nonnull<tile::NextOp, tile::PeekOp>(slot))
    return success();
  auto buffer = dyn_cast_or_null<mem::BufferOp>(slot);
  if (!buffer) {
    InFlightDiagnostic diagnostic =
        op->emitOpError()
        << "has operand " << operand.getOperandNumber()
        << " in no known buffer; expected a mem.buffer, a tile of a ring or a "
           "view of one";
    diagnostic.attachNote(operand.get().getLoc()) << "it comes from here";
    return diagnostic;
  }
  if (!buffer.getAddress()) {
    InFlightDiagnostic diagnostic =
        op->emitOpError()
        << "has operand " << operand.getOperandNumber()
        << " in a buffer without an address; run mem-assign-addresses first";
    diagnostic.attachNote(buffer.getLoc()) << "the buffer is here";
    return diagnostic;
  }
  SmallVector<MemoryEffects::EffectInstance> effects;
  cast<MemoryEffectOpInterface>(op).getEffectsOnValue(operand.get(), effects);
  Touch touch = touchesBeyondItsShape(operand)
                    ? Touch{nullptr, buffer.getSpace(), 0, buffer.getBytes()}
                    : getWindow(operand.get(), buffer);
  touch.begin += int64_t(*buffer.getAddress());
  touch.end += int64_t(*buffer.getAddress());
  for (const auto &effect : effects)
    if (isa<MemoryEffects::Write, MemoryEffects::Read>(effect.getEffect())) {
      touch.write = isa<MemoryEffects::Write>(effect.getEffect());
      touches.push_back(touch);
    }
  return success();
}

/// The tensor in HBM that a transfer reads or writes.
static LogicalResult addTensor(Operation *op, SymbolTableCollection &symbols,
                               SmallVectorImpl<Touch> &touches) {
  auto add = [&](FlatSymbolRefAttr name, bool write) -> LogicalResult {
    Operation *tensor = symbols.lookupNearestSymbolFrom(op, name);
    if (!tensor)
      return op->emitOpError()
             << "names no tensor: '" << name.getValue() << "'";
    Touch touch;
    touch.symbol = tensor;
    touch.write = write;
    touches.push_back(touch);
    return success();
  };
  if (auto load = dyn_cast<LoadOp>(op))
    return add(load.getTensorAttr(), false);
  if (auto gather = dyn_cast<GatherOp>(op))
    return add(gather.getTensorAttr(), false);
  if (auto store = dyn_cast<StoreOp>(op))
    return add(store.getTensorAttr(), true);
  if (auto order = dyn_cast<OrderBlocksOp>(op))
    if (auto ring = order.getRing().getDefiningOp<mem::RingOp>())
      return add(ring.getSourceAttr(), false);
  return success();
}

/// An operation that runs on no queue must not touch anything.
static LogicalResult checkUnqueued(Operation *op) {
  if (isa<scf::ForOp, scf::IfOp, func::FuncOp>(op)) {
    if (op->getNumRegions() == 1 && !op->getRegion(0).hasOneBlock())
      return op->emitOpError()
             << "has several blocks; expected structured control flow";
  } else if (op->getNumRegions() != 0) {
    return op->emitOpError() << "is control flow that waits are not known for; "
                                "expected scf.for or "
                                "scf.if";
  }
  if (isa<CallOpInterface>(op))
    return op->emitOpError()
           << "is a call, which waits are not known for; inline it first";
  if (isa<memref::ReinterpretCastOp, memref::CastOp, tile::ObserveOp>(op))
    return success();
  for (Value operand : op->getOperands())
    if (isa<MemRefType>(operand.getType()))
      return op->emitOpError() << "takes a slot but runs on no queue; run "
                                  "convert-mem-to-dma first";
  return success();
}

FailureOr<Touches> dma::getTouches(func::FuncOp function) {
  Touches result;
  SymbolTableCollection symbols;
  WalkResult walk =
      function.walk<WalkOrder::PreOrder>([&](Operation *op) -> WalkResult {
        if (op == function && function.isDeclaration())
          return success();
        if (!getQueue(op))
          return checkUnqueued(op);
        SmallVector<Touch> &touches = result[op];
        for (OpOperand &operand : op->getOpOperands())
          if (isa<MemRefType>(operand.get().getType()) &&
              failed(addSlot(operand, touches)))
            return failure();
        return addTensor(op, symbols, touches);
      });
  if (walk.wasInterrupted())
    return failure();
  return result;
}
