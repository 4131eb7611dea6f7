//===- Arrays.cpp - the callers' arrays --------------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <algorithm>
#include <limits>

using namespace serrano;

bool serrano::isInteger(NpyType type) {
  return type != NpyType::f2 && type != NpyType::f4 && type != NpyType::f8;
}

template <typename T>
static std::vector<int64_t> widen(const NpyArray &array) {
  std::vector<int64_t> result;
  constexpr uint64_t largest = std::numeric_limits<int64_t>::max();
  for (T element : array.as<T>())
    if constexpr (std::is_same_v<T, uint64_t>)
      result.push_back(int64_t(std::min(element, largest)));
    else
      result.push_back(element);
  return result;
}

std::vector<int64_t> serrano::toIntegers(const NpyArray &array) {
  switch (array.type) {
  case NpyType::i1:
    return widen<int8_t>(array);
  case NpyType::i2:
    return widen<int16_t>(array);
  case NpyType::i4:
    return widen<int32_t>(array);
  case NpyType::i8:
    return widen<int64_t>(array);
  case NpyType::u2:
    return widen<uint16_t>(array);
  case NpyType::u4:
    return widen<uint32_t>(array);
  case NpyType::u8:
    return widen<uint64_t>(array);
  default:
    return widen<uint8_t>(array);
  }
}

NpyArray serrano::fromIntegers(NpyType type, llvm::ArrayRef<int64_t> elements) {
  uint64_t size = npyTypeSize(type);
  NpyArray array{type, {elements.size()}, {}};
  array.bytes.resize(elements.size() * size);
  // The low bytes of a little-endian number are the narrower number.
  for (auto [i, element] : llvm::enumerate(elements))
    for (uint64_t byte = 0; byte < size; ++byte)
      array.bytes[i * size + byte] = uint8_t(uint64_t(element) >> (8 * byte));
  return array;
}

template <typename Range>
static std::string inBrackets(const Range &texts) {
  return "[" + llvm::join(texts, ", ") + "]";
}

std::string serrano::shapeText(llvm::ArrayRef<uint64_t> shape) {
  return inBrackets(
      llvm::map_range(shape, [](uint64_t n) { return std::to_string(n); }));
}

std::string serrano::shapeText(llvm::ArrayRef<SizeExpression> shape) {
  return inBrackets(
      llvm::map_range(shape, [](auto &size) { return size.text().str(); }));
}

std::string serrano::placeText(llvm::ArrayRef<uint64_t> shape, size_t flat) {
  std::vector<uint64_t> place(shape.size());
  for (size_t i = shape.size(); i-- > 0; flat /= shape[i])
    place[i] = flat % shape[i];
  return shapeText(place);
}
