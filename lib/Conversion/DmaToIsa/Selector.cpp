//===- Selector.cpp - scalar values and control ------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Selector.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace serrano;

FailureOr<uint8_t> Selector::newRegister(Operation *op) {
  if (freeRegisters.empty())
    return op->emitOpError() << "needs more than the " << numRegisters - 1
                           << " scalar registers that there are";
  fresh.push_back(freeRegisters.pop_back_val());
  return fresh.back();
}

void Selector::define(Value value, isa::Value place) {
  values[value] = place;
  ++holders[place.reg];
}

void Selector::define(Value slot, const Address &place) {
  views[slot] = place;
  ++holders[place.reg];
}

void Selector::release(uint8_t reg) {
  if (--holders[reg] == 0 && reg != 0)
    freeRegisters.push_back(reg);
}

void Selector::release(Value value) {
  if (auto it = values.find(value); it != values.end())
    release(it->second.reg);
  if (auto it = views.find(value); it != views.end())
    release(it->second.reg);
}

/// Whether an immediate fits the field of a value.
static bool fitsImmediate(int64_t imm) { return llvm::isInt<26>(imm); }

FailureOr<uint8_t> Selector::materialize(Operation *op, isa::Value v) {
  if (v.imm == 0)
    return v.reg;
  FailureOr<uint8_t> reg = newRegister(op);
  if (failed(reg))
    return failure();
  if (v.reg == 0)
    emit(isa::ScalarImmediate{.rd = {*reg}, .imm = v.imm});
  else
    emit(isa::ScalarAdd{.rd = {*reg}, .a = {v.reg}, .b = {0, v.imm}});
  return reg;
}

FailureOr<uint8_t> Selector::scaled(Operation *op, uint8_t reg, int64_t factor) {
  if (reg == 0 || factor == 1)
    return reg;
  FailureOr<uint8_t> result = newRegister(op);
  if (failed(result))
    return failure();
  if (!fitsImmediate(factor))
    return op->emitOpError() << "scales an index by " << factor << ", which no immediate holds";
  emit(isa::ScalarMul{.rd = {*result}, .a = {reg}, .b = {0, int32_t(factor)}});
  return result;
}

LogicalResult Selector::selectArithmetic(Operation *op) {
  if (op->getNumResults() != 1 || op->getNumRegions())
    return op->emitOpError() << "has no instruction";
  Value result = op->getResult(0);
  if (auto constant = dyn_cast<arith::ConstantIndexOp>(op)) {
    if (fitsImmediate(constant.value())) {
      define(result, isa::Value{0, int32_t(constant.value())});
      return success();
    }
    FailureOr<uint8_t> reg = newRegister(op);
    if (failed(reg))
      return failure();
    emit(isa::ScalarImmediate{.rd = {*reg}, .imm = constant.value()});
    define(result, isa::Value{*reg, 0});
    return success();
  }
  if (op->getNumOperands() != 2)
    return op->emitOpError() << "has no instruction";
  isa::Value a = value(op->getOperand(0)), b = value(op->getOperand(1));
  bool bothConstant = a.reg == 0 && b.reg == 0;
  auto compute = [&](auto instruction, isa::Value left, isa::Value right) -> LogicalResult {
    FailureOr<uint8_t> from = materialize(op, left);
    if (failed(from))
      return failure();
    FailureOr<uint8_t> reg = newRegister(op);
    if (failed(reg))
      return failure();
    instruction.rd = {*reg};
    instruction.a = {*from};
    instruction.b = right;
    emit(instruction);
    define(result, isa::Value{*reg, 0});
    return success();
  };
  auto fold = [&](uint8_t reg, int64_t imm) {
    define(result, isa::Value{reg, int32_t(imm)});
    return success();
  };
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](arith::AddIOp) -> LogicalResult {
        int64_t imm = int64_t(a.imm) + b.imm;
        if ((a.reg == 0 || b.reg == 0) && fitsImmediate(imm))
          return fold(a.reg | b.reg, imm);
        return compute(isa::ScalarAdd{}, a, b);
      })
      .Case([&](arith::SubIOp) -> LogicalResult {
        int64_t imm = int64_t(a.imm) - b.imm;
        if (b.reg == 0 && fitsImmediate(imm))
          return fold(a.reg, imm);
        return compute(isa::ScalarSub{}, a, b);
      })
      .Case([&](arith::MulIOp) -> LogicalResult {
        int64_t imm = int64_t(a.imm) * b.imm;
        if (bothConstant && fitsImmediate(imm))
          return fold(0, imm);
        if (b.reg == 0 && b.imm == 1)
          return fold(a.reg, a.imm);
        return compute(isa::ScalarMul{}, a.reg ? a : b, a.reg ? b : a);
      })
      .Case([&](arith::DivUIOp) { return compute(isa::ScalarDiv{}, a, b); })
      .Case([&](arith::MaxSIOp) { return compute(isa::ScalarMax{}, a, b); })
      .Case([&](arith::MinSIOp) { return compute(isa::ScalarMin{}, a, b); })
      .Case([&](arith::CeilDivUIOp) -> LogicalResult {
        if (b.reg || b.imm <= 0)
          return op->emitOpError() << "divides by what is not a positive constant";
        if (!fitsImmediate(int64_t(a.imm) + b.imm - 1))
          return op->emitOpError() << "divides too large a number";
        a.imm += b.imm - 1;
        return compute(isa::ScalarDiv{}, a, b);
      })
      .Default([](Operation *op) {
        return op->emitOpError() << "is index arithmetic that no instruction does";
      });
}

