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
// Tensors
//===----------------------------------------------------------------------===//

int64_t Tensor::size() const {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

Tensor Tensor::makeFloats(ArrayRef<int64_t> shape) {
  Tensor result{SmallVector<int64_t>(shape), true, {}, {}};
  result.floats.resize(result.size());
  return result;
}

Tensor Tensor::makeIntegers(ArrayRef<int64_t> shape) {
  Tensor result{SmallVector<int64_t>(shape), false, {}, {}};
  result.integers.resize(result.size());
  return result;
}

SmallVector<int64_t> serrano::reference::stridesOf(ArrayRef<int64_t> shape) {
  return ViewAttr::getRowMajorStrides(shape);
}

SmallVector<int64_t>
serrano::reference::broadcastStrides(ArrayRef<int64_t> shape,
                                     ArrayRef<int64_t> to) {
  SmallVector<int64_t> own = stridesOf(shape), result(to.size(), 0);
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] != 1)
      result[to.size() - shape.size() + i] = own[i];
  return result;
}

Tensor serrano::reference::gatherElements(
    const Tensor &source, ArrayRef<int64_t> shape,
    llvm::function_ref<int64_t(ArrayRef<int64_t>)> sourcePosition) {
  Tensor result =
      source.isFloat ? Tensor::makeFloats(shape) : Tensor::makeIntegers(shape);
  SmallVector<int64_t> index(shape.size(), 0);
  for (int64_t i = 0, count = result.size(); i < count; ++i) {
    int64_t from = sourcePosition(index);
    if (source.isFloat)
      result.floats[i] = source.floats[from];
    else
      result.integers[i] = source.integers[from];
    for (int64_t axis = int64_t(shape.size()) - 1;
         axis >= 0 && ++index[axis] == shape[axis]; --axis)
      index[axis] = 0;
  }
  return result;
}

static Tensor fromConstant(DenseElementsAttr elements) {
  bool isFloat = isa<FloatType>(elements.getElementType());
  ArrayRef<int64_t> shape = elements.getType().getShape();
  Tensor result =
      isFloat ? Tensor::makeFloats(shape) : Tensor::makeIntegers(shape);
  if (isFloat)
    llvm::transform(
        elements.getValues<APFloat>(), result.floats.begin(),
        [](const APFloat &v) { return float(v.convertToDouble()); });
  else if (elements.getElementType().isInteger(1))
    llvm::copy(elements.getValues<bool>(), result.integers.begin());
  else
    llvm::transform(elements.getValues<APInt>(), result.integers.begin(),
                    [](const APInt &v) { return v.getSExtValue(); });
  return result;
}

//===----------------------------------------------------------------------===//
// NumPy
//===----------------------------------------------------------------------===//

template <typename T>
static void readInto(const NpyArray &array, Tensor &tensor) {
  for (auto [index, element] : llvm::enumerate(array.as<T>())) {
    if (tensor.isFloat)
      tensor.floats[index] = float(element);
    else
      tensor.integers[index] = int64_t(element);
  }
}

static llvm::Expected<Tensor> fromNumpy(const NpyArray &array) {
  SmallVector<int64_t> shape(array.shape.begin(), array.shape.end());
  Tensor result = array.type == NpyType::f4 ? Tensor::makeFloats(shape)
                                            : Tensor::makeIntegers(shape);
  switch (array.type) {
  case NpyType::f4:
    readInto<float>(array, result);
    return result;
  case NpyType::i4:
    readInto<int32_t>(array, result);
    return result;
  case NpyType::i8:
    readInto<int64_t>(array, result);
    return result;
  case NpyType::b1:
    readInto<uint8_t>(array, result);
    return result;
  default:
    return makeError("element type {0} is not supported",
                     npyTypeName(array.type));
  }
}

static NpyArray toNumpy(const Tensor &tensor) {
  NpyArray result;
  result.type = tensor.isFloat ? NpyType::f4 : NpyType::i8;
  result.shape.assign(tensor.shape.begin(), tensor.shape.end());
  const auto *bytes =
      tensor.isFloat
          ? reinterpret_cast<const uint8_t *>(tensor.floats.data())
          : reinterpret_cast<const uint8_t *>(tensor.integers.data());
  result.bytes.assign(bytes, bytes + tensor.size() * npyTypeSize(result.type));
  return result;
}

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
// Attention
//===----------------------------------------------------------------------===//

/// `out += softmax(scores) * values`; `valueOf(j)` is the value of key `j`.
static void attend(ArrayRef<float> scores,
                   llvm::function_ref<const float *(int64_t)> valueOf,
                   float *out, int64_t size) {
  double highest = -INFINITY, sum = 0;
  for (float score : scores)
    highest = std::max(highest, double(score));
  if (highest == -INFINITY)
    return;
  for (float score : scores)
    sum += std::exp(score - highest);
  for (auto [j, score] : llvm::enumerate(scores)) {
    auto weight = float(std::exp(score - highest) / sum);
    if (weight == 0)
      continue;
    const float *value = valueOf(j);
    for (int64_t d = 0; d < size; ++d)
      out[d] += weight * value[d];
  }
}

