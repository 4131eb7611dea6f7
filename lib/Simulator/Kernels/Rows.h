//===- Rows.h - reading and writing the rows of a tile ----------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel goes through its operands in chunks of a row. A reader gives a chunk
// as f32 or i32 whatever the tile's type is, a writer converts one back.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_KERNELS_ROWS_H
#define SERRANO_SIMULATOR_KERNELS_ROWS_H

#include "Conversion.h"
#include "Kernels.h"
#include <algorithm>
#include <initializer_list>

namespace serrano::sim {

/// Elements of a chunk: a few of them fit a first-level cache. A multiple of
/// the 32 chains of a reduction.
inline constexpr int64_t chunkSize = 512;

template <typename T>
inline constexpr isa::DType nativeType = isa::DType::F32;
template <>
inline constexpr isa::DType nativeType<int32_t> = isa::DType::I32;

template <typename T>
class RowReader {
public:
  explicit RowReader(const TileView &view)
      : view(view), convert(readFunction<T>(view.dtype)) {}

  /// Elements c .. c+n-1 of row r.
  void readInto(int64_t r, int64_t c, int64_t n, T *buffer) const {
    if (!view.broadcast)
      return convert(address(r, c), buffer, n);
    T value;
    convert(address(r, 0), &value, 1);
    std::fill(buffer, buffer + n, value);
  }

  /// The same, in place if they need no conversion, in `buffer` otherwise.
  const T *read(int64_t r, int64_t c, int64_t n, T *buffer) const {
    if (view.dtype == nativeType<T> && !view.broadcast)
      return reinterpret_cast<const T *>(address(r, c));
    readInto(r, c, n, buffer);
    return buffer;
  }

private:
  const std::byte *address(int64_t r, int64_t c) const {
    return view.data + r * view.stride + c * isa::sizeOf(view.dtype);
  }

  TileView view;
  ReadFunction<T> convert;
};

template <typename T>
class RowWriter {
public:
  explicit RowWriter(const TileView &view)
      : view(view), convert(writeFunction<T>(view.dtype)) {}

  /// Writes `values` to elements c .. c+n-1 of row r. With broadcast all of
  /// them are the same element, and the last one stays.
  void write(int64_t r, int64_t c, int64_t n, const T *values) const {
    std::byte *row = view.data + r * view.stride;
    if (view.broadcast)
      convert(values + n - 1, row, 1);
    else
      convert(values, row + c * isa::sizeOf(view.dtype), n);
  }

private:
  TileView view;
  WriteFunction<T> convert;
};

struct Shape {
  int64_t rows = 0, cols = 0;
};

/// A shape with one row if the rows of all tiles follow each other without a
/// gap, so that element (0, r * cols + c) is what (r, c) was.
inline Shape joinRows(Shape shape,
                      std::initializer_list<const TileView *> tiles) {
  for (const TileView *tile : tiles)
    if (tile->stride !=
        (tile->broadcast ? 0 : shape.cols * int64_t(isa::sizeOf(tile->dtype))))
      return shape;
  return {shape.rows > 0 && shape.cols > 0, shape.rows * shape.cols};
}

/// Calls `body(r, c, n)` for chunks of n columns of each row.
template <typename Body>
void forEachChunk(Shape shape, Body body) {
  for (int64_t r = 0; r < shape.rows; ++r)
    for (int64_t c = 0; c < shape.cols; c += chunkSize)
      body(r, c, std::min(chunkSize, shape.cols - c));
}

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_KERNELS_ROWS_H
