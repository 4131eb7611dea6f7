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

/// Keys are columns of one product and rows of the next. A few heads, the *lanes*, are in flight
/// together, so that the engines' latencies are hidden.
struct Lowering::EncoderKernel {
  EncoderKernel(Lowering &on, llm::AttentionOp op, Value bias);

  LogicalResult lower();

private:
  struct Lane {
    Value scores, weights, state;
    Value sums; ///< queries x values, or values x queries if the weights of the softmax stay
  };
  /// Queries and keys of one step of the softmax.
  struct Step {
    Value firstHead, queryRow, rows;
    Value firstKey, valid; ///< the row of the first of its keys, and how many it has
    Value limit;           ///< keys that the first query sees
    bool isFirst;
  };

  void chooseTiles();
  bool keepsProbabilities();
  void createLanes();
  void attend(Value batch, Value firstQuery, Value rows, Value firstHead);
  void attendStep(const Step &step);
  /// Calls `body` for blocks of keys, with their row, their column among the step's and how many
  /// there are: most steps have all of them.
  void forEachBlock(const Step &step,
                    llvm::function_ref<void(Value row, Value col, Value count)> body);
  /// The same for products, of which the first of all begins the sum.
  void forEachSummand(const Step &step, llvm::function_ref<void(Value row, Value col, Value count,
                                                                bool accumulate)> body);
  void multiplyKeys(const Step &step, size_t lane);
  void softmax(const Step &step, const Lane &lane);
  void correct(const Step &step, size_t lane);
  void multiplyValues(const Step &step, size_t lane);
  void multiplyTurnedValues(const Step &step, size_t lane);
  void divide(const Step &step);
  Value getKvHead(const Step &step, size_t lane);
  /// A number of each query of a lane, from `turned`, for all features.
  Value repeatTurned(size_t lane) {
    return on.repeatRow(turned, on.index(0), on.index(lane * tileRows), tileRows, valueSize);
  }

  Lowering &on;
  llm::AttentionOp op;
  Value bias; ///< of keys; null if all take part
  Matrix query, key, value, out;
  Value batches, queries, keys;
  int64_t heads, size, group, valueSize;
  int64_t block = 0, stepKeys = 0, tileRows = 0; ///< keys, keys and queries
  SmallVector<Lane> lanes;
  Value states; ///< of all lanes
  Value turned; ///< if probabilities stay: one row, a number of each query of all lanes
};

Lowering::EncoderKernel::EncoderKernel(Lowering &on, llm::AttentionOp op, Value bias)
    : on(on), op(op), bias(bias) {
  SmallVector<llm::ExtentAttr> queryShape = llm::getExtents(op.getQuery());
  SmallVector<llm::ExtentAttr> keyShape = llm::getExtents(op.getKey());
  heads = *queryShape[2].getConstantValue(), size = *queryShape[3].getConstantValue();
  group = heads / *keyShape[2].getConstantValue();
  valueSize = *llm::getExtents(op.getValue())[3].getConstantValue();
  query = on.getOperand(op.getQuery()), key = on.getOperand(op.getKey());
  value = on.getOperand(op.getValue());
  batches = on.extent(queryShape[0]), queries = on.extent(queryShape[1]);
  keys = on.extent(keyShape[1]);
}

void Lowering::EncoderKernel::chooseTiles() {
  block = std::min(on.tileK, on.tileN);
  int64_t tile = softmaxSize;
  while (tile > block && 2 * 4 * tile * (tile + valueSize) > on.target.accumulatorBytes())
    tile /= 2;
  tileRows = std::min(on.slotRows, on.chosen(tile::Choice::EncoderQueries).value_or(tile));
  on.note(tile::Choice::EncoderQueries, tileRows);
  stepKeys =
      on.choose(tile::Choice::EncoderKeys, std::max<int64_t>(llvm::alignDown(tile, block), block));
}

