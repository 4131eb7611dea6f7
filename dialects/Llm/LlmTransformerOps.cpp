//===- LlmTransformerOps.cpp - verifiers of transformer operations -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/ResultVerification.h"

using namespace mlir;
using namespace serrano::llm;

static Type elementTypeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

LogicalResult EmbeddingOp::verify() {
  if (getTable().getType().getRank() != 2)
    return emitOpError() << "has a table of type " << getTable().getType()
                         << "; expected rank 2";
  ShapeInference shapes;
  return verifyResult(
      *this, shapes,
      shapes.gather(getExtents(getTable()), getExtents(getIndices()), 0),
      elementTypeOf(getTable()));
}

LogicalResult LinearOp::verify() {
  ShapeInference shapes;
  Extents bias;
  std::optional<ArrayRef<ExtentAttr>> hasBias;
  if (getBias()) {
    bias = getExtents(getBias());
    hasBias = bias;
  }
  return verifyResult(
      *this, shapes,
      shapes.linear(getExtents(getInput()), getExtents(getWeight()), hasBias),
      elementTypeOf(getInput()));
}

/// A scale or bias has one element for each feature of `input`.
static LogicalResult verifyPerFeature(Operation *op, Value input,
                                      Value perFeature, StringRef what) {
  Extents features = getExtents(input);
  if (features.empty() || getExtents(perFeature) != Extents{features.back()})
    return op->emitOpError()
           << what << " has shape " << toString(getExtents(perFeature))
           << "; expected one element for each feature of the input, "
           << toString(features);
  return success();
}

LogicalResult RmsNormOp::verify() {
  return verifyPerFeature(*this, getInput(), getScale(), "scale");
}

LogicalResult LayerNormOp::verify() {
  if (failed(verifyPerFeature(*this, getInput(), getScale(), "scale")))
    return failure();
  return getBias() ? verifyPerFeature(*this, getInput(), getBias(), "bias")
                   : success();
}

LogicalResult RopeAnglesOp::verify() {
  Extents frequencies = getExtents(getFrequencies());
  if (frequencies.size() != 1)
    return emitOpError() << "has frequencies of shape " << toString(frequencies)
                         << "; expected rank 1";
  Extents expected = getExtents(getPositions());
  expected.push_back(frequencies[0]);
  if (getExtents(getCosine()) != expected)
    return emitOpError() << "has results of shape "
                         << toString(getExtents(getCosine())) << "; expected "
                         << toString(expected);
  return success();
}

LogicalResult RopeOp::verify() {
  Extents input = getExtents(getInput()), cosine = getExtents(getCosine());
  if (getCosine().getType() != getSine().getType())
    return emitOpError() << "has cosines of type " << getCosine().getType()
                         << " but sines of " << getSine().getType();
  if (input.size() < 2 || cosine.size() + 1 != input.size())
    return emitOpError()
           << "has an input of shape " << toString(input)
           << " and cosines of shape " << toString(cosine)
           << "; expected [p..., heads, head_size] and [p..., half]";
  for (auto [i, c] :
       llvm::zip(ArrayRef(input).drop_back(2), ArrayRef(cosine).drop_back()))
    if (i != c && !c.isConstant(1))
      return emitOpError() << "has an input of shape " << toString(input)
                           << " but cosines of shape " << toString(cosine);
  auto size = input.back().getConstantValue(),
       half = cosine.back().getConstantValue();
  if (!size || !half || 2 * *half > *size)
    return emitOpError() << "rotates 2 * " << cosine.back().str()
                         << " features of a head of " << input.back().str();
  return success();
}

LogicalResult AttentionOp::verify() {
  ShapeInference shapes;
  Extents query = getExtents(getQuery()), key = getExtents(getKey());
  if (failed(verifyResult(*this, shapes,
                          shapes.attention(query, key, getExtents(getValue())),
                          elementTypeOf(getQuery()))))
    return failure();
  if (getMask()) {
    Extents scores{query[0], query[2], query[1], key[1]};
    FailureOr<Extents> all = shapes.broadcast(scores, getExtents(getMask()));
    if (failed(all) || *all != scores)
      return emitOpError() << "has a mask of shape "
                           << toString(getExtents(getMask()))
                           << " that does not broadcast to the scores, "
                           << toString(scores);
  }
  if (getKeyMask() && getExtents(getKeyMask()) != Extents{key[0], key[1]})
    return emitOpError() << "has a key mask of shape "
                         << toString(getExtents(getKeyMask())) << "; expected ["
                         << key[0].str() << ", " << key[1].str() << "]";
  if (getWindow() && (!getCausal() || *getWindow() < 1))
    return emitOpError() << "has a window of " << *getWindow()
                         << "; expected a positive one, with causal";
  return success();
}
