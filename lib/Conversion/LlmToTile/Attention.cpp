//===- Attention.cpp - attention over the keys of a batch of sequences -- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

FailureOr<Value> Lowering::getKeyBias(Operation *op, Value mask) {
  Value &bias = keyBiases[mask];
  if (bias)
    return bias;
  auto argument = dyn_cast<BlockArgument>(resolve(mask));
  if (!argument)
    return op->emitOpError() << "has a key mask that is not an input of the model";
  std::string name = nameOf(argument);
  Value first = firstRow(llm::product(op->getContext(), llm::getExtents(mask)));
  Value loaded = slot(1, slotRows, builder.getI32Type());
  tile::LoadOp::create(builder, loc, name, constant(0), first, loaded, constant(1));
  Value result = slot(1, slotRows, builder.getF32Type());
  Value keys = extent(llm::product(op->getContext(), llm::getExtents(mask)));
  Value one = constant(1);
  Value choices = slot(1, 2, builder.getF32Type());
  auto choice = [&](int64_t column, float value) {
    tile::FillOp::create(builder, loc, llvm::APFloat(value),
                         window(choices, index(0), index(column), 1, 1), one, one);
    return memref::ReinterpretCastOp::create(
               builder, loc,
               MemRefType::get({1, slotRows}, builder.getF32Type(),
                               StridedLayoutAttr::get(builder.getContext(), column, {2, 0})),
               choices, ArrayRef<int64_t>{column}.front(), ArrayRef<int64_t>{1, slotRows},
               ArrayRef<int64_t>{2, 0})
        .getResult();
  };
  Value takesPart = choice(0, 0.0f), leftOut = choice(1, -std::numeric_limits<float>::infinity());
  tile::TernaryOp::create(builder, loc, tile::TernaryFunction::Select, loaded, takesPart, leftOut,
                          result, one, keys);
  return keyBiases[mask] = result;
}

LogicalResult Lowering::lowerAttention(llm::AttentionOp op) {
  if (failed(require(op, {op.getQuery(), op.getKey(), op.getValue()})))
    return failure();
  if (op.getMask() || op.getWindow() || op.getSoftcap())
    return op.emitOpError() << "has a mask, a window or a softcap, for which there is no kernel yet";
  SmallVector<llm::ExtentAttr> queryShape = llm::getExtents(op.getQuery());
  SmallVector<llm::ExtentAttr> keyShape = llm::getExtents(op.getKey());
  if (op.getCausal() && queryShape[1] != keyShape[1])
    return op.emitOpError() << "is causal over keys of another length than its queries, for which "
                               "there is no kernel yet";
  int64_t heads = *queryShape[2].getConstantValue(), size = *queryShape[3].getConstantValue();
  int64_t kvHeads = *keyShape[2].getConstantValue(), group = heads / kvHeads;
  int64_t valueSize = *llm::getExtents(op.getValue())[3].getConstantValue();

  Matrix query = getOperand(op.getQuery()), key = getOperand(op.getKey());
  Matrix value = getOperand(op.getValue());
  Value bias;
  if (op.getKeyMask()) {
    FailureOr<Value> result = getKeyBias(op, op.getKeyMask());
    if (failed(result))
      return failure();
    bias = *result;
  }
  Value batches = extent(queryShape[0]), queries = extent(queryShape[1]);
  Value keys = extent(keyShape[1]);
  Matrix out = define(op.getResult());

  MemRefType tileType = cast<tile::StreamType>(stream.getType()).getSlot();
  int64_t tileK = tileType.getDimSize(0), tileN = tileType.getDimSize(1);
  int64_t block = std::min(tileK, tileN); // Keys are columns of one product, rows of the next.
  Value scores = slot(slotRows, block, builder.getF32Type(), /*accumulator=*/true);
  Value sums = slot(slotRows, valueSize, builder.getF32Type(), /*accumulator=*/true);
  Value weights = slot(slotRows, block, precision);
  Value state = slot(slotRows, 3, builder.getF32Type());
  Value one = constant(1), width = constant(valueSize);
  llvm::APFloat lowest(std::numeric_limits<float>::lowest());
  llvm::APFloat zero(0.0f);

  auto attend = [&](Value head, Value kvHead, Value queryRow, Value keyRow) {
    Value queryCol = mul(head, size), keyCol = mul(kvHead, size);
    Value valueCol = mul(kvHead, valueSize);
    tile::FillOp::create(builder, loc, lowest, window(state, index(0), index(0), slotRows, 1),
                         queries, one);
    tile::FillOp::create(builder, loc, zero, window(state, index(0), index(1), slotRows, 1),
                         queries, one);
    tile::FillOp::create(builder, loc, zero, sums, queries, width);
    Value blocks = arith::CeilDivUIOp::create(builder, loc, keys, constant(block));
    forEach(blocks, [&](Value i) {
      Value first = mul(i, block);
      Value valid = min(arith::SubIOp::create(builder, loc, keys, first), block);
      Value row = add(keyRow, first);
      for (int64_t k = 0; k < size; k += tileK) {
        int64_t depth = std::min(tileK, size - k);
        tile::LoadWeightsOp::create(
            builder, loc, window(key.slot, row, add(keyCol, constant(k)), block, depth),
            constant(depth), valid, /*transpose=*/true);
        tile::MatmulOp::create(
            builder, loc,
            window(query.slot, queryRow, add(queryCol, constant(k)), slotRows, depth), scores,
            queries, Value(), 1, /*accumulate=*/k > 0);
      }
      if (bias)
        tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Add, scores,
                               repeatRow(bias, index(0), row, block), scores, queries, valid);
      // Query i sees the keys up to its own.
      Value limit = op.getCausal() ? Value(arith::SubIOp::create(builder, loc, one, first)) : valid;
      tile::SoftmaxOp::create(builder, loc, scores, weights, state, op.getScale(), limit,
                              op.getCausal() ? 1 : slotRows, 0, queries, valid);
      tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Mul, sums,
                             repeatColumn(state, 2, valueSize), sums, queries, width);
      for (int64_t n = 0; n < valueSize; n += tileN) {
        int64_t cols = std::min(tileN, valueSize - n);
        tile::LoadWeightsOp::create(
            builder, loc, window(value.slot, row, add(valueCol, constant(n)), block, cols), valid,
            constant(cols));
        tile::MatmulOp::create(builder, loc, weights,
                               window(sums, index(0), index(n), slotRows, cols), queries,
                               op.getCausal() ? limit : Value(), 1, /*accumulate=*/true);
      }
    });
    // A query without keys has the sum 0 and the result 0.
    Value total = window(state, index(0), index(1), slotRows, 1);
    tile::ScalarOp::create(builder, loc, tile::BinaryFunction::Max, total,
                           llvm::APFloat(std::numeric_limits<float>::min()), total, false,
                           queries, one);
    tile::BinaryOp::create(
        builder, loc, tile::BinaryFunction::Div, sums, repeatColumn(state, 1, valueSize),
        window(out.slot, queryRow, mul(head, valueSize), slotRows, valueSize), queries, width);
  };

  forEach(batches, [&](Value batch) {
    Value queryRow = mul(batch, queries), keyRow = mul(batch, keys);
    forEach(constant(kvHeads), [&](Value kvHead) {
      if (group == 1)
        return attend(kvHead, kvHead, queryRow, keyRow);
      forEach(constant(group), [&](Value member) {
        attend(add(mul(kvHead, group), member), kvHead, queryRow, keyRow);
      });
    });
  });
  return success();
}
