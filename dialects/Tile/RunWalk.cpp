//===- RunWalk.cpp - the operations of one run, in order ------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Tile/RunWalk.h"

using namespace mlir;
using namespace serrano::tile;

LogicalResult RunWalk::run(Visit callback, int64_t limit) {
  visit.emplace(callback);
  left = limit;
  values.clear();
  written.clear();
  if (!llvm::hasSingleElement(function.getBody()) ||
      function.getNumArguments())
    return function.emitOpError() << "has arguments or several blocks; expected "
                                     "none, and structured control flow";
  return walk(function.getBody().front(), /*times=*/1);
}

LogicalResult RunWalk::walk(Block &block, int64_t times) {
  for (Operation &op : block.without_terminator()) {
    if (left-- == 0)
      return op.emitOpError() << "is reached after more operations than are "
                                 "followed; choose shorter lengths";
    LogicalResult result = success();
    if (auto loop = dyn_cast<scf::ForOp>(op))
      result = walkLoop(loop, times);
    else if (auto condition = dyn_cast<scf::IfOp>(op))
      result = walkIf(condition, times);
    else if (op.getNumResults() &&
             llvm::all_of(op.getResultTypes(),
                          llvm::IsaPred<IndexType, IntegerType>))
      result = compute(&op);
    else if (auto write = dyn_cast<WriteOp>(op))
      written[{write.getTensorAttr().getAttr(), valueOf(write.getElement())}] = valueOf(write.getValue());
    else if (!isa<memref::ReinterpretCastOp, memref::CastOp, ObserveOp>(op))
      (*visit)(&op, times);
    if (failed(result))
      return failure();
  }
  return success();
}

LogicalResult RunWalk::walkLoop(scf::ForOp loop, int64_t times) {
  int64_t lower = valueOf(loop.getLowerBound()),
          upper = valueOf(loop.getUpperBound()), step = valueOf(loop.getStep());
  if (step < 1 || loop.getNumResults())
    return loop.emitOpError() << "has a step of " << step << " and "
                              << loop.getNumResults()
                              << " results; expected at least 1, and none";
  auto walkRound = [&](int64_t i, int64_t rounds) {
    values[loop.getInductionVar()] = i;
    return walk(*loop.getBody(), times * rounds);
  };
  if (loop->hasAttr(TileDialect::kFirstLayerAttr) && lower < upper) {
    int64_t before = (upper - lower - 1) / step;
    return success((before == 0 || succeeded(walkRound(lower, before))) &&
                   succeeded(walkRound(lower + before * step, 1)));
  }
  for (int64_t i = lower; i < upper; i += step)
    if (failed(walkRound(i, 1)))
      return failure();
  return success();
}

LogicalResult RunWalk::walkIf(scf::IfOp op, int64_t times) {
  if (op.getNumResults())
    return op.emitOpError() << "has results; expected none";
  Region &region =
      valueOf(op.getCondition()) ? op.getThenRegion() : op.getElseRegion();
  return region.empty() ? success() : walk(region.front(), times);
}

LogicalResult RunWalk::compute(Operation *op) {
  if (auto extent = dyn_cast<ExtentOp>(op)) {
    auto it = inputs.dimensions.find(extent.getDimension());
    if (it == inputs.dimensions.end())
      return op->emitOpError() << "reads a dimension of unknown size";
    values[extent.getResult()] = it->second;
    return success();
  }
  if (auto read = dyn_cast<ReadOp>(op)) {
    auto tensor = symbols.lookupNearestSymbolFrom<TensorOp>(
        op, read.getTensorAttr());
    int64_t element = valueOf(read.getElement());
    auto it = written.find({read.getTensorAttr().getAttr(), element});
    values[read.getResult()] = it != written.end() ? it->second : inputs.read(tensor, element);
    return success();
  }
  // Whatever it is, it folds when its operands are known.
  SmallVector<Attribute> operands;
  for (Value operand : op->getOperands())
    operands.push_back(
        isa<IndexType, IntegerType>(operand.getType())
            ? IntegerAttr::get(operand.getType(), valueOf(operand))
            : Attribute());
  SmallVector<OpFoldResult> results;
  if (failed(op->fold(operands, results)) ||
      results.size() != op->getNumResults())
    return op->emitOpError() << "has a value that is not known before a run";
  for (auto [result, folded] : llvm::zip_equal(op->getResults(), results)) {
    if (auto value = dyn_cast<Value>(folded)) {
      values[result] = valueOf(value);
      continue;
    }
    auto number = dyn_cast<IntegerAttr>(cast<Attribute>(folded));
    if (!number)
      return op->emitOpError() << "has a value that is not known before a run";
    values[result] = number.getValue().getBitWidth() == 1
                         ? number.getValue().getZExtValue()
                         : number.getValue().getSExtValue();
  }
  return success();
}
