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

/// A tensor is converted or scaled in no more pieces than this, and the rest at once.
static constexpr int64_t mostPieces = 8;
/// Columns whose sums are added at once: what a small array gives at a time.
static constexpr int64_t statisticsStrip = 32;

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

std::optional<Lowering::FedNorm> Lowering::beginNorm(Value tensor, Operation *only) {
  auto [rows, cols] = getShape(tensor);
  auto isWhole = [cols = cols](Value vector) {
    return cast<RankedTensorType>(vector.getType()).getDimSize(0) == cols;
  };
  for (Operation *op : tensor.getUsers()) {
    if ((only && only != op) || fed.contains(op))
      continue;
    FedNorm norm;
    norm.op = op;
    if (auto rms = dyn_cast<llm::RmsNormOp>(op)) {
      FailureOr<OpFoldResult> scale = getVector(op, rms.getScale());
      if (!isOnlyProjected(rms.getResult()) || !rms.getScaleOffset().isZero() ||
          !isWhole(rms.getScale()) || failed(scale))
        continue;
      norm.scale = *scale;
      norm.scaled = slot(slotRows, cols, precision);
    } else if (auto layer = dyn_cast<llm::LayerNormOp>(op)) {
      if (!isWhole(layer.getScale()))
        continue;
      norm.sum = slot(slotRows, 1, builder.getF32Type());
    } else {
      continue;
    }
    norm.squares = slot(slotRows, 1, builder.getF32Type());
    clearNorm(norm);
    return fed[op] = norm;
  }
  return std::nullopt;
}

void Lowering::clearNorm(const FedNorm &norm) {
  auto [rows, cols] = getShape(norm.op->getOperand(0));
  auto begin = [&, rows = rows](Value column, float number) {
    tile::FillOp::create(builder, loc, llvm::APFloat(number), column, extent(rows), constant(1));
  };
  // Epsilon is added to the mean of the squares before it is a mean.
  auto rms = dyn_cast<llm::RmsNormOp>(norm.op);
  llvm::APFloat epsilon = rms ? rms.getEpsilon() : cast<llm::LayerNormOp>(norm.op).getEpsilon();
  begin(norm.squares, epsilon.convertToFloat() * float(cols));
  if (norm.sum)
    begin(norm.sum, 0.0f);
}

std::optional<Lowering::FedNorm> Lowering::beginCarriedNorm(Value tensor) {
  if (!layers)
    return std::nullopt;
  for (CarriedNorm &carried : layers->norms)
    if (carried.result == tensor && !carried.isFed) {
      carried.isFed = true;
      FedNorm norm = carried.norm;
      // The last layer's successor has no scale; what it is fed nobody reads.
      Value index = std::exchange(layers->index, min(add(layers->index, constant(1)), layers->last));
      norm.scale = *getVector(norm.op, cast<llm::RmsNormOp>(norm.op).getScale());
      layers->index = index;
      clearNorm(norm);
      return norm;
    }
  return std::nullopt;
}

void Lowering::scaleForNorm(const FedNorm &norm, Value x, Column col, int64_t width, Value rows) {
  if (norm.scaled)
    tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Mul,
                           window(x, index(0), at(col), slotRows, width),
                           repeatRow(vectorSlot, index(0), sum(norm.scale, at(col)), width),
                           window(norm.scaled, index(0), at(col), slotRows, width), rows,
                           constant(width));
}

void Lowering::appendStrips(FedNorm &norm, Column col, int64_t width) {
  int64_t most = std::min(statisticsStrip, tileN);
  for (int64_t strip = 0; strip < width; strip += most)
    norm.strips.push_back({col + strip, std::min(most, width - strip)});
}

