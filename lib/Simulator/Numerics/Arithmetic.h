//===- Arithmetic.h - extrema, remainders and integer division --*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the ISA's arithmetic functions give where C++ leaves it open: for NaN,
// for zeros of both signs, on overflow and for division by zero.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_NUMERICS_ARITHMETIC_H
#define SERRANO_SIMULATOR_NUMERICS_ARITHMETIC_H

#include "llvm/Support/Compiler.h"
#include <bit>
#include <cmath>
#include <cstdint>

namespace serrano::sim {

/// NaN if either is NaN; +0 is larger than -0. Independent of the order, like
/// IEEE 754-2019's `maximum`.
LLVM_ATTRIBUTE_ALWAYS_INLINE float maximum(float a, float b) {
  float larger = a > b ? a : b;
  auto equal = std::bit_cast<float>(std::bit_cast<int32_t>(a) &
                                    std::bit_cast<int32_t>(b));
  larger = a == b ? equal : larger;
  return a != a ? a : larger;
}

/// NaN if either is NaN; -0 is smaller than +0.
LLVM_ATTRIBUTE_ALWAYS_INLINE float minimum(float a, float b) {
  float smaller = a < b ? a : b;
  auto equal = std::bit_cast<float>(std::bit_cast<int32_t>(a) |
                                    std::bit_cast<int32_t>(b));
  smaller = a == b ? equal : smaller;
  return a != a ? a : smaller;
}

/// a - b * floor(a / b), every operation rounded.
LLVM_ATTRIBUTE_ALWAYS_INLINE float floorMod(float a, float b) {
  return a - b * std::floor(a / b);
}

/// Modulo 2^32, as all integer arithmetic of the ISA.
LLVM_ATTRIBUTE_ALWAYS_INLINE int32_t wrapAdd(int32_t a, int32_t b) {
  return int32_t(uint32_t(a) + uint32_t(b));
}
LLVM_ATTRIBUTE_ALWAYS_INLINE int32_t wrapSub(int32_t a, int32_t b) {
  return int32_t(uint32_t(a) - uint32_t(b));
}
LLVM_ATTRIBUTE_ALWAYS_INLINE int32_t wrapMul(int32_t a, int32_t b) {
  return int32_t(uint32_t(a) * uint32_t(b));
}

/// Towards zero; -1 for b = 0; the least number for its division by -1.
LLVM_ATTRIBUTE_ALWAYS_INLINE int32_t divide(int32_t a, int32_t b) {
  if (b == 0)
    return -1;
  return b == -1 ? wrapSub(0, a) : a / b;
}

/// a - b * floor(a / b): the sign is b's; a for b = 0.
LLVM_ATTRIBUTE_ALWAYS_INLINE int32_t floorMod(int32_t a, int32_t b) {
  if (b == 0)
    return a;
  int32_t rest = b == -1 ? 0 : a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_NUMERICS_ARITHMETIC_H
