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

/// Heads in flight together.
static constexpr int64_t mostLanes = 12;
/// Queries of a tile and keys of a step of the softmax, so many that what an instruction
/// costs beside its work is little; fewer where the accumulators are small.
static constexpr int64_t softmaxSize = 128;

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
  if (isCut(keyShape[1]))
    return op.emitOpError() << "sees keys of all " << limits.tokens << " rows, of which "
                            << slotRows << " are on the core at once; compile for fewer tokens "
                            << "(--max-tokens)";
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

  // Keys are columns of one product and rows of the next. A few heads are in flight
  // together, so that the engines' latencies are hidden.
  Type f32 = builder.getF32Type();
  int64_t block = std::min(tileK, tileN), tile = softmaxSize;
  while (tile > block && 2 * 4 * tile * (tile + valueSize) > target.accumulatorBytes())
    tile /= 2;
  int64_t tileRows =
      std::min(slotRows, chosen(tile::Choice::EncoderQueries).value_or(tile));
  int64_t step = choose(tile::Choice::EncoderKeys, std::max<int64_t>(llvm::alignDown(tile, block), block));
  if (step % block)
    return op.emitOpError() << "multiplies by " << block << " keys at a time, but 'encoder_keys' of "
                            << tile::TileDialect::kChoicesAttr << " is " << step
                            << "; expected a multiple";
  int64_t stepBlocks = step / block;
  int64_t laneBytes = 4 * tileRows * (step + valueSize), lanes = heads;
  int64_t most = chosen(tile::Choice::EncoderLanes).value_or(mostLanes);
  while (lanes > 1 && (heads % lanes || lanes > most ||
                       lanes * laneBytes > target.accumulatorBytes()))
    --lanes;
  note(tile::Choice::EncoderQueries, tileRows);
  note(tile::Choice::EncoderLanes, lanes);
  Value states = slot(lanes * tileRows, 3, f32);
  Value sums = slot(lanes * tileRows, valueSize, f32, /*accumulator=*/true);
  struct Lane {
    Value scores, weights, state, sums;
  };
  SmallVector<Lane> all;
  for (int64_t lane = 0; lane < lanes; ++lane)
    all.push_back({slot(tileRows, step, f32, /*accumulator=*/true),
                   slot(tileRows, step, precision),
                   window(states, index(lane * tileRows), index(0), tileRows, 3),
                   window(sums, index(lane * tileRows), index(0), tileRows, valueSize)});
  Value one = constant(1), width = constant(valueSize), rowsOfAll = constant(lanes * tileRows);

  // One step of the softmax, for the rows of one tile of queries.
  auto attendStep = [&](Value firstHead, Value queryRow, Value tileStart, Value rows, Value keyRow,
                        Value seen, Value number, bool isFirst) {
    Value first = mul(number, step), valid = min(subtract(seen, first), step);
    Value firstKey = add(keyRow, first);
    // Query i sees the keys up to its own.
    Value limit = op.getCausal() ? subtract(add(tileStart, one), first) : valid;
    // Blocks of keys: most steps have all of them.
    auto forEachBlock = [&](llvm::function_ref<void(Value row, Value col, Value count)> body) {
      if (stepBlocks == 1)
        return body(firstKey, constant(0), valid);
      forEach(ceilDiv(valid, block), [&](Value i) {
        Value col = mul(i, block);
        body(add(firstKey, col), col, min(subtract(valid, col), block));
      });
    };
    auto kvHeadOf = [&](int64_t lane) {
      Value head = add(firstHead, constant(lane));
      return group == 1 ? head
                        : arith::DivUIOp::create(builder, loc, head, constant(group)).getResult();
    };
    auto softmax = [&](const Lane &lane) {
      tile::SoftmaxOp::create(builder, loc, lane.scores, lane.weights, lane.state, op.getScale(),
                              limit, op.getCausal() ? 1 : tileRows, 0, rows, valid);
    };
    for (auto [i, lane] : llvm::enumerate(all)) {
      Value head = add(firstHead, constant(i)), kvHead = kvHeadOf(i);
      forEachBlock([&](Value row, Value col, Value count) {
        for (int64_t k = 0; k < size; k += tileK) {
          int64_t depth = std::min(tileK, size - k);
          tile::LoadWeightsOp::create(
              builder, loc,
              window(key.slot, row, add(mul(kvHead, size), constant(k)), block, depth),
              constant(depth), count, /*transpose=*/true);
          tile::MatmulOp::create(
              builder, loc,
              window(query.slot, queryRow, add(mul(head, size), constant(k)), tileRows, depth),
              window(lane.scores, index(0), col, tileRows, block), rows, Value(), 1,
              /*accumulate=*/k > 0);
        }
      });
      if (bias)
        tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Add, lane.scores,
                               repeatRow(bias, index(0), firstKey, step), lane.scores, rows, valid);
      // One lane later, so that it need not wait for the latency of the sum.
      if (i > 0)
        softmax(all[i - 1]);
    }
    softmax(all.back());
    if (!isFirst)
      for (const Lane &lane : all)
        tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Mul, lane.sums,
                               repeatColumn(lane.state, 2, valueSize), lane.sums, rows, width);
    for (auto [i, lane] : llvm::enumerate(all)) {
      Value kvHead = kvHeadOf(i);
      for (int64_t n = 0; n < valueSize; n += tileN) {
        int64_t cols = std::min(tileN, valueSize - n);
        Value to = window(lane.sums, index(0), index(n), tileRows, cols);
        auto multiply = [&](Value row, Value col, Value count, bool accumulate) {
          tile::LoadWeightsOp::create(
              builder, loc,
              window(value.slot, row, add(mul(kvHead, valueSize), constant(n)), block, cols), count,
              constant(cols));
          tile::MatmulOp::create(builder, loc, window(lane.weights, index(0), col, tileRows, block),
                                 to, rows, op.getCausal() ? subtract(limit, col) : Value(), 1,
                                 accumulate);
        };
        if (stepBlocks == 1 || !isFirst) {
          forEachBlock([&](Value row, Value col, Value count) {
            multiply(row, col, count, !isFirst);
          });
          continue;
        }
        // The first block begins the sum.
        multiply(firstKey, constant(0), min(valid, block), false);
        forEach(subtract(ceilDiv(valid, block), one), [&](Value i) {
          Value col = mul(add(i, one), block);
          multiply(add(firstKey, col), col, min(subtract(valid, col), block), true);
        });
      }
    }
  };

  forEach(batches, [&](Value batch) {
    Value batchRow = mul(batch, queries), keyRow = mul(batch, keys);
    forEach(ceilDiv(queries, tileRows), [&](Value number) {
      Value start = mul(number, tileRows), rows = min(subtract(queries, start), tileRows);
      Value queryRow = add(batchRow, start);
      // A tile of queries needs no keys after its last one.
      Value seen = op.getCausal() ? min(keys, add(start, rows)) : keys;
      forEach(constant(heads / lanes), [&](Value part) {
        Value firstHead = mul(part, lanes);
        auto fill = [&](float number, int64_t column) {
          tile::FillOp::create(builder, loc, llvm::APFloat(number),
                               window(states, index(0), index(column), lanes * tileRows, 1),
                               rowsOfAll, one);
        };
        fill(std::numeric_limits<float>::lowest(), 0);
        fill(0.0f, 1);
        attendStep(firstHead, queryRow, start, rows, keyRow, seen, constant(0), /*isFirst=*/true);
        forEach(subtract(ceilDiv(seen, step), one), [&](Value i) {
          attendStep(firstHead, queryRow, start, rows, keyRow, seen, add(i, one),
                     /*isFirst=*/false);
        });
        // A query without keys has the sum 0 and the result 0.
        Value total = window(states, index(0), index(1), lanes * tileRows, 1);
        tile::ScalarOp::create(builder, loc, tile::BinaryFunction::Max, total,
                               llvm::APFloat(std::numeric_limits<float>::min()), total, false,
                               rowsOfAll, one);
        for (auto [i, lane] : llvm::enumerate(all))
          tile::BinaryOp::create(
              builder, loc, tile::BinaryFunction::Div, lane.sums,
              repeatColumn(lane.state, 1, valueSize),
              window(out.slot, queryRow, mul(add(firstHead, constant(i)), valueSize), tileRows,
                     valueSize),
              rows, width);
      });
    });
  });
  return success();
}
