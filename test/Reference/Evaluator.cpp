//===- Evaluator.cpp - a slow and plain interpreter of the llm dialect -*- C++
//-*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include "mlir/IR/Matchers.h"
#include "serrano/Support/Error.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Path.h"
#include <cmath>

using namespace mlir;
using namespace serrano;
using namespace serrano::llm;
using namespace serrano::reference;

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

int64_t Evaluator::valueOf(const Frame &frame, ExtentAttr extent) const {
  int64_t sum = 0;
  for (auto [coefficient, monomial] :
       llvm::zip(extent.getCoefficients(), extent.getMonomials())) {
    int64_t term = coefficient;
    for (Attribute symbol : monomial)
      term *= frame.symbols.at(cast<StringAttr>(symbol).str());
    sum += term;
  }
  return sum;
}

SmallVector<int64_t> Evaluator::shapeOf(const Frame &frame, Value value) const {
  return llvm::map_to_vector(getExtents(value), [&](ExtentAttr extent) {
    return valueOf(frame, extent);
  });
}

llvm::Error Evaluator::bind(Frame &frame, BlockArgument argument,
                            Tensor tensor) {
  auto extents = getExtents(argument);
  if (extents.size() != tensor.shape.size())
    return makeError("argument {0} has rank {1}, found {2}",
                     argument.getArgNumber(), extents.size(),
                     tensor.shape.size());
  for (auto [extent, size] : llvm::zip(extents, tensor.shape)) {
    // A symbol is known from an argument that has it alone or plus a constant.
    auto symbols = extent.getSymbols();
    if (symbols.size() == 1 && !frame.symbols.count(symbols[0].str())) {
      frame.symbols[symbols[0].str()] = 0;
      frame.symbols[symbols[0].str()] = size - valueOf(frame, extent);
    }
    bool isKnown = llvm::all_of(
        symbols, [&](StringAttr s) { return frame.symbols.count(s.str()); });
    if (isKnown && valueOf(frame, extent) != size)
      return makeError("argument {0} has shape {1}, but extent '{2}' is {3}",
                       argument.getArgNumber(), toString(extents), extent.str(),
                       size);
  }
  frame.values[argument] = std::move(tensor);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

llvm::Expected<const Tensor *> Evaluator::loadWeight(StringRef name) {
  if (auto found = weights.find(name); found != weights.end())
    return &found->second;
  auto weight = module.lookupSymbol<WeightOp>(name);
  RankedTensorType type = weight.getTensorType();
  if (!type.getElementType().isF32() || weight.getViews().size() != 1)
    return makeError("weight '{0}' is not one view of f32", name);
  auto view = cast<ViewAttr>(weight.getViews()[0]);
  auto folder = module->getAttrOfType<StringAttr>(LlmDialect::kDirectoryAttr);
  SmallString<128> path(folder ? folder.getValue() : ".");
  ::llvm::sys::path::append(path, view.getFile().getValue());
  llvm::Expected<MappedFile> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  llvm::Expected<ArrayRef<uint8_t>> bytes =
      file->slice(view.getOffset(), view.getLength());
  if (!bytes)
    return bytes.takeError();
  Tensor tensor = Tensor::makeFloats(type.getShape());
  SmallVector<int64_t> index(type.getRank(), 0);
  for (float &element : tensor.floats) {
    int64_t position = 0;
    for (auto [i, stride] : llvm::zip(index, view.getStrides()))
      position += i * stride;
    std::memcpy(&element, bytes->data() + position * sizeof(float),
                sizeof(float));
    for (int64_t axis = type.getRank() - 1;
         axis >= 0 && ++index[axis] == type.getDimSize(axis); --axis)
      index[axis] = 0;
  }
  return &(weights[name] = std::move(tensor));
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

static Tensor concat(ArrayRef<const Tensor *> operands, int64_t axis,
                     ArrayRef<int64_t> shape) {
  Tensor result = operands[0]->isFloat ? Tensor::makeFloats(shape)
                                       : Tensor::makeIntegers(shape);
  SmallVector<int64_t> strides = stridesOf(shape);
  int64_t offset = 0;
  for (const Tensor *operand : operands) {
    SmallVector<int64_t> own = stridesOf(operand->shape);
    for (int64_t i = 0; i < operand->size(); ++i) {
      int64_t to = offset * strides[axis];
      for (size_t a = 0; a < shape.size(); ++a)
        to += i / own[a] % operand->shape[a] * strides[a];
      if (result.isFloat)
        result.floats[to] = operand->floats[i];
      else
        result.integers[to] = operand->integers[i];
    }
    offset += operand->shape[axis];
  }
  return result;
}

static Tensor gather(const Tensor &source, const Tensor &indices, int64_t axis,
                     ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides = stridesOf(source.shape),
                       indexStrides = stridesOf(indices.shape);
  int64_t indexRank = indices.shape.size();
  return gatherElements(source, shape, [&](ArrayRef<int64_t> index) {
    int64_t at = 0, position = 0;
    for (int64_t i = 0; i < indexRank; ++i)
      at += index[axis + i] * indexStrides[i];
    int64_t chosen = indices.integers[at];
    position =
        (chosen < 0 ? chosen + source.shape[axis] : chosen) * strides[axis];
    for (int64_t i = 0; i < axis; ++i)
      position += index[i] * strides[i];
    for (size_t i = axis + 1; i < source.shape.size(); ++i)
      position += index[i - 1 + indexRank] * strides[i];
    return position;
  });
}

static Tensor gatherNd(const Tensor &source, const Tensor &indices,
                       ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides = stridesOf(source.shape),
                       indexStrides = stridesOf(indices.shape);
  int64_t depth = indices.shape.back(), outer = indices.shape.size() - 1;
  return gatherElements(source, shape, [&](ArrayRef<int64_t> index) {
    int64_t at = 0, position = 0;
    for (int64_t i = 0; i < outer; ++i)
      at += index[i] * indexStrides[i];
    for (int64_t i = 0; i < depth; ++i)
      position += indices.integers[at + i] * strides[i];
    for (size_t i = depth; i < source.shape.size(); ++i)
      position += index[outer + i - depth] * strides[i];
    return position;
  });
}

llvm::Error Evaluator::evaluate(Frame &frame, Operation &op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    if (auto elements = dyn_cast<DenseElementsAttr>(constant.getValue()))
      frame.values[constant] = fromConstant(elements);
    else
      frame.indices[constant] = cast<IntegerAttr>(constant.getValue()).getInt();
    return llvm::Error::success();
  }
  if (auto layers = dyn_cast<LayersOp>(op))
    return evaluateLayers(frame, layers);
  if (auto get = dyn_cast<GetWeightOp>(op)) {
    llvm::Expected<const Tensor *> tensor = loadWeight(get.getName());
    if (!tensor)
      return tensor.takeError();
    frame.values[get] = **tensor;
    return llvm::Error::success();
  }
  SmallVector<const Tensor *> operands;
  for (Value operand : op.getOperands())
    if (isa<RankedTensorType>(operand.getType()))
      operands.push_back(&frame.values[operand]);
  SmallVector<int64_t> shape = shapeOf(frame, op.getResult(0));
  Tensor result;
  if (!evaluateElementwise(op, operands, shape, result) &&
      !evaluateContraction(op, operands, shape, result)) {
    bool isKnown = true;
    ::llvm::TypeSwitch<Operation *>(&op)
        .Case([&](AttentionOp attend) { result = attention(attend, frame); })
        .Case([&](CachedAttentionOp attend) {
          result = cachedAttention(attend, frame);
        })
        .Case([&](ExtentsOp extents) {
          result = Tensor::makeIntegers(shape);
          for (auto [i, extent] :
               ::llvm::enumerate(extents.getValues().getExtents()))
            result.integers[i] = valueOf(frame, extent);
        })
        .Case([&](IotaOp iota) {
          result = Tensor::makeIntegers(shape);
          for (int64_t i = 0; i < shape[0]; ++i)
            result.integers[i] =
                valueOf(frame, iota.getStart().getExtents()[0]) +
                i * iota.getStep();
        })
        .Case([&](ReshapeOp) {
          result = *operands[0];
          result.shape = shape;
        })
        .Case([&](TransposeOp transpose) {
          SmallVector<int64_t> strides = stridesOf(operands[0]->shape);
          result =
              gatherElements(*operands[0], shape, [&](ArrayRef<int64_t> index) {
                int64_t position = 0;
                for (auto [i, from] :
                     ::llvm::zip(index, transpose.getPermutation()))
                  position += i * strides[from];
                return position;
              });
        })
        .Case([&](SliceOp slice) {
          SmallVector<int64_t> strides = stridesOf(operands[0]->shape);
          result =
              gatherElements(*operands[0], shape, [&](ArrayRef<int64_t> index) {
                int64_t position = 0;
                for (size_t i = 0; i < index.size(); ++i)
                  position +=
                      (valueOf(frame, slice.getOffsets().getExtents()[i]) +
                       index[i] * slice.getSteps()[i]) *
                      strides[i];
                return position;
              });
        })
        .Case([&](ConcatOp op) {
          result = concat(operands, op.getAxis(), shape);
        })
        .Case([&](GatherOp op) {
          result = gather(*operands[0], *operands[1], op.getAxis(), shape);
        })
        .Case([&](EmbeddingOp) {
          result = gather(*operands[0], *operands[1], 0, shape);
        })
        .Case([&](GatherNdOp) {
          result = gatherNd(*operands[0], *operands[1], shape);
        })
        .Case([&](RopeAnglesOp angles) {
          Tensor sine = Tensor::makeFloats(shape);
          result = Tensor::makeFloats(shape);
          for (int64_t i = 0, half = shape.back(); i < result.size(); ++i) {
            float angle = float(operands[0]->integers[i / half]) *
                          operands[1]->floats[i % half];
            result.floats[i] = std::cos(angle);
            sine.floats[i] = std::sin(angle);
          }
          frame.values[angles.getSine()] = std::move(sine);
        })
        .Default([&](Operation *) { isKnown = false; });
    if (!isKnown)
      return makeError("{0} is not implemented", op.getName().getStringRef());
  }
  frame.values[op.getResult(0)] = std::move(result);
  return llvm::Error::success();
}

llvm::Error Evaluator::evaluateBody(Frame &frame, Block &block,
                                    SmallVectorImpl<Tensor> &results) {
  // Values are dropped after their last use; a model has many large ones.
  llvm::DenseMap<Value, Operation *> lastUse;
  for (Operation &op : block)
    for (Value operand : op.getOperands())
      lastUse[operand] = &op;
  for (Operation &op : block.without_terminator()) {
    if (llvm::Error error = evaluate(frame, op))
      return error;
    for (Value operand : op.getOperands())
      if (lastUse[operand] == &op)
        frame.values.erase(operand);
  }
  for (Value value : block.getTerminator()->getOperands())
    results.push_back(frame.values[value]);
  return llvm::Error::success();
}

llvm::Error Evaluator::evaluateLayers(Frame &frame, LayersOp op) {
  auto callee = module.lookupSymbol<func::FuncOp>(op.getCallee());
  SmallVector<Tensor> carried;
  for (Value value : op.getCarried())
    carried.push_back(frame.values[value]);
  for (int64_t layer = 0; layer < int64_t(op.getCount()); ++layer) {
    Frame inner;
    inner.symbols = frame.symbols;
    unsigned next = 0;
    inner.indices[callee.getArgument(next++)] = op.getFirst() + layer;
    for (Tensor &tensor : carried)
      inner.values[callee.getArgument(next++)] = std::move(tensor);
    for (Value value : op.getShared())
      inner.values[callee.getArgument(next++)] = frame.values[value];
    for (auto names : op.getWeights().getAsRange<ArrayAttr>()) {
      llvm::Expected<const Tensor *> tensor =
          loadWeight(cast<FlatSymbolRefAttr>(names[layer]).getValue());
      if (!tensor)
        return tensor.takeError();
      inner.values[callee.getArgument(next++)] = **tensor;
    }
    carried.clear();
    if (llvm::Error error = evaluateBody(inner, callee.front(), carried))
      return error;
  }
  for (auto [value, tensor] : llvm::zip(op.getResults(), carried))
    frame.values[value] = std::move(tensor);
  return llvm::Error::success();
}

llvm::Expected<NpzArrays> Evaluator::run(const NpzArrays &inputs) {
  func::FuncOp entry;
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr(LlmDialect::kEntryAttr))
      entry = function;
  if (!entry)
    return makeError("the module has no entry");
  Frame frame;
  for (BlockArgument argument : entry.getArguments()) {
    unsigned index = argument.getArgNumber();
    auto name =
        entry.getArgAttrOfType<StringAttr>(index, LlmDialect::kRoleAttr);
    if (!name)
      name = entry.getArgAttrOfType<StringAttr>(index, LlmDialect::kNameAttr);
    auto input = inputs.find(name.str());
    if (input == inputs.end())
      return makeError("input '{0}' is missing", name.getValue());
    llvm::Expected<Tensor> tensor = fromNumpy(input->second);
    if (!tensor)
      return tensor.takeError();
    if (llvm::Error error = bind(frame, argument, std::move(*tensor)))
      return error;
  }
  SmallVector<Tensor> results;
  if (llvm::Error error = evaluateBody(frame, entry.front(), results))
    return error;
  NpzArrays outputs;
  for (auto [index, tensor] : llvm::enumerate(results))
    outputs[entry.getResultAttrOfType<StringAttr>(index, LlmDialect::kNameAttr)
                .str()] = toNumpy(tensor);
  return outputs;
}