static float dot(const float *a, const float *b, int64_t size) {
  float sum = 0;
  for (int64_t d = 0; d < size; ++d)
    sum += a[d] * b[d];
  return sum;
}

static float cap(float score, std::optional<APFloat> softcap) {
  if (!softcap)
    return score;
  float limit = softcap->convertToFloat();
  return limit * std::tanh(score / limit);
}

Tensor Evaluator::attention(AttentionOp op, Frame &frame) {
  const Tensor &q = frame.values[op.getQuery()], &k = frame.values[op.getKey()],
               &v = frame.values[op.getValue()];
  int64_t batch = q.shape[0], queries = q.shape[1], heads = q.shape[2],
          size = q.shape[3];
  int64_t keys = k.shape[1], kvHeads = k.shape[2], valueSize = v.shape[3];
  Tensor result = Tensor::makeFloats({batch, queries, heads, valueSize});
  const Tensor *mask = op.getMask() ? &frame.values[op.getMask()] : nullptr;
  const Tensor *keyMask =
      op.getKeyMask() ? &frame.values[op.getKeyMask()] : nullptr;
  SmallVector<int64_t> maskStrides(4, 0);
  if (mask)
    maskStrides = broadcastStrides(mask->shape, {batch, heads, queries, keys});
  float scale = op.getScale().convertToFloat();
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t i = 0; i < queries; ++i) {
        int64_t group = h / (heads / kvHeads), position = keys - queries + i;
        std::vector<float> scores(keys, -INFINITY);
        for (int64_t j = 0; j < keys; ++j) {
          if ((op.getCausal() && j > position) ||
              (op.getWindow() && j <= position - int64_t(*op.getWindow())) ||
              (keyMask && keyMask->integers[b * keys + j] == 0))
            continue;
          float score =
              scale * dot(&q.floats[((b * queries + i) * heads + h) * size],
                          &k.floats[((b * keys + j) * kvHeads + group) * size],
                          size);
          scores[j] = cap(score, op.getSoftcap());
          if (mask)
            scores[j] += mask->floats[b * maskStrides[0] + h * maskStrides[1] +
                                      i * maskStrides[2] + j * maskStrides[3]];
        }
        attend(
            scores,
            [&](int64_t j) {
              return &v.floats[((b * keys + j) * kvHeads + group) * valueSize];
            },
            &result.floats[((b * queries + i) * heads + h) * valueSize],
            valueSize);
      }
  return result;
}

Tensor Evaluator::cachedAttention(CachedAttentionOp op, Frame &frame) {
  const Tensor &q = frame.values[op.getQuery()], &k = frame.values[op.getKey()],
               &v = frame.values[op.getValue()];
  const Tensor &positions = frame.values[op.getPositions()],
               &starts = frame.values[op.getQueryStarts()],
               &tables = frame.values[op.getBlockTables()];
  int64_t heads = q.shape[1], kvHeads = k.shape[1], size = q.shape[2],
          layer = frame.indices[op.getLayer()];
  int64_t blocks = tables.shape[1], sequences = tables.shape[0];
  auto slotOf = [&](int64_t sequence, int64_t position) -> KeyValue & {
    return cache[Slot(layer,
                      tables.integers[sequence * blocks + position / blockSize],
                      position % blockSize)];
  };
  for (int64_t s = 0; s < sequences; ++s)
    for (int64_t t = starts.integers[s]; t < starts.integers[s + 1]; ++t) {
      KeyValue &slot = slotOf(s, positions.integers[t]);
      int64_t count = kvHeads * size;
      slot.key.assign(&k.floats[t * count], &k.floats[t * count] + count);
      slot.value.assign(&v.floats[t * count], &v.floats[t * count] + count);
    }
  Tensor result = Tensor::makeFloats(q.shape);
  float scale = op.getScale().convertToFloat();
  for (int64_t s = 0; s < sequences; ++s)
    for (int64_t t = starts.integers[s]; t < starts.integers[s + 1]; ++t)
      for (int64_t h = 0; h < heads; ++h) {
        int64_t last = positions.integers[t], group = h / (heads / kvHeads);
        int64_t first =
            op.getWindow()
                ? std::max<int64_t>(0, last - int64_t(*op.getWindow()) + 1)
                : 0;
        std::vector<float> scores;
        for (int64_t j = first; j <= last; ++j)
          scores.push_back(
              cap(scale * dot(&q.floats[(t * heads + h) * size],
                              &slotOf(s, j).key[group * size], size),
                  op.getSoftcap()));
        attend(
            scores,
            [&](int64_t j) {
              return &slotOf(s, first + j).value[group * size];
            },
            &result.floats[(t * heads + h) * size], size);
      }
  return result;
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
