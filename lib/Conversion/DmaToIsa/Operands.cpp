//===- Operands.cpp - addresses of slots and tensors -------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Selector.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace serrano;

static std::optional<isa::DType> getDType(Type type) {
  if (type.isF32())
    return isa::DType::F32;
  if (type.isBF16())
    return isa::DType::Bf16;
  if (type.isF16())
    return isa::DType::F16;
  if (type.isInteger(32))
    return isa::DType::I32;
  if (type.isUnsignedInteger(8))
    return isa::DType::U8;
  if (type.isInteger(8))
    return isa::DType::I8;
  return std::nullopt;
}

static int64_t bytesOf(Type element) { return element.getIntOrFloatBitWidth() / 8; }

LogicalResult Selector::selectView(memref::ReinterpretCastOp view) {
  // The offset is from the start of the slot, also in a view of a view.
  Value slot = view.getSource();
  while (isa_and_nonnull<memref::ReinterpretCastOp, memref::CastOp>(slot.getDefiningOp()))
    slot = slot.getDefiningOp()->getOperand(0);
  FailureOr<Address> base = address(view, slot);
  if (failed(base))
    return failure();
  Address result = *base;
  int64_t size = bytesOf(view.getType().getElementType());
  OpFoldResult offset = view.getMixedOffsets().front();
  if (auto attribute = dyn_cast<Attribute>(offset)) {
    result.offset += cast<IntegerAttr>(attribute).getInt() * size;
    define(view.getResult(), result);
    return success();
  }
  isa::Value elements = value(cast<Value>(offset));
  result.offset += elements.imm * size;
  FailureOr<uint8_t> reg = scaled(view, elements.reg, size);
  if (failed(reg))
    return failure();
  if (base->reg && *reg) {
    FailureOr<uint8_t> sum = newRegister(view);
    if (failed(sum))
      return failure();
    emit(isa::ScalarAdd{.rd = {*sum}, .a = {base->reg}, .b = {*reg, 0}});
    reg = sum;
  }
  result.reg = base->reg && !*reg ? base->reg : *reg;
  define(view.getResult(), result);
  return success();
}

FailureOr<Selector::Address> Selector::address(Operation *user, Value slot) {
  auto it = views.find(slot);
  if (it == views.end())
    return user->emitOpError() << "uses a slot that has no place";
  return it->second;
}

static constexpr unsigned offsetBits = 24, strideBits = 22;

FailureOr<isa::Tile> Selector::tile(Operation *user, Value slot) {
  FailureOr<Address> at = address(user, slot);
  if (failed(at))
    return failure();
  auto type = cast<MemRefType>(slot.getType());
  SmallVector<int64_t> strides;
  int64_t ignored;
  if (failed(type.getStridesAndOffset(strides, ignored)))
    return user->emitOpError() << "uses " << type << ", whose layout has no strides";
  std::optional<isa::DType> dtype = getDType(type.getElementType());
  if (!dtype)
    return user->emitOpError() << "uses elements of " << type.getElementType()
                             << ", which the instruction set does not have";
  int64_t stride = strides[0] * bytesOf(type.getElementType());
  if (strides[1] > 1 && type.getDimSize(1) != 1)
    return user->emitOpError() << "uses " << type << "; expected an element stride of 0 or 1";
  if (!llvm::isUInt<offsetBits>(at->offset) || !llvm::isUInt<strideBits>(stride))
    return user->emitOpError() << "needs offset " << at->offset << " and stride " << stride
                             << ", which do not fit " << offsetBits << " and " << strideBits
                             << " bits";
  return isa::Tile{.space = at->space,
                   .ring = at->ring,
                   .reg = at->reg,
                   .offset = uint32_t(at->offset),
                   .stride = uint32_t(stride),
                   .dtype = *dtype,
                   .broadcast = strides[1] == 0};
}

FailureOr<isa::LocalAddress> Selector::local(Operation *user, Value slot) {
  FailureOr<Address> at = address(user, slot);
  if (failed(at))
    return failure();
  if (!llvm::isUInt<offsetBits>(at->offset))
    return user->emitOpError() << "needs offset " << at->offset << ", which does not fit "
                             << offsetBits << " bits";
  return isa::LocalAddress{at->space == isa::TileSpace::Acc ? isa::Space::Acc : isa::Space::Spm,
                           at->reg, uint32_t(at->offset)};
}

int64_t Selector::addressOf(FlatSymbolRefAttr symbol) {
  Operation *op = SymbolTable::lookupSymbolIn(module, symbol);
  return op->getAttrOfType<IntegerAttr>(mem::MemDialect::kAddressAttr).getInt();
}

int64_t Selector::rowBytesOf(FlatSymbolRefAttr symbol) {
  Operation *op = SymbolTable::lookupSymbolIn(module, symbol);
  if (auto tensor = dyn_cast<tile::TensorOp>(op))
    return tensor.getSlotType().getDimSize(1) * bytesOf(tensor.getSlotType().getElementType());
  auto vectors = cast<tile::VectorsOp>(op);
  return int64_t(vectors.getLength()) * bytesOf(vectors.getElementType());
}

FailureOr<isa::HbmAddress> Selector::hbm(Operation *user, FlatSymbolRefAttr tensor, isa::Value row,
                                         int64_t rowBytes, isa::Value col, int64_t elementBytes) {
  FailureOr<uint8_t> reg = scaled(user, row.reg, rowBytes);
  FailureOr<uint8_t> offset = scaled(user, col.reg, elementBytes);
  if (failed(reg) || failed(offset))
    return failure();
  if (*reg && *offset) {
    FailureOr<uint8_t> sum = newRegister(user);
    if (failed(sum))
      return failure();
    emit(isa::ScalarAdd{.rd = {*sum}, .a = {*reg}, .b = {*offset, 0}});
    reg = sum;
  } else if (*offset) {
    reg = offset;
  }
  return isa::HbmAddress{
      *reg, uint64_t(addressOf(tensor) + row.imm * rowBytes + col.imm * elementBytes)};
}
