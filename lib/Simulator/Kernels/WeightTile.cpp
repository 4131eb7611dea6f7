//===- WeightTile.cpp - loading weights into the array --------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/Simulator/Kernels/WeightTile.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#include "Rows.h"
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace serrano::sim {
namespace HWY_NAMESPACE {

using Lanes = uint32_t __attribute__((vector_size(32)));

/// dst[j][i] = src[i][j] for 8 x 8 words.
static void transpose8(const uint32_t *src, int64_t srcStep, uint32_t *dst,
                       int64_t dstStep) {
  Lanes row[8], pair[8], quad[8];
  for (int i = 0; i < 8; ++i)
    std::memcpy(&row[i], src + i * srcStep, sizeof(Lanes));
  for (int i = 0; i < 8; i += 2) {
    pair[i] =
        __builtin_shufflevector(row[i], row[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    pair[i + 1] =
        __builtin_shufflevector(row[i], row[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (int i = 0; i < 8; i += 4)
    for (int j = 0; j < 2; ++j) {
      Lanes low = pair[i + j], high = pair[i + j + 2];
      quad[i + 2 * j] =
          __builtin_shufflevector(low, high, 0, 1, 8, 9, 4, 5, 12, 13);
      quad[i + 2 * j + 1] =
          __builtin_shufflevector(low, high, 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int i = 0; i < 4; ++i) {
    Lanes first =
        __builtin_shufflevector(quad[i], quad[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    Lanes second = __builtin_shufflevector(quad[i], quad[i + 4], 4, 5, 6, 7, 12,
                                           13, 14, 15);
    std::memcpy(dst + i * dstStep, &first, sizeof(Lanes));
    std::memcpy(dst + (i + 4) * dstStep, &second, sizeof(Lanes));
  }
}

/// dst[j][i] = src[i][j] for rows x cols words.
static void transpose(const uint32_t *src, int64_t srcStep, uint32_t *dst,
                      int64_t dstStep, int64_t rows, int64_t cols) {
  for (int64_t i = 0; i < rows; i += 8)
    for (int64_t j = 0; j < cols; j += 8) {
      if (i + 8 <= rows && j + 8 <= cols) {
        transpose8(src + i * srcStep + j, srcStep, dst + j * dstStep + i,
                   dstStep);
        continue;
      }
      for (int64_t y = i; y < std::min(i + 8, rows); ++y)
        for (int64_t x = j; x < std::min(j + 8, cols); ++x)
          dst[x * dstStep + y] = src[y * srcStep + x];
    }
}

} // namespace HWY_NAMESPACE
} // namespace serrano::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace serrano::sim {

HWY_EXPORT(transpose);

/// weights[i][j] = src[i][j].
template <typename T>
static void loadRows(T *weights, int64_t step, const TileView &src, int64_t k,
                     int64_t n) {
  RowReader<T> reader(src);
  for (int64_t i = 0; i < k; ++i)
    reader.readInto(i, 0, n, weights + i * step);
}

/// weights[i][j] = src[j][i], some rows of src at a time.
template <typename T>
static void loadColumns(T *weights, int64_t step, const TileView &src,
                        int64_t k, int64_t n) {
  constexpr int64_t rowsAtOnce = 8, columnsAtOnce = chunkSize / 2;
  RowReader<T> reader(src);
  T block[rowsAtOnce * columnsAtOnce];
  for (int64_t j = 0; j < n; j += rowsAtOnce)
    for (int64_t i = 0; i < k; i += columnsAtOnce) {
      int64_t rows = std::min(rowsAtOnce, n - j);
      int64_t columns = std::min(columnsAtOnce, k - i);
      for (int64_t r = 0; r < rows; ++r)
        reader.readInto(j + r, i, columns, block + r * columnsAtOnce);
      HWY_DYNAMIC_DISPATCH(transpose)(
          reinterpret_cast<const uint32_t *>(block), columnsAtOnce,
          reinterpret_cast<uint32_t *>(weights + i * step + j), step, rows,
          columns);
    }
}

static constexpr int64_t perLine = 16;

void WeightTile::load(const TileView &src, int64_t k, int64_t n,
                      bool transpose) {
  kCount = k;
  nCount = n;
  type = src.dtype;
  int64_t size = isa::sizeOf(type);
  bool kept = src.constant && !transpose && !src.broadcast &&
              (type == isa::DType::F32 || type == isa::DType::Bf16) &&
              n % perLine == 0 && src.stride % size == 0 && k > 0;
  if (!kept)
    return copyFrom(src, transpose);
  source = src.data;
  step = src.stride / size;
}

void WeightTile::copyFrom(const TileView &src, bool transpose) {
  static_assert(sizeof(CacheLine) == perLine * sizeof(uint32_t));
  int64_t k = kCount, n = nCount;
  step = (n + perLine - 1) / perLine * perLine;
  // One row at least, so that a chain over no k has an address to start from.
  size_t lines = size_t(std::max<int64_t>(k, 1) * step / perLine);
  if (storage.size() < lines)
    storage.resize(lines);
  if (isa::isInteger(type)) {
    auto *weights = reinterpret_cast<int32_t *>(storage.data());
    transpose ? loadColumns(weights, step, src, k, n)
              : loadRows(weights, step, src, k, n);
  } else {
    auto *weights = reinterpret_cast<float *>(storage.data());
    transpose ? loadColumns(weights, step, src, k, n)
              : loadRows(weights, step, src, k, n);
  }
  source = nullptr;
}

} // namespace serrano::sim
#endif // HWY_ONCE
