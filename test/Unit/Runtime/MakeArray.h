//===- MakeArray.h - arrays for the tests of the runtime ------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_RUNTIME_MAKEARRAY_H
#define SERRANO_TEST_UNIT_RUNTIME_MAKEARRAY_H

#include "serrano/Support/Npz.h"

namespace serrano {

/// An array of `type` with these elements, which are of the type's size.
template <typename T>
NpyArray makeArray(NpyType type, std::vector<uint64_t> shape,
                   const std::vector<T> &elements) {
  NpyArray array{type, std::move(shape), {}};
  auto *bytes = reinterpret_cast<const uint8_t *>(elements.data());
  array.bytes.assign(bytes, bytes + elements.size() * sizeof(T));
  return array;
}

/// A vector of i32.
inline NpyArray indices(const std::vector<int32_t> &elements) {
  return makeArray(NpyType::i4, {elements.size()}, elements);
}

} // namespace serrano

#endif // SERRANO_TEST_UNIT_RUNTIME_MAKEARRAY_H
