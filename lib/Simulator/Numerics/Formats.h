//===- Formats.h - the chip's number formats --------------------*- C++ -*-===//
//
// Part of Serrano, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Conversions between f32 and the narrower formats, one number at a time and
// without branches, so that a loop over them becomes vector code. The formats
// and the bit patterns of NaN are listed in docs/Numerics.md.
//
//===----------------------------------------------------------------------===//

#ifndef SERRANO_SIMULATOR_NUMERICS_FORMATS_H
#define SERRANO_SIMULATOR_NUMERICS_FORMATS_H

#include "llvm/Support/Compiler.h"
#include <bit>
#include <cstdint>

namespace serrano::sim {

/// A format with a sign, `E` exponent bits and `M` mantissa bits, narrower than
/// f32 in both.
template <int E, int M>
struct NarrowFormat {
  static constexpr int bias = (1 << (E - 1)) - 1;
  /// How far the mantissa is from where f32 has it.
  static constexpr int shift = 23 - M;
  static constexpr uint32_t signBit = 1u << (E + M);
  static constexpr uint32_t exponentMask = ((1u << E) - 1) << M;
  static constexpr uint32_t smallestNormal = uint32_t(127 - bias + 1) << 23;
  /// 2^p such that one unit in its last place is the smallest denormal.
  static constexpr uint32_t denormalMagic = uint32_t(127 - bias + 1 + shift)
                                            << 23;

  /// The encoding of `magnitude` (an f32 without sign), rounded to nearest
  /// even, as if the exponent had no upper end.
  static LLVM_ATTRIBUTE_ALWAYS_INLINE uint32_t round(uint32_t magnitude) {
    // Adding just under half a unit, or half a unit if the last bit is odd,
    // carries into the bits that stay. The carry may well reach the exponent.
    uint32_t half = (1u << (shift - 1)) - 1 + (magnitude >> shift & 1);
    uint32_t normal =
        ((magnitude + half) >> shift) - (uint32_t(127 - bias) << M);
    // The adder itself rounds at the place of the smallest denormal.
    float sum =
        std::bit_cast<float>(magnitude) + std::bit_cast<float>(denormalMagic);
    uint32_t denormal = std::bit_cast<uint32_t>(sum) - denormalMagic;
    return magnitude < smallestNormal ? denormal : normal;
  }

