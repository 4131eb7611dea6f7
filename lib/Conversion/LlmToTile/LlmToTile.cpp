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
#include <limits>

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
    tile::StoreOp::create(builder, loc, it->second.slot, "result" + std::to_string(i),
                          firstRow(it->second.rows), constant(0),
                          extent(it->second.rows));
  }
  return success();
}

LogicalResult Lowering::lowerOp(Operation &op) {
  if (fused.contains(&op))
    return success();
  loc = op.getLoc();
  LogicalResult result =
      llvm::TypeSwitch<Operation *, LogicalResult>(&op)
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
  // A projection does so itself, as what it has taken of other operations is there too.
  if (succeeded(result) && !isa<llm::LinearOp>(op))
    observe(op);
  return result;
}

static bool takesNamedRows(llm::GatherOp gather) {
  return gather.getAxis() == 0 && isa<BlockArgument>(gather.getIndices());
}

LogicalResult Lowering::lowerSpan(func::FuncOp function, Operation *first, Operation *end) {
  if (!first->getPrevNode())
    loadFeatures(function);
  if (failed(loadConstants(function)))
    return failure();
  for (Operation *op = first; op != end; op = op->getNextNode())
    if (failed(lowerOp(*op)))
      return failure();
  if (!isa<llm::GatherOp>(end))
    return storeResults(function);
  for (Operation *op = end; op; op = op->getNextNode())
    if (auto gather = dyn_cast<llm::GatherOp>(op); gather && takesNamedRows(gather))
      if (failed(storeRows(gather)))
        return failure();
  return success();
}

/// Rows that an input names: what comes before is computed for all rows, what comes
/// after for those.
static Operation *getSplit(Block &body) {
  for (auto gather : body.getOps<llm::GatherOp>())
    if (takesNamedRows(gather))
      return gather;
  return nullptr;
}

LogicalResult Lowering::lower(func::FuncOp function, func::FuncOp entry, ModuleOp parent) {
  module = parent;
  loc = function.getLoc();
  isStep = function->getAttrOfType<StringAttr>(llm::LlmDialect::kEntryAttr) == "step";
  tileK = target.largestK(getFormat());
  tileN = target.columns();
  if (failed(checkCachedAttentions()))
    return failure();
  collectVectors(function);
  Block &body = function.getBody().front();
  Operation *first = &body.front(), *end = body.getTerminator(), *split = getSplit(body);
  Rows rows = getRows(function, first, split ? split : end);
  if (failed(declareInterface(function, rows)))
    return failure();
  note(tile::Choice::Rows, slotRows);
  declareCaches();

  builder.setInsertionPointToStart(entry.addEntryBlock());
  tape.emplace(tileK, tileN);
  auto tileType = MemRefType::get({tileK, tileN}, precision);
  stream = tile::StreamOp::create(builder, loc,
                                  tile::StreamType::get(builder.getContext(), tileType), "weights",
                                  IntegerAttr());
  createCacheStreams();
  if (vectorLength)
    vectorSlot = slot(1, vectorLength, builder.getF32Type());
  if (failed(lowerPortions(function, rows, first, split ? split : end)) ||
      (split && failed(lowerPortions(function, getRows(function, split, end), split, end))))
    return failure();
  func::ReturnOp::create(builder, loc);

  if (packed.empty())
    return function.emitError() << "has no projection; there is nothing for the matrix engine";
  builder.setInsertionPointToStart(module.getBody());
  createPacked();
  if (!vectorLength)
    return checkDimensions();
  SmallVector<Attribute> names;
  SmallVector<int64_t> offsets;
  for (auto [name, offset] : vectorPlaces) {
    names.push_back(name);
    offsets.push_back(offset);
  }
  tile::VectorsOp::create(builder, loc, "vectors", builder.getArrayAttr(names), offsets,
                          vectorLength, builder.getF32Type());
  return checkDimensions();
}

