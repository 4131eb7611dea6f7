//===- Elementwise.cpp - sums, activations, rows and views -------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

LogicalResult Lowering::lowerUnary(llm::UnaryOp op) {
  if (failed(require(op, {op.getOperand()})))
    return failure();
  std::optional<tile::UnaryFunction> function =
      tile::symbolizeUnaryFunction(llm::stringifyUnaryKind(op.getKind()));
  if (op.getKind() == llm::UnaryKind::GeluErf)
    function = tile::UnaryFunction::Gelu;
  if (!function)
    return op.emitOpError() << "of " << llm::stringifyUnaryKind(op.getKind())
                            << " has no kernel yet";
  Matrix a = get(op.getOperand());
  Matrix out = define(op.getResult());
  tile::UnaryOp::create(builder, loc, *function, a.slot, out.slot, extent(a.rows),
                        constant(a.cols));
  return success();
}

LogicalResult Lowering::lowerBinary(llm::BinaryOp op) {
  std::optional<tile::BinaryFunction> function =
      tile::symbolizeBinaryFunction(llm::stringifyBinaryKind(op.getKind()));
  if (!function)
    return op.emitOpError() << "of " << llm::stringifyBinaryKind(op.getKind())
                            << " has no kernel yet";
  if (!matrices.contains(op.getLhs()) || !matrices.contains(op.getRhs()))
    return op.emitOpError() << "has an operand that is not a matrix of features, for which there is "
                               "no kernel yet";
  Matrix a = get(op.getLhs()), b = get(op.getRhs());
  auto [rows, cols] = getShape(op.getResult());
  if (a.rows != rows || a.cols != cols || b.cols != cols || !rows.dividedBy(b.rows))
    return op.emitOpError() << "broadcasts in a way for which there is no kernel yet";
  Matrix out = define(op.getResult());
  Value all = constant(cols);
  if (b.rows == rows) {
    tile::BinaryOp::create(builder, loc, *function, a.slot, b.slot, out.slot, extent(rows), all);
    return success();
  }
  // The smaller operand is the same for each batch.
  Value part = extent(b.rows);
  forEach(extent(*rows.dividedBy(b.rows)), [&](Value i) {
    Value row = mul(i, part);
    tile::BinaryOp::create(builder, loc, *function,
                           window(a.slot, row, index(0), slotRows, cols), b.slot,
                           window(out.slot, row, index(0), slotRows, cols), part, all);
  });
  return success();
}

LogicalResult Lowering::lowerReshape(llm::ReshapeOp op) {
  auto it = matrices.find(op.getOperand());
  // Indices are looked through by those who use them.
  if (it == matrices.end())
    return success();
  auto [rows, cols] = getShape(op.getResult());
  if (rows != it->second.rows || cols != it->second.cols)
    return op.emitOpError() << "moves elements between rows, for which there is no kernel yet";
  Matrix matrix = it->second;
  matrices[op.getResult()] = matrix;
  return success();
}

LogicalResult Lowering::lowerEmbedding(llm::EmbeddingOp op) {
  auto weight = op.getTable().getDefiningOp<llm::GetWeightOp>();
  if (!weight)
    return op.emitOpError() << "looks up a table that is not a weight";
  auto type = cast<RankedTensorType>(weight.getType());
  std::string name = ("table." + weight.getName()).str();
  SymbolTable symbols(module);
  if (!symbols.lookup<tile::TensorOp>(name)) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(module.getBody());
    tile::TensorOp::create(builder, loc, name, tile::TensorRole::Constant, StringAttr(),
                           StringAttr(), ArrayAttr(), /*scalar=*/false,
                           FlatSymbolRefAttr::get(weight.getNameAttr().getAttr()),
                           MemRefType::get(type.getShape(), precision), /*below=*/StringAttr());
  }
  auto [rows, cols] = getShape(op.getResult());
  Value gathered = slot(slotRows, cols, precision);
  Value source = op.getIndices();
  while (auto reshape = source.getDefiningOp<llm::ReshapeOp>())
    source = reshape.getOperand();
  source = resolve(source);
  auto iota = source.getDefiningOp<llm::IotaOp>();
  if (iota && iota.getStart().getExtents().front().isConstant(0) && iota.getStep() == 1) {
    // The table has no row for a longer sequence.
    std::optional<StringRef> symbol = rows.getSymbolName();
    auto dimension = symbol ? symbols.lookup<tile::DimensionOp>(*symbol) : tile::DimensionOp();
    if (!dimension)
      return op.emitOpError() << "counts to " << rows.str()
                              << ", which is no dimension of the model, for which there is no kernel "
                                 "yet";
    dimension.setMax(std::min<int64_t>(dimension.getMax(), type.getDimSize(0)));
    tile::LoadOp::create(builder, loc, name, firstRow(rows), constant(0), gathered, extent(rows));
  } else if (StringAttr table = tables.lookup(source)) {
    tile::GatherOp::create(builder, loc, name, table.getValue(), firstRow(rows), gathered,
                           extent(rows));
  } else {
    return op.emitOpError() << "has indices that are neither an input of the model nor a count from "
                               "0, for which there is no kernel yet";
  }
  Matrix out = define(op.getResult());
  tile::UnaryOp::create(builder, loc, tile::UnaryFunction::Copy, gathered, out.slot, extent(rows),
                        constant(cols));
  return success();
}

/// Rows that an input names. They go through memory, where a table can name them and
/// where those of earlier portions are.
LogicalResult Lowering::storeRows(llm::GatherOp op) {
  auto indices = dyn_cast<BlockArgument>(resolve(op.getIndices()));
  if (!indices || op.getAxis() != 0 || !matrices.contains(op.getOperand()) ||
      !tables.contains(indices))
    return op.emitOpError() << "does not take rows of features that an input names, for which there "
                               "is no kernel yet";
  Matrix a = get(op.getOperand());
  std::string &name = rowTensors[op];
  name = "rows" + std::to_string(rowTensors.size() - 1);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(module.getBody());
    auto type = cast<MemRefType>(a.slot.getType());
    tile::TensorOp::create(builder, loc, name, tile::TensorRole::Temporary, StringAttr(),
                           StringAttr(), ArrayAttr(), /*scalar=*/false, SymbolRefAttr(),
                           MemRefType::get({limits.tokens, a.cols}, type.getElementType()),
                           /*below=*/StringAttr());
  }
  tile::StoreOp::create(builder, loc, a.slot, name, firstRow(a.rows), constant(0), extent(a.rows));
  return success();
}

LogicalResult Lowering::lowerGather(llm::GatherOp op) {
  auto indices = dyn_cast<BlockArgument>(resolve(op.getIndices()));
  auto stored = module.lookupSymbol<tile::TensorOp>(rowTensors.lookup(op));
  if (!indices || !stored)
    return op.emitOpError() << "takes rows of what comes after rows have been taken, for which there "
                               "is no kernel yet";
  Matrix out = define(op.getResult());
  Type element = stored.getSlotType().getElementType();
  bool converts = element != cast<MemRefType>(out.slot.getType()).getElementType();
  Value rows = extent(out.rows), gathered = converts ? slot(slotRows, out.cols, element) : out.slot;
  tile::GatherOp::create(builder, loc, stored.getSymName(), tables.lookup(indices).getValue(),
                         firstRow(out.rows), gathered, rows);
  if (converts)
    tile::UnaryOp::create(builder, loc, tile::UnaryFunction::Copy, gathered, out.slot, rows,
                          constant(out.cols));
  return success();
}
