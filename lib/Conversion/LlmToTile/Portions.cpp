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

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

llm::ExtentAttr Lowering::getInnerRows(llm::ExtentAttr rows) {
  SmallVector<StringAttr> symbols(rows.getSymbols());
  if (symbols.size() < 2)
    return {};
  return rows.dividedBy(llm::ExtentAttr::getSymbol(rows.getContext(), symbols.front().getValue()))
      .value_or(llm::ExtentAttr());
}

llm::ExtentAttr Lowering::getAllRows(Operation *first, Operation *end) {
  llm::ExtentAttr all;
  for (Operation *op = first; op != end; op = op->getNextNode())
    for (Value result : op->getResults()) {
      auto type = dyn_cast<RankedTensorType>(result.getType());
      if (!type || !isa<FloatType>(type.getElementType()) || isa<llm::GetWeightOp>(op))
        continue;
      llm::ExtentAttr rows = getShape(result).first;
      if (!rows.getConstantValue() && (!all || rows.dividedBy(all)))
        all = rows;
    }
  return all;
}

Value Lowering::firstRow(llm::ExtentAttr rows) {
  if (!portion || !llvm::is_contained(rows.getSymbols(), portion->symbol))
    return constant(0);
  auto symbol = llm::ExtentAttr::getSymbol(builder.getContext(), portion->symbol.getValue());
  std::optional<llm::ExtentAttr> inner = rows.dividedBy(symbol);
  if (!inner || inner->isConstant(1))
    return portion->first;
  return mul(portion->first, extent(*inner));
}

LogicalResult Lowering::lowerPortions(func::FuncOp function, llm::ExtentAttr rows,
                                      Operation *first, Operation *end) {
  int64_t most = rows ? std::min(maxOf(rows), limits.tokens) : 0;
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
  StringAttr symbol = *rows.getSymbols().begin();
  llm::ExtentAttr inner = getInnerRows(rows);
  Value all = extent(llm::ExtentAttr::getSymbol(builder.getContext(), symbol.getValue()));
  Value each = constant(slotRows), count;
  if (inner) {
    each = arith::DivUIOp::create(builder, loc, each, max(extent(inner), constant(1)));
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
