//===- Epilogue.cpp - what a projection does on the accumulators -------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Projection.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace serrano;
using namespace serrano::lowering;

/// Blocks of a result that are on their way to memory.
static constexpr int64_t mostStaging = 4;

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

//===----------------------------------------------------------------------===//
// What belongs to it
//===----------------------------------------------------------------------===//

/// A gate is multiplied by the other projection after its activations; both then go
/// through the accumulators block by block, and neither is ever stored.
bool Lowering::Projection::findGate() {
  if (members.size() != 2 || members[0].n != members[1].n)
    return false;
  for (int gate : {0, 1}) {
    Value result = members[gate].op.getResult(), other = members[1 - gate].op.getResult();
    SmallVector<Step, 2> steps;
    while (result.hasOneUse()) {
      Operation *user = *result.user_begin();
      if (auto unary = dyn_cast<llm::UnaryOp>(user); unary && getActivation(unary.getKind())) {
        steps.push_back({user, Value()});
        result = unary.getResult();
        continue;
      }
      auto product = dyn_cast<llm::BinaryOp>(user);
      if (!product || product.getKind() != llm::BinaryKind::Mul || !other.hasOneUse() ||
          (product.getLhs() != other && product.getRhs() != other))
        break;
      // Otherwise the gate goes through a slot.
      if (!on.choose(tile::Choice::InterleaveGate, 1))
        return false;
      for (const Step &step : steps)
        take(step.op);
      take(product);
      members[gate].steps = steps;
      if (gate == 1)
        std::swap(members[0], members[1]);
      collectSteps(members[1], product.getResult());
      return true;
    }
  }
  return false;
}

/// Follows the result through activations, sums and products for as long as
/// nobody else reads it and the other operand is there already.
void Lowering::Projection::collectSteps(Member &member, Value result) {
  member.result = result;
  while (member.result.hasOneUse()) {
    Operation *user = *member.result.user_begin();
    if (auto unary = dyn_cast<llm::UnaryOp>(user); unary && getActivation(unary.getKind())) {
      member.steps.push_back({user, Value()});
    } else if (auto binary = dyn_cast<llm::BinaryOp>(user);
               binary && (binary.getKind() == llm::BinaryKind::Add ||
                          binary.getKind() == llm::BinaryKind::Mul)) {
      Value other = binary.getLhs() == member.result ? binary.getRhs() : binary.getLhs();
      if (!on.matrices.contains(other) ||
          llm::getExtents(other) != llm::getExtents(member.result) ||
          llm::getExtents(binary.getResult()) != llm::getExtents(other))
        break;
      member.steps.push_back({user, other});
    } else {
      break;
    }
    take(user);
    member.result = user->getResult(0);
  }
}

std::optional<unsigned> Lowering::getResultNumber(Value tensor) {
  if (!tensor.hasOneUse() || !isa<func::ReturnOp>(*tensor.user_begin()) ||
      !cast<func::FuncOp>(tensor.getParentBlock()->getParentOp())
           ->hasAttr(llm::LlmDialect::kEntryAttr))
    return std::nullopt;
  return tensor.use_begin()->getOperandNumber();
}

/// The rope that alone reads `tensor`, as heads.
static llm::RopeOp getOnlyRope(Value tensor) {
  while (tensor.hasOneUse()) {
    Operation *user = *tensor.user_begin();
    if (auto rope = dyn_cast<llm::RopeOp>(user))
      return tensor == rope.getInput() ? rope : llm::RopeOp();
    if (!isa<llm::ReshapeOp>(user))
      break;
    tensor = user->getResult(0);
  }
  return {};
}

