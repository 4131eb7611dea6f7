//===- Linear.cpp - projections ----------------------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

/// The vector engine's name for an activation.
static std::optional<tile::UnaryFunction> getActivation(llm::UnaryKind kind) {
  switch (kind) {
  case llm::UnaryKind::Silu:
    return tile::UnaryFunction::Silu;
  case llm::UnaryKind::GeluErf:
    return tile::UnaryFunction::Gelu;
  case llm::UnaryKind::GeluTanh:
    return tile::UnaryFunction::GeluTanh;
  case llm::UnaryKind::Tanh:
    return tile::UnaryFunction::Tanh;
  case llm::UnaryKind::Sigmoid:
    return tile::UnaryFunction::Sigmoid;
  default:
    return std::nullopt;
  }
}

/// Follows the result through activations, sums and products for as long as
/// nobody else reads it and the other operand is there already.
Epilogue Lowering::collectEpilogue(llm::LinearOp op) {
  Epilogue epilogue{{}, op.getResult()};
  while (epilogue.result.hasOneUse()) {
    Operation *user = *epilogue.result.user_begin();
    if (auto unary = dyn_cast<llm::UnaryOp>(user); unary && getActivation(unary.getKind())) {
      epilogue.steps.push_back({user, Value()});
    } else if (auto binary = dyn_cast<llm::BinaryOp>(user);
               binary && (binary.getKind() == llm::BinaryKind::Add ||
                          binary.getKind() == llm::BinaryKind::Mul)) {
      Value other = binary.getLhs() == epilogue.result ? binary.getRhs() : binary.getLhs();
      if (!matrices.contains(other) || llm::getExtents(other) != llm::getExtents(epilogue.result) ||
          llm::getExtents(binary.getResult()) != llm::getExtents(other))
        break;
      epilogue.steps.push_back({user, other});
    } else {
      break;
    }
    fused.insert(user);
    epilogue.result = user->getResult(0);
  }
  return epilogue;
}

std::optional<unsigned> Lowering::getResultNumber(Value tensor) {
  if (!tensor.hasOneUse() || !isa<func::ReturnOp>(*tensor.user_begin()) ||
      !cast<func::FuncOp>(tensor.getParentBlock()->getParentOp())
           ->hasAttr(llm::LlmDialect::kEntryAttr))
    return std::nullopt;
  return tensor.use_begin()->getOperandNumber();
}

LogicalResult Lowering::lowerLinear(llm::LinearOp op) {
  if (failed(require(op, {op.getInput()})))
    return failure();
  OpFoldResult bias;
  if (op.getBias()) {
    FailureOr<OpFoldResult> offset = getVector(op, op.getBias());
    if (failed(offset))
      return failure();
    bias = *offset;
  }
  int64_t k = op.getWeight().getType().getDimSize(0), n = op.getWeight().getType().getDimSize(1);
  if (failed(addPacked(op, op.getWeight(), k, n)))
    return failure();

  Matrix x = getOperand(op.getInput());
  if (x.cols != k)
    return op.emitOpError() << "projects " << k << " features of rows that have " << x.cols
                            << ", for which there is no kernel yet";
  Epilogue epilogue = collectEpilogue(op);
  Value m = extent(x.rows);
  MemRefType tileType = cast<tile::StreamType>(stream.getType()).getSlot();
  int64_t tileK = tileType.getDimSize(0), tileN = tileType.getDimSize(1);

  // A result of the function that is wider than a tile leaves block by block.
  std::optional<unsigned> result = getResultNumber(epilogue.result);
  Matrix out;
  Value staging[2];
  int64_t blocks = n / tileN, rest = n % tileN;
  bool alternate = blocks + (rest > 0) > 1;
  if (result)
    for (int i = 0; i <= alternate; ++i)
      staging[i] = slot(maxTokens, tileN, builder.getF32Type());
  else
    out = define(epilogue.result);
  unsigned next = 0;

  auto multiply = [&](Value acc, OpFoldResult col, int64_t depth, int64_t width, bool accumulate) {
    Value tile = tile::NextOp::create(builder, loc, tileType, stream);
    tile::LoadWeightsOp::create(builder, loc, tile, constant(depth), constant(width));
    Value moving = window(x.slot, index(0), col, maxTokens, depth);
    tile::MatmulOp::create(builder, loc, moving, acc, m, Value(), 1, accumulate);
  };

  auto narrow = [&](Value whole, int64_t width) {
    return width == tileN ? whole : window(whole, index(0), index(0), maxTokens, width);
  };

  // One block of `width` columns from column `first` on, through `acc`.
  auto block = [&](Value acc, OpFoldResult first, int64_t width) {
    int64_t whole = k / tileK, rest = k % tileK;
    multiply(acc, index(0), std::min(tileK, k), width, false);
    if (whole > 1)
      forEach(constant(whole - 1), [&](Value i) {
        multiply(acc, mul(add(i, constant(1)), tileK), tileK, width, true);
      });
    if (rest && whole)
      multiply(acc, index(whole * tileK), rest, width, true);

    Value cols = constant(width);
    Value dst = result ? narrow(staging[next++ % 2], width)
                       : window(out.slot, index(0), first, maxTokens, width);
    // The last step writes to the destination, those before it in place.
    size_t left = epilogue.steps.size() + bool(bias);
    if (left == 0)
      tile::UnaryOp::create(builder, loc, tile::UnaryFunction::Copy, acc, dst, m, cols);
    if (bias)
      tile::BinaryOp::create(builder, loc, tile::BinaryFunction::Add, acc,
                             repeatRow(vectorSlot, index(0), sum(bias, first), width),
                             --left ? acc : dst, m, cols);
    for (const Epilogue::Step &step : epilogue.steps) {
      Value to = --left ? acc : dst;
      if (auto unary = dyn_cast<llm::UnaryOp>(step.op)) {
        tile::UnaryOp::create(builder, loc, *getActivation(unary.getKind()), acc, to, m, cols);
        continue;
      }
      auto function = cast<llm::BinaryOp>(step.op).getKind() == llm::BinaryKind::Add
                          ? tile::BinaryFunction::Add
                          : tile::BinaryFunction::Mul;
      Value other = window(get(step.other).slot, index(0), first, maxTokens, width);
      tile::BinaryOp::create(builder, loc, function, acc, other, to, m, cols);
    }
    if (result)
      tile::StoreOp::create(builder, loc, dst, "result" + std::to_string(*result), constant(0),
                            getValueOrCreateConstantIndexOp(builder, loc, first), m);
  };

  // Blocks alternate between two accumulators, so that the vector engine finishes
  // one while the matrix engine fills the other.
  Value acc[2];
  for (int i = 0; i <= alternate; ++i)
    acc[i] = slot(maxTokens, tileN, builder.getF32Type(), /*accumulator=*/true);
  if (blocks / 2 > 0)
    forEach(constant(blocks / 2), [&](Value i) {
      Value first = mul(i, 2 * tileN);
      block(acc[0], first, tileN);
      block(acc[1], add(first, constant(tileN)), tileN);
    });
  if (blocks % 2)
    block(acc[0], index((blocks - 1) * tileN), tileN);
  if (rest)
    block(narrow(acc[blocks % 2], rest), index(blocks * tileN), rest);
  return success();
}
