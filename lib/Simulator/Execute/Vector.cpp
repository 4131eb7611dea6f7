//===- Vector.cpp - vector instructions --------------------------------- -===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Core.h"
#include "Fault.h"

using namespace serrano;
using namespace serrano::sim;

static bool isTranscendental(isa::UnaryFunction fn) {
  using F = isa::UnaryFunction;
  switch (fn) {
  case F::Copy:
  case F::Neg:
  case F::Abs:
  case F::Sqrt:
  case F::Rsqrt:
  case F::Reciprocal:
  case F::Floor:
  case F::Ceil:
  case F::Round:
  case F::Not:
  case F::Isnan:
    return false;
  default:
    return true;
  }
}

static bool isTranscendental(isa::BinaryFunction fn) {
  return fn == isa::BinaryFunction::Pow;
}

/// The functions that are defined on integers alone.
static void requireIntegers(isa::BinaryFunction fn,
                            llvm::ArrayRef<isa::DType> dtypes) {
  if (fn < isa::BinaryFunction::And)
    return;
  for (isa::DType dtype : dtypes)
    if (!isa::isInteger(dtype))
      fault("{0} is a function of integers, but an operand is {1}",
            isa::stringify(fn), isa::stringify(dtype));
}

void Core::prepareVector(int64_t rows, int64_t cols,
                         llvm::ArrayRef<isa::DType> dtypes, bool transcendental,
                         int64_t passes) {
  for (const Access &write : record.accesses)
    for (const Access &other : record.accesses) {
      if (!write.write || &write == &other || !overlap(write, other))
        continue;
      bool same = write.address == other.address &&
                  write.bytes == other.bytes && write.rows == other.rows &&
                  write.stride == other.stride;
      if (!same || other.write)
        fault("dst overlaps another operand without being the same tile, at "
              "{0} {1}",
              memoryName(write.memory), std::max(write.address, other.address));
    }
  int64_t widest = 1;
  for (isa::DType dtype : dtypes)
    widest = std::max<int64_t>(widest, isa::sizeOf(dtype));
  record.interval =
      timing.vectorInterval(rows, cols, widest, transcendental, passes);
}

void Core::execute(const isa::VectorUnary &i) {
  begin(i, VectorId, Work::Vector);
  int64_t rows = count(i.rows, "rows"), cols = count(i.cols, "cols");
  TileView a = tile(i.a, rows, cols, false, "a"),
           dst = tile(i.dst, rows, cols, true, "dst");
  prepareVector(rows, cols, {a.dtype, dst.dtype}, isTranscendental(i.fn), 1);
  finishRows(rows, [=, fn = i.fn](int64_t first, int64_t count) {
    unary(fn, dst.from(first), a.from(first), count, cols);
  });
}

void Core::execute(const isa::VectorBinary &i) {
  begin(i, VectorId, Work::Vector);
  int64_t rows = count(i.rows, "rows"), cols = count(i.cols, "cols");
  TileView a = tile(i.a, rows, cols, false, "a"),
           b = tile(i.b, rows, cols, false, "b");
  TileView dst = tile(i.dst, rows, cols, true, "dst");
  requireIntegers(i.fn, {a.dtype, b.dtype});
  prepareVector(rows, cols, {a.dtype, b.dtype, dst.dtype},
                isTranscendental(i.fn), 1);
  finishRows(rows, [=, fn = i.fn](int64_t first, int64_t count) {
    binary(fn, dst.from(first), a.from(first), b.from(first), count, cols);
  });
}

void Core::execute(const isa::VectorScalar &i) {
  begin(i, VectorId, Work::Vector);
  int64_t rows = count(i.rows, "rows"), cols = count(i.cols, "cols");
  TileView a = tile(i.a, rows, cols, false, "a"),
           dst = tile(i.dst, rows, cols, true, "dst");
  requireIntegers(i.fn, {a.dtype});
  prepareVector(rows, cols, {a.dtype, dst.dtype}, isTranscendental(i.fn), 1);
  finishRows(rows, [=, fn = i.fn, reverse = i.reverse,
                    imm = i.imm](int64_t first, int64_t count) {
    scalar(fn, reverse, dst.from(first), a.from(first), imm, count, cols);
  });
}

