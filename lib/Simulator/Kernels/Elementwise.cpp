//===- Elementwise.cpp - instructions that work element by element --------===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementFunctions.h"
#include "Numerics/Arithmetic.h"
#include "Numerics/Formats.h"
#include "Rows.h"

namespace serrano::sim {

template <typename T>
static void unaryIn(UnaryRun<T> fn, const TileView &dst, const TileView &a,
                    Shape shape) {
  RowReader<T> readA(a);
  RowWriter<T> writer(dst);
  T bufferA[chunkSize], out[chunkSize];
  forEachChunk(joinRows(shape, {&dst, &a}),
               [&](int64_t r, int64_t c, int64_t n) {
                 fn(readA.read(r, c, n, bufferA), out, n);
                 writer.write(r, c, n, out);
               });
}

template <typename T>
static void binaryIn(BinaryRun<T> fn, const TileView &dst, const TileView &a,
                     const TileView &b, Shape shape) {
  RowReader<T> readA(a), readB(b);
  RowWriter<T> writer(dst);
  T bufferA[chunkSize], bufferB[chunkSize], out[chunkSize];
  forEachChunk(
      joinRows(shape, {&dst, &a, &b}), [&](int64_t r, int64_t c, int64_t n) {
        fn(readA.read(r, c, n, bufferA), readB.read(r, c, n, bufferB), out, n);
        writer.write(r, c, n, out);
      });
}

template <typename T>
static void scalarIn(BinaryRun<T> fn, bool reverse, const TileView &dst,
                     const TileView &a, T imm, Shape shape) {
  RowReader<T> readA(a);
  RowWriter<T> writer(dst);
  T bufferA[chunkSize], imms[chunkSize], out[chunkSize];
  std::fill(imms, imms + chunkSize, imm);
  forEachChunk(joinRows(shape, {&dst, &a}),
               [&](int64_t r, int64_t c, int64_t n) {
                 const T *values = readA.read(r, c, n, bufferA);
                 fn(reverse ? imms : values, reverse ? values : imms, out, n);
                 writer.write(r, c, n, out);
               });
}

template <typename T>
static void ternaryIn(TernaryRun<T> fn, const TileView &dst, const TileView &a,
                      const TileView &b, const TileView &c, Shape shape) {
  RowReader<T> readA(a), readB(b), readC(c);
  RowWriter<T> writer(dst);
  T bufferA[chunkSize], bufferB[chunkSize], bufferC[chunkSize], out[chunkSize];
  forEachChunk(joinRows(shape, {&dst, &a, &b, &c}),
               [&](int64_t row, int64_t col, int64_t n) {
                 fn(readA.read(row, col, n, bufferA),
                    readB.read(row, col, n, bufferB),
                    readC.read(row, col, n, bufferC), out, n);
                 writer.write(row, col, n, out);
               });
}

void unary(isa::UnaryFunction fn, const TileView &dst, const TileView &a,
           int64_t rows, int64_t cols) {
  UnaryRun<int32_t> inIntegers =
      isa::isInteger(a.dtype) ? integerRun(fn) : nullptr;
  if (inIntegers)
    unaryIn<int32_t>(inIntegers, dst, a, {rows, cols});
  else
    unaryIn<float>(floatRun(fn), dst, a, {rows, cols});
}

void binary(isa::BinaryFunction fn, const TileView &dst, const TileView &a,
            const TileView &b, int64_t rows, int64_t cols) {
  bool integers = isa::isInteger(a.dtype) && isa::isInteger(b.dtype);
  BinaryRun<int32_t> inIntegers = integers ? integerRun(fn) : nullptr;
  if (inIntegers)
    binaryIn<int32_t>(inIntegers, dst, a, b, {rows, cols});
  else
    binaryIn<float>(floatRun(fn), dst, a, b, {rows, cols});
}

void scalar(isa::BinaryFunction fn, bool reverse, const TileView &dst,
            const TileView &a, float imm, int64_t rows, int64_t cols) {
  BinaryRun<int32_t> inIntegers =
      isa::isInteger(a.dtype) ? integerRun(fn) : nullptr;
  if (inIntegers)
    scalarIn<int32_t>(inIntegers, reverse, dst, a, toInteger(imm),
                      {rows, cols});
  else
    scalarIn<float>(floatRun(fn), reverse, dst, a, imm, {rows, cols});
}

void ternary(isa::TernaryFunction fn, const TileView &dst, const TileView &a,
             const TileView &b, const TileView &c, int64_t rows, int64_t cols) {
  if (isa::isInteger(a.dtype) && isa::isInteger(b.dtype) &&
      isa::isInteger(c.dtype))
    ternaryIn<int32_t>(integerRun(fn), dst, a, b, c, {rows, cols});
  else
    ternaryIn<float>(floatRun(fn), dst, a, b, c, {rows, cols});
}

void fill(const TileView &dst, float imm, int64_t rows, int64_t cols) {
  RowWriter<float> writer(dst);
  float imms[chunkSize];
  std::fill(imms, imms + chunkSize, imm);
  forEachChunk(
      joinRows({rows, cols}, {&dst}),
      [&](int64_t r, int64_t c, int64_t n) { writer.write(r, c, n, imms); });
}

void iota(const TileView &dst, int64_t start, int64_t rowStep, int64_t colStep,
          int64_t rows, int64_t cols) {
  RowWriter<int32_t> writer(dst);
  int32_t values[chunkSize];
  forEachChunk({rows, cols}, [&](int64_t r, int64_t c, int64_t n) {
    uint32_t first = uint32_t(start) + uint32_t(r) * uint32_t(rowStep) +
                     uint32_t(c) * uint32_t(colStep);
    for (int64_t i = 0; i < n; ++i)
      values[i] = int32_t(first + uint32_t(i) * uint32_t(colStep));
    writer.write(r, c, n, values);
  });
}

} // namespace serrano::sim
