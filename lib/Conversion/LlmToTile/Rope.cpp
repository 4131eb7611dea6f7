//===- Rope.cpp - rotary position embedding and its angles -------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

/// `weight` as a matrix: the same views without leading dimensions of extent 1.
static FailureOr<llm::WeightOp> getMatrixWeight(Operation *user, Attribute name,
                                                SymbolTable &symbols) {
  auto weight = symbols.lookup<llm::WeightOp>(cast<FlatSymbolRefAttr>(name).getAttr());
  RankedTensorType type = weight.getTensorType();
  ArrayRef<int64_t> shape = type.getShape();
  if (type.getRank() == 2)
    return weight;
  if (type.getRank() < 2 || llvm::any_of(shape.drop_back(2), [](int64_t n) { return n != 1; }) ||
      weight.getViews().size() != 1)
    return user->emitOpError() << "takes its angles from '" << weight.getModelName() << "' of type "
                               << type << ", for which there is no kernel yet; expected a row for "
                                          "each position";
  auto view = cast<llm::ViewAttr>(weight.getViews()[0]);
  auto matrix = llm::ViewAttr::get(type.getContext(), view.getFile(), view.getOffset(),
                                   view.getLength(), shape.take_back(2),
                                   view.getStrides().take_back(2));
  OpBuilder builder(weight);
  auto result = llm::WeightOp::create(builder, weight.getLoc(), weight.getSymName(),
                                      RankedTensorType::get(shape.take_back(2), type.getElementType()),
                                      builder.getArrayAttr(matrix), IntegerAttr(),
                                      builder.getStringAttr("private"));
  symbols.insert(result);
  return result;
}

Operation *Lowering::getRopeOf(Value value) {
  Operation *rope = nullptr;
  forEachUse(value, [&](OpOperand &use) {
    if (isa<llm::RopeOp>(use.getOwner()) && use.getOperandNumber() > 0)
      rope = use.getOwner();
  });
  return rope;
}

LogicalResult Lowering::loadTables(func::FuncOp function) {
  SymbolTable symbols(module);
  llvm::DenseMap<Attribute, Matrix> loaded;
  auto load = [&](Operation *rope, Attribute name, Value value) -> LogicalResult {
    Matrix &angles = loaded[name];
    if (!angles.slot) {
      FailureOr<llm::WeightOp> weight = getMatrixWeight(rope, name, symbols);
      if (failed(weight))
        return failure();
      ArrayRef<int64_t> shape = weight->getTensorType().getShape();
      std::string table = ("table." + weight->getSymName()).str();
      {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPointToStart(module.getBody());
        tile::TensorOp::create(builder, loc, table, tile::TensorRole::Constant, StringAttr(),
                               StringAttr(), ArrayAttr(), /*scalar=*/false,
                               FlatSymbolRefAttr::get(*weight),
                               MemRefType::get(shape, builder.getF32Type()), /*below=*/StringAttr());
      }
      angles.slot = slot(std::max(slotRows, shape[0]), shape[1], builder.getF32Type());
      angles.rows = llm::ExtentAttr::getConstant(builder.getContext(), shape[0]);
      angles.cols = shape[1];
      tile::LoadOp::create(builder, loc, table, constant(0), constant(0), angles.slot,
                           constant(shape[0]));
    }
    matrices[value] = angles;
    return success();
  };
  for (Operation &op : function.getBody().front()) {
    if (auto get = dyn_cast<llm::GetWeightOp>(op))
      if (Operation *rope = getRopeOf(get.getResult());
          rope && failed(load(rope, get.getNameAttr(), get.getResult())))
        return failure();
    auto layers = dyn_cast<llm::LayersOp>(op);
    if (!layers)
      continue;
    // Weights of the layers, of which each layer may have the same one.
    auto callee = symbols.lookup<func::FuncOp>(layers.getCallee());
    unsigned first = 1 + layers.getCarried().size() + layers.getShared().size();
    for (auto [argument, names] : llvm::zip_equal(callee.getArguments().drop_front(first),
                                                  layers.getWeights().getAsRange<ArrayAttr>())) {
      Operation *rope = getRopeOf(argument);
      if (!rope)
        continue;
      if (!llvm::all_equal(names))
        return rope->emitOpError() << "takes its angles from constants that differ between layers, "
                                      "for which there is no kernel yet";
      if (failed(load(rope, names[0], argument)))
        return failure();
    }
  }
  return success();
}

