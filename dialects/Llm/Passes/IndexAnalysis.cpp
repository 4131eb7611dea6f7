//===- IndexAnalysis.cpp - tensors as functions of their indices -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/Passes/IndexAnalysis.h"

#include "dialects/Llm/Passes/ConstantTable.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace serrano::llm;

using MaybeElement = std::optional<Element>;

static bool isConstant(const Element &element) {
  return !element.integer && element.conditions.empty();
}

/// Without a condition, `whenFalse` never applies.
static Element makeConstant(double value) { return {{}, {}, value, value}; }

/// The element with integers that are constants as such.
static Element withConstants(Element element) {
  if (element.integer)
    if (auto value = element.integer.getConstantValue())
      return makeConstant(double(*value));
  return element;
}

/// `element` as a condition, with 1 for true and 0 for false.
static bool normalizeBoolean(Element &element) {
  element = withConstants(element);
  if (element.integer)
    return false;
  bool whenTrue = element.whenTrue != 0, whenFalse = element.whenFalse != 0;
  if (element.conditions.empty() || whenTrue == whenFalse) {
    element = makeConstant(whenTrue);
    return true;
  }
  if (!whenTrue) {
    // Only a single condition has a condition as its negation.
    if (element.conditions.size() != 1)
      return false;
    element.conditions[0].isNegated = !element.conditions[0].isNegated;
  }
  element.whenTrue = 1;
  element.whenFalse = 0;
  return true;
}

MaybeElement IndexAnalysis::fail(Operation *op, StringRef why) {
  if (problem.empty())
    problem = llvm::formatv("{0} {1}", op->getName().getStringRef(), why);
  return std::nullopt;
}

MaybeElement IndexAnalysis::evaluateBroadcast(Value operand,
                                              ArrayRef<ExtentAttr> indices) {
  auto extents = getExtents(operand);
  SmallVector<ExtentAttr> own(indices.take_back(extents.size()));
  for (auto [extent, index] : llvm::zip(extents, own))
    if (extent.isConstant(1))
      index = ExtentAttr::getConstant(context, 0);
  return evaluate(operand, own);
}