/// Whether probabilities stay in the array and values move. What comes out is the sum turned, as
/// a projection can take it. A causal mask limits the keys of a row that moves, which has to be
/// a query.
bool Lowering::EncoderKernel::keepsProbabilities() {
  if (op.getCausal() || !on.isOnlyProjected(op.getResult()))
    return false;
  // Cycles of a block by either way.
  int64_t valuesStay = llvm::divideCeil(valueSize, on.tileN) * tileRows;
  int64_t probabilitiesStay = llvm::divideCeil(tileRows, on.tileN) * valueSize;
  return on.choose(tile::Choice::StationaryProbabilities, probabilitiesStay < valuesStay);
}

void Lowering::EncoderKernel::createLanes() {
  int64_t bytes = 4 * tileRows * (stepKeys + valueSize), count = heads;
  int64_t most = on.chosen(tile::Choice::EncoderLanes).value_or(mostLanes);
  while (count > 1 &&
         (heads % count || count > most || count * bytes > on.target.accumulatorBytes()))
    --count;
  on.note(tile::Choice::EncoderLanes, count);
  Type f32 = on.builder.getF32Type();
  bool turns = keepsProbabilities();
  out = on.define(op.getResult(), /*transposed=*/turns);
  states = on.slot(count * tileRows, 3, f32);
  if (turns)
    turned = on.slot(1, count * tileRows, f32);
  int64_t rows = turns ? valueSize : tileRows, cols = turns ? tileRows : valueSize;
  Value sums = on.slot(count * rows, cols, f32, /*accumulator=*/true);
  for (int64_t lane = 0; lane < count; ++lane)
    lanes.push_back({on.slot(tileRows, stepKeys, f32, /*accumulator=*/true),
                     on.slot(tileRows, stepKeys, on.precision),
                     on.window(states, on.index(lane * tileRows), on.index(0), tileRows, 3),
                     on.window(sums, on.index(lane * rows), on.index(0), rows, cols)});
}

void Lowering::EncoderKernel::forEachBlock(const Step &step,
                                           llvm::function_ref<void(Value, Value, Value)> body) {
  if (stepKeys == block)
    return body(step.firstKey, on.constant(0), step.valid);
  on.forEach(on.ceilDiv(step.valid, block), [&](Value i) {
    Value col = on.mul(i, block);
    body(on.add(step.firstKey, col), col, on.min(on.subtract(step.valid, col), block));
  });
}

void Lowering::EncoderKernel::forEachSummand(
    const Step &step, llvm::function_ref<void(Value, Value, Value, bool)> body) {
  if (stepKeys == block || !step.isFirst)
    return forEachBlock(step, [&](Value row, Value col, Value count) {
      body(row, col, count, !step.isFirst);
    });
  Value one = on.constant(1);
  body(step.firstKey, on.constant(0), on.min(step.valid, block), false);
  on.forEach(on.subtract(on.ceilDiv(step.valid, block), one), [&](Value i) {
    Value col = on.mul(on.add(i, one), block);
    body(on.add(step.firstKey, col), col, on.min(on.subtract(step.valid, col), block), true);
  });
}

Value Lowering::EncoderKernel::getKvHead(const Step &step, size_t lane) {
  Value head = on.add(step.firstHead, on.constant(lane));
  return group == 1
             ? head
             : arith::DivUIOp::create(on.builder, on.loc, head, on.constant(group)).getResult();
}

void Lowering::EncoderKernel::multiplyKeys(const Step &step, size_t lane) {
  Value head = on.add(step.firstHead, on.constant(lane)), kvHead = getKvHead(step, lane);
  forEachBlock(step, [&](Value row, Value col, Value count) {
    for (int64_t k = 0; k < size; k += on.tileK) {
      int64_t depth = std::min(on.tileK, size - k);
      tile::LoadWeightsOp::create(
          on.builder, on.loc,
          on.window(key.slot, row, on.add(on.mul(kvHead, size), on.constant(k)), block, depth),
          on.constant(depth), count, /*transpose=*/true);
      tile::MatmulOp::create(on.builder, on.loc,
                             on.window(query.slot, step.queryRow,
                                       on.add(on.mul(head, size), on.constant(k)), tileRows, depth),
                             on.window(lanes[lane].scores, on.index(0), col, tileRows, block),
                             step.rows, Value(), 1, /*accumulate=*/k > 0);
    }
  });
  if (bias)
    tile::BinaryOp::create(on.builder, on.loc, tile::BinaryFunction::Add, lanes[lane].scores,
                           on.repeatRow(bias, on.index(0), step.firstKey, stepKeys),
                           lanes[lane].scores, step.rows, step.valid);
}

