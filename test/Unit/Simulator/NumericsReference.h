//===- NumericsReference.h - number formats by their definition -*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The formats as OCP's and IEEE's texts define them, in long double arithmetic,
// for tests to compare with.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_TEST_UNIT_SIMULATOR_NUMERICSREFERENCE_H
#define SERRANO_TEST_UNIT_SIMULATOR_NUMERICSREFERENCE_H

#include "serrano/Isa/Operands.h"
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace serrano::sim::reference {

struct Format {
  int exponentBits, mantissaBits;
  /// Whether the greatest exponent is that of Inf and NaN. Otherwise only all
  /// bits set is NaN, and there is no Inf.
  bool hasInfinity;
  /// Whether what is too large becomes the largest finite number.
  bool saturates;
  uint32_t nan;

  int bias() const { return (1 << (exponentBits - 1)) - 1; }
  uint32_t signBit() const { return 1u << (exponentBits + mantissaBits); }
  uint32_t largestFinite() const {
    uint32_t infinity = ((1u << exponentBits) - 1) << mantissaBits;
    return hasInfinity ? infinity - 1 : signBit() - 2;
  }
};

inline constexpr Format f32 = {8, 23, true, false, 0x7fc00000};
inline constexpr Format bf16 = {8, 7, true, false, 0x7fc0};
inline constexpr Format f16 = {5, 10, true, false, 0x7e00};
inline constexpr Format f8e4m3 = {4, 3, false, true, 0x7f};
inline constexpr Format f8e5m2 = {5, 2, true, true, 0x7e};

inline const Format &formatOf(isa::DType dtype) {
  switch (dtype) {
  case isa::DType::Bf16:
    return bf16;
  case isa::DType::F16:
    return f16;
  case isa::DType::F8e4m3:
    return f8e4m3;
  case isa::DType::F8e5m2:
    return f8e5m2;
  default:
    return f32;
  }
}

/// The number that `code` stands for.
inline long double decode(const Format &format, uint32_t code) {
  uint32_t magnitude = code & (format.signBit() - 1);
  long double sign = code & format.signBit() ? -1.0L : 1.0L;
  if (magnitude > format.largestFinite()) {
    bool infinite =
        format.hasInfinity && magnitude == format.largestFinite() + 1;
    return infinite ? sign * std::numeric_limits<long double>::infinity()
                    : std::numeric_limits<long double>::quiet_NaN();
  }
  int exponent = int(magnitude >> format.mantissaBits);
  long double mantissa = magnitude & ((1u << format.mantissaBits) - 1);
  if (exponent == 0)
    return sign * std::ldexp(mantissa, 1 - format.bias() - format.mantissaBits);
  mantissa += 1u << format.mantissaBits;
  return sign *
         std::ldexp(mantissa, exponent - format.bias() - format.mantissaBits);
}

/// The code of the number nearest to `x`, of two the one with an even code.
inline uint32_t encode(const Format &format, long double x) {
  if (std::isnan(x))
    return format.nan;
  uint32_t sign = std::signbit(x) ? format.signBit() : 0;
  long double magnitude = std::fabs(x);
  long double largest = decode(format, format.largestFinite());
  int leastExponent = 1 - format.bias();
  int exponent = leastExponent;
  if (magnitude > 0 && !std::isinf(magnitude))
    exponent = std::max(leastExponent, std::ilogb(magnitude));
  // Numbers around `magnitude` are multiples of one unit; rint ties to even.
  long double unit = std::ldexp(1.0L, exponent - format.mantissaBits);
  long double rounded = std::rint(magnitude / unit) * unit;
  if (std::isinf(magnitude) || rounded > largest)
    return sign | (format.largestFinite() + (format.saturates ? 0 : 1));
  // One binade further if rounding reached it.
  if (rounded >= std::ldexp(1.0L, exponent + 1))
    ++exponent;
  unit = std::ldexp(1.0L, exponent - format.mantissaBits);
  auto units = uint32_t(rounded / unit);
  uint32_t implicit = 1u << format.mantissaBits;
  if (units < implicit)
    return sign | units;
  return sign | (uint32_t(exponent + format.bias()) << format.mantissaBits) |
         (units - implicit);
}

/// `x` as f32 writes it: NaN is the canonical one.
inline uint32_t encodeF32(float x) {
  return x != x ? f32.nan : std::bit_cast<uint32_t>(x);
}

/// Numbers at which something changes, of both signs.
inline std::vector<float> edgeValues() {
  std::vector<float> values;
  for (uint32_t bits :
       {0x00000000u, 0x00000001u, 0x00000002u, 0x007fffffu, 0x00800000u,
        0x33000000u, 0x33800000u, 0x38800000u, 0x387fffffu, 0x3b000000u,
        0x3effffffu, 0x3f000000u, 0x3f000001u, 0x3f7fffffu, 0x3f800000u,
        0x3f800001u, 0x3fc00000u, 0x40200000u, 0x42b17218u, 0x43000000u,
        0x43800000u, 0x43e80000u, 0x43e80001u, 0x477fefffu, 0x477ff000u,
        0x47700000u, 0x4b000001u, 0x4effffffu, 0x4f000000u, 0x4f800000u,
        0x5f000000u, 0x7f7fffffu, 0x7f800000u, 0x7f800001u, 0x7fc00000u,
        0x7fffffffu})
    for (uint32_t sign : {0u, 0x80000000u})
      values.push_back(std::bit_cast<float>(bits | sign));
  return values;
}

} // namespace serrano::sim::reference

#endif // SERRANO_TEST_UNIT_SIMULATOR_NUMERICSREFERENCE_H
