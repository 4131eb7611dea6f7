//===- Tensor.cpp - tensors of the reference evaluator -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tensor.h"

#include "dialects/Llm/Llm.h"
#include "serrano/Support/Error.h"

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

Tensor serrano::reference::fromConstant(DenseElementsAttr elements) {
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

llvm::Expected<Tensor> serrano::reference::fromNumpy(const NpyArray &array) {
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

NpyArray serrano::reference::toNumpy(const Tensor &tensor) {
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