void Core::execute(const isa::VectorTernary &i) {
  begin(i, VectorId, Work::Vector);
  int64_t rows = count(i.rows, "rows"), cols = count(i.cols, "cols");
  TileView a = tile(i.a, rows, cols, false, "a"),
           b = tile(i.b, rows, cols, false, "b");
  TileView c = tile(i.c, rows, cols, false, "c"),
           dst = tile(i.dst, rows, cols, true, "dst");
  prepareVector(rows, cols, {a.dtype, b.dtype, c.dtype, dst.dtype}, false, 1);
  finishRows(rows, [=, fn = i.fn](int64_t first, int64_t count) {
    ternary(fn, dst.from(first), a.from(first), b.from(first), c.from(first),
            count, cols);
  });
}

void Core::execute(const isa::VectorFill &i) {
  begin(i, VectorId, Work::Vector);
  int64_t rows = count(i.rows, "rows"), cols = count(i.cols, "cols");
  TileView dst = tile(i.dst, rows, cols, true, "dst");
  prepareVector(rows, cols, {dst.dtype}, false, 1);
  finish([=, imm = i.imm] { fill(dst, imm, rows, cols); });
}

void Core::execute(const isa::VectorIota &i) {
  begin(i, VectorId, Work::Vector);
  int64_t rows = count(i.rows, "rows"), cols = count(i.cols, "cols");
  TileView dst = tile(i.dst, rows, cols, true, "dst");
  int64_t start = value(i.start), rowStep = value(i.row_step),
          colStep = value(i.col_step);
  prepareVector(rows, cols, {dst.dtype}, false, 1);
  finish([=] { iota(dst, start, rowStep, colStep, rows, cols); });
}

void Core::execute(const isa::VectorReduce &i) {
  begin(i, VectorId, Work::Vector);
  int64_t rows = count(i.rows, "rows"), cols = count(i.cols, "cols");
  TileView a = tile(i.a, rows, cols, false, "a"),
           dst = tile(i.dst, rows, 1, true, "dst");
  if (i.accumulate)
    tile(i.dst, rows, 1, false, "dst");
  prepareVector(rows, cols, {a.dtype, dst.dtype}, false, 1);
  finish([=, fn = i.fn, accumulate = i.accumulate] {
    reduce(fn, accumulate, dst, a, rows, cols);
  });
}

/// Tiles whose type the instruction fixes.
static void requireF32(const isa::Tile &t, const char *operand) {
  if (t.dtype != isa::DType::F32)
    fault("{0} is {1}, expected f32", operand, isa::stringify(t.dtype));
}

static void requireI32(const isa::Tile &t, const char *operand) {
  if (t.dtype != isa::DType::I32)
    fault("{0} is {1}, expected i32", operand, isa::stringify(t.dtype));
}

void Core::execute(const isa::VectorSoftmax &i) {
  begin(i, VectorId, Work::Vector);
  int64_t rows = count(i.rows, "rows"), cols = count(i.cols, "cols");
  if (i.group == 0)
    fault("group is 0, expected the number of rows that share a limit");
  requireF32(i.a, "a");
  requireF32(i.state, "state");
  TileView a = tile(i.a, rows, cols, false, "a");
  // Maximum and sum are read and written, the correction is only written.
  TileView state = tile(i.state, rows, 2, false, "state");
  tile(i.state, rows, 2, true, "state");
  isa::Tile correction = i.state;
  correction.offset += 2 * sizeof(float);
  tile(correction, rows, 1, true, "state");
  TileView dst = tile(i.dst, rows, cols, true, "dst");
  SoftmaxArgs args{.dst = dst,
                   .a = a,
                   .state = state,
                   .scale = i.scale,
                   .limit = limit(i.limit),
                   .group = int64_t(i.group),
                   .window = count(i.window, "window"),
                   .rows = rows,
                   .cols = cols};
  prepareVector(rows, cols, {a.dtype, dst.dtype}, true, 2);
  finish([=] { softmax(args); });
}

