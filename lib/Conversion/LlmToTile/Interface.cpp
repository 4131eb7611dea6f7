//===- Interface.cpp - inputs, outputs and vectors ---------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

void Lowering::collectVectors(func::FuncOp function) {
  // Layers may share a weight; each has its own place for all that.
  auto place = [&](Attribute key, ArrayRef<Attribute> names, RankedTensorType type) {
    if (type.getRank() != 1 || !isa<FloatType>(type.getElementType()) ||
        !vectorOffsets.insert({key, vectorLength}).second)
      return;
    for (Attribute name : names) {
      vectorPlaces.push_back({name, vectorLength});
      vectorLength += type.getDimSize(0);
    }
  };
  function.walk([&](Operation *op) {
    if (auto weight = dyn_cast<llm::GetWeightOp>(op))
      place(weight.getNameAttr(), {weight.getNameAttr()},
            cast<RankedTensorType>(weight.getType()));
    auto layers = dyn_cast<llm::LayersOp>(op);
    if (!layers)
      return;
    for (auto names : layers.getWeights().getAsRange<ArrayAttr>())
      if (auto first = SymbolTable::lookupNearestSymbolFrom<llm::WeightOp>(
              op, cast<FlatSymbolRefAttr>(names[0])))
        place(names, names.getValue(), first.getTensorType());
  });
}

Value Lowering::resolve(Value value) const {
  Value alias = layers ? layers->aliases.lookup(value) : Value();
  return alias ? alias : value;
}

std::string Lowering::nameOf(BlockArgument argument) {
  return "arg" + std::to_string(argument.getArgNumber());
}

void Lowering::forEachUse(Value value, function_ref<void(OpOperand &)> visit) {
  for (OpOperand &use : value.getUses()) {
    auto layers = dyn_cast<llm::LayersOp>(use.getOwner());
    if (!layers) {
      visit(use);
      continue;
    }
    auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(layers, layers.getCalleeAttr());
    forEachUse(callee.getArgument(1 + use.getOperandNumber()), visit);
  }
}

int64_t Lowering::maxOf(StringAttr symbol) const {
  if (isStep && symbol == "sequences")
    return limits.sequences;
  if (isStep && symbol == "blocks")
    return llvm::divideCeil(limits.context, getBlock());
  return limits.tokens;
}

int64_t Lowering::maxOf(llm::ExtentAttr extent) const {
  llm::ExtentAttr most = extent.substitute([&](StringAttr symbol) {
    return llm::ExtentAttr::getConstant(builder.getContext(), maxOf(symbol));
  });
  return *most.getConstantValue();
}

FailureOr<llm::ExtentAttr> Lowering::getBound(BlockArgument argument) {
  llm::ExtentAttr bound;
  bool agree = true;
  forEachUse(argument, [&](OpOperand &use) {
    llm::ExtentAttr own;
    Value rows;
    if (auto attention = dyn_cast<llm::AttentionOp>(use.getOwner());
        attention && attention.getKeyMask() == use.get())
      own = llm::ExtentAttr::getConstant(use.getOwner()->getContext(), 2);
    else if (auto embedding = dyn_cast<llm::EmbeddingOp>(use.getOwner()))
      rows = embedding.getTable();
    else if (auto gather = dyn_cast<llm::GatherOp>(use.getOwner());
             gather && gather.getIndices() == use.get())
      rows = gather.getOperand();
    if (rows)
      own = llm::getExtents(rows)[0];
    if (!own)
      return;
    agree &= !bound || bound == own;
    bound = own;
  });
  if (!agree)
    return failure();
  return bound;
}

bool Lowering::isFeatures(BlockArgument argument) {
  return isa<FloatType>(cast<RankedTensorType>(argument.getType()).getElementType());
}

