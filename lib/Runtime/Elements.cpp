//===- Elements.cpp - elements of arrays and of the device -------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "serrano/Runtime/Elements.h"
#include "Kernels/Kernels.h"
#include "serrano/Support/Error.h"
#include <cstring>
#include <limits>

using namespace serrano;
using isa::DType;

/// The device type whose elements have the same bytes; 64-bit types and those
/// that the device lacks have none.
static std::optional<DType> sameBytes(NpyType type) {
  switch (type) {
  case NpyType::f4:
    return DType::F32;
  case NpyType::f2:
    return DType::F16;
  case NpyType::i4:
    return DType::I32;
  case NpyType::i1:
    return DType::I8;
  case NpyType::u1:
  case NpyType::b1:
    return DType::U8;
  default:
    return std::nullopt;
  }
}

/// Converts as the vector engine's copy does.
static std::vector<uint8_t> convert(llvm::ArrayRef<uint8_t> bytes, DType from,
                                    DType to) {
  int64_t n = int64_t(bytes.size() / isa::sizeOf(from));
  std::vector<uint8_t> result(n * isa::sizeOf(to));
  auto *source =
      reinterpret_cast<std::byte *>(const_cast<uint8_t *>(bytes.data()));
  auto *destination = reinterpret_cast<std::byte *>(result.data());
  sim::unary(isa::UnaryFunction::Copy, {destination, 0, to}, {source, 0, from},
             1, n);
  return result;
}

/// Elements of type From as bytes of type To; fails on the first that is out of
/// To's range.
template <typename From, typename To>
static llvm::Expected<std::vector<uint8_t>> narrow(llvm::StringRef name,
                                                   const NpyArray &array) {
  std::vector<uint8_t> result(array.size() * sizeof(To));
  llvm::ArrayRef<From> elements = array.as<From>();
  for (size_t i = 0; i < elements.size(); ++i) {
    To value = To(elements[i]);
    if constexpr (std::is_integral_v<From>)
      if (From(value) != elements[i] || (value < 0) != (elements[i] < 0))
        return makeError("'{0}' holds {1} at flat index {2}, which does not "
                         "fit the device's 32-bit "
                         "integers",
                         name, elements[i], i);
    std::memcpy(result.data() + i * sizeof(To), &value, sizeof(To));
  }
  return result;
}

llvm::Expected<std::vector<uint8_t>>
serrano::toDevice(llvm::StringRef name, const NpyArray &array, DType stored) {
  std::optional<DType> direct = sameBytes(array.type);
  if (direct && *direct == stored)
    return array.bytes;
  if (direct)
    return convert(array.bytes, *direct, stored);
  DType middle = array.type == NpyType::f8 ? DType::F32 : DType::I32;
  auto narrowed = [&]() -> llvm::Expected<std::vector<uint8_t>> {
    switch (array.type) {
    case NpyType::f8:
      return narrow<double, float>(name, array);
    case NpyType::i8:
      return narrow<int64_t, int32_t>(name, array);
    case NpyType::u8:
      return narrow<uint64_t, int32_t>(name, array);
    case NpyType::u4:
      return narrow<uint32_t, int32_t>(name, array);
    case NpyType::i2:
      return narrow<int16_t, int32_t>(name, array);
    default:
      return narrow<uint16_t, int32_t>(name, array);
    }
  }();
  if (!narrowed || middle == stored)
    return narrowed;
  return convert(*narrowed, middle, stored);
}

template <typename From, typename To>
static std::vector<uint8_t> widen(llvm::ArrayRef<uint8_t> bytes) {
  std::vector<uint8_t> result(bytes.size() / sizeof(From) * sizeof(To));
  for (size_t i = 0; i * sizeof(From) < bytes.size(); ++i) {
    From element;
    std::memcpy(&element, bytes.data() + i * sizeof(From), sizeof(From));
    To value = To(element);
    std::memcpy(result.data() + i * sizeof(To), &value, sizeof(To));
  }
  return result;
}

NpyArray serrano::fromDevice(llvm::ArrayRef<uint8_t> bytes, DType stored,
                             NpyType type, std::vector<uint64_t> shape) {
  NpyArray result{type, std::move(shape), {}};
  std::optional<DType> direct = sameBytes(type);
  DType middle = direct                ? *direct
                 : type == NpyType::f8 ? DType::F32
                                       : DType::I32;
  result.bytes =
      stored == middle ? bytes.vec() : convert(bytes, stored, middle);
  if (direct)
    return result;
  switch (type) {
  case NpyType::f8:
    result.bytes = widen<float, double>(result.bytes);
    break;
  case NpyType::i8:
    result.bytes = widen<int32_t, int64_t>(result.bytes);
    break;
  case NpyType::u8:
    result.bytes = widen<int32_t, uint64_t>(result.bytes);
    break;
  case NpyType::u4:
    result.bytes = widen<int32_t, uint32_t>(result.bytes);
    break;
  case NpyType::i2:
    result.bytes = widen<int32_t, int16_t>(result.bytes);
    break;
  default:
    result.bytes = widen<int32_t, uint16_t>(result.bytes);
    break;
  }
  return result;
}
