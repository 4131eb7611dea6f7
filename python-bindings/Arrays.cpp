//===- Arrays.cpp - NumPy's arrays and the runtime's -------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"
#include <memory>

namespace nb = nanobind;
using namespace serrano;

static const std::pair<NpyType, nb::dlpack::dtype> elementTypes[] = {
    {NpyType::b1, nb::dtype<bool>()},
    {NpyType::i1, nb::dtype<int8_t>()},
    {NpyType::i2, nb::dtype<int16_t>()},
    {NpyType::i4, nb::dtype<int32_t>()},
    {NpyType::i8, nb::dtype<int64_t>()},
    {NpyType::u1, nb::dtype<uint8_t>()},
    {NpyType::u2, nb::dtype<uint16_t>()},
    {NpyType::u4, nb::dtype<uint32_t>()},
    {NpyType::u8, nb::dtype<uint64_t>()},
    {NpyType::f2, {uint8_t(nb::dlpack::dtype_code::Float), 16, 1}},
    {NpyType::f4, nb::dtype<float>()},
    {NpyType::f8, nb::dtype<double>()}};

NpyArray python::fromPython(const InputArray &array) {
  for (auto [type, dtype] : elementTypes) {
    if (dtype != array.dtype())
      continue;
    NpyArray result{type, {}, {}};
    for (size_t i = 0; i < array.ndim(); ++i)
      result.shape.push_back(array.shape(i));
    auto *bytes = static_cast<const uint8_t *>(array.data());
    result.bytes.assign(bytes, bytes + array.nbytes());
    return result;
  }
  throw nb::type_error("an array's elements have to be truth values, integers "
                       "or floats of at most 64 bits");
}

python::OutputArray python::toPython(NpyArray array) {
  auto owned = std::make_unique<NpyArray>(std::move(array));
  nb::dlpack::dtype dtype;
  for (auto [type, candidate] : elementTypes)
    if (type == owned->type)
      dtype = candidate;
  std::vector<size_t> shape(owned->shape.begin(), owned->shape.end());
  void *data = owned->bytes.data();
  nb::capsule owner(owned.release(), [](void *pointer) noexcept {
    delete static_cast<NpyArray *>(pointer);
  });
  return OutputArray(data, shape.size(), shape.data(), owner, nullptr, dtype);
}