void Lowering::addStrips(FedNorm &norm, Value x, Value rows, size_t count) {
  count = std::min(count, norm.strips.size());
  for (auto [col, width] : ArrayRef(norm.strips).take_front(count)) {
    Value some = window(x, index(0), at(col), slotRows, width), all = constant(width);
    if (norm.sum)
      tile::ReduceOp::create(builder, loc, tile::ReduceFunction::Sum, some, norm.sum,
                             /*accumulate=*/true, rows, all);
    tile::ReduceOp::create(builder, loc, tile::ReduceFunction::Sumsq, some, norm.squares,
                           /*accumulate=*/true, rows, all);
  }
  norm.strips.erase(norm.strips.begin(), norm.strips.begin() + count);
}

void Lowering::feedNorm(FedNorm &norm, Value x, Column col, int64_t width, Value rows) {
  // The first strip takes the time until the columns can be read again.
  addStrips(norm, x, rows, 1);
  scaleForNorm(norm, x, col, width, rows);
  addStrips(norm, x, rows);
  appendStrips(norm, col, width);
  // The matrix engine takes nothing of a norm without a factor before all sums are there.
  if (!norm.scaled)
    addStrips(norm, x, rows);
}

void Lowering::feedNorm(FedNorm &norm, const Matrix &x) {
  Value rows = extent(x.rows);
  forEachPiece(x.cols, [&](int64_t col, int64_t width) {
    scaleForNorm(norm, x.slot, {Value(), 0, col}, width, rows);
    appendStrips(norm, {Value(), 0, col}, width);
    addStrips(norm, x.slot, rows, 1);
  });
  addStrips(norm, x.slot, rows);
}

void Lowering::forEachPiece(int64_t cols, llvm::function_ref<void(int64_t, int64_t)> body) {
  int64_t most = choose(tile::Choice::Pieces, mostPieces);
  for (int64_t col = 0, i = 0; col < cols; ++i) {
    int64_t width = i + 1 == most ? cols - col : std::min(tileK, cols - col);
    body(col, width);
    col += width;
  }
}

std::optional<Lowering::FedNorm> Lowering::getFedNorm(Operation *op, Value input) {
  if (auto it = fed.find(op); it != fed.end())
    return it->second;
  std::optional<FedNorm> norm = beginNorm(input, op);
  Matrix x = get(input);
  if (norm)
    feedNorm(*norm, x);
  return norm;
}

void Lowering::scaleColumn(Value column, tile::BinaryFunction function, float value, Value rows) {
  tile::ScalarOp::create(builder, loc, function, column, llvm::APFloat(value), column, false, rows,
                         constant(1));
}

LogicalResult Lowering::lowerRmsNorm(llm::RmsNormOp op) {
  if (failed(require(op, {op.getInput()})))
    return failure();
  Matrix x = get(op.getInput());
  float epsilon = op.getEpsilon().convertToFloat();
  // Its users apply the factor.
  if (std::optional<FedNorm> norm = getFedNorm(op, op.getInput())) {
    Value rows = extent(x.rows);
    scaleColumn(norm->squares, tile::BinaryFunction::Div, float(x.cols), rows);
    tile::UnaryOp::create(builder, loc, tile::UnaryFunction::Rsqrt, norm->squares, norm->squares,
                          rows, constant(1));
    matrices[op.getResult()] = {norm->scaled, x.rows, x.cols, norm->squares};
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
  Value rows = extent(x.rows), all = constant(x.cols), one = constant(1);
  Value factor = slot(slotRows, 1, builder.getF32Type());
  tile::ReduceOp::create(builder, loc, tile::ReduceFunction::Sumsq, x.slot, factor, false, rows,
                         all);
  scaleColumn(factor, tile::BinaryFunction::Div, float(x.cols), rows);
  scaleColumn(factor, tile::BinaryFunction::Add, epsilon, rows);
  tile::UnaryOp::create(builder, loc, tile::UnaryFunction::Rsqrt, factor, factor, rows, one);
  Matrix out = define(op.getResult());
  Value normalized = slot(slotRows, x.cols, builder.getF32Type());
  tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Mul, x.slot,
                         repeatColumn(factor, 0, x.cols), normalized, rows, all);
  tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Mul, normalized,
                         repeatRow(vectorSlot, index(0), *scale, x.cols), out.slot, rows, all);
  return success();
}

