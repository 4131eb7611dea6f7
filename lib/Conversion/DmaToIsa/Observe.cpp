//===- Observe.cpp - where the source model's tensors are found --------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Selector.h"

using namespace mlir;
using namespace serrano;

StringRef serrano::nameOfStored(Type type) {
  return type.isF32() ? "f32" : type.isBF16() ? "bf16" : type.isF16() ? "f16" : "i32";
}

void Selector::observe(tile::ObserveOp op) {
  SmallVector<NamedAttribute> fields = {
      builder.getNamedAttr("names", op.getNamesAttr()),
      builder.getNamedAttr("dtype", op.getDtypeAttr()),
      builder.getNamedAttr("shape", op.getShapeAttr()),
      builder.getNamedAttr("operator", builder.getI64IntegerAttr(operatorOf(op)))};
  auto place = [&](StringRef space, Type type, int64_t address) {
    fields.push_back(builder.getNamedAttr("space", builder.getStringAttr(space)));
    fields.push_back(builder.getNamedAttr("stored", builder.getStringAttr(nameOfStored(type))));
    fields.push_back(builder.getNamedAttr("address", builder.getI64IntegerAttr(address)));
  };
  if (op.getTensor()) {
    auto tensor = SymbolTable::lookupNearestSymbolFrom<tile::TensorOp>(op, op.getTensorAttr());
    place("hbm", tensor.getSlotType().getElementType(), addressOf(op.getTensorAttr()));
  } else {
    Address slot = views.lookup(op.getSlot());
    if (slot.space != isa::TileSpace::Spm || slot.reg != 0)
      return;
    place("spm", cast<MemRefType>(op.getSlot().getType()).getElementType(), slot.offset);
  }
  if (layer.reg != 0)
    fields.push_back(builder.getNamedAttr("layer", builder.getI64IntegerAttr(layer.imm)));
  if (op.getExtents()) {
    fields.push_back(builder.getNamedAttr("extents", *op.getExtents()));
    fields.push_back(builder.getNamedAttr("strides", *op.getStrides()));
  }
  isa::ir::ObserveOp::create(builder, op.getLoc(), builder.getDictionaryAttr(fields));
  // What follows a loop's body no round but the last one comes to.
  if (mlir::isa<scf::YieldOp>(op->getNextNode()))
    emit(isa::Mark{.op = operatorOf(op), .layer = layer});
}
