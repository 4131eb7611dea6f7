//===- Activation.h - sigmoid, tanh, erf and gelu ---------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All in f64 with errors far below a unit of f32, then rounded once. See
// Exponential.h.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_NUMERICS_ACTIVATION_H
#define SERRANO_SIMULATOR_NUMERICS_ACTIVATION_H

#include "Exponential.h"

namespace serrano::sim {

/// 1 / (1 + e^-x).
LLVM_ATTRIBUTE_ALWAYS_INLINE float sigmoidF32(float x) {
  return float(1.0 / (1.0 + expF64(-double(x))));
}

/// x sigmoid(x); -0, its limit, at -Inf.
LLVM_ATTRIBUTE_ALWAYS_INLINE float siluF32(float x) {
  double bounded = x < -200.0f ? -200.0 : double(x); // e^-200 is 0 in f32
  return float(bounded / (1.0 + expF64(-bounded)));
}

/// Below 2^-12, x - x^3 / 3; otherwise 1 - 2 / (e^2|x| + 1) with x's sign.
LLVM_ATTRIBUTE_ALWAYS_INLINE float tanhF32(float x) {
  double magnitude = std::fabs(double(x));
  double large = 1.0 - 2.0 / (expF64(2.0 * magnitude) + 1.0);
  double small = magnitude * std::fma(magnitude * magnitude, -1.0 / 3.0, 1.0);
  double result = magnitude < 0x1p-12 ? small : large;
  return float(std::copysign(result, double(x)));
}

/// 1 - erf x for x >= 0, with a relative error below 2^-38. With
/// t = 3 / (3 + x): e^(-x^2) t Q(t), a minimax Q of degree 13 on x <= 11.5,
/// beyond which f32 has only 0.
LLVM_ATTRIBUTE_ALWAYS_INLINE double erfcF64(double x) {
  double t = 3.0 / (3.0 + x);
  double q = 0x1.deaaf24b610fep-7;
  q = std::fma(q, t, -0x1.d608777f2d410p-4);
  q = std::fma(q, t, 0x1.86edbca662b4ep-2);
  q = std::fma(q, t,
               -0x1.626bf5acb22c5p-1); // NOLINT(modernize-use-std-numbers)
  q = std::fma(q, t, 0x1.86428d9ab650dp-1);
  q = std::fma(q, t, -0x1.336b1ead62fd2p-1);
  q = std::fma(q, t, 0x1.7b1a359d04f80p-2);
  q = std::fma(q, t, -0x1.65ac77838a30ap-4);
  q = std::fma(q, t, 0x1.1887276950a67p-3);
  q = std::fma(q, t, 0x1.df56f8bdaa68bp-4);
  q = std::fma(q, t, 0x1.4444596c8e6c5p-3);
  q = std::fma(q, t, 0x1.6b66c7bf676bep-3);
  q = std::fma(q, t, 0x1.812d1ed970362p-3);
  q = std::fma(q, t, 0x1.81271b05d23fbp-3);
  return expF64(-x * x) * (t * q);
}

/// Below 1/2, x R(x^2) with a minimax R of degree 6 (2^-41); else 1 - erfc.
LLVM_ATTRIBUTE_ALWAYS_INLINE float erfF32(float x) {
  double magnitude = std::fabs(double(x));
  double z = magnitude * magnitude;
  double r = 0x1.bbb247cff0a71p-14;
  r = std::fma(r, z, -0x1.bd0621de856bdp-11);
  r = std::fma(r, z, 0x1.56472587304bfp-8);
  r = std::fma(r, z, -0x1.b82c576f0e17ep-6);
  r = std::fma(r, z, 0x1.ce2f1fdd0e6eap-4);
  r = std::fma(r, z, -0x1.812746ae13257p-2);
  r = std::fma(r, z, 0x1.20dd750429499p0);
  double result = magnitude < 0.5 ? magnitude * r : 1.0 - erfcF64(magnitude);
  return float(std::copysign(result, double(x)));
}

/// x/2 (1 + erf(x / sqrt 2)); -0, its limit, at -Inf. For x < 0 the bracket is
/// erfc(|x| / sqrt 2), which loses nothing to cancellation.
LLVM_ATTRIBUTE_ALWAYS_INLINE float geluF32(float x) {
  constexpr double sqrtHalf = 0x1.6a09e667f3bcdp-1;
  double bounded = x < -16.0f ? -16.0 : double(x); // 0 in f32 from -14.4 down
  double tail = erfcF64(std::fabs(bounded) * sqrtHalf);
  return float(0.5 * bounded * (bounded < 0.0 ? tail : 2.0 - tail));
}

/// x/2 (1 + tanh u) = x / (1 + e^-2u), u = sqrt(2/pi) (x + 0.044715 x^3); -0,
/// its limit, at -Inf.
LLVM_ATTRIBUTE_ALWAYS_INLINE float geluTanhF32(float x) {
  constexpr double twoSqrtTwoOverPi = 0x1.9884533d43651p0;
  double bounded = x < -20.0f ? -20.0 : double(x); // 0 in f32 from -10.5 down
  double cubic = std::fma(0.044715 * bounded * bounded, bounded, bounded);
  return float(bounded / (1.0 + expF64(-twoSqrtTwoOverPi * cubic)));
}

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_NUMERICS_ACTIVATION_H
