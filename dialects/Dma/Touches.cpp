//===- Touches.cpp - what operations of queues touch ---------------------
//-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Dma/Touches.h"

#include "mlir/Interfaces/CallInterfaces.h"
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

/// The bytes of its buffer that a view spans, or all of them if the view's
/// place is known only when the program runs.
static std::pair<int64_t, int64_t> getWindow(Value view, mem::BufferOp buffer) {
  // What a cast claims about an offset is not checked when the program runs.
  while (auto cast = view.getDefiningOp<memref::CastOp>())
    view = cast.getSource();
  auto type = cast<MemRefType>(view.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) ||
      ShapedType::isDynamic(offset) || !type.hasStaticShape() ||
      type.getNumElements() == 0 ||
      llvm::any_of(strides, ShapedType::isDynamic))
    return {0, buffer.getBytes()};
  int64_t first = offset, last = offset;
  for (auto [size, stride] : llvm::zip_equal(type.getShape(), strides))
    (stride < 0 ? first : last) += (size - 1) * stride;
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  return {first * bytes, (last + 1) * bytes};
}

/// Heads of a rope lie beside the columns that its operation names, and the
/// rows that are taken are those of a bound.
static bool touchesBeyondItsShape(OpOperand &operand) {
  if (auto rope = dyn_cast<tile::RopeOp>(operand.getOwner()))
    return operand.get() == rope.getDst() || operand.get() == rope.getA();
  auto take = dyn_cast<tile::TakeOp>(operand.getOwner());
  return take && operand.get() == take.getA();
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
  auto [begin, end] = touchesBeyondItsShape(operand)
                          ? std::pair<int64_t, int64_t>(0, buffer.getBytes())
                          : getWindow(operand.get(), buffer);
  int64_t base = int64_t(*buffer.getAddress());
  for (const auto &effect : effects)
    if (isa<MemoryEffects::Write, MemoryEffects::Read>(effect.getEffect()))
      touches.push_back({nullptr, buffer.getSpace(), base + begin, base + end,
                         isa<MemoryEffects::Write>(effect.getEffect())});
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
    touches.push_back({tensor, mem::Space::Scratchpad, 0, 0, write});
    return success();
  };
  if (auto load = dyn_cast<LoadOp>(op))
    return add(load.getTensorAttr(), false);
  if (auto gather = dyn_cast<GatherOp>(op))
    return add(gather.getTensorAttr(), false);
  if (auto store = dyn_cast<StoreOp>(op))
    return add(store.getTensorAttr(), true);
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
