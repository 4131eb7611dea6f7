//===- KernelRuns.h - inputs for the kernels of Inputs/ ------------ -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_DIALECTS_KERNELRUNS_H
#define SERRANO_TEST_UNIT_DIALECTS_KERNELRUNS_H

#include "../Runtime/MakeArray.h"
#include <random>

namespace serrano {

/// Token ids of the models' small vocabulary, hardly two after another the
/// same.
template <typename T>
std::vector<T> tokens(size_t count, unsigned draw = 0) {
  std::mt19937 random(count + 1000 * draw);
  std::vector<T> result(count);
  std::generate(result.begin(), result.end(), [&] { return T(random() % 10); });
  return result;
}

/// Rows of so many tokens, of which the last one of several is left out.
inline NpzArrays encoderInputs(uint64_t batch, uint64_t length) {
  NpzArrays result;
  result["ids"] =
      makeArray(NpyType::i8, {batch, length}, tokens<int64_t>(batch * length));
  std::vector<int64_t> mask(batch * length, 1);
  for (uint64_t row = 0; length > 1 && row < batch; ++row)
    mask[(row + 1) * length - 1] = 0;
  result["mask"] = makeArray(NpyType::i8, {batch, length}, mask);
  return result;
}

/// A step of sequences with so many tokens before it and in it, in blocks of
/// their own.
inline NpzArrays stepInputs(llvm::ArrayRef<std::pair<int32_t, int32_t>> sequences) {
  constexpr int32_t block = 8, blocksEach = 9;
  std::vector<int32_t> positions, starts = {0}, lengths, tables, rows;
  for (auto [past, count] : sequences) {
    for (int32_t i = past; i < past + count; ++i)
      positions.push_back(i);
    starts.push_back(int32_t(positions.size()));
    lengths.push_back(past + count);
    rows.push_back(int32_t(positions.size()) - 1);
    for (int32_t i = 0; i < blocksEach; ++i)
      tables.push_back(int32_t(tables.size()));
  }
  static_assert(block * blocksEach == 72, "the context that is compiled for");
  NpzArrays result;
  result["token_ids"] = indices(tokens<int32_t>(positions.size()));
  result["positions"] = indices(positions);
  result["query_starts"] = indices(starts);
  result["kv_lengths"] = indices(lengths);
  result["block_tables"] =
      makeArray(NpyType::i4, {lengths.size(), blocksEach}, tables);
  result["logit_rows"] = indices(rows);
  return result;
}

/// Steps of one to three sequences: prompts, single tokens, and chunks that
/// begin and end within blocks of the cache and within steps of the softmax.
inline std::vector<NpzArrays> decoderRuns() {
  return {stepInputs({{0, 9}, {0, 3}}), stepInputs({{9, 1}, {3, 8}, {0, 2}}),
          stepInputs({{10, 1}, {11, 1}, {2, 1}}), stepInputs({{11, 12}}),
          stepInputs({{23, 9}, {12, 3}}), stepInputs({{3, 2}}),
          // The fifth token has logits.
          stepInputs({{0, 5}, {0, 7}}),
          // Two and three steps of the softmax, several tiles of queries.
          stepInputs({{32, 1}, {15, 27}}), stepInputs({{42, 28}}),
          stepInputs({{0, 28}}), stepInputs({{28, 28}}),
          stepInputs({{56, 9}, {33, 16}, {0, 1}}),
          stepInputs({{65, 1}, {64, 1}, {71, 1}})};
}

/// Runs of the same lengths with other tokens.
inline std::vector<NpzArrays> redrawn(std::vector<NpzArrays> runs, unsigned draw) {
  for (NpzArrays &inputs : runs)
    for (auto &[name, array] : inputs)
      if (name == "ids")
        array = makeArray(array.type, array.shape, tokens<int64_t>(array.size(), draw));
      else if (name == "token_ids")
        array = makeArray(array.type, array.shape, tokens<int32_t>(array.size(), draw));
  return runs;
}

inline std::vector<NpzArrays> encoderRuns() {
  return {encoderInputs(2, 5), encoderInputs(1, 12), encoderInputs(3, 4), encoderInputs(12, 1)};
}

} // namespace serrano

#endif // SERRANO_TEST_UNIT_DIALECTS_KERNELRUNS_H
