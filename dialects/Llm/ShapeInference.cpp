//===- ShapeInference.cpp - the extents of results -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/ShapeInference.h"

using namespace mlir;
using namespace serrano::llm;

FailureOr<Extents> ShapeInference::broadcast(ArrayRef<ExtentAttr> lhs,
                                             ArrayRef<ExtentAttr> rhs) {
  Extents result(std::max(lhs.size(), rhs.size()));
  for (size_t fromEnd = 1; fromEnd <= result.size(); ++fromEnd) {
    ExtentAttr l =
        fromEnd <= lhs.size() ? lhs[lhs.size() - fromEnd] : ExtentAttr();
    ExtentAttr r =
        fromEnd <= rhs.size() ? rhs[rhs.size() - fromEnd] : ExtentAttr();
    ExtentAttr &extent = result[result.size() - fromEnd];
    if (!l || (r && l.isConstant(1)))
      extent = r;
    else if (!r || r.isConstant(1) || equate(l, r))
      // Of two equal extents the constant one says more.
      extent = r && r.getConstantValue() ? r : l;
    else
      return fail("shapes {0} and {1} do not broadcast: '{2}' against '{3}'",
                  toString(lhs), toString(rhs), l.str(), r.str());
    if (r && r.isConstant(1) && l)
      extent = l;
  }
  return result;
}

FailureOr<Extents> ShapeInference::matmul(ArrayRef<ExtentAttr> lhs,
                                          ArrayRef<ExtentAttr> rhs) {
  if (lhs.size() < 2 || rhs.size() < 2)
    return fail("a matrix product needs operands of rank 2 or more, found "
                "shapes {0} and {1}",
                toString(lhs), toString(rhs));
  if (!equate(lhs.back(), rhs[rhs.size() - 2]))
    return fail("inner extents of a matrix product differ: '{0}' of {1} "
                "against '{2}' of {3}",
                lhs.back().str(), toString(lhs), rhs[rhs.size() - 2].str(),
                toString(rhs));
  FailureOr<Extents> result = broadcast(lhs.drop_back(2), rhs.drop_back(2));
  if (failed(result))
    return failure();
  result->push_back(lhs[lhs.size() - 2]);
  result->push_back(rhs.back());
  return result;
}

FailureOr<Extents>
ShapeInference::linear(ArrayRef<ExtentAttr> input, ArrayRef<ExtentAttr> weight,
                       std::optional<ArrayRef<ExtentAttr>> bias) {
  if (input.empty() || weight.size() != 2)
    return fail("a projection needs an input of rank 1 or more and a weight of "
                "rank 2, found shapes {0} and {1}",
                toString(input), toString(weight));
  if (!equate(input.back(), weight[0]))
    return fail(
        "weight of shape {0} does not fit the input's last extent '{1}'",
        toString(weight), input.back().str());
  if (bias && (bias->size() != 1 || !equate(bias->front(), weight[1])))
    return fail("bias of shape {0} does not fit a weight of shape {1}",
                toString(*bias), toString(weight));
  Extents result(input);
  result.back() = weight[1];
  return result;
}

FailureOr<Extents> ShapeInference::concat(ArrayRef<Extents> operands,
                                          int64_t axis) {
  if (operands.empty())
    return fail("nothing to concatenate");
  Extents result(operands.front());
  if (axis < 0 || axis >= int64_t(result.size()))
    return fail("axis {0} is outside rank {1}", axis, result.size());
  for (ArrayRef<ExtentAttr> operand : operands.drop_front()) {
    if (operand.size() != result.size())
      return fail("cannot concatenate shapes {0} and {1}", toString(result),
                  toString(operand));
    for (auto [index, extent] : llvm::enumerate(operand)) {
      if (int64_t(index) == axis)
        result[index] = result[index] + extent;
      else if (!equate(result[index], extent))
        return fail("cannot concatenate shapes {0} and {1} along axis {2}",
                    toString(result), toString(operand), axis);
    }
  }
  return result;
}

FailureOr<Extents> ShapeInference::transpose(ArrayRef<ExtentAttr> operand,
                                             ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> sorted(permutation);
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, operand.size())))
    return fail("[{0:$[, ]}] is no permutation of {1} dimensions",
                llvm::make_range(permutation.begin(), permutation.end()),
                operand.size());
  return llvm::map_to_vector(permutation,
                             [&](int64_t from) { return operand[from]; });
}

FailureOr<Extents> ShapeInference::reduce(ArrayRef<ExtentAttr> operand,
                                          ArrayRef<int64_t> axes,
                                          bool dropAxes) {
  if (!llvm::is_sorted(axes) || llvm::any_of(axes, [&](int64_t a) {
        return a < 0 || a >= int64_t(operand.size());
      }))
    return fail("axes [{0:$[, ]}] are not sorted or outside rank {1}",
                llvm::make_range(axes.begin(), axes.end()), operand.size());
  Extents result;
  for (auto [index, extent] : llvm::enumerate(operand)) {
    if (!llvm::is_contained(axes, int64_t(index)))
      result.push_back(extent);
    else if (!dropAxes)
      result.push_back(ExtentAttr::getConstant(extent.getContext(), 1));
  }
  return result;
}

FailureOr<Extents> ShapeInference::gather(ArrayRef<ExtentAttr> operand,
                                          ArrayRef<ExtentAttr> indices,
                                          int64_t axis) {
  if (axis < 0 || axis >= int64_t(operand.size()))
    return fail("axis {0} is outside rank {1}", axis, operand.size());
  Extents result(operand.take_front(axis));
  result.append(indices.begin(), indices.end());
  llvm::append_range(result, operand.drop_front(axis + 1));
  return result;
}

FailureOr<Extents> ShapeInference::gatherNd(ArrayRef<ExtentAttr> operand,
                                            ArrayRef<ExtentAttr> indices) {
  std::optional<int64_t> depth =
      indices.empty() ? std::nullopt : indices.back().getConstantValue();
  if (!depth || *depth < 1 || *depth > int64_t(operand.size()))
    return fail("indices of shape {0} do not index a tensor of rank {1}",
                toString(indices), operand.size());
  Extents result(indices.drop_back());
  llvm::append_range(result, operand.drop_front(*depth));
  return result;
}

FailureOr<Extents> ShapeInference::attention(ArrayRef<ExtentAttr> query,
                                             ArrayRef<ExtentAttr> key,
                                             ArrayRef<ExtentAttr> value) {
  if (query.size() != 4 || key.size() != 4 || value.size() != 4)
    return fail("query, key and value need rank 4 [batch, positions, heads, "
                "size], found {0}, {1} and {2}",
                toString(query), toString(key), toString(value));
  if (!equate(query[0], key[0]) || !equate(key[0], value[0]) ||
      !equate(key[1], value[1]) || !equate(key[2], value[2]) ||
      !equate(query[3], key[3]))
    return fail("query {0}, key {1} and value {2} do not fit each other",
                toString(query), toString(key), toString(value));
  std::optional<int64_t> heads = query[2].getConstantValue(),
                         kvHeads = key[2].getConstantValue();
  if (!heads || !kvHeads || *kvHeads == 0 || *heads % *kvHeads != 0)
    return fail("{0} query heads are not a multiple of {1} key/value heads",
                query[2].str(), key[2].str());
  return Extents{query[0], query[1], query[2], value[3]};
}