void Lowering::EncoderKernel::softmax(const Step &step, const Lane &lane) {
  tile::SoftmaxOp::create(on.builder, on.loc, lane.scores, lane.weights, lane.state, op.getScale(),
                          step.limit, op.getCausal() ? 1 : tileRows, 0, step.rows, step.valid);
}

/// Sums of earlier steps, by the factor of their maxima.
void Lowering::EncoderKernel::correct(const Step &step, size_t lane) {
  const auto &[scores, weights, state, sums] = lanes[lane];
  Value width = on.constant(valueSize);
  if (!turned) {
    tile::BinaryOp::create(on.builder, on.loc, tile::BinaryFunction::Mul, sums,
                           on.repeatColumn(state, 2, valueSize), sums, step.rows, width);
    return;
  }
  tile::UnaryOp::create(
      on.builder, on.loc, tile::UnaryFunction::Copy,
      on.window(state, on.index(0), on.index(2), tileRows, 1),
      on.rowsApart(turned, on.index(0), on.index(lane * tileRows), tileRows, 1, 1), step.rows,
      on.constant(1));
  tile::BinaryOp::create(on.builder, on.loc, tile::BinaryFunction::Mul, sums, repeatTurned(lane),
                         sums, width, step.rows);
}

/// sums += probabilities x values, values in the array.
void Lowering::EncoderKernel::multiplyValues(const Step &step, size_t lane) {
  Value firstCol = on.mul(getKvHead(step, lane), valueSize);
  for (int64_t n = 0; n < valueSize; n += on.tileN) {
    int64_t cols = std::min(on.tileN, valueSize - n);
    Value to = on.window(lanes[lane].sums, on.index(0), on.index(n), tileRows, cols);
    forEachSummand(step, [&](Value row, Value col, Value count, bool accumulate) {
      tile::LoadWeightsOp::create(
          on.builder, on.loc,
          on.window(value.slot, row, on.add(firstCol, on.constant(n)), block, cols), count,
          on.constant(cols));
      tile::MatmulOp::create(on.builder, on.loc,
                             on.window(lanes[lane].weights, on.index(0), col, tileRows, block), to,
                             step.rows, op.getCausal() ? on.subtract(step.limit, col) : Value(), 1,
                             accumulate);
    });
  }
}

/// sums' += values' x probabilities', probabilities in the array: tiles of as many queries as it
/// has columns.
void Lowering::EncoderKernel::multiplyTurnedValues(const Step &step, size_t lane) {
  Value firstCol = on.mul(getKvHead(step, lane), valueSize);
  int64_t most = std::min(on.tileN, tileRows);
  auto multiply = [&](Value first, Value count) {
    forEachSummand(step, [&](Value row, Value col, Value depth, bool accumulate) {
      tile::LoadWeightsOp::create(on.builder, on.loc,
                                  on.window(lanes[lane].weights, first, col, most, block), depth,
                                  count, /*transpose=*/true);
      tile::MatmulOp::create(on.builder, on.loc,
                             on.window(value.slot, row, firstCol, block, valueSize),
                             on.window(lanes[lane].sums, on.index(0), first, valueSize, most),
                             on.constant(valueSize), Value(), 1, accumulate, /*transpose=*/true);
    });
  };
  if (tileRows <= on.tileN)
    return multiply(on.constant(0), step.rows);
  on.forEach(on.ceilDiv(step.rows, on.tileN), [&](Value i) {
    Value first = on.mul(i, on.tileN);
    multiply(first, on.min(on.subtract(step.rows, first), on.tileN));
  });
}

void Lowering::EncoderKernel::attendStep(const Step &step) {
  for (size_t lane = 0; lane < lanes.size(); ++lane) {
    multiplyKeys(step, lane);
    // One lane later, so that it need not wait for the latency of the sum.
    if (lane > 0)
      softmax(step, lanes[lane - 1]);
  }
  softmax(step, lanes.back());
  if (!step.isFirst)
    for (size_t lane = 0; lane < lanes.size(); ++lane)
      correct(step, lane);
  for (size_t lane = 0; lane < lanes.size(); ++lane)
    turned ? multiplyTurnedValues(step, lane) : multiplyValues(step, lane);
}

