//===- Vocabulary.cpp - sizes, slots and tensors ------------------------ -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

Value Lowering::constant(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value Lowering::add(Value a, Value b) { return arith::AddIOp::create(builder, loc, a, b); }

Value Lowering::mul(Value a, Value b) { return arith::MulIOp::create(builder, loc, a, b); }

Value Lowering::mul(Value a, int64_t b) { return mul(a, constant(b)); }

Value Lowering::min(Value a, int64_t b) {
  return arith::MinSIOp::create(builder, loc, a, constant(b));
}

Value Lowering::min(Value a, Value b) { return arith::MinSIOp::create(builder, loc, a, b); }

Value Lowering::max(Value a, Value b) { return arith::MaxSIOp::create(builder, loc, a, b); }

Value Lowering::subtract(Value a, Value b) { return arith::SubIOp::create(builder, loc, a, b); }

Value Lowering::ceilDiv(Value a, int64_t b) {
  return arith::CeilDivUIOp::create(builder, loc, a, constant(b));
}

OpFoldResult Lowering::at(Column column) {
  if (!column.index)
    return index(column.offset);
  return add(mul(column.index, column.step), constant(column.offset));
}

Value Lowering::extent(llm::ExtentAttr extent) {
  if (Value value = extents.lookup(extent))
    return value;
  // Extents are computed once, at the head of the function or of the portion.
  OpBuilder::InsertionGuard guard(builder);
  auto isCut = [&](StringAttr symbol) { return portion && symbol == portion->symbol; };
  if (llvm::any_of(extent.getSymbols(), isCut))
    builder.setInsertionPointAfterValue(portion->count);
  else
    builder.setInsertionPoint(stream.getDefiningOp());
  Value sum;
  for (auto [coefficient, monomial] :
       llvm::zip_equal(extent.getCoefficients(), extent.getMonomials())) {
    Value term;
    for (Attribute symbol : monomial) {
      Value factor = isCut(cast<StringAttr>(symbol))
                         ? portion->count
                         : tile::ExtentOp::create(builder, loc, builder.getIndexType(),
                                                  cast<StringAttr>(symbol).getValue())
                               .getResult();
      term = term ? mul(term, factor) : factor;
    }
    if (!term)
      term = constant(coefficient);
    else if (coefficient != 1)
      term = mul(term, coefficient);
    sum = sum ? add(sum, term) : term;
  }
  return extents[extent] = sum ? sum : constant(0);
}

scf::ForOp Lowering::forEach(Value count, function_ref<void(Value)> body) {
  auto loop = scf::ForOp::create(builder, loc, constant(0), count, constant(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(loop.getBody()->getTerminator());
  body(loop.getInductionVar());
  return loop;
}

//===----------------------------------------------------------------------===//
// Slots
//===----------------------------------------------------------------------===//

Value Lowering::slot(int64_t rows, int64_t cols, Type type, bool accumulator) {
  return tile::SlotOp::create(builder, loc, MemRefType::get({rows, cols}, type), accumulator);
}

static int64_t getRowStride(Value slot) {
  SmallVector<int64_t> strides;
  int64_t offset;
  (void)cast<MemRefType>(slot.getType()).getStridesAndOffset(strides, offset);
  return strides.front();
}

/// slot[row * rowStride + col] onwards with the strides given. The slot may be a
/// view at a constant place, which the new one is then of the same slot as.
static Value view(OpBuilder &builder, Location loc, Value slot, OpFoldResult row, OpFoldResult col,
                  ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) {
  auto type = cast<MemRefType>(slot.getType());
  SmallVector<int64_t> slotStrides;
  int64_t slotOffset;
  (void)type.getStridesAndOffset(slotStrides, slotOffset);
  std::optional<int64_t> constantRow = getConstantIntValue(row), constantCol = getConstantIntValue(col);
  OpFoldResult offset;
  while (auto outer = slot.getDefiningOp<memref::ReinterpretCastOp>())
    slot = outer.getSource();
  if (constantRow && constantCol) {
    offset = builder.getIndexAttr(slotOffset + *constantRow * slotStrides[0] + *constantCol);
  } else {
    Value rows = getValueOrCreateConstantIndexOp(builder, loc, row);
    Value stride = arith::ConstantIndexOp::create(builder, loc, slotStrides[0]);
    Value value = arith::MulIOp::create(builder, loc, rows, stride);
    value = arith::AddIOp::create(builder, loc, value,
                                  getValueOrCreateConstantIndexOp(builder, loc, col));
    if (slotOffset)
      value = arith::AddIOp::create(builder, loc, value,
                                    arith::ConstantIndexOp::create(builder, loc, slotOffset));
    offset = value;
  }
  auto resultType = MemRefType::get(
      sizes, type.getElementType(),
      StridedLayoutAttr::get(builder.getContext(),
                             getConstantIntValue(offset).value_or(ShapedType::kDynamic), strides));
  return memref::ReinterpretCastOp::create(
      builder, loc, resultType, slot, offset,
      llvm::map_to_vector(sizes, [&](int64_t n) -> OpFoldResult { return builder.getIndexAttr(n); }),
      llvm::map_to_vector(strides,
                          [&](int64_t n) -> OpFoldResult { return builder.getIndexAttr(n); }));
}

Value Lowering::window(Value slot, OpFoldResult row, OpFoldResult col, int64_t rows, int64_t cols) {
  return view(builder, loc, slot, row, col, {rows, cols}, {getRowStride(slot), 1});
}

Value Lowering::denseWindow(Value slot, int64_t offset, int64_t rows, int64_t cols) {
  return view(builder, loc, slot, index(0), index(offset), {rows, cols}, {cols, 1});
}

Value Lowering::rowsApart(Value slot, OpFoldResult row, OpFoldResult col, int64_t rows,
                          int64_t cols, int64_t apart) {
  return view(builder, loc, slot, row, col, {rows, cols}, {apart, 1});
}

Value Lowering::repeatRow(Value slot, OpFoldResult row, OpFoldResult col, int64_t cols,
                          std::optional<int64_t> rows) {
  return view(builder, loc, slot, row, col, {rows.value_or(slotRows), cols}, {0, 1});
}

Value Lowering::splitRows(Value slot, OpFoldResult row, int64_t rows, int64_t pieces, int64_t col,
                          int64_t cols) {
  int64_t stride = cast<MemRefType>(slot.getType()).getDimSize(1) / pieces;
  return view(builder, loc, slot, row, index(col), {rows * pieces, cols}, {stride, 1});
}

Value Lowering::everyRow(Value slot, OpFoldResult row, int64_t every, int64_t rows) {
  int64_t cols = cast<MemRefType>(slot.getType()).getDimSize(1);
  return view(builder, loc, slot, row, index(0), {rows, cols}, {every * getRowStride(slot), 1});
}

Value Lowering::repeatColumn(Value slot, int64_t col, int64_t cols, OpFoldResult row,
                             int64_t every) {
  auto type = cast<MemRefType>(slot.getType());
  return view(builder, loc, slot, row ? row : index(0), index(col),
              {type.getDimSize(0) / every, cols}, {every * getRowStride(slot), 0});
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

std::pair<llm::ExtentAttr, int64_t> Lowering::getShape(Value tensor) {
  SmallVector<llm::ExtentAttr> shape = llm::getExtents(tensor);
  auto isSymbolic = [](llm::ExtentAttr extent) { return !extent.getConstantValue(); };
  size_t rowDims = shape.empty() ? 0 : shape.size() - 1;
  if (llvm::none_of(shape, isSymbolic))
    rowDims = std::min<size_t>(rowDims, 2);
  while (rowDims > 0 && !isSymbolic(shape[rowDims - 1]) &&
         llvm::any_of(ArrayRef(shape).take_front(rowDims - 1), isSymbolic))
    --rowDims;
  int64_t cols = 1;
  for (llm::ExtentAttr extent : ArrayRef(shape).drop_front(rowDims))
    cols *= extent.getConstantValue().value_or(1);
  return {llm::product(tensor.getContext(), ArrayRef(shape).take_front(rowDims)), cols};
}

LogicalResult Lowering::require(Operation *user, ArrayRef<Value> tensors) const {
  for (auto [i, tensor] : llvm::enumerate(tensors))
    if (!matrices.contains(tensor))
      return user->emitOpError() << "reads operand " << i
                                 << ", which no kernel computes";
  return success();
}

/// Whether the matrix engine is the only reader of `tensor`, through reshapes, or of rows of
/// it.
bool Lowering::isOnlyMatrixOperand(Value tensor) const {
  return llvm::all_of(tensor.getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (auto reshape = dyn_cast<llm::ReshapeOp>(user))
      return isOnlyMatrixOperand(reshape.getResult());
    if (auto gather = dyn_cast<llm::GatherOp>(user))
      return use.getOperandNumber() == 0 && isOnlyMatrixOperand(gather.getResult());
    if (isa<llm::LinearOp>(user))
      return use.getOperandNumber() == 0;
    if (auto attention = dyn_cast<llm::CachedAttentionOp>(user))
      return llvm::is_contained({attention.getQuery(), attention.getKey(), attention.getValue()},
                                use.get());
    return isa<llm::AttentionOp>(user) && use.getOperandNumber() < 3;
  });
}

bool Lowering::isLastUse(Value tensor, Operation *user, Operation *lowered) const {
  return llvm::all_of(tensor.getUsers(), [&](Operation *other) {
    if (other->getBlock() != lowered->getBlock())
      return false;
    if (other == user || (other->isBeforeInBlock(lowered) && !isa<llm::ReshapeOp>(other)))
      return true;
    return isa<llm::ReshapeOp>(other) && isLastUse(other->getResult(0), user, lowered);
  });
}

bool Lowering::isOnlyProjected(Value tensor) {
  return llvm::all_of(tensor.getUses(), [&](OpOperand &use) {
    if (auto reshape = dyn_cast<llm::ReshapeOp>(use.getOwner()))
      return isOnlyProjected(reshape.getResult());
    return isa<llm::LinearOp>(use.getOwner()) && use.getOperandNumber() == 0;
  });
}

Matrix &Lowering::define(Value tensor, bool transposed) {
  auto [rows, cols] = getShape(tensor);
  Type type = isOnlyMatrixOperand(tensor) ? precision : builder.getF32Type();
  Value place = transposed ? slot(cols, slotRows, type) : slot(slotRows, cols, type);
  return matrices[tensor] = {place, rows, cols, /*factor=*/Value(), transposed};
}

Matrix Lowering::getOperand(Value tensor) {
  Matrix source = get(tensor);
  if (cast<MemRefType>(source.slot.getType()).getElementType() == precision)
    return source;
  if (Matrix converted = operands.lookup(tensor); converted.slot)
    return converted;
  Matrix converted = source;
  converted.slot = slot(slotRows, source.cols, precision);
  forEachPiece(source.cols, [&](int64_t col, int64_t width) {
    tile::UnaryOp::create(builder, loc, tile::UnaryFunction::Copy,
                          window(source.slot, index(0), index(col), slotRows, width),
                          window(converted.slot, index(0), index(col), slotRows, width),
                          extent(source.rows), constant(width));
  });
  return operands[tensor] = converted;
}

OpFoldResult Lowering::sum(OpFoldResult a, OpFoldResult b) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return index(*x + *y);
  return add(getValueOrCreateConstantIndexOp(builder, loc, a),
             getValueOrCreateConstantIndexOp(builder, loc, b));
}

FailureOr<OpFoldResult> Lowering::getVector(Operation *user, Value vector) {
  if (auto weight = vector.getDefiningOp<llm::GetWeightOp>())
    if (auto it = vectorOffsets.find(weight.getNameAttr()); it != vectorOffsets.end())
      return index(it->second);
  if (layers)
    if (ArrayAttr names = layers->weights.lookup(vector))
      if (auto it = vectorOffsets.find(names); it != vectorOffsets.end()) {
        int64_t length = cast<RankedTensorType>(vector.getType()).getDimSize(0);
        return OpFoldResult(add(mul(layers->index, length), constant(it->second)));
      }
  return user->emitOpError() << "has a scale or bias that is not a weight of rank 1";
}
