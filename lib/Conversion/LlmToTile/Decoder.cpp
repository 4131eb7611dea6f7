//===- Decoder.cpp - what a step over a paged cache adds ---------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

LogicalResult Lowering::lowerRopeAngles(llm::RopeAnglesOp op) {
  auto positions = dyn_cast<BlockArgument>(resolve(op.getPositions()));
  if (!positions)
    return op.emitOpError() << "has positions that are not an input of the model";
  FailureOr<OpFoldResult> frequencies = getVector(op, op.getFrequencies());
  if (failed(frequencies))
    return failure();
  auto [rowExtent, cols] = getShape(op.getCosine());
  Value rows = extent(rowExtent), all = constant(cols);
  Value loaded = slot(maxTokens, 1, builder.getI32Type());
  tile::LoadOp::create(builder, loc, nameOf(positions), constant(0), constant(0), loaded, rows);
  Value angles = slot(maxTokens, cols, builder.getF32Type());
  tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Mul, repeatColumn(loaded, 0, cols),
                         repeatRow(vectorSlot, index(0), *frequencies, cols), angles, rows, all);
  for (auto [function, result] : {std::pair{tile::UnaryFunction::Cos, op.getCosine()},
                                  std::pair{tile::UnaryFunction::Sin, op.getSine()}}) {
    Matrix out = define(result);
    tile::UnaryOp::create(builder, loc, function, angles, out.slot, rows, all);
  }
  return success();
}

LogicalResult Lowering::lowerRope(llm::RopeOp op) {
  if (failed(require(op, {op.getInput(), op.getCosine(), op.getSine()})))
    return failure();
  SmallVector<llm::ExtentAttr> shape = llm::getExtents(op.getInput());
  int64_t heads = *shape[shape.size() - 2].getConstantValue();
  int64_t size = *shape.back().getConstantValue();
  Matrix a = get(op.getInput()), cosine = get(op.getCosine()), sine = get(op.getSine());
  if (cosine.rows != a.rows)
    return op.emitOpError() << "broadcasts its angles, for which there is no kernel yet";
  auto rotate = [&](Value from, Value to, int64_t count) {
    tile::RopeOp::create(builder, loc, from, cosine.slot, sine.slot, to, count, 2 * cosine.cols,
                         size, extent(a.rows), constant(size));
  };
  int64_t kvHeads = getStackedHeads(op.getResult());
  if (!kvHeads) {
    rotate(a.slot, define(op.getResult()).slot, heads);
    return success();
  }
  // The heads that share keys go where one product takes them all.
  int64_t group = heads / kvHeads, cols = group * size;
  Value out = slot(kvHeads * maxTokens, cols, precision);
  for (int64_t head = 0; head < kvHeads; ++head)
    rotate(window(a.slot, index(0), index(head * cols), maxTokens, cols),
           window(out, index(head * maxTokens), index(0), maxTokens, cols), group);
  matrices[op.getResult()] = {out, a.rows, heads * size};
  return success();
}

LogicalResult Lowering::lowerGather(llm::GatherOp op) {
  auto indices = dyn_cast<BlockArgument>(resolve(op.getIndices()));
  if (!indices || op.getAxis() != 0 || !matrices.contains(op.getOperand()))
    return op.emitOpError() << "does not take rows of features that an input names, for which there "
                               "is no kernel yet";
  Matrix a = get(op.getOperand());
  Matrix out = define(op.getResult());
  Value rows = extent(out.rows);
  Value loaded = slot(maxTokens, 1, builder.getI32Type());
  tile::LoadOp::create(builder, loc, nameOf(indices), constant(0), constant(0), loaded, rows);
  tile::TakeOp::create(builder, loc, a.slot, loaded, extent(a.rows), out.slot, rows,
                       constant(a.cols));
  return success();
}