/// result = sums / sum of the softmax. A query without keys has the sum 0 and the result 0.
void Lowering::EncoderKernel::divide(const Step &step) {
  int64_t count = lanes.size() * tileRows;
  Value total = on.window(states, on.index(0), on.index(1), count, 1);
  Value divisors = turned ? on.rowsApart(turned, on.index(0), on.index(0), count, 1, 1) : total;
  tile::ScalarOp::create(on.builder, on.loc, tile::BinaryFunction::Max, total,
                         llvm::APFloat(std::numeric_limits<float>::min()), divisors, false,
                         on.constant(count), on.constant(1));
  Value width = on.constant(valueSize);
  for (auto [i, lane] : llvm::enumerate(lanes)) {
    Value feature = on.mul(on.add(step.firstHead, on.constant(i)), valueSize);
    if (turned)
      tile::BinaryOp::create(on.builder, on.loc, tile::BinaryFunction::Div, lane.sums,
                             repeatTurned(i),
                             on.window(out.slot, feature, step.queryRow, valueSize, tileRows), width,
                             step.rows);
    else
      tile::BinaryOp::create(on.builder, on.loc, tile::BinaryFunction::Div, lane.sums,
                             on.repeatColumn(lane.state, 1, valueSize),
                             on.window(out.slot, step.queryRow, feature, tileRows, valueSize),
                             step.rows, width);
  }
}

void Lowering::EncoderKernel::attend(Value batch, Value firstQuery, Value rows, Value firstHead) {
  Value one = on.constant(1), rowsOfAll = on.constant(lanes.size() * tileRows);
  Value keyRow = on.mul(batch, keys);
  // A tile of queries needs no keys after its last one.
  Value seen = op.getCausal() ? on.min(keys, on.add(firstQuery, rows)) : keys;
  auto getStep = [&](Value number, bool isFirst) {
    Value first = on.mul(number, stepKeys), valid = on.min(on.subtract(seen, first), stepKeys);
    // Query i sees the keys up to its own.
    Value limit = op.getCausal() ? on.subtract(on.add(firstQuery, one), first) : valid;
    return Step{firstHead, on.add(on.mul(batch, queries), firstQuery), rows,
                on.add(keyRow, first), valid, limit, isFirst};
  };
  auto fill = [&](float number, int64_t column) {
    tile::FillOp::create(
        on.builder, on.loc, llvm::APFloat(number),
        on.window(states, on.index(0), on.index(column), lanes.size() * tileRows, 1), rowsOfAll,
        one);
  };
  fill(std::numeric_limits<float>::lowest(), 0);
  fill(0.0f, 1);
  Step first = getStep(on.constant(0), /*isFirst=*/true);
  attendStep(first);
  on.forEach(on.subtract(on.ceilDiv(seen, stepKeys), one), [&](Value i) {
    attendStep(getStep(on.add(i, one), /*isFirst=*/false));
  });
  divide(first);
}

LogicalResult Lowering::EncoderKernel::lower() {
  chooseTiles();
  if (stepKeys % block)
    return op.emitOpError() << "multiplies by " << block << " keys at a time, but 'encoder_keys' of "
                            << tile::TileDialect::kChoicesAttr << " is " << stepKeys
                            << "; expected a multiple";
  createLanes();
  on.forEach(batches, [&](Value batch) {
    on.forEach(on.ceilDiv(queries, tileRows), [&](Value number) {
      Value first = on.mul(number, tileRows);
      Value rows = on.min(on.subtract(queries, first), tileRows);
      on.forEach(on.constant(heads / lanes.size()), [&](Value part) {
        attend(batch, first, rows, on.mul(part, lanes.size()));
      });
    });
  });
  return success();
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
  Value bias;
  if (op.getKeyMask()) {
    FailureOr<Value> result = getKeyBias(op, op.getKeyMask());
    if (failed(result))
      return failure();
    bias = *result;
  }
  return EncoderKernel(*this, op, bias).lower();
}