  /// The f32 of an encoding without sign that is neither Inf nor NaN.
  static LLVM_ATTRIBUTE_ALWAYS_INLINE uint32_t extend(uint32_t magnitude) {
    uint32_t normal = (magnitude << shift) + (uint32_t(127 - bias) << 23);
    // A denormal, read as a normal number of the smallest exponent, is too
    // large by exactly that exponent's power of two.
    float denormal = std::bit_cast<float>(normal + (1u << 23)) -
                     std::bit_cast<float>(smallestNormal);
    return magnitude & exponentMask ? normal
                                    : std::bit_cast<uint32_t>(denormal);
  }
};

using F16Format = NarrowFormat<5, 10>;
using F8e5m2Format = NarrowFormat<5, 2>;
using F8e4m3Format = NarrowFormat<4, 3>;

/// What is written for NaN.
inline constexpr uint32_t canonicalNan = 0x7fc00000;
inline constexpr uint16_t canonicalNanBf16 = 0x7fc0;
inline constexpr uint16_t canonicalNanF16 = 0x7e00;
inline constexpr uint8_t canonicalNanF8e4m3 = 0x7f;
inline constexpr uint8_t canonicalNanF8e5m2 = 0x7e;

LLVM_ATTRIBUTE_ALWAYS_INLINE float canonical(float x) {
  return x != x ? std::bit_cast<float>(canonicalNan) : x;
}

//===----------------------------------------------------------------------===//
// To f32: exact
//===----------------------------------------------------------------------===//

LLVM_ATTRIBUTE_ALWAYS_INLINE float widenBf16(uint16_t x) {
  return std::bit_cast<float>(uint32_t(x) << 16);
}

LLVM_ATTRIBUTE_ALWAYS_INLINE float widenF16(uint16_t x) {
  uint32_t magnitude = x & 0x7fffu, sign = uint32_t(x & 0x8000u) << 16;
  uint32_t special = 0x7f800000u | magnitude << F16Format::shift;
  return std::bit_cast<float>(
      sign | (magnitude >= 0x7c00 ? special : F16Format::extend(magnitude)));
}

LLVM_ATTRIBUTE_ALWAYS_INLINE float widenF8e4m3(uint8_t x) {
  uint32_t magnitude = x & 0x7fu, sign = uint32_t(x & 0x80u) << 24;
  return std::bit_cast<float>(
      sign |
      (magnitude == 0x7f ? canonicalNan : F8e4m3Format::extend(magnitude)));
}

LLVM_ATTRIBUTE_ALWAYS_INLINE float widenF8e5m2(uint8_t x) {
  uint32_t magnitude = x & 0x7fu, sign = uint32_t(x & 0x80u) << 24;
  uint32_t special = 0x7f800000u | magnitude << F8e5m2Format::shift;
  return std::bit_cast<float>(
      sign | (magnitude >= 0x7c ? special : F8e5m2Format::extend(magnitude)));
}

//===----------------------------------------------------------------------===//
// From f32: to nearest even
//===----------------------------------------------------------------------===//

LLVM_ATTRIBUTE_ALWAYS_INLINE uint16_t narrowBf16(float x) {
  auto bits = std::bit_cast<uint32_t>(x);
  uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return uint16_t(x != x ? canonicalNanBf16 : rounded);
}

LLVM_ATTRIBUTE_ALWAYS_INLINE uint16_t narrowF16(float x) {
  uint32_t bits = std::bit_cast<uint32_t>(x), sign = bits >> 16 & 0x8000u;
  uint32_t rounded = F16Format::round(bits & 0x7fffffffu);
  rounded = rounded < 0x7c00u ? rounded : 0x7c00u; // Inf
  return uint16_t(x != x ? canonicalNanF16 : sign | rounded);
}

/// Saturates, Inf included.
LLVM_ATTRIBUTE_ALWAYS_INLINE uint8_t narrowF8e4m3(float x) {
  uint32_t bits = std::bit_cast<uint32_t>(x), sign = bits >> 24 & 0x80u;
  uint32_t rounded = F8e4m3Format::round(bits & 0x7fffffffu);
  rounded = rounded < 0x7eu ? rounded : 0x7eu; // 448
  return uint8_t(x != x ? canonicalNanF8e4m3 : sign | rounded);
}

/// Saturates, Inf included.
LLVM_ATTRIBUTE_ALWAYS_INLINE uint8_t narrowF8e5m2(float x) {
  uint32_t bits = std::bit_cast<uint32_t>(x), sign = bits >> 24 & 0x80u;
  uint32_t rounded = F8e5m2Format::round(bits & 0x7fffffffu);
  rounded = rounded < 0x7bu ? rounded : 0x7bu; // 57344
  return uint8_t(x != x ? canonicalNanF8e5m2 : sign | rounded);
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// Towards zero; saturates; NaN gives 0.
LLVM_ATTRIBUTE_ALWAYS_INLINE int32_t toInteger(float x) {
  bool high = x >= 0x1p31f, low = x < -0x1p31f;
  auto inside = int32_t(high || low || x != x ? 0.0f : x);
  return high ? INT32_MAX : low ? INT32_MIN : inside;
}

LLVM_ATTRIBUTE_ALWAYS_INLINE int8_t saturateI8(int32_t x) {
  return int8_t(x < -128 ? -128 : x > 127 ? 127 : x);
}

LLVM_ATTRIBUTE_ALWAYS_INLINE uint8_t saturateU8(int32_t x) {
  return uint8_t(x < 0 ? 0 : x > 255 ? 255 : x);
}

/// An f32 that rounds to every narrower format as `x` itself does, where the
/// nearest f32 could have moved onto the middle between two numbers.
LLVM_ATTRIBUTE_ALWAYS_INLINE float toFloatForNarrowing(int32_t x) {
  uint32_t magnitude = x < 0 ? -uint32_t(x) : uint32_t(x);
  // Up to 24 bits are exact. Of more, the lowest 8 can only say whether there
  // is anything beyond what a narrow format keeps; the bit above says it, too.
  uint32_t sticky = (magnitude >> 8) | ((magnitude & 0xff) != 0 ? 1 : 0);
  float value = magnitude < (1u << 24) ? float(int32_t(magnitude))
                                       : float(int32_t(sticky)) * 256.0f;
  return x < 0 ? -value : value;
}

} // namespace serrano::sim

#endif // SERRANO_SIMULATOR_NUMERICS_FORMATS_H
