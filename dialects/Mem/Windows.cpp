//===- Windows.cpp - which columns of a buffer are touched ----------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Mem/Windows.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::mem;

/// More windows than any kernel has blocks of columns.
static constexpr size_t mostWindows = 1 << 16;

namespace {

/// Goes through the rounds of the loops around an operation.
class Rounds {
public:
  /// From the outermost loop in `block` to the one around `op`; fails at
  /// anything else.
  static FailureOr<Rounds> get(Operation *op, Block *block);

  LogicalResult forEach(llvm::function_ref<LogicalResult()> visit,
                        size_t depth = 0);
  /// The value of an index in the present round.
  FailureOr<int64_t> evaluate(Value value) const;

private:
  SmallVector<scf::ForOp> loops;
  llvm::SmallDenseMap<Value, int64_t> variables;
};

} // namespace

FailureOr<Rounds> Rounds::get(Operation *op, Block *block) {
  Rounds rounds;
  while (op->getBlock() != block) {
    auto loop = dyn_cast_or_null<scf::ForOp>(op->getParentOp());
    if (!loop)
      return failure();
    rounds.loops.insert(rounds.loops.begin(), loop);
    op = loop;
  }
  return rounds;
}

FailureOr<int64_t> Rounds::evaluate(Value value) const {
  if (auto it = variables.find(value); it != variables.end())
    return it->second;
  Operation *op = value.getDefiningOp();
  if (!op || !value.getType().isIndex() || op->getNumResults() != 1)
    return failure();
  SmallVector<Attribute> operands;
  for (Value operand : op->getOperands()) {
    FailureOr<int64_t> number = evaluate(operand);
    if (failed(number))
      return failure();
    operands.push_back(IntegerAttr::get(value.getType(), *number));
  }
  SmallVector<OpFoldResult> results;
  IntegerAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return constant.getInt();
  if (failed(op->fold(operands, results)) || results.empty())
    return failure();
  if (auto same = dyn_cast<Value>(results.front()))
    return evaluate(same);
  return cast<IntegerAttr>(cast<Attribute>(results.front())).getInt();
}

LogicalResult Rounds::forEach(llvm::function_ref<LogicalResult()> visit,
                              size_t depth) {
  if (depth == loops.size())
    return visit();
  scf::ForOp loop = loops[depth];
  FailureOr<int64_t> lower = evaluate(loop.getLowerBound()),
                     upper = evaluate(loop.getUpperBound()),
                     step = evaluate(loop.getStep());
  if (failed(lower) || failed(upper) || failed(step) || *step < 1)
    return failure();
  for (int64_t i = *lower; i < *upper; i += *step) {
    variables[loop.getInductionVar()] = i;
    if (failed(forEach(visit, depth + 1)))
      return failure();
  }
  return success();
}

LogicalResult mem::appendColumns(Operation *op, Value view, Block *block,
                                 SmallVectorImpl<Columns> &columns) {
  FailureOr<Rounds> rounds = Rounds::get(op, block);
  auto buffer = dyn_cast_or_null<BufferOp>(getSlotOf(view));
  if (failed(rounds) || !buffer)
    return failure();
  int64_t width = buffer.getType().getDimSize(1);
  auto cast = view.getDefiningOp<memref::ReinterpretCastOp>();
  OpFoldResult offset = OpBuilder(op->getContext()).getIndexAttr(0);
  int64_t count = width;
  if (cast) {
    auto type = cast.getType();
    SmallVector<int64_t> strides;
    int64_t ignored;
    if (cast.getSource() != buffer.getResult() ||
        failed(type.getStridesAndOffset(strides, ignored)) ||
        strides[0] != width || strides[1] != 1)
      return failure();
    offset = cast.getMixedOffsets().front();
    count = type.getDimSize(1);
  } else if (view != buffer.getResult()) {
    return failure();
  }
  return rounds->forEach([&]() -> LogicalResult {
    std::optional<int64_t> begin = getConstantIntValue(offset);
    if (!begin) {
      FailureOr<int64_t> value = rounds->evaluate(llvm::cast<Value>(offset));
      if (failed(value))
        return failure();
      begin = *value;
    }
    if (*begin < 0 || *begin + count > width || columns.size() == mostWindows)
      return failure();
    columns.push_back({*begin, *begin + count});
    return success();
  });
}

bool mem::areSameWindow(Value a, Value b) {
  auto first = a.getDefiningOp<memref::ReinterpretCastOp>(),
       second = b.getDefiningOp<memref::ReinterpretCastOp>();
  if (!first || !second)
    return !first && !second;
  return first.getMixedOffsets() == second.getMixedOffsets() &&
         first.getMixedSizes() == second.getMixedSizes() &&
         first.getMixedStrides() == second.getMixedStrides();
}
