//===- Gather.cpp - v.gather ----------------------------------------------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Rows.h"

namespace serrano::sim {

template <typename T>
static void gatherIn(const TileView &dst, const TileView &a,
                     const TileView &index, Shape shape) {
  RowReader<T> reader(a);
  RowReader<int32_t> indexReader(index);
  RowWriter<T> writer(dst);
  T buffer[chunkSize];
  forEachChunk(shape, [&](int64_t r, int64_t c, int64_t n) {
    int32_t row;
    indexReader.readInto(r, 0, 1, &row);
    writer.write(r, c, n, reader.read(row, c, n, buffer));
  });
}

std::optional<int64_t> gather(const TileView &dst, const TileView &a,
                              const TileView &index, int64_t bound,
                              int64_t rows, int64_t cols) {
  RowReader<int32_t> indexReader(index);
  for (int64_t r = 0; r < rows; ++r) {
    int32_t row;
    indexReader.readInto(r, 0, 1, &row);
    if (row < 0 || row >= bound)
      return row;
  }
  if (isa::isInteger(a.dtype))
    gatherIn<int32_t>(dst, a, index, {rows, cols});
  else
    gatherIn<float>(dst, a, index, {rows, cols});
  return std::nullopt;
}

} // namespace serrano::sim