LogicalResult Selector::selectLoop(scf::ForOp loop) {
  std::optional<int64_t> lower = getConstantIntValue(loop.getLowerBound());
  std::optional<int64_t> step = getConstantIntValue(loop.getStep());
  if (lower != 0 || step != 1 || loop.getNumResults())
    return loop.emitOpError() << "is not a loop from 0 in steps of 1 without results";
  FailureOr<uint8_t> index = newRegister(loop);
  if (failed(index))
    return failure();
  define(loop.getInductionVar(), isa::Value{*index, 0});
  Operation *op = isa::ir::createInstruction(
      builder, loop.getLoc(),
      isa::Loop{.index = {*index}, .count = value(loop.getUpperBound())});
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(&op->getRegion(0).front());
  // What the body runs under on its first round is not what it runs under on
  // the others, so both the body and what follows are marked anew.
  marked = 0;
  isa::Value outside = layer;
  if (auto first = loop->getAttrOfType<IntegerAttr>(tile::TileDialect::kFirstLayerAttr))
    layer = {*index, int32_t(first.getInt() + 1)};
  LogicalResult result = select(*loop.getBody());
  layer = outside;
  marked = 0;
  --holders[*index]; // Given back with all that the loop took.
  return result;
}

/// The name of the source operator that an operation came from.
static StringAttr getSource(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return name.getName();
  if (auto fused = dyn_cast<FusedLoc>(loc); fused && !fused.getLocations().empty())
    return getSource(fused.getLocations().back());
  return {};
}

unsigned Selector::operatorOf(Operation *op) {
  StringAttr source = getSource(op->getLoc());
  auto it = source ? operators.find(source) : operators.end();
  return it == operators.end() ? lastMarked : it->second;
}

void Selector::mark(Operation *op) {
  StringAttr source = getSource(op->getLoc());
  // Without names of operators layers are told all the same.
  if (!source && operators.empty() && layer != namelessLayer)
    emit(isa::Mark{.op = 0, .layer = namelessLayer = layer});
  if (!source)
    return;
  unsigned index = operators.insert({source, unsigned(operators.size() + 1)}).first->second;
  if (index == marked)
    return;
  marked = lastMarked = index;
  emit(isa::Mark{.op = index, .layer = layer});
}

