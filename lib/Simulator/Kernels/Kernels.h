//===- Kernels.h - what matrix and vector instructions compute --*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One function per instruction, over operands whose addresses have been
// resolved and checked. What they compute is specified in
// dialects/Isa/IsaInstructions.td and, to the bit, in docs/Numerics.md: it
// depends on nothing but the operands, whichever SIMD target runs
// (SimdTargets.h).
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_KERNELS_KERNELS_H
#define SERRANO_SIMULATOR_KERNELS_KERNELS_H

#include "serrano/Isa/Operands.h"
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace serrano::sim {

/// A resolved operand: element (r, c) is at data + r * stride + c * size of
/// dtype, or at data + r * stride for every c with `broadcast`.
struct TileView {
  std::byte *data = nullptr;
  int64_t stride = 0;
  isa::DType dtype = isa::DType::F32;
  bool broadcast = false;
  /// Nothing writes these bytes while the program runs: they are its weights.
  bool constant = false;

  /// The same without its first rows.
  TileView from(int64_t row) const {
    TileView rest = *this;
    rest.data += row * stride;
    return rest;
  }
};

//===----------------------------------------------------------------------===//
// Matrix engine
//===----------------------------------------------------------------------===//

/// The weights held by the array: k x n, widened to f32, or to i32 for
/// integers. They are a copy: the source may change after `load`. Constant
/// weights of f32 and bf16 stay where they are: to widen bf16 costs a kernel
/// nothing, beside its multiplications, and copies would not fit the caches.
class WeightTile {
public:
  /// `src` holds k rows of n weights, or n rows of k with `transpose`.
  void load(const TileView &src, int64_t k, int64_t n, bool transpose);

  /// Where the weights are, if they are not a copy: rows of f32 or bf16, as
  /// `dtype` says, `rowStep` elements apart.
  const std::byte *borrowed() const { return source; }

  int64_t k() const { return kCount; }
  int64_t n() const { return nCount; }
  isa::DType dtype() const { return type; }

  /// Row 0, aligned to a cache line. Which of the two holds the weights is a
  /// matter of `dtype`.
  const float *floats() const {
    return reinterpret_cast<const float *>(storage.data());
  }
  const int32_t *integers() const {
    return reinterpret_cast<const int32_t *>(storage.data());
  }
  /// Elements from one row to the next: n rounded up to a cache line. Those
  /// beyond n may be read, but mean nothing.
  int64_t rowStep() const { return step; }

private:
  struct alignas(64) CacheLine {
    uint32_t words[16];
  };
  void copyFrom(const TileView &src, bool transpose);

  std::vector<CacheLine> storage;
  const std::byte *source = nullptr; ///< of borrowed weights
  int64_t kCount = 0, nCount = 0, step = 0;
  isa::DType type = isa::DType::F32;
};

/// With `enabled`, row r uses the first
/// clamp(limit + floor((firstRow + r) / group), 0, k) weights of each column.
struct RowLimit {
  bool enabled = false;
  int64_t limit = 0;
  int64_t group = 1;
  int64_t firstRow = 0; ///< of these in the instruction
};

/// mx.mul: dst (m x n, f32, or i32 for integers) is, or is increased by, src
/// (m x k, or k rows of m with `transposeSrc`) times the weights.
void matmul(const WeightTile &weights, const TileView &dst, const TileView &src,
            int64_t m, bool accumulate, bool transposeSrc, RowLimit limit);

//===----------------------------------------------------------------------===//
// Vector engine: element by element. dst may be the same tile as an operand.
//===----------------------------------------------------------------------===//

void unary(isa::UnaryFunction fn, const TileView &dst, const TileView &a,
           int64_t rows, int64_t cols);

/// The bitwise functions take integer operands only.
void binary(isa::BinaryFunction fn, const TileView &dst, const TileView &a,
            const TileView &b, int64_t rows, int64_t cols);

/// fn(a, imm), or fn(imm, a) with `reverse`. If `a` is of integers and `fn` is
/// defined on them, imm is converted to i32.
void scalar(isa::BinaryFunction fn, bool reverse, const TileView &dst,
            const TileView &a, float imm, int64_t rows, int64_t cols);

void ternary(isa::TernaryFunction fn, const TileView &dst, const TileView &a,
             const TileView &b, const TileView &c, int64_t rows, int64_t cols);

void fill(const TileView &dst, float imm, int64_t rows, int64_t cols);

/// dst[r][c] = start + r * rowStep + c * colStep modulo 2^32, converted.
void iota(const TileView &dst, int64_t start, int64_t rowStep, int64_t colStep,
          int64_t rows, int64_t cols);

//===----------------------------------------------------------------------===//
// Vector engine: rows
//===----------------------------------------------------------------------===//

/// dst (rows x 1) is the reduction of each row of `a`, with `accumulate`
/// combined with what dst holds.
void reduce(isa::ReduceFunction fn, bool accumulate, const TileView &dst,
            const TileView &a, int64_t rows, int64_t cols);

/// One block of an online softmax.
struct SoftmaxArgs {
  TileView dst;
  TileView a;     ///< f32
  TileView state; ///< f32: maximum, sum, correction of each row
  float scale = 1;
  int64_t limit = 0;
  int64_t group = 1;
  int64_t window = 0;
  int64_t rows = 0, cols = 0;
};
void softmax(const SoftmaxArgs &args);

/// Rotary position embedding of `heads` heads of `cols` elements a row.
struct RopeArgs {
  TileView dst;
  TileView a;
  TileView cos; ///< f32, rows x rotary/2
  TileView sin; ///< f32, rows x rotary/2
  int64_t rotary = 0;
  int64_t heads = 1;
  int64_t headStride = 0; ///< Bytes from one head to the next in dst.
  bool interleaved = false;
  int64_t rows = 0, cols = 0;
};
void rope(const RopeArgs &args);

/// dst[r] = a[index[r]]. Returns the first index outside 0 .. bound-1, and has
/// then written nothing.
std::optional<int64_t> gather(const TileView &dst, const TileView &a,
                              const TileView &index, int64_t bound,
                              int64_t rows, int64_t cols);

/// The k largest of each row in descending order, and their columns + first.
struct TopKArgs {
  TileView dst;
  TileView index; ///< i32
  TileView a;
  int64_t first = 0;
  int64_t k = 1;
  bool accumulate = false;
  int64_t rows = 0, cols = 0;
};
void topk(const TopKArgs &args);

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_KERNELS_KERNELS_H