LogicalResult Lowering::Projection::choosePlace(Member &member) {
  if (gated && &member == &members[0])
    return success();
  int64_t before = 0;
  if (!gated)
    for (const Member *other = members.begin(); other != &member; ++other)
      before += other->n;
  // Heads have to be whole in each unit.
  auto takesHeads = [&](int64_t size) {
    if (gated || member.n % size || before % size)
      return false;
    if (on.tileN % size == 0)
      return unitCols == on.tileN;
    if (size % on.tileN || (unitCols != on.tileN && unitCols != size) ||
        size * on.slotRows * 4 > on.target.accumulatorBytes())
      return false;
    unitCols = size;
    return true;
  };
  auto headSizeOf = [](Value heads) { return *llm::getExtents(heads).back().getConstantValue(); };

  if (llm::RopeOp rope = getOnlyRope(member.result);
      rope && on.hasOwnAngles(rope) && takesHeads(headSizeOf(rope.getInput()))) {
    member.place = Place::Heads;
    member.rope = rope;
    member.headSize = headSizeOf(rope.getInput());
    member.target = on.defineRope(rope);
    take(rope);
    return success();
  }
  for (unsigned half : {0, 1}) {
    auto attention = getOnlyAttention(member.result, 1 + half);
    if (!attention || !takesHeads(headSizeOf(attention.getKey())))
      continue;
    member.place = Place::KeyValue;
    member.headSize = headSizeOf(attention.getKey());
    member.headOffset = half * member.headSize;
    member.slot = on.getKeyValueSlot(attention);
    Value operand = half ? attention.getValue() : attention.getKey();
    // Also as it is before it is seen as heads, for those who look at it.
    for (Value tensor : {member.result, operand})
      on.matrices[tensor] = {member.slot, getShape(operand).first, member.n, Value()};
    return success();
  }
  if (std::optional<unsigned> number = getResultNumber(member.result)) {
    member.place = Place::Result;
    member.resultNumber = *number;
    // A store is long under way.
    int64_t count = std::min<int64_t>(on.choose(tile::Choice::StagedBlocks, mostStaging),
                                      llvm::divideCeil(member.n, unitCols));
    Value all = on.slot(count * on.slotRows, unitCols, on.builder.getF32Type());
    for (int64_t i = 0; i < count; ++i)
      member.staging.push_back(
          on.window(all, on.index(i * on.slotRows), on.index(0), on.slotRows, unitCols));
    return success();
  }
  // A sum takes the place of an operand that nobody else needs.
  if (!member.steps.empty())
    if (auto [op, other] = member.steps.back();
        other && on.isLastUse(other, op, leader) && !on.isOnlyMatrixOperand(member.result)) {
      Matrix matrix = on.get(other);
      if (cast<MemRefType>(matrix.slot.getType()).getElementType().isF32() &&
          !(on.layers && on.layers->aliases.contains(other))) {
        on.matrices[member.result] = matrix;
        member.slot = matrix.slot;
      }
    }
  if (!member.slot)
    member.slot = on.define(member.result).slot;
  member.norm = on.beginCarriedNorm(member.result);
  if (!member.norm)
    member.norm = on.beginNorm(member.result);
  return success();
}

//===----------------------------------------------------------------------===//
// What it does
//===----------------------------------------------------------------------===//

void Lowering::Projection::applySteps(const Member &member, Value accumulator, Column column,
                                      int64_t width, ArrayRef<Value> to) {
  using Apply = llvm::unique_function<void(Value from, Column column, int64_t width, Value to)>;
  SmallVector<Apply> all;
  if (x.factor)
    all.push_back([&](Value from, Column, int64_t width, Value to) {
      tile::BinaryOp::create(on.builder, on.loc, tile::BinaryFunction::Mul, from,
                             on.repeatColumn(x.factor, 0, width), to, rows, on.constant(width));
    });
  if (member.bias)
    all.push_back([&](Value from, Column column, int64_t width, Value to) {
      tile::BinaryOp::create(
          on.builder, on.loc, tile::BinaryFunction::Add, from,
          on.repeatRow(on.vectorSlot, on.index(0), on.sum(*member.bias, on.at(column)), width), to,
          rows, on.constant(width));
    });
  // A gated projection's steps come after the product.
  if (!gated || &member == &members[0])
    for (const Step &step : member.steps)
      all.push_back([&](Value from, Column column, int64_t width, Value to) {
        apply(step, from, column, width, to);
      });
  if (all.empty() && !to.empty())
    all.push_back([&](Value from, Column, int64_t width, Value to) {
      tile::UnaryOp::create(on.builder, on.loc, tile::UnaryFunction::Copy, from, to, rows,
                            on.constant(width));
    });
  for (Apply &step : all) {
    if (&step != &all.back() || to.empty()) {
      step(accumulator, column, width, accumulator);
      continue;
    }
    int64_t each = width / int64_t(to.size());
    for (auto [i, part] : llvm::enumerate(to)) {
      int64_t col = int64_t(i) * each;
      Value from = to.size() == 1 ? accumulator
                                  : on.window(accumulator, on.index(0), on.index(col), on.slotRows,
                                              each);
      step(from, column + col, each, part);
    }
  }
}

