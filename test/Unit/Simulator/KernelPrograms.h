//===- KernelPrograms.h - the kernels written by hand ---------- -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sources of the kernels in test/EndToEnd/Kernels and inputs for them.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_SIMULATOR_KERNELPROGRAMS_H
#define SERRANO_TEST_UNIT_SIMULATOR_KERNELPROGRAMS_H

#include "AssembledProgram.h"
#include <fstream>
#include <random>

namespace serrano {

inline std::string kernelSource(const std::string &file) {
  std::ifstream stream(SERRANO_SOURCE_DIR "/test/EndToEnd/Kernels/" + file);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

inline NpzArrays &add(NpzArrays &arrays, const std::string &name, NpyType type,
               std::vector<uint64_t> shape,
               llvm::ArrayRef<int32_t> values = {}) {
  NpyArray &array = arrays[name];
  array.type = type;
  array.shape = std::move(shape);
  array.bytes.resize(array.size() * npyTypeSize(type));
  std::copy_n(values.begin(), values.size(),
              reinterpret_cast<int32_t *>(array.bytes.data()));
  return arrays;
}

/// Numbers of which hardly two are the same: stale ones show.
inline NpzArrays &addFloats(NpzArrays &arrays, const std::string &name,
                     std::vector<uint64_t> shape) {
  add(arrays, name, NpyType::f4, std::move(shape));
  std::mt19937 random(unsigned(arrays.size()));
  NpyArray &array = arrays[name];
  auto *values = reinterpret_cast<float *>(array.bytes.data());
  std::generate_n(values, array.size(),
                  [&] { return float(random()) / 4294967296.0f - 0.5f; });
  return arrays;
}

inline NpzArrays projectionInputs() {
  NpzArrays result;
  addFloats(result, "x", {5, 23});
  addFloats(result, "w", {4, 3, 8, 8});
  addFloats(result, "bias", {29});
  return result;
}

/// A chunk after old tokens, a first token, a decode and a prefill; blocks
/// of 4.
inline NpzArrays attentionInputs() {
  struct {
    int32_t past, count;
  } sequences[] = {{5, 7}, {0, 1}, {9, 1}, {0, 12}};
  std::vector<int32_t> starts = {0}, lengths, places, tables;
  int32_t block = 0;
  for (auto [past, count] : sequences) {
    starts.push_back(starts.back() + count);
    lengths.push_back(past + count);
    for (int32_t i = past; i < past + count; ++i)
      places.push_back(block * 4 + i);
    for (int32_t i = 0; i < 16; ++i)
      tables.push_back(i * 4 < past + count ? block++ : -1);
  }
  uint64_t tokens = places.size(), count = lengths.size();
  NpzArrays result;
  addFloats(result, "q", {tokens, 4, 8});
  addFloats(result, "k", {tokens, 2, 8});
  addFloats(result, "v", {tokens, 2, 8});
  addFloats(result, "cache", {48, 4, 2, 2, 8});
  add(result, "starts", NpyType::i4, {count + 1}, starts);
  add(result, "lengths", NpyType::i4, {count}, lengths);
  add(result, "places", NpyType::i4, {tokens}, places);
  add(result, "tables", NpyType::i4, {count, 16}, tables);
  return result;
}

} // namespace serrano

#endif // SERRANO_TEST_UNIT_SIMULATOR_KERNELPROGRAMS_H