Value Lowering::countRows() {
  Value column = slot(slotRows, 1, builder.getF32Type()), one = constant(1);
  tile::FillOp::create(builder, loc, llvm::APFloat(0.0f), column, one, one);
  // What is there, and as much again.
  for (int64_t done = 1; done < slotRows; done *= 2) {
    int64_t more = std::min(done, slotRows - done);
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
    positions = slot(slotRows, 1, builder.getI32Type());
    tile::LoadOp::create(builder, loc, nameOf(argument), firstRow(rowExtent), constant(0), positions, rows);
  } else if (auto iota = source.getDefiningOp<llm::IotaOp>();
             iota && iota.getStart().getExtents().front().isConstant(0) && iota.getStep() == 1) {
    if (isCut(rowExtent))
      return op.emitOpError() << "counts the positions of all " << limits.tokens
                              << " rows, of which " << slotRows
                              << " are on the core at once; compile for fewer tokens (--max-tokens)";
    positions = countRows();
  } else {
    return op.emitOpError() << "has positions that are neither an input of the model nor a count "
                               "from 0, for which there is no kernel yet";
  }
  Value angles = slot(slotRows, cols, builder.getF32Type());
  tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Mul, repeatColumn(positions, 0, cols),
                         repeatRow(vectorSlot, index(0), *frequencies, cols), angles, rows, all);
  for (auto [function, result] : {std::pair{tile::UnaryFunction::Cos, op.getCosine()},
                                  std::pair{tile::UnaryFunction::Sin, op.getSine()}}) {
    Matrix out = define(result);
    tile::UnaryOp::create(builder, loc, function, angles, out.slot, rows, all);
  }
  return success();
}

bool Lowering::hasOwnAngles(llm::RopeOp op) {
  auto cosine = matrices.find(op.getCosine());
  return cosine != matrices.end() && matrices.contains(op.getSine()) &&
         getShape(op.getInput()).first == cosine->second.rows;
}

Lowering::RopeTarget Lowering::defineRope(llm::RopeOp op) {
  SmallVector<llm::ExtentAttr> shape = llm::getExtents(op.getInput());
  int64_t heads = *shape[shape.size() - 2].getConstantValue();
  int64_t size = *shape.back().getConstantValue();
  auto [rows, cols] = getShape(op.getResult());
  if (int64_t kvHeads = getStackedHeads(op.getResult())) {
    // The heads that share keys go where one product takes them all.
    int64_t group = heads / kvHeads;
    Value out = slot(kvHeads * slotRows, group * size, precision);
    matrices[op.getResult()] = {out, rows, cols};
    return {out, size, group};
  }
  if (auto attention = getOnlyAttention(op.getResult(), 1)) {
    Value out = getKeyValueSlot(attention);
    matrices[op.getResult()] = {out, rows, cols};
    return {out, 2 * size, 0};
  }
  return {define(op.getResult()).slot, size, 0};
}

void Lowering::rotate(llm::RopeOp op, const RopeTarget &to, Value from, Column col,
                      int64_t heads) {
  Matrix cosine = get(op.getCosine()), sine = get(op.getSine());
  int64_t size = *llm::getExtents(op.getInput()).back().getConstantValue();
  Value rows = extent(cosine.rows), all = constant(size);
  auto turn = [&](int64_t first, int64_t count, OpFoldResult row, OpFoldResult column) {
    Value source = window(from, index(0), index(first * size), slotRows, count * size);
    Value target = window(to.slot, row, column, slotRows, (count - 1) * to.headStride + size);
    tile::RopeOp::create(builder, loc, source, cosine.slot, sine.slot, target, count,
                         2 * cosine.cols, to.headStride, rows, all);
  };
  Column head{col.index, col.step / size, col.offset / size};
  if (!to.stackedHeads)
    return turn(0, heads, index(0),
                at({head.index, head.step * to.headStride, head.offset * to.headStride}));
  for (int64_t done = 0; done < heads;) {
    int64_t stack = (head.offset + done) / to.stackedHeads;
    int64_t place = (head.offset + done) % to.stackedHeads;
    int64_t count = std::min(heads - done, to.stackedHeads - place);
    turn(done, count, at({head.index, head.step / to.stackedHeads * slotRows, stack * slotRows}),
         index(place * size));
    done += count;
  }
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
  if (batches->isConstant(1)) {
    rotate(op, defineRope(op), a.slot, {Value(), 0, 0}, heads);
    return success();
  }
  if (getStackedHeads(op.getResult()))
    return op.emitOpError() << "broadcasts its angles over a batch, for which there is no kernel yet";
  Matrix out = define(op.getResult());
  Value all = constant(size), rows = extent(cosine.rows);
  forEach(extent(*batches), [&](Value batch) {
    Value row = mul(batch, rows);
    tile::RopeOp::create(builder, loc, window(a.slot, row, index(0), slotRows, a.cols), cosine.slot,
                         sine.slot, window(out.slot, row, index(0), slotRows, a.cols), heads,
                         2 * cosine.cols, size, rows, all);
  });
  return success();
}
