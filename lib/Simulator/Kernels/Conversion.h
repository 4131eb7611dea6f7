//===- Conversion.h - runs of elements to and from f32 and i32 --*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The vector engine computes in f32 or i32. These functions convert consecutive
// elements of any type; kernels look one up once per operand.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_KERNELS_CONVERSION_H
#define SERRANO_SIMULATOR_KERNELS_CONVERSION_H

#include "serrano/Isa/Operands.h"
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace serrano::sim {

template <typename T>
using ReadFunction = void (*)(const std::byte *src, T *dst, int64_t n);
template <typename T>
using WriteFunction = void (*)(const T *src, std::byte *dst, int64_t n);

/// Elements of `dtype` widened to f32.
ReadFunction<float> floatReadFunction(isa::DType dtype);
/// f32 rounded to elements of `dtype`, every NaN the canonical one.
WriteFunction<float> floatWriteFunction(isa::DType dtype);
/// Elements of an integer type as i32.
ReadFunction<int32_t> integerReadFunction(isa::DType dtype);
/// i32 converted to elements of `dtype`, rounded once or saturated.
WriteFunction<int32_t> integerWriteFunction(isa::DType dtype);

template <typename T>
ReadFunction<T> readFunction(isa::DType dtype) {
  if constexpr (std::is_same_v<T, float>)
    return floatReadFunction(dtype);
  else
    return integerReadFunction(dtype);
}

template <typename T>
WriteFunction<T> writeFunction(isa::DType dtype) {
  if constexpr (std::is_same_v<T, float>)
    return floatWriteFunction(dtype);
  else
    return integerWriteFunction(dtype);
}

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_KERNELS_CONVERSION_H
