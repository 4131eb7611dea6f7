//===- LlmToTile.cpp - from tensors to tiles ---------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Conversion/Passes.h"

#include "Lowering.h"
#include "mlir/IR/Dominance.h"
#include "llvm/ADT/TypeSwitch.h"

namespace serrano {
#define GEN_PASS_DEF_CONVERTLLMTOTILE
#include "lib/Conversion/Passes.h.inc"
} // namespace serrano

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

LogicalResult Lowering::storeResults(func::FuncOp function) {
  auto result = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  for (auto [i, value] : llvm::enumerate(result.getOperands())) {
    auto it = matrices.find(value);
    // A projection stores its own result.
    if (it == matrices.end() && (value.getDefiningOp<llm::LinearOp>() ||
                                 fused.contains(value.getDefiningOp())))
      continue;
    if (it == matrices.end()) {
      auto name = function.getResultAttrOfType<StringAttr>(i, llm::LlmDialect::kNameAttr);
      return mlir::emitError(value.getLoc())
             << "output '" << (name ? name.getValue().str() : std::to_string(i))
             << "' of the model is computed by no kernel";
    }
    tile::StoreOp::create(builder, loc, it->second.slot, "result" + std::to_string(i), constant(0), constant(0),
                          extent(it->second.rows));
  }
  return success();
}

LogicalResult Lowering::lowerOp(Operation &op) {
  if (fused.contains(&op))
    return success();
  loc = op.getLoc();
  return llvm::TypeSwitch<Operation *, LogicalResult>(&op)
      .Case([&](llm::LinearOp op) { return lowerLinear(op); })
      .Case([&](llm::AttentionOp op) { return lowerAttention(op); })
      .Case([&](llm::RmsNormOp op) { return lowerRmsNorm(op); })
      .Case([&](llm::LayerNormOp op) { return lowerLayerNorm(op); })
      .Case([&](llm::BinaryOp op) { return lowerBinary(op); })
      .Case([&](llm::UnaryOp op) { return lowerUnary(op); })
      .Case([&](llm::ReshapeOp op) { return lowerReshape(op); })
      .Case([&](llm::EmbeddingOp op) { return lowerEmbedding(op); })
      .Case([&](llm::LayersOp op) { return lowerLayers(op); })
      .Case([&](llm::RopeAnglesOp op) { return lowerRopeAngles(op); })
      .Case([&](llm::RopeOp op) { return lowerRope(op); })
      .Case([&](llm::GatherOp op) { return lowerGather(op); })
      .Case([&](llm::CachedAttentionOp op) { return lowerCachedAttention(op); })
      // Read by their users.
      .Case<llm::GetWeightOp, llm::IotaOp, func::ReturnOp, arith::ConstantOp>(
          [](auto) { return success(); })
      .Default([](Operation *op) {
        return op->emitOpError() << "has no kernel yet; the model cannot be compiled for a chip";
      });
}

LogicalResult Lowering::lower(func::FuncOp function, func::FuncOp entry, ModuleOp parent) {
  module = parent;
  loc = function.getLoc();
  collectVectors(function);
  if (failed(declareInterface(function)))
    return failure();
  declareCaches();

  builder.setInsertionPointToStart(entry.addEntryBlock());
  auto tileType = MemRefType::get({target.largestK(precision.isF32() ? NumberFormat::F32
                                                                     : NumberFormat::BF16),
                                   target.columns()},
                                  precision);
  stream = tile::StreamOp::create(builder, loc,
                                  tile::StreamType::get(builder.getContext(), tileType), "weights");
  createCacheStreams();
  if (vectorLength) {
    vectorSlot = slot(1, vectorLength, builder.getF32Type());
    tile::LoadOp::create(builder, loc, "vectors", constant(0), constant(0), vectorSlot, constant(1));
  }
  loadFeatures(function);
  if (failed(loadTables(function)))
    return failure();
  Block &body = function.getBody().front();
  if (failed(orderBlocks(&body.front())))
    return failure();
  for (Operation &op : body)
    if (failed(lowerOp(op)) ||
        (isa<llm::LayersOp>(op) && failed(orderBlocks(op.getNextNode()))))
      return failure();
    else
      observe(op);
  if (failed(storeResults(function)))
    return failure();
  func::ReturnOp::create(builder, loc);

  builder.setInsertionPointToStart(module.getBody());
  if (packedNames.empty())
    return function.emitError() << "has no projection; there is nothing for the matrix engine";
  tile::PackedOp::create(builder, loc, "weights", builder.getArrayAttr(packedNames), packedSizes,
                         tileType.getDimSize(0), tileType.getDimSize(1), precision);
  if (!vectorLength)
    return success();
  SmallVector<Attribute> names;
  SmallVector<int64_t> offsets;
  for (auto [name, offset] : vectorPlaces) {
    names.push_back(name);
    offsets.push_back(offset);
  }
  tile::VectorsOp::create(builder, loc, "vectors", builder.getArrayAttr(names), offsets,
                          vectorLength, builder.getF32Type());
  return success();
}

namespace {

class ConvertLlmToTile : public serrano::impl::ConvertLlmToTileBase<ConvertLlmToTile> {
public:
  using Base::Base;
  void runOnOperation() override;
};

} // namespace

void ConvertLlmToTile::runOnOperation() {
  ModuleOp module = getOperation();
  llvm::Expected<TargetModel> model = TargetModel::load(target);
  if (!model) {
    module.emitError() << llvm::toString(model.takeError());
    return signalPassFailure();
  }
  OpBuilder builder(&getContext());
  if (precision != "f32" && precision != "bf16") {
    module.emitError() << "precision is '" << precision << "'; expected f32 or bf16";
    return signalPassFailure();
  }
  Type type = precision == "f32" ? Type(builder.getF32Type()) : Type(builder.getBF16Type());

  SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
  for (func::FuncOp function : functions) {
    auto name = function->getAttrOfType<StringAttr>(llm::LlmDialect::kEntryAttr);
    if (!name)
      continue;
    builder.setInsertionPoint(function);
    auto entry = func::FuncOp::create(builder, function.getLoc(), function.getName(),
                                      builder.getFunctionType({}, {}));
    entry->setAttr(tile::TileDialect::kEntryAttr, function.getNameAttr());
    Lowering lowering(builder, *model, type, {maxTokens, maxSequences, maxContext});
    if (failed(lowering.lower(function, entry, module)))
      return signalPassFailure();
    function.erase();
  }
  for (auto layer : llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
    if (!layer->hasAttr(tile::TileDialect::kEntryAttr))
      layer.erase();
  for (auto cache : llvm::make_early_inc_range(module.getOps<llm::CacheOp>()))
    cache.erase();
  module->setAttr(tile::TileDialect::kTargetAttr, builder.getStringAttr(model->name()));
}
