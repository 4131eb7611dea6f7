//===- DmaToIsa.cpp - from operations to instructions ------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Conversion/Passes.h"

#include "Selector.h"
#include "dialects/Isa/Encode.h"

namespace serrano {
#define GEN_PASS_DEF_CONVERTDMATOISA
#include "lib/Conversion/Passes.h.inc"
} // namespace serrano

using namespace mlir;
using namespace serrano;

namespace {

class ConvertDmaToIsa : public serrano::impl::ConvertDmaToIsaBase<ConvertDmaToIsa> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  void createEntry(OpBuilder &builder, func::FuncOp function);
};

} // namespace

void ConvertDmaToIsa::createEntry(OpBuilder &builder, func::FuncOp function) {
  SmallVector<Attribute> dims, inputs, outputs, limits;
  DictionaryAttr cache;
  auto address = [&](Operation *op) {
    return builder.getNamedAttr(
        "address", builder.getI64IntegerAttr(
                       op->getAttrOfType<IntegerAttr>(mem::MemDialect::kAddressAttr).getInt()));
  };
  for (Operation &op : *getOperation().getBody()) {
    if (auto dimension = dyn_cast<tile::DimensionOp>(op))
      dims.push_back(builder.getDictionaryAttr(
          {builder.getNamedAttr("name", dimension.getSymNameAttr()),
           builder.getNamedAttr("max", builder.getI64IntegerAttr(dimension.getMax())),
           builder.getNamedAttr("smem", address(&op).getValue())}));
    if (auto limit = dyn_cast<tile::LimitOp>(op))
      limits.push_back(builder.getDictionaryAttr(
          {builder.getNamedAttr(
               "of", builder.getStringAttr(tile::stringifyLimitKind(limit.getOf()))),
           builder.getNamedAttr("size", limit.getExpressionAttr()),
           builder.getNamedAttr("max", limit.getMaxAttr())}));
    if (auto paged = dyn_cast<tile::PagedCacheOp>(op))
      cache = builder.getDictionaryAttr(
          {builder.getNamedAttr("block", paged.getBlockAttr()),
           builder.getNamedAttr("blocks", paged.getBlocksAttr()),
           builder.getNamedAttr("context", paged.getContextAttr())});
    auto tensor = dyn_cast<tile::TensorOp>(op);
    if (!tensor || tensor.getRole() == tile::TensorRole::Constant)
      continue;
    MemRefType type = tensor.getSlotType();
    if (!tensor.getScalar())
      isa::ir::ZeroesOp::create(
          builder, op.getLoc(), tensor.getSymName(),
          op.getAttrOfType<IntegerAttr>(mem::MemDialect::kAddressAttr).getInt(),
          type.getNumElements() * type.getElementTypeBitWidth() / 8);
    if (!tensor.getName())
      continue;
    SmallVector<NamedAttribute> operand =
        {builder.getNamedAttr("name", tensor.getNameAttr()),
         builder.getNamedAttr("dtype", tensor.getDtypeAttr()),
         builder.getNamedAttr("stored", builder.getStringAttr(
                                            nameOfStored(tensor.getSlotType().getElementType()))),
         builder.getNamedAttr("shape", tensor.getShapeAttr()),
         builder.getNamedAttr("space",
                              builder.getStringAttr(tensor.getScalar() ? "smem" : "hbm")),
         address(&op)};
    if (tensor.getBelow())
      operand.push_back(builder.getNamedAttr("below", tensor.getBelowAttr()));
    (tensor.getRole() == tile::TensorRole::Input ? inputs : outputs)
        .push_back(builder.getDictionaryAttr(operand));
  }
  isa::ir::EntryOp::create(builder, function.getLoc(), function.getName(),
                           builder.getArrayAttr(dims), builder.getArrayAttr(inputs),
                           builder.getArrayAttr(outputs),
                           limits.empty() ? ArrayAttr() : builder.getArrayAttr(limits), cache);
}

/// Whether everything that instructions name has an address.
static LogicalResult verifyPlaces(ModuleOp module) {
  WalkResult walk = module.walk([](Operation *op) -> WalkResult {
    auto buffer = dyn_cast<mem::BufferOp>(op);
    auto ring = dyn_cast<mem::RingOp>(op);
    bool symbol = mlir::isa<tile::TensorOp, tile::PackedOp, tile::VectorsOp, tile::DimensionOp>(op);
    if ((buffer && !buffer.getAddress()) || (ring && !(ring.getAddress() && ring.getSlots())) ||
        (symbol && !op->hasAttr(mem::MemDialect::kAddressAttr)))
      return op->emitOpError() << "has no address; run mem-assign-addresses first";
    return success();
  });
  return failure(walk.wasInterrupted());
}

void ConvertDmaToIsa::runOnOperation() {
  ModuleOp module = getOperation();
  if (failed(verifyPlaces(module)))
    return signalPassFailure();
  OpBuilder builder(&getContext());
  llvm::MapVector<StringAttr, unsigned> operators;
  for (auto function : llvm::make_early_inc_range(module.getOps<func::FuncOp>())) {
    builder.setInsertionPoint(function);
    if (function->hasAttr(tile::TileDialect::kEntryAttr))
      createEntry(builder, function);
    auto result = isa::ir::FunctionOp::create(builder, function.getLoc(), function.getName());
    builder.setInsertionPointToStart(&result.getBody().emplaceBlock());
    if (failed(Selector(builder, module, operators).select(function.getBody().front())))
      return signalPassFailure();
    function.erase();
  }
  SmallVector<Attribute> names;
  for (auto [name, index] : operators)
    names.push_back(name);
  module->setAttr(isa::ir::operatorsAttr, builder.getArrayAttr(names));
}