void Lowering::loadFeatures(func::FuncOp function) {
  for (BlockArgument argument : llvm::make_filter_range(function.getArguments(), isFeatures)) {
    auto [rows, cols] = getShape(argument);
    Value features = slot(slotRows, cols, builder.getF32Type());
    auto load = [&, rows = rows, cols = cols](int64_t col, int64_t width) {
      tile::LoadOp::create(builder, loc, nameOf(argument), firstRow(rows), constant(col),
                           width == cols ? features
                                         : window(features, index(0), index(col), slotRows, width),
                           extent(rows));
      loadVectors(firstVectorEnd());
    };
    // A row of a piece that is no whole bursts would move more bytes.
    if (tileK * int64_t(sizeof(float)) % target.memoryBurstBytes() == 0)
      forEachPiece(cols, load);
    else
      load(0, cols);
    matrices[argument] = {features, rows, cols};
  }
}

int64_t Lowering::firstVectorEnd() const {
  return vectorPlaces.size() > 1 ? vectorPlaces[1].second : vectorLength;
}

void Lowering::loadVectors(int64_t end) {
  if (loadedVectors >= end)
    return;
  int64_t count = end - loadedVectors;
  tile::LoadOp::create(builder, loc, "vectors", constant(0), constant(loadedVectors),
                       count == vectorLength
                           ? vectorSlot
                           : window(vectorSlot, index(0), index(loadedVectors), 1, count),
                       constant(1));
  loadedVectors = end;
}

LogicalResult Lowering::loadConstants(func::FuncOp function) {
  if (std::exchange(constantsLoaded, true))
    return success();
  loadVectors(vectorLength);
  return loadTables(function);
}

