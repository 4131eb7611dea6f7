//===- LlmWeightOps.cpp - verifiers of weights, caches and layers -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Llm/ShapeInference.h"
#include "dialects/Llm/SourceTensors.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace serrano::llm;

StringRef WeightOp::getModelName() {
  StringAttr name = getSourceName(getLoc());
  return name ? name.getValue() : getSymName();
}

LogicalResult WeightOp::verify() {
  RankedTensorType type = getTensorType();
  if (!type.hasStaticShape())
    return emitOpError() << "'" << getModelName() << "' has type " << type
                         << "; expected a static shape";
  if (!type.getElementType().isIntOrFloat())
    return emitOpError() << "'" << getModelName() << "' has elements of type "
                         << type.getElementType()
                         << "; expected integers or floats";
  if (getViews().empty())
    return emitOpError() << "'" << getModelName() << "' has no view of any file";
  if (getViews().size() > 1 && !getAxis())
    return emitOpError()
           << "'" << getModelName() << "' has " << getViews().size()
           << " views; say along which axis they are concatenated";
  SmallVector<int64_t> shape;
  for (auto view : getViews().getAsRange<ViewAttr>()) {
    int64_t elements = 1, bits;
    bool empty = false, tooLarge = false;
    for (auto [extent, stride] :
         llvm::zip(view.getShape(), view.getStrides())) {
      int64_t step;
      tooLarge |= llvm::MulOverflow(extent - 1, stride, step) ||
                  llvm::AddOverflow(elements, step, elements);
      empty |= extent == 0;
    }
    tooLarge |= llvm::MulOverflow(elements,
                                  int64_t(type.getElementTypeBitWidth()), bits);
    if (tooLarge && !empty)
      return emitOpError() << "'" << getModelName() << "' needs more bytes of "
                           << view.getFile()
                           << " than fit the range of 64-bit integers";
    int64_t end = empty ? 0 : llvm::divideCeil(bits, 8);
    if (end > view.getLength())
      return emitOpError() << "'" << getModelName() << "' needs " << end
                           << " bytes of " << view.getFile()
                           << " but its view has " << view.getLength();
    if (shape.empty()) {
      shape = llvm::to_vector(view.getShape());
      continue;
    }
    if (view.getShape().size() != shape.size() || *getAxis() >= shape.size())
      return emitOpError() << "'" << getModelName()
                           << "' cannot concatenate its views along axis "
                           << *getAxis();
    shape[*getAxis()] += view.getShape()[*getAxis()];
  }
  if (ArrayRef(shape) != type.getShape())
    return emitOpError() << "'" << getModelName() << "' has type " << type
                         << " but its views have shape [" << shape << "]";
  return success();
}

LogicalResult GetWeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto weight = symbols.lookupNearestSymbolFrom<WeightOp>(*this, getNameAttr());
  if (!weight)
    return emitOpError() << "names no llm.weight: '" << getName() << "'";
  if (weight.getTensorType() == getType())
    return success();
  InFlightDiagnostic diagnostic = emitOpError()
                                  << "has type " << getType() << " but '"
                                  << getName() << "' has " << weight.getType();
  diagnostic.attachNote(weight.getLoc()) << "the weight is here";
  return diagnostic;
}

LogicalResult ExtentsOp::verify() {
  RankedTensorType type = getType();
  int64_t expected = type.getRank() == 0   ? 1
                     : type.getRank() == 1 ? type.getDimSize(0)
                                           : -1;
  if (expected != int64_t(getValues().getExtents().size()))
    return emitOpError() << "has " << getValues().getExtents().size()
                         << " values but type " << type;
  return success();
}

LogicalResult IotaOp::verify() {
  if (getType().getRank() != 1)
    return emitOpError() << "has type " << getType() << "; expected rank 1";
  if (getStart().getExtents().size() != 1)
    return emitOpError() << "has " << getStart().getExtents().size()
                         << " starts; expected one";
  return success();
}

LogicalResult CacheOp::verify() {
  if (getLayers() < 1 || getKvHeads() < 1 || getHeadSize() < 1)
    return emitOpError() << "'" << getSymName()
                         << "' needs at least one layer, head and element";
  if (!isa<FloatType>(getElementType()))
    return emitOpError() << "'" << getSymName() << "' holds "
                         << getElementType() << "; expected a float type";
  return success();
}

