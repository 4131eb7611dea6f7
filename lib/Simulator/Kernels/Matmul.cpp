//===- Matmul.cpp - mx.mul: rows times the loaded weights -----------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Matmul.h"
#include "Rows.h"
#include <memory>

namespace serrano::sim {

/// Rows of the moving operand that are widened together: a multiple of every
/// target's block of rows.
static constexpr int64_t panelRows = 48;

namespace {

/// Elements of the moving operand in T, `panelRows` of its rows at a time.
template <typename T>
class MovingPanel {
public:
  MovingPanel(const TileView &src, int64_t m, int64_t k, bool transpose)
      : view(src), reader(src), k(k), transpose(transpose),
        inPlace(src.dtype == nativeType<T> && !src.broadcast &&
                src.stride % int64_t(sizeof(T)) == 0) {
    if (!inPlace)
      buffer = std::make_unique_for_overwrite<T[]>(
          size_t(std::min(m, panelRows) * k));
  }

  /// Sets the source of `block` to rows r .. r+rows-1.
  void prepare(int64_t r, int64_t rows, RowBlock<T> &block) const {
    if (inPlace) {
      int64_t stride = view.stride / int64_t(sizeof(T));
      block.rowStep = transpose ? 1 : stride;
      block.kStep = transpose ? stride : 1;
      block.src = reinterpret_cast<const T *>(view.data) + r * block.rowStep;
      return;
    }
    block.rowStep = transpose ? 1 : k;
    block.kStep = transpose ? rows : 1;
    block.src = buffer.get();
    if (transpose)
      for (int64_t i = 0; i < k; ++i)
        reader.readInto(i, r, rows, buffer.get() + i * rows);
    else
      for (int64_t i = 0; i < rows; ++i)
        reader.readInto(r + i, 0, k, buffer.get() + i * k);
  }

private:
  TileView view;
  RowReader<T> reader;
  int64_t k;
  bool transpose, inPlace;
  std::unique_ptr<T[]> buffer;
};

} // namespace

/// Calls `multiply(block)` for all rows, in blocks whose rows use the same
/// weights: a block of rows up to the least limit of any, then each row alone
/// for what it uses beyond.
template <typename T, typename Multiply>
static void multiplyAll(const WeightTile &weights, const TileView &dst,
                        const TileView &src, int64_t m, bool transposeSrc,
                        RowLimit limit, int64_t kGranule, Multiply multiply) {
  int64_t k = weights.k();
  auto weightsOf = [&](int64_t r) {
    return limit.enabled
               ? std::clamp<int64_t>(
                     limit.limit + (limit.firstRow + r) / limit.group, 0, k)
               : k;
  };
  MovingPanel<T> panel(src, m, k, transposeSrc);
  for (int64_t r = 0; r < m; r += panelRows) {
    RowBlock<T> block;
    block.rows = std::min(panelRows, m - r);
    block.dst = reinterpret_cast<T *>(dst.data + r * dst.stride);
    block.dstStep = dst.stride / int64_t(sizeof(T));
    panel.prepare(r, block.rows, block);
    block.firstK = 0;
    block.lastK = weightsOf(r);
    int64_t last = weightsOf(r + block.rows - 1);
    if (last != block.lastK)
      block.lastK -= block.lastK % kGranule;
    multiply(block);
    for (int64_t i = 0; last != block.lastK && i < block.rows; ++i) {
      RowBlock<T> rest = block;
      rest.src += i * block.rowStep;
      rest.dst += i * block.dstStep;
      rest.rows = 1;
      rest.firstK = block.lastK;
      rest.lastK = weightsOf(r + i);
      multiply(rest);
    }
  }
}

template <typename T>
static void clearRows(const TileView &dst, int64_t m, int64_t n) {
  for (int64_t r = 0; r < m; ++r)
    std::fill_n(reinterpret_cast<T *>(dst.data + r * dst.stride), n, T(0));
}

void matmul(const WeightTile &weights, const TileView &dst, const TileView &src,
            int64_t m, bool accumulate, bool transposeSrc, RowLimit limit) {
  int64_t n = weights.n();
  if (isa::isInteger(weights.dtype())) {
    if (!accumulate)
      clearRows<int32_t>(dst, m, n);
    multiplyAll<int32_t>(
        weights, dst, src, m, transposeSrc, limit, 1,
        [&](const RowBlock<int32_t> &block) { multiplyRows(weights, block); });
    return;
  }
  if (!accumulate)
    clearRows<float>(dst, m, n);
  if (isa::sizeOf(weights.dtype()) == 1) {
    int e5m2 = (weights.dtype() == isa::DType::F8e5m2) +
               (src.dtype == isa::DType::F8e5m2);
    multiplyAll<float>(weights, dst, src, m, transposeSrc, limit, 4,
                       [&](const RowBlock<float> &block) {
                         if (e5m2 > 0 || !multiplyRowsE4m3(weights, block))
                           multiplyRowsFp8(weights, block, e5m2 == 2);
                       });
    return;
  }
  multiplyAll<float>(
      weights, dst, src, m, transposeSrc, limit, 1,
      [&](const RowBlock<float> &block) { multiplyRows(weights, block); });
}

} // namespace serrano::sim