LogicalResult Lowering::declareInterface(func::FuncOp function, const Rows &rows) {
  llvm::SetVector<StringAttr> symbols;
  llvm::SetVector<llm::ExtentAttr> sizes, declared;
  SmallVector<llm::ExtentAttr> bounds;
  for (BlockArgument argument : function.getArguments()) {
    FailureOr<llm::ExtentAttr> bound = getBound(argument);
    if (failed(bound))
      return function.emitError() << "argument " << argument.getArgNumber()
                                  << " chooses from tables of different sizes, for which there is "
                                     "no kernel yet";
    bounds.push_back(*bound);
    auto role = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                      llm::LlmDialect::kRoleAttr);
    // The table of positions has no row for a longer sequence.
    if (*bound && role && role.getValue() == "positions")
      limits.context = std::min(limits.context, bound->getConstantValue().value_or(limits.context));
  }
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(module.getBody());
  auto declare = [&](RankedTensorType type, std::string name, tile::TensorRole role,
                     StringAttr source, StringRef dtype, bool scalar, MemRefType stored,
                     llm::ExtentAttr below = {}) {
    SmallVector<Attribute> shape;
    for (llm::ExtentAttr extent : llm::getExtents(type)) {
      declared.insert(extent);
      shape.push_back(builder.getStringAttr(extent.str()));
      for (StringAttr symbol : extent.getSymbols())
        symbols.insert(symbol);
    }
    tile::TensorOp::create(builder, loc, name, role, source, builder.getStringAttr(dtype),
                           builder.getArrayAttr(shape), scalar, SymbolRefAttr(), stored,
                           below ? builder.getStringAttr(below.str()) : StringAttr());
  };
  for (BlockArgument argument : function.getArguments()) {
    auto type = cast<RankedTensorType>(argument.getType());
    if (isFeatures(argument)) {
      SmallVector<llm::ExtentAttr> shape = llm::getExtents(argument);
      if (shape.empty() || !shape.back().getConstantValue())
        return function.emitError() << "argument " << argument.getArgNumber()
                                    << " has no fixed number of features, its last dimension; there "
                                       "is no kernel yet";
      auto [rows, cols] = getShape(argument);
      auto source = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                          llm::LlmDialect::kNameAttr);
      declare(type, nameOf(argument), tile::TensorRole::Input, source,
              "f" + std::to_string(type.getElementTypeBitWidth()), /*scalar=*/false,
              MemRefType::get({limits.tokens, cols}, builder.getF32Type()));
      sizes.insert(rows);
      continue;
    }
    bool scalar = false, column = false, row = false;
    forEachUse(argument, [&](OpOperand &use) {
      Operation *user = use.getOwner();
      if (auto attention = dyn_cast<llm::CachedAttentionOp>(user))
        scalar |= use.get() != attention.getPositions();
      else
        (isa<llm::EmbeddingOp, llm::GatherOp>(user) ? scalar
         : isa<llm::RopeAnglesOp>(user) ? column
                                                       : row) = true;
    });
    unsigned number = argument.getArgNumber();
    if (scalar + column + row > 1)
      return function.emitError() << "reads argument " << number
                                  << " both as indices and as numbers, for which there is no kernel "
                                     "yet";
    // The most elements that the symbols' limits allow.
    int64_t elements = 1;
    for (llm::ExtentAttr extent : llm::getExtents(type))
      elements *= maxOf(extent);
    if (!isStep)
      elements = std::min(elements, limits.tokens);
    StringRef attribute = isStep ? llm::LlmDialect::kRoleAttr : llm::LlmDialect::kNameAttr;
    auto source = function.getArgAttrOfType<StringAttr>(number, attribute);
    auto stored = column ? MemRefType::get({elements, 1}, builder.getI32Type())
                         : MemRefType::get({1, elements + (row && slotRows < limits.tokens ? slotRows : 0)},
                                           builder.getI32Type());
    std::string dtype = "i" + std::to_string(type.getElementTypeBitWidth());
    declare(type, nameOf(argument), tile::TensorRole::Input, source, dtype, scalar, stored,
            bounds[number]);
    if (scalar)
      tables[argument] = builder.getStringAttr(nameOf(argument));
    if (!isStep)
      sizes.insert(llm::product(builder.getContext(), llm::getExtents(type)));
  }
  for (auto [i, type] : llvm::enumerate(function.getResultTypes())) {
    auto source = function.getResultAttrOfType<StringAttr>(i, llm::LlmDialect::kNameAttr);
    auto tensor = cast<RankedTensorType>(type);
    declare(tensor, "result" + std::to_string(i), tile::TensorRole::Output, source, "f32", false,
            MemRefType::get({limits.tokens, tensor.getShape().back()}, builder.getF32Type()));
  }
  for (llm::ExtentAttr extent : declared)
    if (failed(checkSize(extent)))
      return failure();
  for (StringAttr symbol : symbols) {
    tile::DimensionOp::create(builder, loc, symbol.getValue(), maxOf(symbol));
    // The blocks of a sequence follow from its length, which the runtime checks.
    if (isStep && symbol != "blocks")
      tile::LimitOp::create(builder, loc,
                            symbol == "sequences" ? tile::LimitKind::Sequences
                                                  : tile::LimitKind::Tokens,
                            symbol.getValue(), maxOf(symbol));
  }
  for (llm::ExtentAttr size : sizes) {
    std::optional<int64_t> tokens = size.getConstantValue();
    if (tokens && *tokens > limits.tokens)
      return function.emitError() << "takes " << *tokens << " tokens, but the program has room for "
                                  << limits.tokens << "; compile for more (--max-tokens)";
    // Of rows that are always as many there are no portions.
    slotRows = std::max(slotRows, tokens.value_or(0));
    tile::LimitOp::create(builder, loc, tile::LimitKind::Tokens, size.str(), limits.tokens);
  }
  // A portion is not less than a row of the batch.
  if (!isStep && rows.symbol && slotRows < limits.tokens)
    for (llm::ExtentAttr size : sizes)
      if (llm::ExtentAttr inner = getInnerRows(size, rows.symbol);
          inner && !inner.getConstantValue())
        tile::LimitOp::create(builder, loc, tile::LimitKind::RowTokens, inner.str(), slotRows);
  return checkDimensions();
}
