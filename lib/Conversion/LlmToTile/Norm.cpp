//===- Norm.cpp - normalisations ---------------------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

void Lowering::normalize(Operation *op, Value x, int64_t cols, llm::ExtentAttr rowExtent,
                         float epsilon, Value scale, Value bias) {
  Value rows = extent(rowExtent), all = constant(cols), one = constant(1);
  Value factor = slot(maxTokens, 1, builder.getF32Type());
  tile::ReduceOp::create(builder, loc, tile::ReduceFunction::Sumsq, x, factor, false, rows, all);
  tile::ScalarOp::create(builder, loc, tile::BinaryFunction::Div, factor,
                         llvm::APFloat(float(cols)), factor, false, rows, one);
  tile::ScalarOp::create(builder, loc, tile::BinaryFunction::Add, factor,
                         llvm::APFloat(epsilon), factor, false, rows, one);
  tile::UnaryOp::create(builder, loc, tile::UnaryFunction::Rsqrt, factor, factor, rows, one);

  Matrix out = define(op->getResult(0));
  Value normalized = slot(maxTokens, cols, builder.getF32Type());
  tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Mul, x, repeatColumn(factor, 0, cols),
                         normalized, rows, all);
  if (bias)
    tile::TernaryOp::create(builder, loc, tile::TernaryFunction::Fma, normalized, scale, bias,
                            out.slot, rows, all);
  else
    tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Mul, normalized, scale, out.slot,
                           rows, all);
}

/// Rows of features are normalised whole; heads by themselves are not.
static LogicalResult checkWidth(Operation *op, int64_t cols, Value scale) {
  int64_t length = cast<RankedTensorType>(scale.getType()).getDimSize(0);
  if (cols == length)
    return success();
  return op->emitOpError() << "normalises parts of " << length << " of " << cols
                           << " features, for which there is no kernel yet";
}

LogicalResult Lowering::lowerRmsNorm(llm::RmsNormOp op) {
  if (failed(require(op, {op.getInput()})))
    return failure();
  FailureOr<OpFoldResult> scale = getVector(op, op.getScale());
  if (failed(scale))
    return failure();
  if (!op.getScaleOffset().isZero())
    return op.emitOpError() << "adds " << op.getScaleOffset().convertToFloat()
                            << " to its scale, which has no kernel yet";
  Matrix x = get(op.getInput());
  if (failed(checkWidth(op, x.cols, op.getScale())))
    return failure();
  normalize(op, x.slot, x.cols, x.rows, op.getEpsilon().convertToFloat(),
            repeatRow(vectorSlot, index(0), *scale, x.cols), Value());
  return success();
}

LogicalResult Lowering::lowerLayerNorm(llm::LayerNormOp op) {
  if (failed(require(op, {op.getInput()})))
    return failure();
  FailureOr<OpFoldResult> scale = getVector(op, op.getScale());
  if (failed(scale))
    return failure();
  Value bias;
  Matrix x = get(op.getInput());
  if (failed(checkWidth(op, x.cols, op.getScale())))
    return failure();
  if (op.getBias()) {
    FailureOr<OpFoldResult> offset = getVector(op, op.getBias());
    if (failed(offset))
      return failure();
    bias = repeatRow(vectorSlot, index(0), *offset, x.cols);
  }
  Value rows = extent(x.rows), all = constant(x.cols), one = constant(1);
  Value mean = slot(maxTokens, 1, builder.getF32Type());
  tile::ReduceOp::create(builder, loc, tile::ReduceFunction::Sum, x.slot, mean, false, rows, all);
  tile::ScalarOp::create(builder, loc, tile::BinaryFunction::Div, mean,
                         llvm::APFloat(float(x.cols)), mean, false, rows, one);
  Value centred = slot(maxTokens, x.cols, builder.getF32Type());
  tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Sub, x.slot,
                         repeatColumn(mean, 0, x.cols), centred, rows, all);
  normalize(op, centred, x.cols, x.rows, op.getEpsilon().convertToFloat(),
            repeatRow(vectorSlot, index(0), *scale, x.cols), bias);
  return success();
}