void Core::execute(const isa::VectorRope &i) {
  begin(i, VectorId, Work::Vector);
  int64_t rows = count(i.rows, "rows"), cols = count(i.cols, "cols"),
          heads = i.heads;
  if (i.rotary % 2 || int64_t(i.rotary) > cols)
    fault(
        "rotary is {0}, expected an even number up to the head's {1} elements",
        i.rotary, cols);
  requireF32(i.cos, "cos");
  requireF32(i.sin, "sin");
  TileView a = tile(i.a, rows, heads * cols, false, "a");
  TileView cos = tile(i.cos, rows, i.rotary / 2, false, "cos");
  TileView sin = tile(i.sin, rows, i.rotary / 2, false, "sin");
  TileView dst = tile(i.dst, rows, cols, true, "dst");
  if (i.head_stride % isa::sizeOf(i.dst.dtype))
    fault("head_stride {0} is not a multiple of {1} bytes", i.head_stride,
          isa::sizeOf(i.dst.dtype));
  if (heads > 1 && rows && cols) {
    Access first = record.accesses.back();
    for (int64_t h = 1; h < heads; ++h) {
      Access head = first;
      head.address += h * i.head_stride;
      check(head, "dst");
      record.accesses.push_back(head);
    }
  }
  RopeArgs args{.dst = dst,
                .a = a,
                .cos = cos,
                .sin = sin,
                .rotary = int64_t(i.rotary),
                .heads = heads,
                .headStride = int64_t(i.head_stride),
                .interleaved = i.interleaved,
                .rows = rows,
                .cols = cols};
  prepareVector(rows, heads * cols, {a.dtype, dst.dtype, isa::DType::F32},
                false, 1);
  finish([=] { rope(args); });
}

void Core::execute(const isa::VectorGather &i) {
  begin(i, VectorId, Work::Vector);
  int64_t rows = count(i.rows, "rows"), cols = count(i.cols, "cols");
  int64_t bound = count(i.bound, "bound");
  requireI32(i.index, "index");
  TileView index = tile(i.index, rows, 1, false, "index");
  TileView a = tile(i.a, bound, cols, false, "a"),
           dst = tile(i.dst, rows, cols, true, "dst");
  prepareVector(rows, cols, {a.dtype, dst.dtype}, false, 1);
  if (rows && cols && bound && dst.data == a.data)
    fault("dst is the table; rows of it would be gone before they are taken");
  finishHere([=] {
    if (std::optional<int64_t> bad = gather(dst, a, index, bound, rows, cols))
      fault("index {0} is outside 0 to {1}", *bad, bound - 1);
  });
}

void Core::execute(const isa::VectorTopK &i) {
  begin(i, VectorId, Work::Vector);
  int64_t rows = count(i.rows, "rows"), cols = count(i.cols, "cols"), k = i.k;
  if (k == 0)
    fault("k is 0, expected 1 to 63");
  requireI32(i.index, "index");
  TileView a = tile(i.a, rows, cols, false, "a");
  if (i.accumulate) {
    tile(i.dst, rows, k, false, "dst");
    tile(i.index, rows, k, false, "index");
  }
  TileView dst = tile(i.dst, rows, k, true, "dst");
  TileView index = tile(i.index, rows, k, true, "index");
  TopKArgs args{.dst = dst,
                .index = index,
                .a = a,
                .first = value(i.first),
                .k = k,
                .accumulate = i.accumulate,
                .rows = rows,
                .cols = cols};
  prepareVector(rows, cols, {a.dtype, dst.dtype}, false, k);
  finish([=] { topk(args); });
}
