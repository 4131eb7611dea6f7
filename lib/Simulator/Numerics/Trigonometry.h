//===- Trigonometry.h - sin and cos -----------------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Both reduce x to r = x - n pi/2, |r| <= pi/4, and take sin r or cos r by n
// mod 4. Up to 2^28 the reduction is Cody and Waite's in f64 and vectorises;
// beyond, it is Payne and Hanek's with a product of 152 bits.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_NUMERICS_TRIGONOMETRY_H
#define SERRANO_SIMULATOR_NUMERICS_TRIGONOMETRY_H

#include "Exponential.h"

namespace serrano::sim {

/// From this magnitude on, `sinF32Large` and `cosF32Large` have to be used.
inline constexpr float largeAngle = 0x1p28f;

/// n mod 4 in the low two bits, and r.
struct ReducedAngle {
  uint64_t quadrant;
  double r;
};

/// For |x| < `largeAngle`. pi/2 = high + low to 107 bits: r's absolute error
/// is below 2^-78, and no f32 of this range comes closer to a multiple of pi/2
/// than 2^-31.
LLVM_ATTRIBUTE_ALWAYS_INLINE ReducedAngle reduceAngle(double x) {
  constexpr double twoOverPi = 0x1.45f306dc9c883p-1;
  constexpr double high = 0x1.921fb54442d18p0;
  constexpr double low = 0x1.1a62633145c07p-54;
  double shifted = std::fma(x, twoOverPi, integerMagicF64);
  double n = shifted - integerMagicF64;
  double r = std::fma(-n, high, x);
  return {std::bit_cast<uint64_t>(shifted), std::fma(-n, low, r)};
}

/// The sine of r + quadrant * pi/2: minimax polynomials in r^2 with relative
/// errors of 2^-47 (sine) and 2^-53 (cosine).
LLVM_ATTRIBUTE_ALWAYS_INLINE float sinOfReduced(ReducedAngle angle) {
  double r = angle.r, z = r * r;
  double s = -0x1.a966d62c96ecap-26;
  s = std::fma(s, z, 0x1.71d77cdad05ecp-19);
  s = std::fma(s, z, -0x1.a019f95a5b0f0p-13);
  s = std::fma(s, z, 0x1.1111110ca25cap-7);
  s = std::fma(s, z, -0x1.55555555523f7p-3);
  double sine = std::fma(r * z, s, r);
  double c = 0x1.1bc79c1108072p-29;
  c = std::fma(c, z, -0x1.27e02a0d5758cp-22);
  c = std::fma(c, z, 0x1.a019faa9540d8p-16);
  c = std::fma(c, z, -0x1.6c16c1676ab70p-10);
  c = std::fma(c, z, 0x1.555555555310ap-5);
  double cosine = std::fma(z * z, c, std::fma(z, -0.5, 1.0));
  double result = angle.quadrant & 1 ? cosine : sine;
  return float(angle.quadrant & 2 ? -result : result);
}

/// For |x| < `largeAngle`.
LLVM_ATTRIBUTE_ALWAYS_INLINE float sinF32(float x) {
  float result = sinOfReduced(reduceAngle(x));
  return x == 0.0f ? x : result; // -0
}

/// For |x| < `largeAngle`.
LLVM_ATTRIBUTE_ALWAYS_INLINE float cosF32(float x) {
  ReducedAngle angle = reduceAngle(x);
  ++angle.quadrant;
  return sinOfReduced(angle);
}

/// For |x| >= `largeAngle`, infinities and NaN.
float sinF32Large(float x);
float cosF32Large(float x);

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_NUMERICS_TRIGONOMETRY_H
