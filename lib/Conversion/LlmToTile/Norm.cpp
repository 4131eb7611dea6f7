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
  Value factor = slot(slotRows, 1, builder.getF32Type());
  tile::ReduceOp::create(builder, loc, tile::ReduceFunction::Sumsq, x, factor, false, rows, all);
  tile::ScalarOp::create(builder, loc, tile::BinaryFunction::Div, factor,
                         llvm::APFloat(float(cols)), factor, false, rows, one);
  tile::ScalarOp::create(builder, loc, tile::BinaryFunction::Add, factor,
                         llvm::APFloat(epsilon), factor, false, rows, one);
  tile::UnaryOp::create(builder, loc, tile::UnaryFunction::Rsqrt, factor, factor, rows, one);

  Matrix out = define(op->getResult(0));
  Value normalized = slot(slotRows, cols, builder.getF32Type());
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

/// Whether only projections read the result, which can apply the factor of its rows to
/// their products.
static bool isOnlyProjected(Value tensor) {
  return llvm::all_of(tensor.getUses(), [](OpOperand &use) {
    return isa<llm::LinearOp>(use.getOwner()) && use.getOperandNumber() == 0;
  });
}

std::optional<Lowering::DeferredNorm> Lowering::beginNorm(Value tensor, Operation *only) {
  for (Operation *user : tensor.getUsers()) {
    auto op = dyn_cast<llm::RmsNormOp>(user);
    if (!op || (only && only != op) || deferred.contains(op) || !isOnlyProjected(op.getResult()) ||
        !op.getScaleOffset().isZero() ||
        cast<RankedTensorType>(op.getScale().getType()).getDimSize(0) != getShape(tensor).second)
      continue;
    FailureOr<OpFoldResult> scale = getVector(op, op.getScale());
    if (failed(scale))
      continue;
    auto [rows, cols] = getShape(tensor);
    DeferredNorm norm{op, slot(slotRows, cols, precision), slot(slotRows, 1, builder.getF32Type()),
                      *scale};
    tile::FillOp::create(builder, loc, llvm::APFloat(0.0f), norm.factor, extent(rows),
                         constant(1));
    return deferred[op] = norm;
  }
  return std::nullopt;
}

void Lowering::feedNorm(const DeferredNorm &norm, Value x, Column col, int64_t width, Value rows) {
  Value part = window(x, index(0), at(col), slotRows, width), cols = constant(width);
  tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Mul, part,
                         repeatRow(vectorSlot, index(0), sum(norm.scale, at(col)), width),
                         window(norm.scaled, index(0), at(col), slotRows, width), rows, cols);
  tile::ReduceOp::create(builder, loc, tile::ReduceFunction::Sumsq, part, norm.factor,
                         /*accumulate=*/true, rows, cols);
}

void Lowering::finishNorm(const DeferredNorm &norm, Matrix x) {
  Value rows = extent(x.rows), one = constant(1);
  tile::ScalarOp::create(builder, loc, tile::BinaryFunction::Div, norm.factor,
                         llvm::APFloat(float(x.cols)), norm.factor, false, rows, one);
  tile::ScalarOp::create(builder, loc, tile::BinaryFunction::Add, norm.factor,
                         llvm::APFloat(llm::RmsNormOp(norm.op).getEpsilon().convertToFloat()),
                         norm.factor, false, rows, one);
  tile::UnaryOp::create(builder, loc, tile::UnaryFunction::Rsqrt, norm.factor, norm.factor, rows,
                        one);
  matrices[llm::RmsNormOp(norm.op).getResult()] = {norm.scaled, x.rows, x.cols,
                                                               norm.factor};
}

LogicalResult Lowering::lowerRmsNorm(llm::RmsNormOp op) {
  if (failed(require(op, {op.getInput()})))
    return failure();
  Matrix x = get(op.getInput());
  // What wrote the input may have fed it already.
  if (!deferred.contains(op))
    if (std::optional<DeferredNorm> norm = beginNorm(op.getInput(), op))
      for (int64_t col = 0, i = 0; col < x.cols; ++i) {
        int64_t width = i + 1 == mostPieces ? x.cols - col : std::min(tileK, x.cols - col);
        feedNorm(*norm, x.slot, {Value(), 0, col}, width, extent(x.rows));
        col += width;
      }
  if (auto it = deferred.find(op); it != deferred.end()) {
    finishNorm(it->second, x);
    return success();
  }
  FailureOr<OpFoldResult> scale = getVector(op, op.getScale());
  if (failed(scale))
    return failure();
  if (!op.getScaleOffset().isZero())
    return op.emitOpError() << "adds " << op.getScaleOffset().convertToFloat()
                            << " to its scale, which has no kernel yet";
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
  Value mean = slot(slotRows, 1, builder.getF32Type());
  tile::ReduceOp::create(builder, loc, tile::ReduceFunction::Sum, x.slot, mean, false, rows, all);
  tile::ScalarOp::create(builder, loc, tile::BinaryFunction::Div, mean,
                         llvm::APFloat(float(x.cols)), mean, false, rows, one);
  Value centred = slot(slotRows, x.cols, builder.getF32Type());
  tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Sub, x.slot,
                         repeatColumn(mean, 0, x.cols), centred, rows, all);
  normalize(op, centred, x.cols, x.rows, op.getEpsilon().convertToFloat(),
            repeatRow(vectorSlot, index(0), *scale, x.cols), bias);
  return success();
}
