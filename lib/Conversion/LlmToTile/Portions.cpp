//===- Portions.cpp - more rows than slots have room for ---------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program may be compiled for more tokens than the scratchpad holds the features
// of. Then the whole model runs on one portion of them after the other: some of a
// step's tokens, or some rows of a batch. Weights stream once for each portion. A
// later portion finds the keys and values of earlier ones in the cache.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

llm::ExtentAttr Lowering::getInnerRows(llm::ExtentAttr rows, StringAttr symbol) {
  std::optional<llm::ExtentAttr> inner =
      rows.dividedBy(llm::ExtentAttr::getSymbol(rows.getContext(), symbol.getValue()));
  return inner && !llvm::is_contained(inner->getSymbols(), symbol) ? *inner : llm::ExtentAttr();
}

/// The first dimension that is not 1; null if there is none.
static llm::ExtentAttr getOutermost(ArrayRef<llm::ExtentAttr> shape) {
  const auto *found = llvm::find_if(shape, [](llm::ExtentAttr e) { return !e.isConstant(1); });
  return found == shape.end() ? llm::ExtentAttr() : *found;
}

Lowering::Rows Lowering::getRows(func::FuncOp function, Operation *first, Operation *end) {
  Rows rows;
  SmallVector<Value> tensors(function.getArguments());
  for (Operation *op = first; op != end; op = op->getNextNode())
    for (Value result : op->getResults()) {
      auto type = dyn_cast<RankedTensorType>(result.getType());
      if (!type || !isa<FloatType>(type.getElementType()) || isa<llm::GetWeightOp>(op))
        continue;
      tensors.push_back(result);
      llm::ExtentAttr own = getShape(result).first;
      if (!own.getConstantValue() && (!rows.all || own.dividedBy(rows.all)))
        rows.all = own;
    }
  if (!rows.all)
    return rows;
  // Dimensions that have been joined do not say which of them is the outer one.
  auto getSymbol = [](llm::ExtentAttr extent) {
    std::optional<StringRef> name = extent ? extent.getSymbolName() : std::nullopt;
    return name ? StringAttr::get(extent.getContext(), *name) : StringAttr();
  };
  auto getAll = [](Value tensor) {
    return isa<IntegerType>(getElementTypeOrSelf(tensor))
               ? llm::product(tensor.getContext(), llm::getExtents(tensor))
               : getShape(tensor).first;
  };
  for (Value tensor : tensors)
    if (!rows.symbol && getAll(tensor).dividedBy(rows.all))
      rows.symbol = getSymbol(getOutermost(llm::getExtents(tensor)));
  if (!rows.symbol)
    rows.symbol = rows.all.getSymbols().front();
  // Rows one after the other are a portion only where it is the outermost one.
  for (Value tensor : tensors) {
    SmallVector<llm::ExtentAttr> shape = llm::getExtents(tensor);
    llm::ExtentAttr outermost = getOutermost(shape);
    auto isInside = [&](llm::ExtentAttr extent) {
      return llvm::is_contained(extent.getSymbols(), rows.symbol);
    };
    if (llvm::any_of(shape, isInside) && !isInside(outermost)) {
      rows.symbol = {};
      return rows;
    }
  }
  rows.inner = getInnerRows(rows.all, rows.symbol);
  if (!rows.inner)
    rows.symbol = {};
  return rows;
}

bool Lowering::isCut(llm::ExtentAttr rows) const {
  return portion && llvm::is_contained(rows.getSymbols(), portion->symbol);
}

Value Lowering::firstRow(llm::ExtentAttr rows) {
  if (!isCut(rows))
    return constant(0);
  llm::ExtentAttr inner = getInnerRows(rows, portion->symbol);
  if (!inner || inner.isConstant(1))
    return portion->first;
  return mul(portion->first, extent(inner));
}

LogicalResult Lowering::lowerPortions(func::FuncOp function, const Rows &rows, Operation *first,
                                      Operation *end) {
  int64_t most = rows.all ? std::min(maxOf(rows.all), limits.tokens) : 0;
  // The first computation waits for the model's features, if there are any. Constants, which it
  // meets later, come behind them, but not again in each portion.
  bool constantsFirst = most > slotRows || llvm::none_of(function.getArguments(), isFeatures);
  if (constantsFirst && failed(loadConstants(function)))
    return failure();
  // Weights are ordered as soon as those before are, so that the ring goes on with them: how
  // often they are needed does not depend on what is computed.
  OpBuilder::InsertPoint here = builder.saveInsertionPoint();
  if (!orders.empty())
    builder.setInsertionPointAfter(orders.back());
  auto order = [&](Value passes) {
    orders.push_back(tile::OrderTilesOp::create(builder, loc, stream, int64_t(packed.size()), 1,
                                                passes));
    if (orders.size() > 1)
      builder.restoreInsertionPoint(here);
  };
  if (most <= slotRows) {
    order(constant(1));
    return lowerSpan(function, first, end);
  }
  StringAttr symbol = rows.symbol;
  if (!symbol)
    return function.emitError() << "has up to " << most << " rows, '" << rows.all.str()
                                << "', of which " << slotRows
                                << " are on the core at once; they are no multiple of an outermost "
                                   "dimension, so there are no portions of them: compile for fewer "
                                   "tokens (--max-tokens)";
  Value all = extent(llm::ExtentAttr::getSymbol(builder.getContext(), symbol.getValue()));
  Value each = constant(slotRows), count;
  if (!rows.inner.isConstant(1)) {
    each = arith::DivUIOp::create(builder, loc, each, max(extent(rows.inner), constant(1)));
    each = max(each, constant(1));
    count = arith::DivUIOp::create(builder, loc, subtract(add(all, each), constant(1)), each);
  } else {
    count = ceilDiv(all, slotRows);
  }
  order(count);
  // What a portion computes is gone with it.
  auto outerMatrices = matrices;
  auto outerOperands = operands;
  auto outerExtents = extents;
  LogicalResult result = success();
  scf::ForOp loop = forEach(count, [&](Value number) {
    portion.emplace();
    portion->symbol = symbol;
    portion->first = mul(number, each);
    portion->count = min(subtract(all, portion->first), each);
    for (auto &[rows, value] : outerExtents)
      if (llvm::is_contained(rows.getSymbols(), symbol))
        extents.erase(rows);
    result = lowerSpan(function, first, end);
    portion.reset();
  });
  loop->setAttr(tile::TileDialect::kPortionsAttr, builder.getUnitAttr());
  matrices = std::move(outerMatrices);
  operands = std::move(outerOperands);
  extents = std::move(outerExtents);
  return result;
}