void Lowering::createPacked() {
  SmallVector<Attribute> names;
  SmallVector<int64_t> sizes, groups, interleaved, narrowAt, ends, starts;
  tile::WeightTape whole(tileK, tileN);
  for (auto [number, group] : llvm::enumerate(packed)) {
    starts.push_back(whole.getSlots());
    llvm::append_range(names, group.weights);
    for (int64_t n : group.shape.n)
      sizes.append({group.shape.k, n});
    groups.push_back(group.weights.size());
    if (group.shape.interleaved)
      interleaved.push_back(number);
    narrowAt.push_back(group.shape.narrowAt);
    if (group.shape.ends)
      ends.push_back(number);
    for (const tile::WeightBlock &block : tile::getBlocks(group.shape, tileN))
      whole.skip(group.shape.k, block.width, block.ends);
  }
  starts.push_back(whole.getSlots());
  tile::PackedOp::create(builder, loc, "weights", builder.getArrayAttr(names), sizes, tileK, tileN,
                         builder.getDenseI64ArrayAttr(groups),
                         builder.getDenseI64ArrayAttr(interleaved),
                         llvm::all_of(narrowAt, [](int64_t place) { return place < 0; })
                             ? DenseI64ArrayAttr()
                             : builder.getDenseI64ArrayAttr(narrowAt),
                         builder.getDenseI64ArrayAttr(ends), precision);
  // Each order gets the groups from its own first one to the next order's.
  for (auto [i, order] : llvm::enumerate(orders)) {
    int64_t from = order.getFirst();
    int64_t to = i + 1 < orders.size() ? int64_t(orders[i + 1].getFirst()) : int64_t(packed.size());
    if (from == to) {
      order.erase();
      continue;
    }
    order.setFirst(starts[from]);
    order.setCount(starts[to] - starts[from]);
  }
}

namespace {

class ConvertLlmToTile : public serrano::impl::ConvertLlmToTileBase<ConvertLlmToTile> {
public:
  using Base::Base;
  void runOnOperation() override;

private:
  void warnOfContext(int64_t context);
  void warnOfUnused(tile::ChoicesAttr unused);
};

} // namespace

/// Says so if a sequence has fewer tokens than were asked for. Nobody has asked for the default.
void ConvertLlmToTile::warnOfContext(int64_t context) {
  if (context < maxContext && maxContext != ConvertLlmToTileOptions().maxContext)
    emitWarning(getOperation().getLoc())
        << "the model has positions for " << context
        << " tokens of a sequence, but --max-context is " << int64_t(maxContext)
        << "; the program takes no sequence of more than " << context;
}

void ConvertLlmToTile::warnOfUnused(tile::ChoicesAttr unused) {
  if (unused != tile::ChoicesAttr::get(&getContext()))
    emitWarning(getOperation().getLoc())
        << unused
        << " changes nothing, since no kernel of the model has that to choose; leave it out";
}

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

  tile::ChoicesAttr made, unused = tile::ChoicesAttr::of(module);
  SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
  for (func::FuncOp function : functions) {
    auto name = function->getAttrOfType<StringAttr>(llm::LlmDialect::kEntryAttr);
    if (!name)
      continue;
    builder.setInsertionPoint(function);
    auto entry = func::FuncOp::create(builder, function.getLoc(), function.getName(),
                                      builder.getFunctionType({}, {}));
    entry->setAttr(tile::TileDialect::kEntryAttr, function.getNameAttr());
    auto choices = tile::ChoicesAttr::of(module);
    int64_t rows =
        slotRows > 0 ? slotRows : choices.get(tile::Choice::Rows).value_or(maxTokens);
    rows = std::clamp<int64_t>(rows, 1, maxTokens);
    Lowering lowering(builder, *model, type,
                      {maxTokens, maxSequences, maxContext,
                       mostLayers > 0 ? mostLayers : std::numeric_limits<int64_t>::max()},
                      rows, choices);
    if (failed(lowering.lower(function, entry, module)))
      return signalPassFailure();
    made = lowering.getChoices();
    unused = lowering.getUnused(unused);
    warnOfContext(lowering.getContext());
    function.erase();
  }
  for (auto layer : llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
    if (!layer->hasAttr(tile::TileDialect::kEntryAttr))
      layer.erase();
  for (auto cache : llvm::make_early_inc_range(module.getOps<llm::CacheOp>()))
    cache.erase();
  module->setAttr(tile::TileDialect::kTargetAttr, builder.getStringAttr(model->name()));
  if (!made)
    return;
  warnOfUnused(unused);
  module->removeAttr(tile::TileDialect::kChoicesAttr);
  module->setAttr(tile::TileDialect::kMadeAttr, made);
}
