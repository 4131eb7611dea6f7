//===- Matmul.h - the parts of mx.mul ---------------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `matmul` prepares rows of the moving operand and hands them to one of two
// engines: one step of a chain per k for f32, bf16, f16 and integers, or one
// per four k for fp8.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_KERNELS_MATMUL_H
#define SERRANO_SIMULATOR_KERNELS_MATMUL_H

#include "Kernels.h"

namespace serrano::sim {

/// Rows of the moving operand, and where their results go. Element (r, k) is
/// src[r * rowStep + k * kStep], result (r, n) is dst[r * dstStep + n]. Chains
/// take the weights firstK .. lastK-1. Results hold what chains start from, and
/// then what they end with, NaN as the canonical one.
template <typename T>
struct RowBlock {
  const T *src;
  int64_t rowStep, kStep;
  T *dst;
  int64_t dstStep;
  int64_t rows;
  int64_t firstK, lastK;
};

void multiplyRows(const WeightTile &weights, const RowBlock<float> &block);
void multiplyRows(const WeightTile &weights, const RowBlock<int32_t> &block);
/// fp8; firstK is a multiple of 4. `bothE5m2` needs a wider exact sum.
void multiplyRowsFp8(const WeightTile &weights, const RowBlock<float> &block,
                     bool bothE5m2);
/// The same for e4m3 weights and e4m3 moving operands, several times faster.
/// Does nothing and returns false if a chain's start is not as it needs it.
bool multiplyRowsE4m3(const WeightTile &weights, const RowBlock<float> &block);

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_KERNELS_MATMUL_H
