//===- Exponential.h - exp, log and pow -------------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Algorithms, largest errors and exact points are listed in docs/Numerics.md.
// No function here has a branch or a table, and every operation is one of IEEE
// 754's: results are the same on every host, and a loop over one of these
// functions becomes vector code of any width.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_NUMERICS_EXPONENTIAL_H
#define SERRANO_SIMULATOR_NUMERICS_EXPONENTIAL_H

#include "llvm/Support/Compiler.h"
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

namespace serrano::sim {

/// 1.5 * 2^23 and 1.5 * 2^52: adding one rounds to an integer, which then
/// stands in the low bits of the sum.
inline constexpr float integerMagicF32 = 0x1.8p23f;
inline constexpr double integerMagicF64 = 0x1.8p52;

/// e^x. Cody and Waite's reduction to r = x - n log 2, |r| <= log 2 / 2, then
/// e^r = 1 + r + r^2 q(r) with a minimax q of degree 4 (relative error of e^r
/// 2^-28), all in f32.
LLVM_ATTRIBUTE_ALWAYS_INLINE float expF32(float x) {
  constexpr auto log2e = std::numbers::log2e_v<float>;
  // log 2 in two parts: the first has 15 bits, so that n times it is exact.
  constexpr float log2High = 0x1.62e4p-1f; // NOLINT(modernize-use-std-numbers)
  constexpr float log2Low = 0x1.7f7d1cp-20f;
  // Beyond these bounds results are +0 and +Inf.
  x = x < -104.0f ? -104.0f : x;
  x = x > 89.0f ? 89.0f : x;
  float shifted = std::fma(x, log2e, integerMagicF32);
  float n = shifted - integerMagicF32;
  float r = std::fma(-n, log2High, x);
  r = std::fma(-n, log2Low, r);
  float q = 0x1.6a23c8p-10f;
  q = std::fma(q, r, 0x1.123a2p-7f);
  q = std::fma(q, r, 0x1.5558f4p-5f);
  q = std::fma(q, r, 0x1.555492p-3f);
  q = std::fma(q, r, 0x1.fffffcp-2f);
  float p = std::fma(r * r, q, r);
  // 2^n in two factors: n reaches from -150 to 128, further than exponents do.
  int32_t exponent =
      std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(integerMagicF32);
  int32_t half = exponent >> 1;
  auto scale0 = std::bit_cast<float>((half + 127) << 23);
  auto scale1 = std::bit_cast<float>((exponent - half + 127) << 23);
  return std::fma(scale0, p, scale0) * scale1;
}

/// e^x with a relative error below 2^-48, for use inside other functions.
/// Saturates at e^-700 and e^700, which f32 rounds to +0 and +Inf.
LLVM_ATTRIBUTE_ALWAYS_INLINE double expF64(double x) {
  constexpr double log2e = std::numbers::log2e;
  // log 2 in two parts: the first has 42 bits.
  constexpr double log2High =
      0x1.62e42fefa38p-1; // NOLINT(modernize-use-std-numbers)
  constexpr double log2Low = 0x1.ef35793c7673p-45;
  x = x < -700.0 ? -700.0 : x;
  x = x > 700.0 ? 700.0 : x;
  double shifted = std::fma(x, log2e, integerMagicF64);
  double n = shifted - integerMagicF64;
  double r = std::fma(-n, log2High, x);
  r = std::fma(-n, log2Low, r);
  double q = 0x1.27077377edc78p-22;
  q = std::fma(q, r, 0x1.72e95f1954030p-19);
  q = std::fma(q, r, 0x1.a01b7d0a08d22p-16);
  q = std::fma(q, r, 0x1.a0198d1cfe61bp-13);
  q = std::fma(q, r, 0x1.6c16c0c7b650ap-10);
  q = std::fma(q, r, 0x1.11111125c3b06p-7);
  q = std::fma(q, r, 0x1.5555555589403p-5);
  q = std::fma(q, r, 0x1.5555555550776p-3);
  q = std::fma(q, r, 0x1.ffffffffffed1p-2);
  double p = std::fma(r * r, q, r);
  uint64_t exponent = std::bit_cast<uint64_t>(shifted) -
                      std::bit_cast<uint64_t>(integerMagicF64);
  auto scale = std::bit_cast<double>((exponent + 1023) << 52);
  return std::fma(scale, p, scale);
}

/// log x for normal x > 0 and for +Inf, with a relative error below 2^-48;
/// -Inf for 0. x = 2^k m with m in [sqrt 1/2, sqrt 2), s = (m - 1) / (m + 1),
/// log m = 2 s + s^3 P(s^2) with a minimax P of degree 5.
LLVM_ATTRIBUTE_ALWAYS_INLINE double logF64(double x) {
  constexpr double log2 = std::numbers::ln2;
  constexpr uint64_t sqrtHalf = 0x3fe6a09e667f3bcd;
  constexpr uint64_t bias = 1024;
  constexpr uint64_t twoTo52 = uint64_t(1075) << 52;
  auto bits = std::bit_cast<uint64_t>(x);
  uint64_t biased = (bits - sqrtHalf + (bias << 52)) >> 52; // k + bias
  double k = std::bit_cast<double>(twoTo52 | biased) - (0x1p52 + double(bias));
  auto m = std::bit_cast<double>(bits - ((biased - bias) << 52));
  double f = m - 1.0;
  double s = f / (m + 1.0);
  double z = s * s;
  double p = 0x1.58804c478d405p-3;
  p = std::fma(p, z, 0x1.732b725d7a5d1p-3);
  p = std::fma(p, z, 0x1.c7227d58a7d1ap-3);
  p = std::fma(p, z, 0x1.2492416ed150dp-2);
  p = std::fma(p, z, 0x1.999999a2a06c5p-2);
  p = std::fma(p, z, 0x1.5555555553934p-1);
  double logM = std::fma(s * z, p, 2.0 * s);
  double result = std::fma(k, log2, logM);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  result = x == 0.0 ? -infinity : result;
  return x == infinity ? infinity : result;
}

/// Natural logarithm; NaN below 0.
LLVM_ATTRIBUTE_ALWAYS_INLINE float logF32(float x) {
  auto result = float(logF64(x));
  return x >= 0.0f ? result : std::numeric_limits<float>::quiet_NaN();
}

/// x^y with the special cases of IEEE 754-2019 `pow`.
LLVM_ATTRIBUTE_ALWAYS_INLINE float powF32(float x, float y) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  float magnitude = std::fabs(x);
  auto result = float(expF64(double(y) * logF64(magnitude)));
  // 1^(+-Inf) and (-1)^(+-Inf), where the product was 0 * Inf.
  result = magnitude == 1.0f && std::fabs(y) == infinity ? 1.0f : result;
  bool integer = y == std::floor(y);
  float halfY = y * 0.5f;
  bool odd = integer && std::fabs(y) != infinity && halfY != std::floor(halfY);
  bool negative = std::bit_cast<int32_t>(x) < 0;
  result = negative && odd ? -result : result;
  result = x < 0.0f && magnitude != infinity && !integer ? nan : result;
  result = x != x || y != y ? nan : result;
  return x == 1.0f || y == 0.0f ? 1.0f : result;
}

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_NUMERICS_EXPONENTIAL_H
