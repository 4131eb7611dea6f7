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

Value Lowering::countRows() {
  Value column = slot(maxTokens, 1, builder.getF32Type()), one = constant(1);
  tile::FillOp::create(builder, loc, llvm::APFloat(0.0f), column, one, one);
  // What is there, and as much again.
  for (int64_t done = 1; done < maxTokens; done *= 2) {
    int64_t more = std::min(done, maxTokens - done);
    tile::ScalarOp::create(builder, loc, tile::BinaryFunction::Add,
                           window(column, index(0), index(0), more, 1), llvm::APFloat(float(done)),
                           window(column, index(done), index(0), more, 1), false, constant(more),
                           one);
  }
  return column;
}

LogicalResult Lowering::lowerRopeAngles(llm::RopeAnglesOp op) {
  FailureOr<OpFoldResult> frequencies = getVector(op, op.getFrequencies());
  if (failed(frequencies))
    return failure();
  auto [rowExtent, cols] = getShape(op.getCosine());
  Value rows = extent(rowExtent), all = constant(cols);
  Value source = op.getPositions();
  while (auto reshape = source.getDefiningOp<llm::ReshapeOp>())
    source = reshape.getOperand();
  source = resolve(source);
  Value positions;
  if (auto argument = dyn_cast<BlockArgument>(source)) {
    positions = slot(maxTokens, 1, builder.getI32Type());
    tile::LoadOp::create(builder, loc, nameOf(argument), constant(0), constant(0), positions, rows);
  } else if (auto iota = source.getDefiningOp<llm::IotaOp>();
             iota && iota.getStart().getExtents().front().isConstant(0) && iota.getStep() == 1) {
    positions = countRows();
  } else {
    return op.emitOpError() << "has positions that are neither an input of the model nor a count "
                               "from 0, for which there is no kernel yet";
  }
  Value angles = slot(maxTokens, cols, builder.getF32Type());
  tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Mul, repeatColumn(positions, 0, cols),
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
  // Angles without a batch are the same for each.
  SmallVector<llm::ExtentAttr> angles = llm::getExtents(op.getCosine());
  angles.pop_back();
  auto own = ArrayRef(angles).drop_while([](llm::ExtentAttr e) { return e.isConstant(1); });
  std::optional<llm::ExtentAttr> batches = a.rows.dividedBy(cosine.rows);
  if (!batches || own != ArrayRef(shape).drop_back(2).take_back(own.size()))
    return op.emitOpError() << "broadcasts its angles over positions, for which there is no kernel "
                               "yet";
  Value all = constant(size), rows = extent(cosine.rows);
  auto rotate = [&](Value from, Value to, int64_t count) {
    tile::RopeOp::create(builder, loc, from, cosine.slot, sine.slot, to, count, 2 * cosine.cols,
                         size, rows, all);
  };
  int64_t kvHeads = getStackedHeads(op.getResult());
  if (!kvHeads) {
    Matrix out = define(op.getResult());
    if (batches->isConstant(1)) {
      rotate(a.slot, out.slot, heads);
      return success();
    }
    forEach(extent(*batches), [&](Value batch) {
      Value row = mul(batch, rows);
      rotate(window(a.slot, row, index(0), maxTokens, a.cols),
             window(out.slot, row, index(0), maxTokens, a.cols), heads);
    });
    return success();
  }
  if (!batches->isConstant(1))
    return op.emitOpError() << "broadcasts its angles over a batch, for which there is no kernel yet";
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
