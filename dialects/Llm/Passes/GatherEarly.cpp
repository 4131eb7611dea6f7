//===- GatherEarly.cpp - takes rows before they are computed with -------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Passes/LlmPasses.h"

#include "dialects/Llm/SourceTensors.h"

namespace serrano::llm {
#define GEN_PASS_DEF_GATHEREARLY
#include "dialects/Llm/Passes/LlmPasses.h.inc"
} // namespace serrano::llm

using namespace mlir;
using namespace serrano::llm;

namespace {

struct GatherEarly : serrano::llm::impl::GatherEarlyBase<GatherEarly> {
  using Base::Base;
  void runOnOperation() override;
};

} // namespace

/// Whether each row of the result comes from the same row of the operands.
static bool computesRowByRow(Operation *op) {
  return isa<LinearOp, BinaryOp, UnaryOp, RmsNormOp, LayerNormOp>(op);
}

static bool hasRows(Value value, ExtentAttr rows) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() > 0 && getExtents(value)[0] == rows;
}

/// The operations before `gather` of which only the rows that it takes are used, in
/// order.
static SetVector<Operation *> getMovable(GatherOp gather, ExtentAttr rows) {
  SetVector<Operation *> movable;
  auto isTaken = [&](Operation *user) { return user == gather || movable.contains(user); };
  for (Operation *op = gather->getPrevNode(); op; op = op->getPrevNode())
    if (computesRowByRow(op) && hasRows(op->getResult(0), rows) && !op->use_empty() &&
        llvm::all_of(op->getUsers(), isTaken))
      movable.insert(op);
  SetVector<Operation *> ordered;
  for (Operation *op : llvm::reverse(movable))
    ordered.insert(op);
  return ordered;
}

static void moveUp(GatherOp gather) {
  MLIRContext *context = gather.getContext();
  ExtentAttr rows = getExtents(gather.getOperand())[0], taken = getExtents(gather.getIndices())[0];
  SetVector<Operation *> movable = getMovable(gather, rows);
  if (movable.empty())
    return;
  OpBuilder builder(gather);
  llvm::DenseMap<Value, Value> gathered;
  for (Operation *op : movable)
    for (Value operand : op->getOperands())
      if (hasRows(operand, rows) && !movable.contains(operand.getDefiningOp()) &&
          !gathered.contains(operand)) {
        SmallVector<ExtentAttr> shape = getExtents(operand);
        shape[0] = taken;
        auto type = getTensorType(shape, cast<RankedTensorType>(operand.getType()).getElementType());
        gathered[operand] = GatherOp::create(builder, withoutSourceTensors(operand.getLoc()), type,
                                             operand, gather.getIndices(), /*axis=*/0);
      }
  // Of a source tensor's rows, too, there are only those that are taken.
  auto convert = [&](ExtentAttr extent) {
    return extent.substitute([&](StringAttr name) {
      ExtentAttr symbol = ExtentAttr::getSymbol(context, name);
      return symbol == rows ? taken : symbol;
    });
  };
  for (Operation *op : movable) {
    op->moveBefore(gather);
    for (OpOperand &operand : op->getOpOperands())
      if (Value rowsOf = gathered.lookup(operand.get()))
        operand.set(rowsOf);
    SmallVector<ExtentAttr> shape = getExtents(op->getResult(0));
    shape[0] = taken;
    auto element = cast<RankedTensorType>(op->getResult(0).getType()).getElementType();
    op->getResult(0).setType(getTensorType(shape, element));
    copySourceTensors(op, op, convert);
  }
  gather.getResult().replaceAllUsesWith(gather.getOperand());
  gather.erase();
}

void GatherEarly::runOnOperation() {
  SmallVector<GatherOp> gathers;
  getOperation().walk([&](GatherOp gather) {
    if (gather.getAxis() == 0 && isa<BlockArgument>(gather.getIndices()) &&
        getExtents(gather.getIndices()).size() == 1 &&
        !getExtents(gather.getOperand())[0].getConstantValue())
      gathers.push_back(gather);
  });
  for (GatherOp gather : gathers)
    moveUp(gather);
}