MaybeElement IndexAnalysis::evaluateReshape(ReshapeOp op,
                                            ArrayRef<ExtentAttr> indices) {
  auto from = getExtents(op.getOperand()), to = getExtents(op.getResult());
  ExtentAttr zero = ExtentAttr::getConstant(context, 0),
             one = ExtentAttr::getConstant(context, 1);
  SmallVector<ExtentAttr> result(from.size(), zero);
  // Dimensions of extent 1 come and go.
  SmallVector<unsigned> fromKept, toKept;
  for (auto [i, extent] : llvm::enumerate(from))
    if (extent != one)
      fromKept.push_back(i);
  for (auto [i, extent] : llvm::enumerate(to))
    if (extent != one)
      toKept.push_back(i);
  bool isSame = fromKept.size() == toKept.size() &&
                llvm::all_of(llvm::zip(fromKept, toKept), [&](auto pair) {
                  auto [f, t] = pair;
                  return from[f] == to[t];
                });
  if (isSame) {
    for (auto [f, t] : llvm::zip(fromKept, toKept))
      result[f] = indices[t];
    return evaluate(op.getOperand(), result);
  }
  // Otherwise the position in row-major order is split again: what is
  // multiplied by the stride of a dimension is the index in that dimension.
  ExtentAttr position = zero, stride = one;
  for (int64_t i = int64_t(to.size()) - 1; i >= 0; --i) {
    position = position + indices[i] * stride;
    stride = stride * to[i];
  }
  SmallVector<ExtentAttr> strides(from.size(), one);
  for (int64_t i = int64_t(from.size()) - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * from[i + 1];
  for (StringAttr symbol : position.getSymbols()) {
    if (!symbol.getValue().starts_with("$"))
      continue;
    ExtentAttr index = ExtentAttr::getSymbol(context, symbol.getValue());
    auto at = [&](int64_t value) {
      return position.substitute([&](StringAttr s) {
        return s == symbol ? ExtentAttr::getConstant(context, value)
                           : ExtentAttr();
      });
    };
    ExtentAttr factor = at(1) - at(0);
    auto *dimension = llvm::find(strides, factor);
    // Of dimensions with the same stride the last one has the elements.
    while (dimension != strides.end() &&
           from[dimension - strides.begin()] == one)
      dimension = std::find(dimension + 1, strides.end(), factor);
    if (dimension == strides.end())
      return fail(op, "splits an index in a way that is not understood");
    result[dimension - strides.begin()] =
        result[dimension - strides.begin()] + index;
    position = at(0);
  }
  if (!position.isConstant(0))
    result.back() = result.back() + position;
  return evaluate(op.getOperand(), result);
}

MaybeElement IndexAnalysis::evaluateBinary(BinaryOp op,
                                           ArrayRef<ExtentAttr> indices) {
  MaybeElement lhs = evaluateBroadcast(op.getLhs(), indices),
               rhs = evaluateBroadcast(op.getRhs(), indices);
  if (!lhs || !rhs)
    return std::nullopt;
  BinaryKind kind = op.getKind();
  if (kind == BinaryKind::And) {
    if (!normalizeBoolean(*lhs) || !normalizeBoolean(*rhs))
      return fail(op, "joins conditions that are not understood");
    if (isConstant(*lhs) || isConstant(*rhs)) {
      Element &constant = isConstant(*lhs) ? *lhs : *rhs,
              &other = isConstant(*lhs) ? *rhs : *lhs;
      return constant.whenTrue != 0 ? other : makeConstant(0);
    }
    for (Condition &condition : rhs->conditions)
      if (!llvm::is_contained(lhs->conditions, condition))
        lhs->conditions.push_back(condition);
    return lhs;
  }
  if (lhs->integer && rhs->integer) {
    if (kind == BinaryKind::Add)
      return Element{lhs->integer + rhs->integer, {}, 0, 0};
    if (kind == BinaryKind::Sub)
      return Element{lhs->integer - rhs->integer, {}, 0, 0};
    if (kind == BinaryKind::Mul)
      return Element{lhs->integer * rhs->integer, {}, 0, 0};
    return fail(op, "computes with indices in a way that is not understood");
  }
  *lhs = withConstants(*lhs);
  *rhs = withConstants(*rhs);
  if (lhs->integer || rhs->integer ||
      !(isConstant(*lhs) || isConstant(*rhs) ||
        lhs->conditions == rhs->conditions))
    return fail(op, "mixes conditions");
  auto compute = [&](double l, double r) -> std::optional<double> {
    switch (kind) {
    case BinaryKind::Add:
      return l + r;
    case BinaryKind::Sub:
      return l - r;
    case BinaryKind::Mul:
      return l * r;
    case BinaryKind::Min:
      return std::min(l, r);
    case BinaryKind::Max:
      return std::max(l, r);
    default:
      return std::nullopt;
    }
  };
  auto whenTrue = compute(lhs->whenTrue, rhs->whenTrue),
       whenFalse = compute(lhs->whenFalse, rhs->whenFalse);
  if (!whenTrue || !whenFalse)
    return fail(op, "computes a mask in a way that is not understood");
  return Element{{},
                 isConstant(*lhs) ? rhs->conditions : lhs->conditions,
                 *whenTrue,
                 *whenFalse};
}

MaybeElement IndexAnalysis::evaluateCompare(CompareOp op,
                                            ArrayRef<ExtentAttr> indices) {
  MaybeElement lhs = evaluateBroadcast(op.getLhs(), indices),
               rhs = evaluateBroadcast(op.getRhs(), indices);
  if (!lhs || !rhs)
    return std::nullopt;
  CompareKind kind = op.getKind();
  if (lhs->integer && rhs->integer) {
    // Each comparison as `value <= 0`.
    ExtentAttr difference = lhs->integer - rhs->integer;
    std::optional<ExtentAttr> value;
    if (kind == CompareKind::Le)
      value = difference;
    else if (kind == CompareKind::Lt)
      value = difference + 1;
    else if (kind == CompareKind::Ge)
      value = difference * -1;
    else if (kind == CompareKind::Gt)
      value = difference * -1 + 1;
    if (!value)
      return fail(op, "compares indices for equality");
    return Element{
        {}, {Condition{Condition::AtMostZero, *value, {}, {}, false}}, 1, 0};
  }
  *lhs = withConstants(*lhs);
  *rhs = withConstants(*rhs);
  if (lhs->integer || rhs->integer || !(isConstant(*lhs) || isConstant(*rhs)))
    return fail(op, "compares a mask with an index");
  auto compare = [&](double l, double r) -> double {
    switch (kind) {
    case CompareKind::Eq:
      return l == r;
    case CompareKind::Ne:
      return l != r;
    case CompareKind::Lt:
      return l < r;
    case CompareKind::Le:
      return l <= r;
    case CompareKind::Gt:
      return l > r;
    case CompareKind::Ge:
      return l >= r;
    }
    return 0;
  };
  return Element{{},
                 isConstant(*lhs) ? rhs->conditions : lhs->conditions,
                 compare(lhs->whenTrue, rhs->whenTrue),
                 compare(lhs->whenFalse, rhs->whenFalse)};
}

MaybeElement IndexAnalysis::evaluateSelect(SelectOp op,
                                           ArrayRef<ExtentAttr> indices) {
  MaybeElement condition = evaluateBroadcast(op.getCondition(), indices);
  MaybeElement yes = evaluateBroadcast(op.getTrueValue(), indices),
               no = evaluateBroadcast(op.getFalseValue(), indices);
  if (!condition || !yes || !no)
    return std::nullopt;
  *condition = withConstants(*condition);
  *yes = withConstants(*yes);
  *no = withConstants(*no);
  auto isKnownUnder = [&](const Element &element) {
    return !element.integer &&
           (isConstant(element) || element.conditions == condition->conditions);
  };
  if (condition->integer || !isKnownUnder(*yes) || !isKnownUnder(*no))
    return fail(op, "chooses between values that depend on other conditions");
  return Element{{},
                 condition->conditions,
                 condition->whenTrue != 0 ? yes->whenTrue : no->whenTrue,
                 condition->whenFalse != 0 ? yes->whenFalse : no->whenFalse};
}

MaybeElement IndexAnalysis::evaluateGather(Value operand, Value indexTensor,
                                           ArrayRef<ExtentAttr> indices,
                                           GatherOp op) {
  int64_t axis = op.getAxis(), indexRank = getExtents(indexTensor).size();
  MaybeElement index = evaluate(indexTensor, indices.slice(axis, indexRank));
  if (!index)
    return std::nullopt;
  if (!index->integer)
    return fail(op, "looks up at an index that depends on data");
  SmallVector<ExtentAttr> own(indices.take_front(axis));
  own.push_back(index->integer);
  llvm::append_range(own, indices.drop_front(axis + indexRank));
  return evaluate(operand, own);
}

MaybeElement IndexAnalysis::evaluateGatherNd(GatherNdOp op,
                                             ArrayRef<ExtentAttr> indices) {
  auto indexExtents = getExtents(op.getIndices());
  int64_t outer = indexExtents.size() - 1,
          depth = *indexExtents.back().getConstantValue();
  SmallVector<ExtentAttr> own;
  for (int64_t i = 0; i < depth; ++i) {
    SmallVector<ExtentAttr> at(indices.take_front(outer));
    at.push_back(ExtentAttr::getConstant(context, i));
    MaybeElement index = evaluate(op.getIndices(), at);
    if (!index)
      return std::nullopt;
    if (!index->integer)
      return fail(op, "looks up at an index that depends on data");
    own.push_back(index->integer);
  }
  llvm::append_range(own, indices.drop_front(outer));
  return evaluate(op.getOperand(), own);
}

MaybeElement IndexAnalysis::evaluateTable(Value tensor,
                                          ArrayRef<ExtentAttr> indices) {
  Operation *op = tensor.getDefiningOp();
  std::string unreadable;
  std::optional<ConstantTable> table = ConstantTable::open(tensor, unreadable);
  if (!table)
    return fail(op, "is not understood in a mask: " + unreadable);
  // Where the dimensions are that no constant indexes: a row and a column.
  SmallVector<int64_t> at(indices.size(), 0);
  SmallVector<unsigned, 2> free;
  for (auto [i, index] : llvm::enumerate(indices)) {
    if (auto value = index.getConstantValue())
      at[i] = *value;
    else if (table->getShape()[i] != 1)
      free.push_back(i);
  }
  for (auto [position, extent] : llvm::zip(at, table->getShape()))
    if (position < 0 || position >= extent)
      return fail(op, "is indexed out of its bounds");
  if (free.size() != 2)
    return fail(op, "is a table of constants that is no matrix");
  int64_t rows = table->getShape()[free[0]], cols = table->getShape()[free[1]];
  auto bitsAt = [&](int64_t row, int64_t col) {
    at[free[0]] = row;
    at[free[1]] = col;
    return table->getBits(at);
  };
  // The diagonals, from the bottom left element to the top right one, of which
  // those from `first` to `last` have the main one's value.
  uint64_t inside = bitsAt(0, 0);
  std::optional<uint64_t> outside;
  int64_t first = 0, last = 0;
  for (int64_t d = 1 - rows; d < cols; ++d) {
    int64_t row = std::max<int64_t>(0, -d);
    uint64_t bits = bitsAt(row, row + d);
    for (int64_t r = row; r < rows && r + d < cols; ++r)
      if (bitsAt(r, r + d) != bits)
        return fail(op, "has values that depend on more than the distance "
                        "between query and key");
    if (bits == inside) {
      first = std::min(first, d);
      last = std::max(last, d);
    } else if (outside.value_or(bits) != bits) {
      return fail(op, "has more than two values");
    } else {
      outside = bits;
    }
  }
  double whenTrue = table->getNumber(inside);
  if (!outside)
    return makeConstant(whenTrue);
  for (int64_t d = first; d <= last; ++d)
    if (bitsAt(std::max<int64_t>(0, -d), std::max<int64_t>(0, d)) != inside)
      return fail(op, "keeps keys at distances with gaps");
  Element element{{}, {}, whenTrue, table->getNumber(*outside)};
  ExtentAttr distance = indices[free[1]] - indices[free[0]];
  auto require = [&](ExtentAttr value) {
    element.conditions.push_back(
        Condition{Condition::AtMostZero, value, {}, {}, false});
  };
  if (last < cols - 1)
    require(distance + -last);
  if (first > 1 - rows)
    require(distance * -1 + first);
  return element;
}

MaybeElement IndexAnalysis::evaluate(Value tensor,
                                     ArrayRef<ExtentAttr> indices) {
  auto type = cast<RankedTensorType>(tensor.getType());
  Operation *op = tensor.getDefiningOp();
  if (!op) {
    if (!isa<IntegerType>(type.getElementType())) {
      problem = "depends on an argument that holds no integers";
      return std::nullopt;
    }
    Condition isSet{
        Condition::IsSet, {}, tensor, SmallVector<ExtentAttr>(indices), false};
    return Element{{}, {isSet}, 1, 0};
  }
  DenseElementsAttr elements;
  if (matchPattern(tensor, m_Constant(&elements))) {
    if (!elements.isSplat())
      return evaluateTable(tensor, indices);
    if (isa<FloatType>(type.getElementType()))
      return makeConstant(elements.getSplatValue<APFloat>().convertToDouble());
    if (type.getElementType().isInteger(1))
      return makeConstant(elements.getSplatValue<bool>());
    return Element{ExtentAttr::getConstant(
                       context, elements.getSplatValue<APInt>().getSExtValue()),
                   {},
                   0,
                   0};
  }
  return llvm::TypeSwitch<Operation *, MaybeElement>(op)
      .Case([&](ExtentsOp extents) -> MaybeElement {
        auto index = type.getRank() == 0 ? 0 : indices[0].getConstantValue();
        if (!index)
          return fail(op, "is indexed by a variable");
        return Element{extents.getValues().getExtents()[*index], {}, 0, 0};
      })
      .Case([&](GetWeightOp) { return evaluateTable(tensor, indices); })
      .Case([&](IotaOp iota) -> MaybeElement {
        return Element{iota.getStart().getExtents()[0] +
                           indices[0] * iota.getStep(),
                       {},
                       0,
                       0};
      })
      .Case(
          [&](ReshapeOp reshape) { return evaluateReshape(reshape, indices); })
      .Case([&](BroadcastOp broadcast) {
        return evaluateBroadcast(broadcast.getOperand(), indices);
      })
      .Case([&](TransposeOp transpose) {
        SmallVector<ExtentAttr> own(indices.size());
        for (auto [to, from] : llvm::enumerate(transpose.getPermutation()))
          own[from] = indices[to];
        return evaluate(transpose.getOperand(), own);
      })
      .Case([&](SliceOp slice) {
        SmallVector<ExtentAttr> own;
        for (auto [index, offset, step] : llvm::zip(
                 indices, slice.getOffsets().getExtents(), slice.getSteps()))
          own.push_back(offset + index * step);
        return evaluate(slice.getOperand(), own);
      })
      .Case([&](CastOp castOp) -> MaybeElement {
        MaybeElement element = evaluate(castOp.getOperand(), indices);
        if (!element ||
            (element->integer && type.getElementType().isInteger() &&
             !type.getElementType().isInteger(1)))
          return element;
        *element = withConstants(*element);
        if (element->integer)
          return fail(op, "converts indices in a way that is not understood");
        if (type.getElementType().isInteger(1)) {
          element->whenTrue = element->whenTrue != 0;
          element->whenFalse = element->whenFalse != 0;
        }
        return element;
      })
      .Case([&](UnaryOp unary) -> MaybeElement {
        MaybeElement element = evaluate(unary.getOperand(), indices);
        if (!element || element->integer)
          return element ? fail(op, "computes with indices in a way that is "
                                    "not understood")
                         : element;
        if (unary.getKind() == UnaryKind::Not) {
          element->whenTrue = element->whenTrue == 0;
          element->whenFalse = element->whenFalse == 0;
          return element;
        }
        if (unary.getKind() != UnaryKind::Neg)
          return fail(op, "computes a mask in a way that is not understood");
        element->whenTrue = -element->whenTrue;
        element->whenFalse = -element->whenFalse;
        return element;
      })
      .Case([&](BinaryOp binary) { return evaluateBinary(binary, indices); })
      .Case(
          [&](CompareOp compare) { return evaluateCompare(compare, indices); })
      .Case([&](SelectOp select) { return evaluateSelect(select, indices); })
      .Case([&](GatherOp gather) {
        return evaluateGather(gather.getOperand(), gather.getIndices(), indices,
                              gather);
      })
      .Case(
          [&](GatherNdOp gather) { return evaluateGatherNd(gather, indices); })
      .Default([&](Operation *other) {
        return fail(other, "is not understood in a mask");
      });
}