/// x * factor + shift, then times scale plus bias; variance as the mean of squares less
/// the square of the mean, both of which are there when the last column of x is.
LogicalResult Lowering::lowerLayerNorm(llm::LayerNormOp op) {
  if (failed(require(op, {op.getInput()})))
    return failure();
  FailureOr<OpFoldResult> scale = getVector(op, op.getScale()), bias = OpFoldResult();
  if (op.getBias())
    bias = getVector(op, op.getBias());
  Matrix x = get(op.getInput());
  if (failed(scale) || failed(bias) || failed(checkWidth(op, x.cols, op.getScale())))
    return failure();
  std::optional<FedNorm> norm = getFedNorm(op, op.getInput());
  Value rows = extent(x.rows), one = constant(1);
  Value factor = norm->squares, shift = norm->sum;
  Value square = slot(slotRows, 1, builder.getF32Type());
  auto combine = [&](tile::BinaryFunction function, Value a, Value b, Value to) {
    tile::BinaryOp::create(builder, loc, function, a, b, to, rows, one);
  };
  // The mean with its sign changed.
  scaleColumn(shift, tile::BinaryFunction::Div, -float(x.cols), rows);
  scaleColumn(factor, tile::BinaryFunction::Div, float(x.cols), rows);
  combine(tile::BinaryFunction::Mul, shift, shift, square);
  combine(tile::BinaryFunction::Sub, factor, square, factor);
  // What rounding makes of a row of equal elements may be negative.
  scaleColumn(factor, tile::BinaryFunction::Max, op.getEpsilon().convertToFloat(), rows);
  tile::UnaryOp::create(builder, loc, tile::UnaryFunction::Rsqrt, factor, factor, rows, one);
  combine(tile::BinaryFunction::Mul, shift, factor, shift);

  bool inPlace = isLastUse(op.getInput(), op, op) && !isOnlyMatrixOperand(op.getResult()) &&
                 cast<MemRefType>(x.slot.getType()).getElementType().isF32();
  Matrix out = x;
  if (inPlace)
    matrices[op.getResult()] = out;
  else
    out = define(op.getResult());
  Value normalized = inPlace ? x.slot : slot(slotRows, x.cols, builder.getF32Type());
  auto finish = [&](Value to, int64_t col, int64_t width) {
    Value part = window(normalized, index(0), index(col), slotRows, width);
    Value dst = window(to, index(0), index(col), slotRows, width), cols = constant(width);
    Value factors = repeatRow(vectorSlot, index(0), sum(*scale, index(col)), width);
    if (op.getBias())
      tile::TernaryOp::create(builder, loc, tile::TernaryFunction::Fma, part, factors,
                              repeatRow(vectorSlot, index(0), sum(*bias, index(col)), width), dst,
                              rows, cols);
    else
      tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Mul, part, factors, dst, rows,
                             cols);
  };
  // What the matrix engine takes comes first, in blocks, and what others read later.
  bool isOperand = cast<MemRefType>(out.slot.getType()).getElementType() == precision;
  Value operand = isOperand ? out.slot : slot(slotRows, x.cols, precision);
  std::optional<std::pair<int64_t, int64_t>> before;
  forEachPiece(x.cols, [&](int64_t col, int64_t width) {
    tile::TernaryOp::create(builder, loc, tile::TernaryFunction::Fma,
                            window(x.slot, index(0), index(col), slotRows, width),
                            repeatColumn(factor, 0, width), repeatColumn(shift, 0, width),
                            window(normalized, index(0), index(col), slotRows, width), rows,
                            constant(width));
    // One piece later, so that it need not wait for the latency.
    if (before)
      finish(operand, before->first, before->second);
    before = {col, width};
  });
  finish(operand, before->first, before->second);
  if (!isOperand) {
    operands[op.getResult()] = {operand, x.rows, x.cols, Value()};
    forEachPiece(x.cols, [&](int64_t col, int64_t width) { finish(out.slot, col, width); });
  }
  return success();
}
