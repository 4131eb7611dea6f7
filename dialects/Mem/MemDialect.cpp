//===- MemDialect.cpp - registration and verifiers ---------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Mem/Mem.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::mem;

#include "dialects/Mem/MemDialect.cpp.inc"
#include "dialects/Mem/MemEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Mem/MemAttributes.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/Mem/MemOps.cpp.inc"

void MemDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Mem/MemAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Mem/MemOps.cpp.inc"
      >();
}

LogicalResult MemDialect::verifyOperationAttribute(Operation *op,
                                                   NamedAttribute attribute) {
  bool known = attribute.getName() == kHbmBytesAttr ||
                       attribute.getName() == kPlacementAttr
                   ? isa<ModuleOp>(op)
                   : attribute.getName() == kAddressAttr &&
                         isa<tile::TensorOp, tile::PackedOp, tile::VectorsOp,
                             tile::DimensionOp>(op);
  if (!known)
    return op->emitOpError() << "cannot have the attribute '"
                             << attribute.getName().getValue() << "'";
  if (attribute.getName() == kPlacementAttr) {
    auto entries = dyn_cast<ArrayAttr>(attribute.getValue());
    if (!entries || !llvm::all_of(entries, llvm::IsaPred<DictionaryAttr>))
      return op->emitOpError() << "has '" << kPlacementAttr
                               << "' = " << attribute.getValue()
                               << "; expected an array of dictionaries";
    return success();
  }
  auto value = dyn_cast<IntegerAttr>(attribute.getValue());
  if (!value || value.getInt() < 0)
    return op->emitOpError()
           << "has '" << attribute.getName().getValue()
           << "' = " << attribute.getValue() << "; expected a number of bytes";
  return success();
}

/// Bytes of a type of static shape.
static int64_t bytesOf(MemRefType type) {
  return type.getNumElements() * type.getElementTypeBitWidth() / 8;
}

int64_t BufferOp::getBytes() { return bytesOf(getType()); }

static LogicalResult verifyAddress(Operation *op,
                                   std::optional<uint64_t> address) {
  if (address && *address % bufferAlignment)
    return op->emitOpError() << "is at address " << *address
                             << "; expected a multiple of " << bufferAlignment;
  return success();
}

LogicalResult BufferOp::verify() {
  if (!getType().hasStaticShape() || !getType().getLayout().isIdentity())
    return emitOpError() << "has type " << getType()
                         << "; expected a static shape without layout";
  if (!getType().getElementType().isIntOrFloat() ||
      getType().getElementType().getIntOrFloatBitWidth() % 8)
    return emitOpError() << "has elements of " << getType().getElementType()
                         << "; expected whole bytes";
  return verifyAddress(*this, getAddress());
}

int64_t RingOp::getSlotBytes() {
  return llvm::alignTo(bytesOf(getType().getSlot()), bufferAlignment);
}

LogicalResult RingOp::verify() {
  if (int64_t(getIndex()) < 0 || int64_t(getIndex()) >= numRings)
    return emitOpError() << "is ring " << int64_t(getIndex())
                         << "; expected a number from 0 to " << numRings - 1;
  if (getSlots() && *getSlots() < 1)
    return emitOpError() << "has no slots; expected at least 1";
  return verifyAddress(*this, getAddress());
}

LogicalResult RingOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return tile::verifyStream(*this, symbols, getSourceAttr(),
                            getType().getSlot());
}

Operation *mem::getSlotOf(Value value) {
  Operation *op = value.getDefiningOp();
  while (isa_and_nonnull<memref::ReinterpretCastOp, memref::CastOp>(op))
    op = op->getOperand(0).getDefiningOp();
  return op;
}

SmallVector<Operation *> mem::getSlotUsers(Operation *op) {
  SmallVector<Operation *> users;
  for (Operation *user : op->getUsers()) {
    if (isa<memref::ReinterpretCastOp, memref::CastOp>(user))
      llvm::append_range(users, getSlotUsers(user));
    else
      users.push_back(user);
  }
  return users;
}