LogicalResult CachedAttentionOp::verify() {
  Extents query = getExtents(getQuery()), key = getExtents(getKey()),
          value = getExtents(getValue());
  if (query.size() != 3 || key.size() != 3 || value.size() != 3)
    return emitOpError() << "needs query, key and value of rank 3 [tokens, "
                            "heads, size], found "
                         << toString(query) << ", " << toString(key) << " and "
                         << toString(value);
  auto heads = query[1].getConstantValue(), kvHeads = key[1].getConstantValue();
  if (query[0] != key[0] || key != value || query[2] != key[2] || !heads ||
      !kvHeads || !*kvHeads || *heads % *kvHeads != 0)
    return emitOpError() << "query " << toString(query) << ", key "
                         << toString(key) << " and value " << toString(value)
                         << " do not fit each other";
  if (getType() != getQuery().getType())
    return emitOpError() << "has result type " << getType()
                         << "; expected that of the query, "
                         << getQuery().getType();
  if (getExtents(getPositions()) != Extents{query[0]})
    return emitOpError() << "has positions of shape "
                         << toString(getExtents(getPositions()))
                         << "; expected one for "
                         << "each of '" << query[0].str() << "' tokens";
  Extents tables = getExtents(getBlockTables());
  if (tables.size() != 2)
    return emitOpError() << "has block tables of shape " << toString(tables)
                         << "; expected rank 2";
  if (getExtents(getKvLengths()) != Extents{tables[0]})
    return emitOpError() << "has lengths of shape "
                         << toString(getExtents(getKvLengths()))
                         << "; expected one for "
                         << "each of '" << tables[0].str() << "' sequences";
  if (getExtents(getQueryStarts()) != Extents{tables[0] + 1})
    return emitOpError() << "has query starts of shape "
                         << toString(getExtents(getQueryStarts()))
                         << "; expected one more than sequences, ["
                         << (tables[0] + 1).str() << "]";
  return success();
}

LogicalResult
CachedAttentionOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto cache = symbols.lookupNearestSymbolFrom<CacheOp>(*this, getCacheAttr());
  if (!cache)
    return emitOpError() << "names no llm.cache: '" << getCache() << "'";
  Extents key = getExtents(getKey());
  auto elementType = getKey().getType().getElementType();
  if (!key[1].isConstant(cache.getKvHeads()) ||
      !key[2].isConstant(cache.getHeadSize()) ||
      elementType != cache.getElementType()) {
    InFlightDiagnostic diagnostic =
        emitOpError() << "stores keys of type " << getKey().getType()
                      << " but '" << getCache() << "' holds "
                      << cache.getKvHeads() << " heads of "
                      << cache.getHeadSize() << " " << cache.getElementType();
    diagnostic.attachNote(cache.getLoc()) << "the cache is here";
    return diagnostic;
  }
  if (auto constant = getLayer().getDefiningOp<arith::ConstantIndexOp>())
    if (constant.value() < 0 || constant.value() >= int64_t(cache.getLayers()))
      return emitOpError() << "is layer " << constant.value() << " of '"
                           << getCache() << "', which has "
                           << cache.getLayers();
  return success();
}

LogicalResult LayersOp::verify() {
  if (getCount() < 1)
    return emitOpError() << "calls '" << getCallee() << "' " << getCount()
                         << " times; expected once or more";
  if (getCarried().getTypes() != getResultTypes())
    return emitOpError() << "carries values of other types than its results";
  for (Attribute list : getWeights()) {
    auto names = dyn_cast<ArrayAttr>(list);
    if (!names || !llvm::all_of(names, llvm::IsaPred<FlatSymbolRefAttr>))
      return emitOpError() << "weights have to be lists of symbols";
    if (int64_t(names.size()) != int64_t(getCount()))
      return emitOpError() << "has a list of " << names.size()
                           << " weights for " << getCount() << " calls";
  }
  return success();
}

LogicalResult LayersOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto callee =
      symbols.lookupNearestSymbolFrom<func::FuncOp>(*this, getCalleeAttr());
  if (!callee)
    return emitOpError() << "names no function: '" << getCallee() << "'";
  SmallVector<Type> expected{IndexType::get(getContext())};
  llvm::append_range(expected, getCarried().getTypes());
  llvm::append_range(expected, getShared().getTypes());
  for (auto names : getWeights().getAsRange<ArrayAttr>()) {
    Type type;
    for (auto name : names.getAsRange<FlatSymbolRefAttr>()) {
      auto weight = symbols.lookupNearestSymbolFrom<WeightOp>(*this, name);
      if (!weight)
        return emitOpError()
               << "names no llm.weight: '" << name.getValue() << "'";
      if (type && weight.getType() != type)
        return emitOpError()
               << "has weights of different types in one list: " << type
               << " and '" << name.getValue() << "' of " << weight.getType();
      type = weight.getType();
    }
    expected.push_back(type);
  }
  if (callee.getArgumentTypes() == ArrayRef(expected) &&
      callee.getResultTypes() == getResultTypes())
    return success();
  InFlightDiagnostic diagnostic =
      emitOpError() << "does not fit '" << getCallee()
                    << "', expected arguments (" << expected
                    << ") and results (" << getResultTypes() << ")";
  diagnostic.attachNote(callee.getLoc()) << "the function is here";
  return diagnostic;
}