LogicalResult Selector::selectOp(Operation *op) {
  loc = op->getLoc();
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](scf::ForOp loop) { return selectLoop(loop); })
      .Case([&](memref::ReinterpretCastOp view) { return selectView(view); })
      .Case([&](memref::CastOp cast) {
        define(cast.getResult(), views.lookup(cast.getSource()));
        return success();
      })
      .Case([&](tile::ExtentOp extent) -> LogicalResult {
        FailureOr<uint8_t> reg = newRegister(op);
        if (failed(reg))
          return failure();
        define(extent.getResult(), isa::Value{*reg, 0});
        emit(isa::ScalarLoad{.rd = {*reg},
                             .address = {0, int32_t(addressOf(extent.getDimensionAttr()))}});
        return success();
      })
      .Case([&](tile::ReadOp read) -> LogicalResult {
        isa::Value element = value(read.getElement());
        FailureOr<uint8_t> offset = scaled(op, element.reg, 4);
        FailureOr<uint8_t> reg = newRegister(op);
        if (failed(offset) || failed(reg))
          return failure();
        define(read.getResult(), isa::Value{*reg, 0});
        emit(isa::ScalarLoad{
            .rd = {*reg},
            .address = {*offset, int32_t(addressOf(read.getTensorAttr()) + 4 * element.imm)}});
        return success();
      })
      .Case([&](tile::WriteOp write) -> LogicalResult {
        isa::Value element = value(write.getElement());
        FailureOr<uint8_t> offset = scaled(op, element.reg, 4);
        FailureOr<uint8_t> number = materialize(op, value(write.getValue()));
        if (failed(offset) || failed(number))
          return failure();
        emit(isa::ScalarStore{
            .a = {*number},
            .address = {*offset, int32_t(addressOf(write.getTensorAttr()) + 4 * element.imm)}});
        return success();
      })
      .Case([&](mem::BufferOp buffer) {
        define(buffer.getResult(), Address{buffer.getSpace() == mem::Space::Accumulators
                                               ? isa::TileSpace::Acc
                                               : isa::TileSpace::Spm,
                                           0, 0, int64_t(buffer.getAddress().value())});
        return success();
      })
      .Case([&](mem::RingOp ring) {
        emit(isa::RingSetup{.ring = uint32_t(ring.getIndex()),
                            .slots = uint32_t(ring.getSlots().value()),
                            .base = {0, int32_t(ring.getAddress().value())},
                            .slot_bytes = {0, int32_t(ring.getSlotBytes())}});
        return success();
      })
      .Case([&](tile::NextOp next) -> LogicalResult {
        if (mem::getSlotUsers(next).size() != 1)
          return next.emitOpError() << "gives a tile that is not read exactly once; its slot can be "
                                     "given back by one reader only";
        auto ring = next.getStream().getDefiningOp<mem::RingOp>();
        define(next.getTile(), Address{isa::TileSpace::Pop, uint8_t(ring.getIndex()), 0, 0});
        return success();
      })
      .Case([&](tile::PeekOp peek) -> LogicalResult {
        auto ring = peek.getStream().getDefiningOp<mem::RingOp>();
        Address at{isa::TileSpace::Ring, uint8_t(ring.getIndex()), 0, 0};
        // A slot's bytes are followed by those of the slot after it.
        if (Value ahead = peek.getAhead()) {
          FailureOr<uint8_t> reg = scaled(op, value(ahead).reg, ring.getSlotBytes());
          if (failed(reg))
            return failure();
          at.reg = *reg;
          at.offset = value(ahead).imm * int64_t(ring.getSlotBytes());
        }
        define(peek.getTile(), at);
        return success();
      })
      .Case([&](tile::ObserveOp observed) {
        observe(observed);
        return success();
      })
      .Case([&](func::ReturnOp) {
        emit(isa::Halt{});
        return success();
      })
      .Case([](scf::YieldOp) { return success(); })
      .Default([&](Operation *op) -> LogicalResult {
        if (mlir::isa<dma::DmaDialect>(op->getDialect()) || mlir::isa<tile::TileDialect>(op->getDialect())) {
          mark(op);
          if (mlir::isa<tile::LoadWeightsOp, tile::MatmulOp>(op))
            return selectMatrix(op);
          if (mlir::isa<tile::TileDialect>(op->getDialect()))
            return selectVector(op);
          return selectTransfer(op);
        }
        return selectArithmetic(op);
      });
}

/// The values of a block by the last operation of it that uses them, itself or
/// inside; by their own operation if none does.
static llvm::DenseMap<Operation *, SmallVector<Value>> getLastUses(Block &block) {
  llvm::DenseMap<Operation *, SmallVector<Value>> result;
  for (Operation &op : block)
    for (Value value : op.getResults()) {
      Operation *last = &op;
      for (Operation *user : value.getUsers())
        if (Operation *ancestor = block.findAncestorOpInBlock(*user);
            last->isBeforeInBlock(ancestor))
          last = ancestor;
      result[last].push_back(value);
    }
  return result;
}

LogicalResult Selector::select(Block &block) {
  llvm::DenseMap<Operation *, SmallVector<Value>> lastUses = getLastUses(block);
  for (Operation &op : block) {
    SmallVector<uint8_t> outer = std::exchange(fresh, {});
    if (failed(selectOp(&op)))
      return failure();
    // What the operation took for itself alone, and what it was the last to use.
    for (uint8_t reg : llvm::reverse(fresh))
      if (holders[reg] == 0)
        freeRegisters.push_back(reg);
    fresh = std::move(outer);
    for (Value value : lastUses.lookup(&op))
      release(value);
  }
  return success();
}