void Lowering::Projection::apply(const Step &step, Value accumulator, Column column, int64_t width,
                                 Value to) {
  Value cols = on.constant(width);
  if (auto unary = dyn_cast<llm::UnaryOp>(step.op)) {
    tile::UnaryOp::create(on.builder, on.loc, *getActivation(unary.getKind()), accumulator, to,
                          rows, cols);
    return;
  }
  auto function = cast<llm::BinaryOp>(step.op).getKind() == llm::BinaryKind::Add
                      ? tile::BinaryFunction::Add
                      : tile::BinaryFunction::Mul;
  Value other =
      on.window(on.get(step.other).slot, on.index(0), on.at(column), on.slotRows, width);
  tile::BinaryOp::create(on.builder, on.loc, function, accumulator, other, to, rows, cols);
}

SmallVector<Value> Lowering::Projection::beginPlace(Member &member, Column column,
                                                    int64_t width) {
  switch (member.place) {
  case Place::Slot:
    return {on.window(member.slot, on.index(0), on.at(column), on.slotRows, width)};
  case Place::Result: {
    Value staging = member.staging.front();
    std::rotate(member.staging.begin(), member.staging.begin() + 1, member.staging.end());
    return {width == unitCols ? staging
                              : on.window(staging, on.index(0), on.index(0), on.slotRows, width)};
  }
  case Place::Heads:
    return {};
  case Place::KeyValue: {
    SmallVector<Value> heads;
    for (int64_t col = 0; col < width; col += member.headSize) {
      Column head = column + col;
      head.step *= 2;
      head.offset = 2 * head.offset + member.headOffset;
      heads.push_back(
          on.window(member.slot, on.index(0), on.at(head), on.slotRows, member.headSize));
    }
    return heads;
  }
  }
  llvm_unreachable("a place without a meaning");
}

void Lowering::Projection::endPlace(Member &member, Value accumulator, ArrayRef<Value> to,
                                    Column column, int64_t width) {
  switch (member.place) {
  case Place::Slot:
    if (member.norm)
      on.feedNorm(*member.norm, member.slot, column, width, rows);
    return;
  case Place::Result:
    tile::StoreOp::create(on.builder, on.loc, to.front(), "result" + std::to_string(member.resultNumber),
                          on.firstRow(x.rows),
                          getValueOrCreateConstantIndexOp(on.builder, on.loc, on.at(column)), rows);
    return;
  case Place::Heads:
    on.rotate(member.rope, member.target, accumulator, column, width / member.headSize);
    return;
  case Place::KeyValue:
    return;
  }
}

void Lowering::Projection::finish(Member &member, Value accumulator, Column column,
                                  int64_t width) {
  SmallVector<Value> to = beginPlace(member, column, width);
  applySteps(member, accumulator, column, width, to);
  endPlace(member, accumulator, to, column, width);
}

void Lowering::Projection::finishGated(Value gate, Value gatedBy, Column column, int64_t width) {
  Member &member = members[1];
  applySteps(members[0], gate, column, width, {});
  applySteps(member, gatedBy, column, width, {});
  SmallVector<Value> to = beginPlace(member, column, width);
  Value dst = to.front();
  tile::BinaryOp::create(on.builder, on.loc, tile::BinaryFunction::Mul, gate, gatedBy,
                         member.steps.empty() ? dst : gatedBy, rows, on.constant(width));
  for (const Step &step : member.steps)
    apply(step, gatedBy, column, width, &step == &member.steps.back() ? dst : gatedBy);
  endPlace(member, gatedBy, to, column, width);
}
