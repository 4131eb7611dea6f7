//===- Reduction.h - one row's reduction ------------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The order in which the ISA sums: 32 strided chains, then a tree.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_KERNELS_REDUCTION_H
#define SERRANO_SIMULATOR_KERNELS_REDUCTION_H

#include "serrano/Isa/Operands.h"
#include <cstdint>

namespace serrano::sim {

inline constexpr int64_t reductionChains = 32;

/// chain[i % 32] takes a[i] for all i < n in ascending order.
template <typename T>
using ChainsRun = void (*)(T *chain, const T *a, int64_t n);
template <typename T>
using CombineFunction = T (*)(T a, T b);
/// Chain j takes chain j + 16, then j + 8, and so on; chain 0 in the end.
template <typename T>
using FoldFunction = T (*)(const T *chain);

/// A reduction function in T: what chains start from, how they take elements,
/// how two of them combine, and so all of them.
template <typename T>
struct Reduction {
  T identity;
  ChainsRun<T> extend;
  CombineFunction<T> combine;
  FoldFunction<T> fold;
};

Reduction<float> floatReduction(isa::ReduceFunction fn);
Reduction<int32_t> integerReduction(isa::ReduceFunction fn);

/// The chains of one row.
template <typename T>
class RowReduction {
public:
  explicit RowReduction(const Reduction<T> &reduction) : reduction(reduction) {
    for (T &c : chain)
      c = reduction.identity;
  }

  /// The next n elements; only the last ones of a row may be other than a
  /// multiple of 32.
  void extend(const T *a, int64_t n) { reduction.extend(chain, a, n); }

  T result() const { return reduction.fold(chain); }

private:
  const Reduction<T> &reduction;
  T chain[reductionChains];
};

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_KERNELS_REDUCTION_H
